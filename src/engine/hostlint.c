#include "engine/hostlint.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/lint.h"
#include "decide/lint_host.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "drivers/nft_rules.h"
#include "engine/load.h"
#include "engine/netwatch.h"

#define HOSTS_MAX 1048576

void hostlint_done(struct hostlint *h)
{
	netmap_done(&h->map);
	firewall_done(&h->filters);
	buf_done(&h->hosts);
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

void hostlint_judge(const struct hostlint *h, const struct container *c, int netnsid, struct strs *ret)
{
	const struct lint_facts facts = {
		.map = h->map.n > 0 ? &h->map : NULL,
		.filters = h->filters_known ? &h->filters : NULL,
		.hosts = buf_text(&h->hosts),
	};
	CLEANUP(strs_done) struct strs found = { 0 };

	lint_host(c, netnsid, &facts, &found);
	ret->bad |= found.bad;
	for (size_t i = 0; i < found.n; i++) {
		char text[512];

		text_printable(text, sizeof(text), found.v[i], strlen(found.v[i]));
		strs_add(ret, text);
	}
}

static void judge_pair(const struct container *c, const struct container *other, struct strs *ret)
{
	struct finding f;

	for (size_t i = 0; lint_pair(c, other, i, &f); i++)
		strs_addf(ret, "%s: %s%s%s: %s", c->name, f.key, f.veth ? " " : "", f.veth ? f.veth : "", f.text);
	lint_overlap(c, other, ret);
}

int hostlint_one(const struct container *c, int netnsid, struct strs *ret, struct err *e)
{
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	CLEANUP(strs_done) struct strs names = { 0 };
	int r = hostlint_read(&h, e);

	if (r == 0)
		r = confs_list("", &names, e);
	if (r < 0)
		return r;
	hostlint_judge(&h, c, netnsid, ret);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded other = { 0 };

		if (strcmp(names.v[i], c->name) != 0 && load_container("", names.v[i], &other, NULL) == 0)
			judge_pair(c, &other.container, ret);
	}
	return ret->bad ? err_no_memory(e) : 0;
}
