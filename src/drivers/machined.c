#include "drivers/machined.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"

#define FILE_SIZE_MAX 16384

void registration_done(struct registration *m)
{
	free(m->class);
	free(m->service);
	free(m->unit);
	free(m->root);
	free(m->id);
	free(m->links);
	*m = (struct registration){ 0 };
}

void registrations_done(struct registrations *l)
{
	for (size_t i = 0; i < l->n; i++)
		registration_done(&l->v[i]);
	free(l->v);
	*l = (struct registrations){ 0 };
}

/* A value as systemd-machined escaped it: a backslash stands before what is meant literally. */
static void unescape(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

static int set_links(struct registration *m, char *value)
{
	char *rest = value, *word;

	while ((word = strsep(&rest, " "))) {
		uint64_t index;
		int *grown;

		if (num_parse(word, 1, INT32_MAX, &index) < 0)
			continue;
		grown = reallocarray(m->links, m->n_links + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		m->links = grown;
		m->links[m->n_links++] = (int)index;
	}
	return 0;
}

static int set_text(char **field, const char *value)
{
	if (*field || !*value)
		return 0;
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int set_field(struct registration *m, const char *key, char *value)
{
	uint64_t number;

	if (strcmp(key, "NETIF") == 0)
		return set_links(m, value);
	if (strcmp(key, "LEADER") == 0 && num_parse(value, 1, INT32_MAX, &number) == 0)
		m->leader = (pid_t)number;
	else if (strcmp(key, "REALTIME") == 0 && num_parse(value, 1, UINT64_MAX, &number) == 0)
		m->since_usec = number;
	else if (strcmp(key, "CLASS") == 0)
		return set_text(&m->class, value);
	else if (strcmp(key, "SERVICE") == 0)
		return set_text(&m->service, value);
	else if (strcmp(key, "SCOPE") == 0) /* any kind of unit is called so there */
		return set_text(&m->unit, value);
	else if (strcmp(key, "ROOT") == 0)
		return set_text(&m->root, value);
	else if (strcmp(key, "ID") == 0)
		return set_text(&m->id, value);
	return 0;
}

static int parse(char *text, struct registration *m)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (*line == '#' || !value)
			continue;
		*value++ = '\0';
		unescape(value);
		if (set_field(m, line, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The file's text with a NUL at its end; -EINVAL for what systemd-machined would not have written. */
static int read_whole(int folder, const char *name, char text[static FILE_SIZE_MAX])
{
	CLEANUP(close_p)
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	do {
		n = read(fd, text + len, FILE_SIZE_MAX - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len == FILE_SIZE_MAX)
			return -EINVAL;
	} while (n > 0);
	text[len] = '\0';
	return 0;
}

/* -ENOENT: not a machine, or gone meanwhile. */
static int read_one(int folder, const char *name, struct registration *ret, struct err *e)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	char text[FILE_SIZE_MAX];
	int r;

	if (!name_is_machine(name))
		return -ENOENT;
	r = read_whole(folder, name, text);
	if (r == -ENOENT || r == -EINVAL || r == -ELOOP || r == -ENXIO) /* a link, a socket */
		return -ENOENT;
	if (r < 0)
		return err_sys(e, -r, "cannot read " MACHINED_FOLDER "/%s", name);
	if (parse(text, &m) < 0)
		return err_no_memory(e);
	if (m.class && strcmp(m.class, "host") == 0)
		return -ENOENT;
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	*ret = m;
	m = (struct registration){ 0 };
	return 0;
}

/* The folder's descriptor; -ENOENT where systemd-machined never ran. */
static int open_folder(const char *host_root, struct err *e)
{
	CLEANUP(free_p) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s" MACHINED_FOLDER, host_root) < 0) {
		path = NULL;
		return err_no_memory(e);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	return fd < 0 ? err_sys(e, errno, "cannot read %s", path) : fd;
}

static int add(struct registrations *l, struct registration *m)
{
	if ((l->n & (l->n - 1)) == 0) { /* full at every power of two */
		struct registration *grown = reallocarray(l->v, l->n ? 2 * l->n : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->v = grown;
	}
	l->v[l->n++] = *m;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct registration *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct registration *find(const struct registrations *l, const char *name)
{
	struct registration key;

	if (l->n == 0 || strlen(name) >= sizeof(key.name))
		return NULL;
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, l->v, l->n, sizeof(*l->v), by_name);
}

/* The entry as it is known, else read. Moved out of known, where the name stays to be searched by. */
static int refresh_one(int folder, const struct dirent *entry, struct registrations *known,
                       struct registration *ret, struct err *e)
{
	struct registration *old = find(known, entry->d_name);
	int r;

	if (old && old->inode == entry->d_ino) {
		*ret = *old;
		*old = (struct registration){ 0 };
		memcpy(old->name, ret->name, sizeof(old->name));
		return 0;
	}
	r = read_one(folder, entry->d_name, ret, e);
	if (r >= 0)
		ret->inode = entry->d_ino;
	return r;
}

static int refresh(DIR *d, struct registrations *known, struct registrations *l, struct err *e)
{
	struct dirent *entry;

	while (d && (errno = 0, entry = readdir(d))) {
		struct registration m = { 0 };
		int r;

		if (l->n == MACHINED_MAX) {
			l->cut = true;
			break;
		}
		r = refresh_one(dirfd(d), entry, known, &m, e);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (add(l, &m) < 0) {
			registration_done(&m);
			return err_no_memory(e);
		}
	}
	if (d && !l->cut && errno != 0)
		return err_sys(e, errno, "cannot read " MACHINED_FOLDER);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	return 0;
}

/* What was moved out of the list goes back into it. */
static void give_back(struct registrations *made, struct registrations *known)
{
	for (size_t i = 0; i < made->n; i++) {
		struct registration *old = find(known, made->v[i].name);

		if (!old)
			continue;
		registration_done(old);
		*old = made->v[i];
		made->v[i] = (struct registration){ 0 };
	}
}

int machined_refresh(const char *host_root, struct registrations *l, struct err *e)
{
	CLEANUP(registrations_done) struct registrations made = { 0 };
	CLEANUP(closedir_p) DIR *d = NULL;
	int fd = open_folder(host_root, e), r;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0 && !(d = fdopendir(fd))) {
		close(fd);
		return err_no_memory(e);
	}
	r = refresh(d, l, &made, e);
	if (r < 0) {
		give_back(&made, l);
		return r;
	}
	registrations_done(l);
	*l = made;
	made = (struct registrations){ 0 };
	return 0;
}

int machined_list(const char *host_root, struct registrations *ret, struct err *e)
{
	struct registrations l = { 0 };
	int r = machined_refresh(host_root, &l, e);

	if (r >= 0)
		*ret = l;
	return r;
}

int machined_find(const char *host_root, const char *name, struct registration *ret, struct err *e)
{
	CLEANUP(close_p) int folder = open_folder(host_root, e);
	int r = folder < 0 ? folder : read_one(folder, name, ret, e);

	if (r == -ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s: not running: systemd-machined has no machine of "
		               "that name",
		               name);
	return r;
}

/* Whether unit is one of the path's parts. */
static bool path_has(const char *path, const char *unit)
{
	size_t len = strlen(unit);

	for (const char *at = path; (at = strstr(at, unit)); at++)
		if (at > path && at[-1] == '/' && strchr("/\n", at[len])) /* or the end */
			return true;
	return false;
}

bool machined_is_in(const char *unit)
{
	CLEANUP(close_p) int self = open("/proc/self", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	char text[FILE_SIZE_MAX];

	return self >= 0 && read_whole(self, "cgroup", text) >= 0 && path_has(text, unit);
}

bool machined_leader_lives(const struct registration *m)
{
	CLEANUP(close_p) int folder = -1;
	char path[64], text[FILE_SIZE_MAX];

	if (m->leader == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d", m->leader);
	folder = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (folder < 0)
		return errno != ENOENT;
	if (!m->unit || read_whole(folder, "cgroup", text) < 0)
		return true;
	return path_has(text, m->unit);
}

/* "/machine.slice/container@web.service/payload/init.scope" is where a systemd puts itself. */
static char *services_folder(const char *path)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
		                              "/sys/fs/cgroup/systemd" };
	static const char init[] = "/init.scope";
	size_t len = strlen(path), tail = strlen(init);

	if (len <= tail || strcmp(path + len - tail, init) != 0)
		return NULL;
	for (size_t i = 0; i < COUNT(mounts); i++) {
		CLEANUP(free_p) char *folder = NULL;

		if (asprintf(&folder, "%s%.*s/system.slice", mounts[i], (int)(len - tail), path) < 0) {
			folder = NULL;
			return NULL;
		}
		if (faccessat(AT_FDCWD, folder, F_OK, 0) == 0)
			return take_p(&folder);
	}
	return NULL;
}

void machined_cgroups(const struct registration *m, char **ret_unit, char **ret_services)
{
	CLEANUP(close_p) int folder = -1;
	char path[64], text[FILE_SIZE_MAX], *line, *rest = text;

	*ret_unit = *ret_services = NULL;
	(void)snprintf(path, sizeof(path), "/proc/%d", m->leader);
	folder = m->leader && m->unit ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
	if (folder < 0 || read_whole(folder, "cgroup", text) < 0)
		return;
	while (!*ret_unit && (line = strsep(&rest, "\n"))) {
		char *unit = strstr(line, m->unit), *start = strchr(line, '/');

		if (!unit || !start || !path_has(line, m->unit))
			continue;
		*ret_unit = strndup(start, (size_t)(unit - start) + strlen(m->unit));
		*ret_services = services_folder(start);
	}
}

int machined_images(const char *host_root, struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *d = NULL;
	CLEANUP(free_p) char *path = NULL;
	struct dirent *entry;

	if (asprintf(&path, "%s/var/lib/machines", host_root) < 0) {
		path = NULL;
		return err_no_memory(e);
	}
	d = opendir(path); /* 0700: only root sees them */
	while (d && ret->n < MACHINED_MAX && (errno = 0, entry = readdir(d))) {
		char *suffix = strrchr(entry->d_name, '.');

		if (entry->d_type == DT_REG && suffix && strcmp(suffix, ".raw") == 0)
			*suffix = '\0';
		else if (entry->d_type != DT_DIR)
			continue;
		if (name_is_machine(entry->d_name))
			strs_add(ret, entry->d_name);
	}
	if (d && ret->n < MACHINED_MAX && errno)
		return err_sys(e, errno, "cannot read %s", path);
	strs_sort(ret);
	return ret->bad ? err_no_memory(e) : 0;
}
