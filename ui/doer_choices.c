#include "ui/doer_choices.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/values.h"
#include "drivers/files.h"
#include "engine/netwatch.h"
#include "engine/occupied.h"

#define DEVICES_MAX  256
#define DEVICE_DEPTH 4 /* /dev/bus/usb/001/002 */

/* ---- the network */

/* The host's end of a machine's own link is none to give away. */
static bool is_of_a_machine(const struct netmap *m, const struct netmap_link *l)
{
	return netmap_machine_of(m, l) || strncmp(l->name, "ve-", 3) == 0 || strncmp(l->name, "vb-", 3) == 0;
}

static bool is_clean(const char *name) /* it is typed into a conf */
{
	return *name && !name[strcspn(name, " \t\n\"'\\,;#$")] && text_is_utf8(name, strlen(name), NULL);
}

static void add_links(const struct netmap *m, struct strs *bridges, struct strs *links)
{
	const struct netmap_space *host = netmap_host(m);

	for (size_t i = 0; i < host->n_links; i++) {
		const struct netmap_link *l = &host->links[i];

		if (!is_clean(l->name))
			continue;
		if (strcmp(l->kind, "bridge") == 0)
			strs_add(bridges, l->name);
		else if (!l->loopback && !l->master && !is_of_a_machine(m, l))
			strs_add(links, l->name);
	}
}

static void add_address(struct strs *to, const struct addr *a, bool prefix)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, prefix, text);
	strs_add(to, text);
}

static void add_pairs(const struct taken *t, struct strs *choices)
{
	struct addr host, local;

	if (allocate_pair(t, &host, &local, NULL) == 0) {
		add_address(&choices[CHOICE_HOST_ADDRESS], &host, false);
		add_address(&choices[CHOICE_LOCAL_ADDRESS], &local, false);
	}
	if (allocate_pair6(t, &host, &local, NULL) == 0) {
		add_address(&choices[CHOICE_HOST_ADDRESS6], &host, false);
		add_address(&choices[CHOICE_LOCAL_ADDRESS6], &local, false);
	}
}

/* On a bridge: near that one's own. */
static void add_near(const struct taken *t, const struct netmap_space *host, struct strs *choices)
{
	for (size_t i = 0; i < host->n_addresses; i++) {
		const struct netmap_address *at = &host->addresses[i];
		const struct netmap_link *l = netmap_link(host, at->link);
		struct addr a;

		if (!l || strcmp(l->kind, "bridge") != 0 || at->scope != 0 ||
		    allocate_near(t, &at->addr, &a, NULL) < 0)
			continue;
		add_address(&choices[a.family == AF_INET ? CHOICE_LOCAL_ADDRESS : CHOICE_LOCAL_ADDRESS6], &a,
		            true);
	}
}

static void add_ports(const struct taken *t, struct strs *ports)
{
	static const struct port usual[] = {
		{ false, 0, 80 }, { false, 0, 443 }, { false, 0, 22 }, { true, 0, 53 }
	};

	for (size_t i = 0; i < COUNT(usual); i++) {
		struct port p = usual[i];
		char text[PORT_TEXT_SIZE];

		if (allocate_port(t, p.udp, p.guest, &p.host, NULL) < 0)
			continue;
		port_print(&p, text);
		strs_add(ports, text);
	}
}

static bool has_link(const struct netmap_space *host, const char *name)
{
	for (size_t i = 0; host && i < host->n_links; i++)
		if (strcmp(host->links[i].name, name) == 0)
			return true;
	return false;
}

/* A name that no link has, on each bridge, and with two free addresses. */
static void add_veths(const struct netmap_space *host, struct strs *choices)
{
	const struct strs *bridges = &choices[CHOICE_BRIDGE];
	struct strs *to = &choices[CHOICE_VETH];
	char name[16];
	int n = 1;

	do
		(void)snprintf(name, sizeof(name), "vx%d", n++);
	while (has_link(host, name) && n < 1000);
	for (size_t i = 0; i < bridges->n; i++)
		strs_addf(to, "%s,hostBridge=%s", name, bridges->v[i]);
	if (choices[CHOICE_HOST_ADDRESS].n > 0)
		strs_addf(to, "%s,hostAddress=%s,localAddress=%s", name, choices[CHOICE_HOST_ADDRESS].v[0],
		          choices[CHOICE_LOCAL_ADDRESS].v[0]);
}

/* ---- what does not depend on it */

static void add_fixed(struct strs *choices)
{
	static const struct {
		enum form_choice choice;
		const char *words;
	} fixed[] = {
		{ CHOICE_BOOL, "1 0" },
		{ CHOICE_USERS, "pick identity no" },
		{ CHOICE_RELEASE, "2014 2020 2021-04 2021-05 2021-11" },
		{ CHOICE_STORE, "/nix/var/nix/profiles/ /nix/store/" },
		{ CHOICE_TMPFS, "/tmp:size=64m /var/tmp:size=64m /var/cache" },
		{ CHOICE_FLAG, "--bind=/ --bind-ro=/ --overlay=/ --load-credential= --setenv= --hostname= "
		               "--drop-capability= "
		               "--no-new-privileges=yes --system-call-filter= --rlimit= --oom-score-adjust= "
		               "--cpu-affinity= "
		               "--timezone= --link-journal= --read-only" },
	};

	for (size_t i = 0; i < COUNT(fixed); i++)
		strs_split(&choices[fixed[i].choice], fixed[i].words, " ");
}

