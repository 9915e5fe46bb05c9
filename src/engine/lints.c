#include "engine/lints.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "decide/lint.h"
#include "drivers/diag.h"
#include "drivers/files.h"
#include "drivers/folder.h"
#include "drivers/nft_rules.h"
#include "drivers/resolve.h"
#include "engine/hostlint.h"
#include "engine/load.h"
#include "engine/netspace.h"
#include "words/netmap_change.h"

#define TURN_USEC   4000    /* of reading or judging, between two keys */
#define PERIOD_USEC 1000000 /* from one judgement of all to the next */
#define NAMES_USEC  2000000
#define HOSTS_MAX   1048576

struct one { /* a conf, as far as it is read */
	char *name;
	uint64_t hash;
	bool read, good;
	struct loaded l;
	char *problem;
};

struct confs {
	struct one *v;
	size_t n;
};

struct lints {
	sd_event *loop; /* borrowed */
	struct observer *observer;
	struct netwatch *netwatch;
	lints_changed_fn *changed;
	void *arg;
	bool wanted, stale, known;

	struct confs confs;
	struct firewall filters;
	bool filters_known;
	struct netmap_space listening; /* on the host, when it is on a port that a conf forwards */
	struct buf hosts;
	bool hosts_stale;
	struct folder_watch *etc;
	struct strs asked, names; /* what was looked up, and where it leads */
	struct resolve *asking;

	bool at_work; /* on a judgement: */
	size_t read, judged;
	bool *rival;
	struct lint_list making, found;
	sd_event_source *turn, *later;
};

/* ---- confs */

static void one_done(struct one *c)
{
	free(c->name);
	loaded_done(&c->l);
	free(c->problem);
}

static void confs_done(struct confs *c)
{
	for (size_t i = 0; i < c->n; i++)
		one_done(&c->v[i]);
	free(c->v);
	*c = (struct confs){ 0 };
}

static bool has_conf(const struct machine *m)
{
	return m->kind == MACHINE_CONTAINER && m->configured && !m->conf_unread;
}

/* Those that are in the snapshot now; what is the same stays read. */
static bool take_confs(struct lints *l, const struct snapshot *s)
{
	struct confs made = { .v = calloc(s->n + 1, sizeof(*made.v)) };
	size_t at = 0;
	bool well = made.v;

	for (size_t i = 0; well && i < s->n; i++) {
		const struct machine *m = &s->v[i];
		struct one *to = &made.v[made.n];

		if (!has_conf(m))
			continue;
		while (at < l->confs.n && strcmp(l->confs.v[at].name, m->name) < 0)
			at++;
		if (at < l->confs.n && strcmp(l->confs.v[at].name, m->name) == 0 && m->conf_hash != 0 &&
		    l->confs.v[at].hash == m->conf_hash && l->confs.v[at].read) {
			*to = l->confs.v[at];
			l->confs.v[at] = (struct one){ .name = strdup(m->name) };
			well = l->confs.v[at].name;
		} else {
			*to = (struct one){ .name = strdup(m->name), .hash = m->conf_hash };
			well = to->name;
		}
		made.n++;
	}
	confs_done(&l->confs);
	l->confs = made;
	return well;
}

static void read_one(struct one *c)
{
	struct err e;

	if (c->read)
		return;
	c->read = true;
	c->good = load_plan("", c->name, &c->l, &e) == 0;
	c->problem = c->good ? NULL : strdup(e.text);
}

/* ---- facts of the host */

static bool has_way(const struct confs *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].good && (c->v[i].l.container.n_ports > 0 || c->v[i].l.container.masquerade))
			return true;
	return false;
}

static void on_names(int r, const struct strs *found, const struct err *e, void *arg)
{
	struct lints *l = arg;

	(void)r, (void)e; /* what was not answered is not spoken of */
	l->asking = NULL;
	strs_done(&l->names);
	strs_add_all(&l->names, found);
	lints_stale(l);
}

/* When other names are to be looked for, or /etc/hosts changed. */
static void ask_names(struct lints *l)
{
	struct strs names = { 0 };

	for (size_t i = 0; i < l->confs.n; i++)
		if (l->confs.v[i].good)
			lint_names(&l->confs.v[i].l.container, &names);
	if (names.bad || (!l->hosts_stale && strs_same(&names, &l->asked))) {
		strs_done(&names);
		return;
	}
	strs_done(&l->asked);
	l->asked = names;
	resolve_cancel(l->asking);
	l->asking = NULL;
	if (names.n == 0)
		strs_done(&l->names);
	else
		(void)resolve_start(l->loop, &names, RESOLVE_HERE, NAMES_USEC, on_names, l, &l->asking, NULL);
}

