#include "drivers/confs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "drivers/files.h"
#include "words/name.h"

#define SUFFIX ".conf"

static const char *const folders[] = { "/etc/nixos-containers", "/etc/containers" };

void conf_file_done(struct conf_file *f)
{
	free(f->path);
	free(f->leads_to);
	buf_done(&f->text);
	*f = (struct conf_file){ 0 };
}

/* Returns false when out of memory. */
static bool find_target(const char *host_root, struct conf_file *f)
{
	CLEANUP(free_p) char *path = NULL;
	char target[PATH_MAX];
	ssize_t len;

	if (asprintf(&path, "%s%s", host_root, f->path) < 0)
		return path = NULL, false;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return true;
	f->leads_to = strndup(target, (size_t)len);
	return f->leads_to;
}

/* Whether a line starts with an assignment to a key of ours. Not the strict reading: a conf with a mistake in
 * it is still ours, and is to be shown with the mistake. */
static bool has_known_key(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\r\n"), line += strspn(line, "\r\n")) {
		char key[64];
		size_t len;

		line += strspn(line, " \t");
		len = strcspn(line, " \t=\r\n");
		if (len >= sizeof(key) || line[len + strspn(line + len, " \t")] != '=')
			continue;
		memcpy(key, line, len);
		key[len] = '\0';
		if (conf_knows_key(key))
			return true;
	}
	return false;
}

/* Whether the file is a conf of ours by what it says; one that can not be read is, so that it is not
 * overlooked. */
static bool is_ours(const char *host_root, const char *path)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	return files_read(host_root, path, CONF_SIZE_MAX, &text, NULL, NULL) < 0 ||
	       has_known_key(buf_text(&text));
}

static int list_folder(const char *host_root, const char *folder, struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *dir = NULL;
	int fd = -1, r = files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &fd, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(e, errno, "cannot read %s", folder);
	}
	for (struct dirent *entry; (errno = 0, entry = readdir(dir));) {
		CLEANUP(free_p) char *name = NULL, *path = NULL;
		size_t len = strlen(entry->d_name);

		if (len <= strlen(SUFFIX) || strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		name = strndup(entry->d_name, len - strlen(SUFFIX));
		if (!name || asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			return err_no_memory(e);
		if (name_is_machine(name) && !name_is_foreign_conf(name) && !strs_has(ret, name) &&
		    is_ours(host_root, path))
			strs_add(ret, name);
	}
	return errno ? err_sys(e, errno, "cannot read %s", folder) : 0;
}

int confs_list(const char *host_root, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };

	for (size_t i = 0; i < COUNT(folders); i++) {
		int r = list_folder(host_root, folders[i], &names, e);

		if (r < 0)
			return r;
	}
	strs_sort(&names);
	strs_add_all(ret, &names);
	return ret->bad ? err_no_memory(e) : 0;
}

int confs_load(const char *host_root, const char *name, struct conf_file *ret, struct err *e)
{
	if (!name_is_machine(name) || name_is_foreign_conf(name))
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: there is no container of that name",
		               name);
	for (size_t i = 0; i < COUNT(folders); i++) {
		CLEANUP(conf_file_done) struct conf_file f = { .nixos_dirs = i == 0 };
		struct stat st;
		int r;

		if (asprintf(&f.path, "%s/%s" SUFFIX, folders[i], name) < 0) {
			f.path = NULL;
			return err_no_memory(e);
		}
		r = files_read(host_root, f.path, CONF_SIZE_MAX, &f.text, &st, e);
		if (r == -ENOENT)
			continue;
		if (r == -EACCES)
			return err_set(e, STATUS_NOT_PERMITTED, EACCES, "%s can not be read: that takes root",
			               f.path);
		if (r < 0)
			return r;
		if (!find_target(host_root, &f))
			return err_no_memory(e);
		f.mtime_usec = (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
		*ret = f;
		f = (struct conf_file){ 0 };
		return 0;
	}
	return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: there is no /etc/containers/%s" SUFFIX, name,
	               name);
}
