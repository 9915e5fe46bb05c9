#include "engine/claims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/plan.h"
#include "drivers/files.h"
#include "words/name.h"

#define FILE_MAX (1024 * 1024)

void claims_done(struct claims *c)
{
	registration_done(&c->machine);
	strs_done(&c->argv);
	netops_done(&c->guest);
	netops_done(&c->host);
	strs_done(&c->masquerade);
}

static void read_file(const char *host_root, const char *name, const char *leaf, struct buf *ret)
{
	char path[sizeof(PLAN_RUN_DIR) + NAME_MACHINE_MAX + 32];

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s/%s", name, leaf);
	if (files_read(host_root, path, FILE_MAX, ret, NULL, NULL) < 0)
		buf_done(ret);
}

static int read_ops(const char *host_root, const char *name, const char *leaf, struct netops *ret)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int r;

	read_file(host_root, name, leaf, &text);
	r = netops_parse(buf_text(&text), ret);
	return r == -ENOMEM ? r : 0;
}

static void add_words(const json_t *array, struct strs *ret)
{
	const json_t *word;
	size_t i;

	json_array_foreach(array, i, word)
		if (json_is_string(word))
			strs_add(ret, json_string_value(word));
}

static int read_plan(const char *host_root, const char *name, struct claims *ret)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	json_t *plan;

	read_file(host_root, name, "plan.json", &text);
	plan = json_loadb(buf_text(&text), text.len, 0, NULL);
	add_words(json_object_get(plan, "argv"), &ret->argv);
	add_words(json_object_get(plan, "masquerade"), &ret->masquerade);
	json_decref(plan);
	return ret->argv.bad || ret->masquerade.bad ? -ENOMEM : 0;
}

int claims_read(const char *host_root, const char *name, struct claims *ret, struct err *e)
{
	CLEANUP(claims_done) struct claims c = { 0 };

	(void)snprintf(c.machine.name, sizeof(c.machine.name), "%s", name);
	if (read_plan(host_root, name, &c) < 0 || read_ops(host_root, name, "guest/net", &c.guest) < 0 ||
	    read_ops(host_root, name, "host", &c.host) < 0)
		return err_no_memory(e);
	*ret = c;
	c = (struct claims){ 0 };
	return 0;
}

bool claims_conf_hash(const char *host_root, const char *name, char ret[static 17])
{
	CLEANUP(buf_done) struct buf text = { 0 };
	const char *hash;
	json_t *plan;

	read_file(host_root, name, "plan.json", &text);
	plan = json_loadb(buf_text(&text), text.len, 0, NULL);
	hash = json_string_value(json_object_get(plan, "conf_hash"));
	if (hash)
		(void)snprintf(ret, 17, "%s", hash);
	json_decref(plan);
	return hash;
}

const char *claims_value(const struct claims *c, const char *option, size_t *at)
{
	size_t len = strlen(option);

	while (*at < c->argv.n) {
		const char *word = c->argv.v[(*at)++];

		if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, option, len) == 0 &&
		    word[2 + len] == '=')
			return word + 2 + len + 1;
	}
	return NULL;
}

bool claims_has_port(const struct claims *c, const struct port *p)
{
	const char *value;
	struct port theirs;

	for (size_t at = 0; (value = claims_value(c, "port", &at));)
		if (port_parse(value, &theirs, NULL) == 0 && theirs.udp == p->udp && theirs.host == p->host)
			return true;
	return false;
}

int claims_ports(const struct claims *c, struct port **ret, size_t *ret_n, struct err *e)
{
	struct port *v = calloc(c->argv.n + 1, sizeof(*v));
	const char *value;
	size_t n = 0;

	if (!v)
		return err_no_memory(e);
	for (size_t at = 0; (value = claims_value(c, "port", &at));)
		n += port_parse(value, &v[n], NULL) == 0;
	*ret = v;
	*ret_n = n;
	return 0;
}

static bool has_address(const struct netops *ops, const struct addr *a)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->v[i].kind == NETOP_ADDRESS && addr_same(&ops->v[i].addr, a))
			return true;
	return false;
}

void neighbours_done(struct neighbours *n)
{
	for (size_t i = 0; i < n->n; i++)
		claims_done(&n->v[i]);
	free(n->v);
	*n = (struct neighbours){ 0 };
}