static bool is_forwarded(const struct confs *c, const struct listening *on)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; c->v[i].good && k < c->v[i].l.container.n_ports; k++)
			if (c->v[i].l.container.ports[k].udp == on->udp &&
			    c->v[i].l.container.ports[k].host == on->port)
				return true;
	return false;
}

/* No event tells of them, so with each judgement: 0.1 ms. Whose they are is dear, and asked when it is to be said. */
static void read_listeners(struct lints *l)
{
	struct netspace_asker by = { .nl = { .fd = -1 }, .self = NETMAP_HOST };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct listenings found = { 0 };
	bool is_met = false;

	netmap_forget_listeners(&l->listening);
	if (!has_way(&l->confs) || nl_open(NETLINK_SOCK_DIAG, &nl, NULL) < 0 ||
	    diag_listening(&nl, &found, NULL) < 0)
		return;
	for (size_t i = 0; i < found.n && !is_met; i++)
		is_met = is_forwarded(&l->confs, &found.v[i]);
	free(found.v);
	if (is_met)
		(void)netspace_read(&by, &l->listening, NULL, NETSPACE_LISTENERS);
	cgroupfs_close(by.fs);
}

static void read_host(struct lints *l)
{
	read_listeners(l);
	firewall_done(&l->filters);
	l->filters_known = has_way(&l->confs) && nft_rules(-1, &l->filters, NULL) == 0;
	ask_names(l);
	if (!l->hosts_stale)
		return;
	l->hosts_stale = false;
	buf_done(&l->hosts);
	if (files_read("", "/etc/hosts", HOSTS_MAX, &l->hosts, NULL, NULL) < 0)
		buf_done(&l->hosts);
}

/* ---- judging */

static void list_done(struct lint_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		strs_done(&l->v[i].texts);
	}
	free(l->v);
	*l = (struct lint_list){ 0 };
}

const struct linted *lint_list_find(const struct lint_list *l, const char *name)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

static bool find_rivals(struct lints *l)
{
	CLEANUP(free_p) const struct container **all = calloc(l->confs.n + 1, sizeof(*all));
	static const struct container nobody;

	free(l->rival);
	l->rival = calloc(l->confs.n + 1, sizeof(*l->rival));
	l->making.v = calloc(l->confs.n + 1, sizeof(*l->making.v));
	if (!all || !l->rival || !l->making.v)
		return false;
	for (size_t i = 0; i < l->confs.n; i++)
		all[i] = l->confs.v[i].good ? &l->confs.v[i].l.container : &nobody;
	return lint_rivals(all, l->confs.n, l->rival) == 0;
}

static void judge_pairs(struct lints *l, size_t i, struct linted *ret)
{
	const struct one *c = &l->confs.v[i];
	CLEANUP(strs_done) struct strs odd = { 0 };

	for (size_t k = 0; k < l->confs.n; k++) {
		const struct one *other = &l->confs.v[k];

		if (k == i || !other->good)
			continue;
		if (l->rival[i] && l->rival[k])
			ret->fatal |= hostlint_pair(&c->l.container, &other->l.container, &ret->texts) > 0;
		else
			lint_overlap(&c->l.container, &other->l.container, &odd);
	}
	strs_add_all(&ret->texts, &odd);
}

static void judge_one(struct lints *l, size_t i)
{
	const struct one *c = &l->confs.v[i];
	const struct netmap *map = netwatch_now(l->netwatch);
	const struct machine *m = snapshot_find(observer_snapshot(l->observer), c->name);
	const struct lint_facts facts = {
		.map = netmap_host(map) ? map : NULL,
		.listening = &l->listening,
		.filters = l->filters_known ? &l->filters : NULL,
		.hosts = buf_text(&l->hosts),
		.names = &l->names,
		.seen = m && m->addresses_seen ? &m->addresses : NULL,
	};
	struct linted *ret = &l->making.v[l->making.n++];

	ret->name = strdup(c->name);
	ret->fatal = !c->good;
	ret->texts.bad |= !ret->name;
	if (c->problem)
		strs_add(&ret->texts, c->problem);
	if (!c->good)
		return;
	judge_pairs(l, i, ret);
	strs_add_all(&ret->texts, &c->l.warnings);
	hostlint_by(&facts, &c->l.container, m, &ret->texts);
}

/* ---- a judgement of all, in turns */

enum step { STEP_MORE, STEP_DONE, STEP_NO_MEMORY };