/* The usual ones first, then all that this kernel has. */
static void add_capabilities(struct strs *to)
{
	static const char *const usual[] = { "NET_ADMIN",  "MKNOD",    "SYS_ADMIN", "SYS_NICE",
		                             "SYS_PTRACE", "IPC_LOCK", "BPF" };
	CLEANUP(buf_done) struct buf text = { 0 };
	unsigned long long last = ULLONG_MAX;
	const char *name;

	if (files_read("", "/proc/sys/kernel/cap_last_cap", 32, &text, NULL, NULL) >= 0)
		last = strtoull(buf_text(&text), NULL, 10);
	for (size_t i = 0; i < COUNT(usual); i++)
		strs_addf(to, "CAP_%s", usual[i]);
	for (size_t i = 0; i <= last && (name = value_capability_name(i)); i++) {
		CLEANUP(free_p) char *word = NULL;

		if (asprintf(&word, "CAP_%s", name) >= 0 && !strs_has(to, word))
			strs_add(to, word);
	}
}

/* What every container has, what is no device of the host's own, and consoles. */
static bool is_common(const char *name)
{
	static const char *const common[] = { "full", "null",    "random", "urandom", "zero",   "tty",
		                              "ptmx", "console", "pts",    "shm",     "mqueue", "hugepages",
		                              "fd",   "char",    "block",  "disk",    "kmsg" };

	for (size_t i = 0; i < COUNT(common); i++)
		if (strcmp(name, common[i]) == 0)
			return true;
	return *name == '.' || strncmp(name, "vcs", 3) == 0 ||
	       (strncmp(name, "tty", 3) == 0 && name[3] >= '0' && name[3] <= '9');
}

static void add_nodes(int at, const char *path, int depth, struct strs *to)
{
	CLEANUP(close_p) int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(closedir_p) DIR *dir = fd < 0 ? NULL : files_opendir(fd, ".");
	const struct dirent *d;

	while (dir && to->n < DEVICES_MAX && (d = readdir(dir))) {
		CLEANUP(free_p) char *below = NULL;

		if (is_common(d->d_name) || !is_clean(d->d_name) ||
		    asprintf(&below, "%s/%s", path, d->d_name) < 0)
			continue;
		if (d->d_type == DT_CHR || d->d_type == DT_BLK)
			strs_add(to, below);
		else if (d->d_type == DT_DIR && depth > 1)
			add_nodes(at, below, depth - 1, to);
	}
}

static void add_devices(struct strs *to)
{
	static const char *const usual[] = { "/dev/fuse", "/dev/kvm", "/dev/net/tun" };
	CLEANUP(strs_done) struct strs nodes = { 0 };

	add_nodes(AT_FDCWD, "/dev", DEVICE_DEPTH, &nodes);
	strs_sort(&nodes);
	for (size_t i = 0; i < COUNT(usual); i++)
		if (strs_has(&nodes, usual[i]))
			strs_addf(to, "%s:rwm", usual[i]);
	for (size_t i = 0; i < nodes.n; i++) {
		CLEANUP(free_p) char *word = NULL;

		if (asprintf(&word, "%s:rwm", nodes.v[i]) >= 0 && !strs_has(to, word))
			strs_add(to, word);
	}
}

static void add_namespaces(struct strs *to)
{
	CLEANUP(closedir_p) DIR *dir = opendir("/run/netns");
	const struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (*d->d_name != '.' && is_clean(d->d_name))
			strs_addf(to, "/run/netns/%s", d->d_name);
	strs_sort(to);
	strs_add(to, "/proc/");
}

void doer_choices(const struct snapshot *s, const char *name, struct strs choices[static CHOICE_COUNT])
{
	CLEANUP(occupied_done) struct occupied o = { 0 };
	CLEANUP(netmap_done) struct netmap m = { 0 };
	CLEANUP(strs_done) struct strs ignored = { 0 };
	const struct netmap_space *host =
		netmap_read(s, NETWATCH_MAP, &m, NULL) == 0 ? netmap_host(&m) : NULL;

	add_fixed(choices);
	add_capabilities(&choices[CHOICE_CAPABILITY]);
	add_devices(&choices[CHOICE_DEVICE]);
	add_namespaces(&choices[CHOICE_NETNS]);
	if (host)
		add_links(&m, &choices[CHOICE_BRIDGE], &choices[CHOICE_LINK]);
	if (occupied_read(name, &o, &ignored, NULL) == 0) {
		add_pairs(&o.taken, choices);
		add_ports(&o.taken, &choices[CHOICE_PORT]);
		if (host)
			add_near(&o.taken, host, choices);
	}
	add_veths(host, choices);
}
