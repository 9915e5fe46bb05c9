#include "engine/hostlint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/lint.h"
#include "decide/values.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "drivers/nft_rules.h"
#include "engine/load.h"
#include "engine/netwatch.h"

#define HOSTS_MAX  1048576
#define NAMES_USEC 2000000

void hostlint_done(struct hostlint *h)
{
	netmap_done(&h->map);
	firewall_done(&h->filters);
	buf_done(&h->hosts);
	strs_done(&h->names);
	*h = (struct hostlint){ 0 };
}

int hostlint_read(struct hostlint *ret, struct err *e)
{
	static const struct snapshot nobody;
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	struct err unread;

	if (netmap_read(&nobody, NETWATCH_MAP | NETWATCH_LISTENERS, &h.map, &unread) < 0)
		netmap_done(&h.map);
	h.filters_known = nft_rules(-1, &h.filters, NULL) == 0;
	if (files_read("", "/etc/hosts", HOSTS_MAX, &h.hosts, NULL, NULL) < 0)
		buf_done(&h.hosts);
	if (h.hosts.bad)
		return err_no_memory(e);
	*ret = h;
	h = (struct hostlint){ 0 };
	return 0;
}

void hostlint_by(const struct lint_facts *facts, const struct container *c, const struct machine *m,
                 struct strs *ret)
{
	CLEANUP(strs_done) struct strs found = { 0 };

	lint_host(c, m ? m->netnsid : NETMAP_HOST, facts, &found);
	ret->bad |= found.bad;
	for (size_t i = 0; i < found.n; i++) {
		char text[512];

		text_printable(text, sizeof(text), found.v[i], strlen(found.v[i]));
		strs_add(ret, text);
	}
}

int hostlint_ask(struct hostlint *h, const struct strs *names, enum resolve_sources sources, struct err *e)
{
	return names->n > 0 ? resolve_wait(names, sources, NAMES_USEC, &h->names, e) : 0;
}

void hostlint_judge(const struct hostlint *h, const struct container *c, const struct machine *m,
                    struct strs *ret)
{
	const struct lint_facts facts = {
		.map = h->map.n > 0 ? &h->map : NULL,
		.filters = h->filters_known ? &h->filters : NULL,
		.hosts = buf_text(&h->hosts),
		.names = &h->names,
		.seen = m && m->addresses_seen ? &m->addresses : NULL,
	};

	hostlint_by(&facts, c, m, ret);
}

size_t hostlint_pair(const struct container *a, const struct container *b, struct strs *ret)
{
	struct finding f;
	size_t n = 0;

	for (; lint_pair(a, b, n, &f); n++)
		strs_addf(ret, "%s: %s%s%s: %s", a->name, f.key, f.veth ? " " : "", f.veth ? f.veth : "",
		          f.text);
	lint_overlap(a, b, ret);
	return n;
}

int hostlint_others(const struct container *c, const struct container *was, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(strs_done) struct strs before = { 0 }, after = { 0 };
	int r = confs_list("", &names, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded other = { 0 };

		if (strcmp(names.v[i], c->name) == 0 || load_container("", names.v[i], &other, NULL) < 0)
			continue;
		if (was)
			(void)hostlint_pair(was, &other.container, &before);
		(void)hostlint_pair(c, &other.container, &after);
	}
	for (size_t i = 0; i < after.n; i++)
		if (!strs_has(&before, after.v[i]))
			strs_add(ret, after.v[i]);
	return before.bad || after.bad || ret->bad ? err_no_memory(e) : 0;
}

static void look_at(const struct container *c, const char *key, const char *path, const char *what,
                    struct strs *ret)
{
	struct stat st;

	if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		strs_addf(ret, "%s: %s: %s, which is to be %s, is not there", c->name, key, path, what);
}

void hostlint_paths(const struct container *c, struct strs *ret)
{
	const char *bind;

	for (size_t at = 0; (bind = value_next_bind(&c->flags, &at));) {
		CLEANUP(free_p) char *source = NULL, *target = NULL;
		struct why w;

		if (value_bind(bind, &source, &target, &w) == 0 && source[0] == '/')
			look_at(c, "EXTRA_NSPAWN_FLAGS", source, "bound", ret);
	}
	if (c->netns_path)
		look_at(c, "NETWORK_NAMESPACE_PATH", c->netns_path, "joined", ret);
}

int hostlint_one(const struct container *c, const struct machine *m, struct strs *ret, struct err *e)
{
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	int r = hostlint_read(&h, e);

	if (r < 0)
		return r;
	hostlint_judge(&h, c, m, ret);
	return hostlint_others(c, NULL, ret, e);
}
