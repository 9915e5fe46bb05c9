#include "drivers/hostnet.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "drivers/files.h"

#define FILE_MAX 4096

/* The first bytes of a file as a text; false: there is none. */
static bool read_text(int dir, const char *path, char *ret, size_t size)
{
	CLEANUP(close_p) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	while (len < size - 1 && (n = read(fd, ret + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret[len] = '\0';
	return n >= 0;
}

static int open_folder(const char *host_root, const char *path)
{
	char full[FILE_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", host_root, path);
	return open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The value of the line KEY=VALUE. */
static bool says(const char *text, const char *key, const char *const *values)
{
	size_t len = strlen(key);

	for (const char *at = text; at; at = strchr(at, '\n'), at += at ? 1 : 0)
		for (size_t i = 0; values[i] && strncmp(at, key, len) == 0; i++) {
			size_t n = strlen(values[i]);

			if (strncmp(at + len, values[i], n) == 0 && (at[len + n] == '\n' || !at[len + n]))
				return true;
		}
	return false;
}

static const char *const networkd_managed[] = { "configured", "configuring", "linger", "failed", NULL };
static const char *const manager_managed[] = { "true", "1", NULL };

static struct netmap_link *link_at(struct netmap_space *host, const char *name)
{
	uint64_t index;
	const struct netmap_link *l =
		num_parse(name, 1, INT32_MAX, &index) == 0 ? netmap_link(host, (int)index) : NULL;

	return l ? &host->links[l - host->links] : NULL;
}

/* A folder with a file for each link that it has to do with, named by its index. */
static void by_index(const char *host_root, const char *path, const char *key, const char *const *values,
                     enum netmap_manager manager, struct netmap_space *host)
{
	CLEANUP(close_p) int fd = open_folder(host_root, path);
	CLEANUP(closedir_p) DIR *folder = fd < 0 ? NULL : files_opendir(fd, ".");
	const struct dirent *entry;
	char text[FILE_MAX];

	while (folder && (entry = readdir(folder))) {
		struct netmap_link *l = link_at(host, entry->d_name);

		if (l && read_text(fd, entry->d_name, text, sizeof(text)) && says(text, key, values))
			l->manager = manager;
	}
}

/* A name is no path: the kernel lets none have a "/" (dev_valid_name). */
static bool by_dhcpcd(int folder, const char *link)
{
	static const char *const ends[] = { ".pid", "-4.pid", "-6.pid" };
	char name[NAME_LINK_SIZE + 8];

	for (size_t i = 0; folder >= 0 && i < COUNT(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", link, ends[i]);
		if (faccessat(folder, name, F_OK, 0) == 0)
			return true;
	}
	return false;
}

static long read_number(int dir, const char *link, const char *leaf)
{
	char path[NAME_LINK_SIZE + 16], text[32];

	(void)snprintf(path, sizeof(path), "%s/%s", link, leaf);
	return read_text(dir, path, text, sizeof(text)) ? strtol(text, NULL, 10) : 0;
}

/* Of hardware; by name there, so it is looked whether that is still the same link. 0: not known. */
static unsigned read_speed(int class, const struct netmap_link *l)
{
	long speed = class >= 0 ? read_number(class, l->name, "speed") : 0;

	return speed > 0 && speed <= 10000000 && read_number(class, l->name, "ifindex") == l->index
	               ? (unsigned)speed
	               : 0;
}

static bool is_hardware(const struct netmap_link *l)
{
	return !*l->kind && !l->loopback;
}

void hostnet_managers(const char *host_root, struct netmap_space *host)
{
	CLEANUP(close_p) int dhcpcd = open_folder(host_root, HOSTNET_DHCPCD);
	CLEANUP(close_p) int class = open_folder(host_root, "/sys/class/net");

	for (size_t i = 0; i < host->n_links; i++) {
		struct netmap_link *l = &host->links[i];

		l->manager = by_dhcpcd(dhcpcd, l->name) ? NETMAP_DHCPCD : NETMAP_MANAGER_UNKNOWN;
		l->speed = is_hardware(l) && l->carrier ? read_speed(class, l) : 0;
	}
	by_index(host_root, HOSTNET_MANAGER, "managed=", manager_managed, NETMAP_NETWORK_MANAGER, host);
	by_index(host_root, HOSTNET_NETWORKD, "ADMIN_STATE=", networkd_managed, NETMAP_NETWORKD, host);
}

static bool has_mark(const char *host_root, const char *path, int index, const char *key,
                     const char *const *values)
{
	CLEANUP(close_p) int folder = open_folder(host_root, path);
	char name[16], text[FILE_MAX];

	(void)snprintf(name, sizeof(name), "%d", index);
	return folder >= 0 && read_text(folder, name, text, sizeof(text)) && says(text, key, values);
}

void hostnet_manager(const char *host_root, struct netmap_link *l)
{
	CLEANUP(close_p) int dhcpcd = -1;
	CLEANUP(close_p) int class = -1;

	if (l->manager != NETMAP_MANAGER_UNKNOWN && !is_hardware(l))
		return;
	dhcpcd = open_folder(host_root, HOSTNET_DHCPCD);
	if (has_mark(host_root, HOSTNET_NETWORKD, l->index, "ADMIN_STATE=", networkd_managed))
		l->manager = NETMAP_NETWORKD;
	else if (has_mark(host_root, HOSTNET_MANAGER, l->index, "managed=", manager_managed))
		l->manager = NETMAP_NETWORK_MANAGER;
	else if (by_dhcpcd(dhcpcd, l->name))
		l->manager = NETMAP_DHCPCD;
	if (is_hardware(l))
		class = open_folder(host_root, "/sys/class/net");
	l->speed = is_hardware(l) && l->carrier ? read_speed(class, l) : 0;
}

void hostnet_names(const char *text, struct strs *ret)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), skip = strspn(text, " \t");
		const char *at = text + (skip < len ? skip : len);

		if (strncmp(at, "nameserver", 10) == 0 && (at[10] == ' ' || at[10] == '\t')) {
			at += 10 + strspn(at + 10, " \t");
			if (strcspn(at, " \t\r\n#") > 0)
				strs_add_n(ret, at, strcspn(at, " \t\r\n#"));
		}
		text += len + (text[len] == '\n');
	}
}

void hostnet_own_names(const char *host_root, struct netmap_space *host)
{
	CLEANUP(close_p) int root = open_folder(host_root, "/");
	char text[HOSTNET_RESOLV_MAX];

	strs_done(&host->name_servers);
	free(host->no_name_servers);
	host->no_name_servers = NULL;
	if (read_text(root, "etc/resolv.conf", text, sizeof(text)))
		hostnet_names(text, &host->name_servers);
	else
		host->no_name_servers = strdup("there is no /etc/resolv.conf that can be read");
}

enum netmap_switch hostnet_disable6(const char *host_root)
{
	CLEANUP(close_p) int root = open_folder(host_root, "/");
	char text[16];

	if (!read_text(root, "proc/sys/net/ipv6/conf/all/disable_ipv6", text, sizeof(text)))
		return NETMAP_UNTOLD;
	return text[0] == '0' ? NETMAP_OFF : NETMAP_ON;
}

bool hostnet_legacy_nat(const char *host_root)
{
	CLEANUP(close_p) int root = open_folder(host_root, "/");
	char text[FILE_MAX] = "\n";

	return read_text(root, "proc/net/ip_tables_names", text + 1, sizeof(text) - 1) &&
	       strstr(text, "\nnat\n");
}

bool hostnet_shares(pid_t pid)
{
	struct stat ours, theirs;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}
