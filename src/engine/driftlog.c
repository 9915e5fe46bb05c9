#include "engine/driftlog.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/drifts.h"
#include "engine/netwatch.h"

#define SETTLE_USEC 1000000

struct said {
	char *name;
	bool begins; /* it ran when this began, and was not compared yet: no news whatever comes of it */
	enum drift_cure cure;
};

struct driftlog {
	sd_event *loop; /* borrowed */
	driftlog_said_fn *say;
	void *arg;
	struct netwatch *netwatch;
	struct drifts *drifts;
	struct said *said; /* of what ran and was known at the last time */
	size_t n_said;
	bool begun;
	sd_event_source *settled;
};

static void forget(struct said *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

static const struct said *find(const struct driftlog *d, const char *name)
{
	for (size_t i = 0; i < d->n_said; i++)
		if (strcmp(d->said[i].name, name) == 0)
			return &d->said[i];
	return NULL;
}

static void tell(const struct drifted *one, struct events *ret)
{
	static const char *const words[] = {
		[DRIFT_NONE] = "it runs as it is configured again",
		[DRIFT_LIVE] = "something was set live",
		[DRIFT_MEND] = "stale, machdeck mend puts it back",
		[DRIFT_REREAD] = "stale, a daemon-reload is enough",
		[DRIFT_RELOAD] = "stale, a reload is enough",
		[DRIFT_RESTART] = "stale, restart needed",
	};
	enum drift_cure cure = drift_verdict(&one->drift);
	size_t more = one->drift.n > 1 ? one->drift.n - 1 : 0;
	bool is_bad = cure > DRIFT_LIVE;

	if (cure == DRIFT_NONE)
		events_add(ret, clock_usec(CLOCK_REALTIME), one->name, EVENT_CONF, false, "%s", words[cure]);
	else if (more == 0)
		events_add(ret, clock_usec(CLOCK_REALTIME), one->name, EVENT_CONF, is_bad, "%s: %s",
		           words[cure], one->drift.v[0].text);
	else
		events_add(ret, clock_usec(CLOCK_REALTIME), one->name, EVENT_CONF, is_bad,
		           "%s: %s, and %zu more", words[cure], one->drift.v[0].text, more);
}

static bool is_new(const struct driftlog *d, const struct drifted *one)
{
	const struct said *before = find(d, one->name);
	enum drift_cure cure = drift_verdict(&one->drift);

	return one->known && (!before ? cure != DRIFT_NONE : before->begins || before->cure != cure);
}

static bool is_news(const struct driftlog *d, const struct drifted *one)
{
	const struct said *before = find(d, one->name);

	return is_new(d, one) && !(before && before->begins);
}

static int on_settled(sd_event_source *s, uint64_t usec, void *arg)
{
	CLEANUP(events_done) struct events fresh = { 0 };
	struct driftlog *d = arg;
	const struct drift_list *now = drifts_now(d->drifts);
	struct said *made = calloc(now->n + 1, sizeof(*made));
	size_t n = 0;

	(void)s, (void)usec;
	for (size_t i = 0; made && i < now->n; i++) {
		const struct drifted *one = &now->v[i];

		if (is_news(d, one))
			tell(one, &fresh);
		made[n] = (struct said){ .name = strdup(one->name), .cure = drift_verdict(&one->drift) };
		n += one->known && made[n].name;
		if (!one->known)
			free(made[n].name);
	}
	forget(d->said, d->n_said);
	d->said = made;
	d->n_said = n;
	if (fresh.n > 0)
		d->say(&fresh, d->arg);
	return 0;
}

/* In a second it is looked at again, and by then it is over, or it is news. */
static void on_drifts(void *arg)
{
	struct driftlog *d = arg;
	const struct drift_list *now = drifts_now(d->drifts);
	bool news = false;
	int is_on = SD_EVENT_OFF;

	for (size_t i = 0; i < now->n && !news; i++)
		news = is_new(d, &now->v[i]);
	(void)sd_event_source_get_enabled(d->settled, &is_on);
	if (!news || is_on != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(d->settled, clock_usec(CLOCK_MONOTONIC) + SETTLE_USEC);
	(void)sd_event_source_set_enabled(d->settled, SD_EVENT_ONESHOT);
}

static void on_network(const struct netmap *now, void *arg)
{
	struct driftlog *d = arg;

	(void)now;
	if (d->drifts)
		drifts_stale(d->drifts);
}

int driftlog_new(sd_event *loop, struct observer *o, driftlog_said_fn *say, void *arg, struct driftlog **ret,
                 struct err *e)
{
	struct driftlog *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_no_memory(e);
	*d = (struct driftlog){ .loop = loop, .say = say, .arg = arg };
	r = netwatch_new(loop, on_network, d, &d->netwatch, e);
	if (r >= 0)
		r = drifts_new(loop, o, d->netwatch, on_drifts, d, &d->drifts, e);
	if (r >= 0) {
		r = sd_event_add_time(loop, &d->settled, CLOCK_MONOTONIC, 0, 10000, on_settled, d);
		if (r >= 0)
			r = sd_event_source_set_enabled(d->settled, SD_EVENT_OFF);
		if (r < 0)
			r = err_sys(e, -r, "cannot watch for what differs");
	}
	if (r < 0) {
		driftlog_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void driftlog_free(struct driftlog *d)
{
	if (!d)
		return;
	sd_event_source_disable_unref(d->settled);
	drifts_free(d->drifts);
	netwatch_free(d->netwatch);
	forget(d->said, d->n_said);
	free(d);
}

static bool runs(const struct machine *m)
{
	return m->kind == MACHINE_CONTAINER && m->state == MACHINE_RUNNING && m->registered;
}

static bool begin(struct driftlog *d, const struct strs *names)
{
	d->said = calloc(names->n + 1, sizeof(*d->said));
	for (; d->said && d->n_said < names->n; d->n_said++) {
		d->said[d->n_said] = (struct said){ .name = strdup(names->v[d->n_said]), .begins = true };
		if (!d->said[d->n_said].name)
			return false;
	}
	return d->begun = d->said;
}

int driftlog_snapshot(struct driftlog *d, const struct snapshot *now, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };

	for (size_t i = 0; i < now->n; i++)
		if (runs(&now->v[i]))
			strs_add(&names, now->v[i].name);
	if (names.bad || (!d->begun && !begin(d, &names)))
		return err_no_memory(e);
	drifts_want(d->drifts, &names);
	drifts_stale(d->drifts);
	return netwatch_want(d->netwatch, now, names.n > 0 ? NETWATCH_MAP : 0, e);
}
