#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/hosts.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/load.h"
#include "verbs/verbs.h"

#define HOSTS_FILE     "/etc/hosts"
#define HOSTS_SIZE_MAX (16 << 20) /* lists of blocked names are that long */

static int write_hosts(const char *root, const struct strs *lines, struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	CLEANUP(buf_done) struct buf new = { 0 };
	int r = files_read(root, HOSTS_FILE, HOSTS_SIZE_MAX, &old, NULL, e);

	if (r < 0 && r != -ENOENT)
		return r;
	r = hosts_edit(buf_text(&old), old.len, lines, &new, e);
	if (r < 0)
		return err_wrap(e, r, "%s" HOSTS_FILE, root);
	if (new.len == old.len && memcmp(buf_text(&new), buf_text(&old), old.len) == 0)
		return 0;
	return files_save(root, HOSTS_FILE, 0644, buf_text(&new), new.len, e);
}

int verb_hosts(const struct verb *v, int argc, char **argv)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(strs_done) struct strs lines = { 0 };
	const char *root = "";
	bool write = false;
	int status = STATUS_DONE;
	struct err e;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--write"))
			write = true;
		else if (!strcmp(argv[i], "--root") && i + 1 < argc)
			root = argv[++i];
		else
			return verb_usage(v, "hosts takes only --root DIR and --write");
	}
	if (confs_list(root, &names, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded l = { 0 };

		if (load_container(root, names.v[i], &l, &e) < 0)
			status = verb_fail(&e);
		else
			hosts_lines(&l.container, &lines);
	}
	if (lines.bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	if (!write) {
		for (size_t i = 0; i < lines.n; i++)
			puts(lines.v[i]);
		return status;
	}
	if (status != STATUS_DONE) {
		fputs("machdeck: " HOSTS_FILE " is left as it is: without these confs its block would lose lines\n", stderr);
		return status;
	}
	return write_hosts(root, &lines, &e) < 0 ? verb_fail(&e) : STATUS_DONE;
}