int neighbours_find(const char *host_root, const char *but, struct neighbours *ret, struct err *e)
{
	CLEANUP(registrations_done) struct registrations all = { 0 };
	CLEANUP(neighbours_done) struct neighbours n = { 0 };
	int r = machined_list(host_root, &all, e);

	if (r < 0)
		return r;
	n.v = calloc(all.n + 1, sizeof(*n.v));
	if (!n.v)
		return err_no_memory(e);
	for (size_t i = 0; i < all.n; i++) {
		struct claims *c = &n.v[n.n];

		if (strcmp(all.v[i].name, but) == 0 || !machined_leader_lives(&all.v[i]))
			continue;
		r = claims_read(host_root, all.v[i].name, c, e);
		if (r < 0)
			return r;
		c->machine = all.v[i];
		all.v[i] = (struct registration){ 0 };
		n.n++;
	}
	*ret = n;
	n = (struct neighbours){ 0 };
	return 0;
}

static bool is_registered(const char *host_root, const char *name)
{
	char path[sizeof(MACHINED_FOLDER) + NAME_MACHINE_MAX + 256];

	(void)snprintf(path, sizeof(path), "%s" MACHINED_FOLDER "/%s", host_root, name);
	return access(path, F_OK) == 0;
}

int neighbours_starting(const char *host_root, const char *but, struct neighbours *ret, struct err *e)
{
	CLEANUP(neighbours_done) struct neighbours n = { 0 };
	int fd, r = files_open(host_root, PLAN_RUN_DIR, O_RDONLY | O_DIRECTORY, &fd, e);
	struct dirent *entry;
	DIR *dir;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_no_memory(e);
	}
	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		struct claims *grown;

		if (!name_is_machine(entry->d_name) || strcmp(entry->d_name, but) == 0 ||
		    is_registered(host_root, entry->d_name))
			continue;
		grown = reallocarray(n.v, n.n + 1, sizeof(*n.v));
		if (!grown) {
			r = err_no_memory(e);
			break;
		}
		n.v = grown;
		n.v[n.n] = (struct claims){ 0 };
		r = claims_read(host_root, entry->d_name, &n.v[n.n], e);
		n.n += r == 0;
	}
	if (r == 0 && errno)
		r = err_sys(e, errno, "cannot read " PLAN_RUN_DIR);
	(void)closedir(dir);
	if (r < 0)
		return r;
	*ret = n;
	n = (struct neighbours){ 0 };
	return 0;
}

/* The id of the machine's network namespace; -1: it has none of its own, or it is gone. */
static int netnsid_of(const struct claims *c, struct nl *nl)
{
	int id;

	if (c->machine.leader == 0 || rtnl_netnsid(nl, c->machine.leader, &id, NULL) < 0)
		return -1;
	return id;
}

const struct claims *neighbours_with_link(const struct neighbours *n, struct nl *nl, const struct link *l)
{
	for (size_t i = 0; i < n->n; i++) {
		const struct registration *m = &n->v[i].machine;

		for (size_t k = 0; k < m->n_links; k++)
			if (m->links[k] == l->index)
				return &n->v[i];
		if (l->netnsid >= 0 && netnsid_of(&n->v[i], nl) == l->netnsid)
			return &n->v[i];
	}
	return NULL;
}

static bool sees(const struct claims *c, struct nl *nl, const struct addr *a)
{
	int id = netnsid_of(c, nl);
	struct netaddrs l = { 0 };
	bool found = false;

	if (id < 0 || rtnl_addresses(nl, id, &l, NULL) < 0)
		return false;
	for (size_t i = 0; i < l.n; i++)
		found = found || (l.v[i].scope < RT_SCOPE_LINK && addr_same(&l.v[i].addr, a));
	free(l.v);
	return found;
}

const struct claims *neighbours_with_address(const struct neighbours *n, struct nl *nl, const struct addr *a)
{
	for (size_t i = 0; i < n->n; i++)
		if (has_address(&n->v[i].guest, a) || sees(&n->v[i], nl, a))
			return &n->v[i];
	return NULL;
}

const struct claims *neighbours_with_host_address(const struct neighbours *n, const struct addr *a)
{
	for (size_t i = 0; i < n->n; i++)
		if (has_address(&n->v[i].host, a))
			return &n->v[i];
	return NULL;
}
