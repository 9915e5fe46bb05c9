/* machdeck hosts: the lines of all containers, printed or kept in /etc/hosts. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/hosts.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/load.h"
#include "verbs/show.h"
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

/* The lines of all confs; those that can not be read are told about and make the status that is returned. */
static int collect(const char *root, struct strs *ret)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	int status = STATUS_DONE;
	struct err e = { 0 };

	if (confs_list(root, &names, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded l = { 0 };

		if (load_container(root, names.v[i], &l, &e) < 0)
			status = verb_fail(&e);
		else
			hosts_lines(&l.container, ret);
	}
	return status;
}

static int print_hosts(const struct strs *lines, int status)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };
	int printed;

	for (size_t i = 0; i < lines->n; i++)
		buf_addf(&text, "%s\n", lines->v[i]);
	if (text.bad || lines->bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	printed = verb_print(buf_text(&text));
	return printed != STATUS_DONE ? printed : status;
}

static int print_json(const struct strs *lines, int status)
{
	json_t *hosts = json_array();
	int printed;

	for (size_t i = 0; i < lines->n; i++) {
		const char *blank = strchr(lines->v[i], ' ');

		(void)json_array_append_new(hosts,
		                            json_pack("{s:s%, s:s}", "address", lines->v[i],
		                                      (size_t)(blank - lines->v[i]), "name", blank + 1));
	}
	printed = show_json(lines->bad ? NULL : json_pack("{s:i, s:o}", "schema", 1, "hosts", hosts));
	return printed != STATUS_DONE ? printed : status;
}

int verb_hosts(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "write", no_argument, NULL, 'w' },
		{ 0 },
	};
	CLEANUP(strs_done) struct strs lines = { 0 };
	const char *root = "";
	bool json = false, write = false;
	struct err e = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		json |= option == 'j';
		write |= option == 'w';
		root = option == 'r' ? optarg : root;
	}
	if (optind < argc)
		return verb_usage(v, "it takes no names: all containers' lines belong together");
	if (json && write)
		return verb_usage(v, "--json prints, and --write does not");

	status = collect(root, &lines);
	if (!write)
		return json ? print_json(&lines, status) : print_hosts(&lines, status);
	if (status != STATUS_DONE) {
		fprintf(stderr,
		        "machdeck: %s" HOSTS_FILE " stays as it is: its block would lose these lines\n",
		        root);
		return status;
	}
	return write_hosts(root, &lines, &e) < 0 ? verb_fail(&e) : STATUS_DONE;
}