static enum step step(struct lints *l)
{
	if (l->read < l->confs.n) {
		read_one(&l->confs.v[l->read++]);
		return STEP_MORE;
	}
	if (!l->making.v) {
		read_host(l);
		return find_rivals(l) ? STEP_MORE : STEP_NO_MEMORY;
	}
	if (l->judged == l->confs.n)
		return STEP_DONE;
	judge_one(l, l->judged++);
	return l->making.v[l->making.n - 1].texts.bad ? STEP_NO_MEMORY : STEP_MORE;
}

static void soon(struct lints *l)
{
	(void)sd_event_source_set_enabled(l->turn, SD_EVENT_ONESHOT);
}

static void end(struct lints *l, enum step how)
{
	if (how == STEP_DONE) {
		list_done(&l->found);
		l->found = l->making;
		l->making = (struct lint_list){ 0 };
		l->known = true;
	}
	list_done(&l->making);
	l->at_work = false;
	(void)sd_event_source_set_time(l->later, clock_usec(CLOCK_MONOTONIC) + PERIOD_USEC);
	(void)sd_event_source_set_enabled(l->later, SD_EVENT_ONESHOT);
	if (how == STEP_DONE)
		l->changed(l->arg);
}

static bool rests(const struct lints *l)
{
	int later = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(l->later, &later);
	return later != SD_EVENT_OFF;
}

static enum step begin(struct lints *l)
{
	l->stale = false;
	l->at_work = true;
	l->read = l->judged = 0;
	list_done(&l->making);
	return take_confs(l, observer_snapshot(l->observer)) ? STEP_MORE : STEP_NO_MEMORY;
}

/* What changes meanwhile is seen by the next one. */
static int on_turn(sd_event_source *s, void *arg)
{
	struct lints *l = arg;
	uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + TURN_USEC;
	enum step how = STEP_MORE;

	(void)s;
	if (!l->at_work && !(observer_is_settled(l->observer) && netwatch_is_settled(l->netwatch)))
		return 0; /* who tells what is missing comes here again */
	if (!l->at_work)
		how = begin(l);
	while (how == STEP_MORE && clock_usec(CLOCK_MONOTONIC) < deadline)
		how = step(l);
	if (how == STEP_MORE)
		soon(l);
	else
		end(l, how);
	return 0;
}

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	struct lints *l = arg;

	(void)s, (void)usec;
	if (l->stale && l->wanted)
		soon(l);
	return 0;
}

void lints_stale(struct lints *l)
{
	l->stale = true;
	if (l->wanted && !l->at_work && !rests(l))
		soon(l);
}

static void on_etc(void *arg)
{
	struct lints *l = arg;

	l->hosts_stale = true;
	lints_stale(l);
}

/* ---- making and wanting */

int lints_new(sd_event *loop, struct observer *o, struct netwatch *w, lints_changed_fn *changed, void *arg,
              struct lints **ret, struct err *e)
{
	struct lints *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_no_memory(e);
	*l = (struct lints){ .loop = loop, .observer = o, .netwatch = w, .changed = changed, .arg = arg };
	l->listening.netnsid = NETMAP_HOST;
	l->stale = l->hosts_stale = true;
	r = sd_event_add_defer(loop, &l->turn, on_turn, l);
	if (r >= 0)
		r = sd_event_source_set_priority(l->turn, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(loop, &l->later, CLOCK_MONOTONIC, 0, 100000, on_later, l);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->later, SD_EVENT_OFF);
	if (r < 0) {
		lints_free(l);
		return err_sys(e, -r, "cannot watch for likely mistakes");
	}
	*ret = l;
	return 0;
}

void lints_free(struct lints *l)
{
	if (!l)
		return;
	resolve_cancel(l->asking);
	folder_watch_free(l->etc);
	sd_event_source_disable_unref(l->turn);
	sd_event_source_disable_unref(l->later);
	confs_done(&l->confs);
	firewall_done(&l->filters);
	netmap_space_done(&l->listening);
	buf_done(&l->hosts);
	strs_done(&l->asked);
	strs_done(&l->names);
	free(l->rival);
	list_done(&l->making);
	list_done(&l->found);
	free(l);
}

void lints_want(struct lints *l, bool wanted)
{
	if (wanted == l->wanted)
		return;
	l->wanted = wanted;
	if (!wanted) {
		resolve_cancel(l->asking);
		l->asking = NULL;
		folder_watch_free(l->etc);
		l->etc = NULL;
		return;
	}
	l->hosts_stale = true;
	(void)folder_watch_new(l->loop, "/etc", on_etc, l, &l->etc,
	                       NULL); /* else with the next change of something */
	lints_stale(l);
}

const struct lint_list *lints_now(const struct lints *l)
{
	return l->known ? &l->found : NULL;
}
