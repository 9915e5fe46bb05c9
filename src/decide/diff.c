#include "decide/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_bad(enum machine_state s)
{
	return s == MACHINE_FAILED || s == MACHINE_GHOST || s == MACHINE_RESTARTING;
}

static void say_state(const struct machine *m, uint64_t usec, struct events *ret)
{
	const char *why = is_bad(m->state) ? m->reason : NULL;

	events_add(ret, usec, m->name, EVENT_STATE, is_bad(m->state), "%s%s%s", machine_state_word(m->state),
	           why ? ": " : "", why ? why : "");
}

static void diff_state(const struct machine *old, const struct machine *m, uint64_t usec, struct events *ret)
{
	if (old->state == MACHINE_UNKNOWN || m->state == MACHINE_UNKNOWN)
		return;
	if (old->state != m->state)
		say_state(m, usec, ret);
	else if (m->state == MACHINE_RUNNING && old->leader && m->leader && old->leader != m->leader)
		events_add(ret, usec, m->name, EVENT_STATE, false, "running again, as another process (%d)",
		           (int)m->leader);
	else if (is_bad(m->state) && m->reason && !text_same(old->reason, m->reason))
		events_add(ret, usec, m->name, EVENT_UNIT, true, "%s", m->reason);
}

static void diff_conf(const struct machine *old, const struct machine *m, uint64_t usec, struct events *ret)
{
	const char *what = NULL;

	if (m->configured != old->configured)
		what = m->configured ? "the conf was made" : "the conf was taken away";
	else if (m->configured && m->conf_hash != old->conf_hash)
		what = "the conf was changed";
	if (m->bad_conf && (what || !old->bad_conf))
		events_add(ret, usec, m->name, EVENT_CONF, true, "%s and can not be used%s%s",
		           what ? what : "the conf is as it was", m->reason ? ": " : "",
		           m->reason ? m->reason : "");
	else if (what)
		events_add(ret, usec, m->name, EVENT_CONF, false, "%s%s", what,
		           old->bad_conf && m->configured && !m->conf_unread ? " and can be used again" : "");
}

/* Between two starts addresses are as configured, which no address of a machine is. */
static void diff_addresses(const struct machine *old, const struct machine *m, uint64_t usec,
                           struct events *ret)
{
	static const struct strs none = { 0 };
	const struct strs *had = old->addresses_seen ? &old->addresses : &none;

	if (!m->addresses_seen)
		return;
	for (size_t i = 0; i < m->addresses.n; i++)
		if (!strs_has(had, m->addresses.v[i]))
			events_add(ret, usec, m->name, EVENT_ADDRESS, false, "has address %s",
			           m->addresses.v[i]);
	for (size_t i = 0; i < had->n; i++)
		if (!strs_has(&m->addresses, had->v[i]))
			events_add(ret, usec, m->name, EVENT_ADDRESS, m->addresses.n == 0,
			           m->addresses.n == 0 ? "lost address %s, and has none now"
			                               : "lost address %s",
			           had->v[i]);
}

static void diff_list(const struct strs *old, const struct strs *new, const char *name, enum event_kind kind,
                      bool bad, const char *came, const char *went, uint64_t usec, struct events *ret)
{
	for (size_t i = 0; i < new->n; i++)
		if (!strs_has(old, new->v[i]))
			events_add(ret, usec, name, kind, bad, "%s %s", new->v[i], came);
	for (size_t i = 0; i < old->n; i++)
		if (!strs_has(new, old->v[i]))
			events_add(ret, usec, name, kind, false, "%s %s", old->v[i], went);
}

static bool is_up(const struct machine *m)
{
	return m->state == MACHINE_RUNNING || m->state == MACHINE_RELOADING;
}

static void diff_machine(const struct machine *old, const struct machine *m, uint64_t usec,
                         struct events *ret)
{
	diff_conf(old, m, usec, ret);
	diff_state(old, m, usec, ret);
	diff_addresses(old, m, usec, ret);
	if (old->configured && m->configured && !old->conf_unread && !m->conf_unread)
		diff_list(&old->ports, &m->ports, m->name, EVENT_PORT, false, "is forwarded by its conf",
		          "is forwarded no more", usec, ret);
	if (is_up(m)) /* what failed in there ends with it */
		diff_list(&old->guest_failed, &m->guest_failed, m->name, EVENT_UNIT, true, "failed inside",
		          "failed inside no more", usec, ret);
}

static void came(const struct machine *m, uint64_t usec, struct events *ret)
{
	const struct machine nothing = { .state = MACHINE_STOPPED };

	if (!m->configured && m->state == MACHINE_STOPPED)
		events_add(ret, usec, m->name, EVENT_STATE, false, "is here: %s, stopped",
		           machine_kind_word(m->kind));
	diff_machine(&nothing, m, usec, ret);
}

static void went(const struct machine *old, uint64_t usec, struct events *ret)
{
	if (old->configured)
		events_add(ret, usec, old->name, EVENT_CONF, false, "the conf was taken away");
	if (!old->configured || old->state != MACHINE_STOPPED)
		events_add(ret, usec, old->name, EVENT_STATE, false, "is gone");
}

static void diff_host(const struct snapshot *before, const struct snapshot *after, struct events *ret)
{
	if (text_same(before->stale, after->stale))
		return;
	if (after->stale)
		events_add(ret, after->taken_usec, "", EVENT_UNIT, true, "%s", after->stale);
	else
		events_add(ret, after->taken_usec, "", EVENT_UNIT, false, "everything can be asked again");
}

void diff_snapshots(const struct snapshot *before, const struct snapshot *after, struct events *ret)
{
	size_t i = 0, j = 0;

	diff_host(before, after, ret);
	while (i < before->n || j < after->n) {
		int order = i == before->n  ? 1
		            : j == after->n ? -1
		                            : strcmp(before->v[i].name, after->v[j].name);

		if (order < 0)
			went(&before->v[i++], after->taken_usec, ret);
		else if (order > 0)
			came(&after->v[j++], after->taken_usec, ret);
		else
			diff_machine(&before->v[i++], &after->v[j++], after->taken_usec, ret);
	}
}

void diff_stats(const struct stats_table *before, const struct stats_table *after, uint64_t usec,
                struct events *ret)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct stats *s = &after->v[i], *old = stats_find(before, s->name);
		uint64_t had = old ? old->oom_kills : STATS_UNKNOWN, new = s->oom_kills;

		if (had == STATS_UNKNOWN || new == STATS_UNKNOWN || new == had || new == 0)
			continue;
		if (new > had)
			new -= had;
		events_add(ret, usec, s->name, EVENT_OOM, true,
		           new == 1 ? "out of memory: the kernel killed a process"
		                    : "out of memory: the kernel killed %" PRIu64 " processes",
		           new);
	}
}

static bool keep_known(const struct machine *old, struct machine *m)
{
	if (m->state == MACHINE_UNKNOWN) {
		m->state = old->state;
		free(m->reason);
		m->reason = old->reason ? strdup(old->reason) : NULL;
		if (old->reason && !m->reason)
			return false;
	}
	if (!m->addresses_seen && old->addresses_seen && is_up(m) && is_up(old)) {
		m->addresses_seen = true;
		strs_done(&m->addresses);
		strs_add_all(&m->addresses, &old->addresses);
	}
	return !m->addresses.bad;
}

bool diff_known(const struct snapshot *before, const struct snapshot *after, struct snapshot *ret)
{
	if (!snapshot_copy(after, ret))
		return false;
	for (size_t i = 0; i < ret->n; i++) {
		const struct machine *old = snapshot_find(before, ret->v[i].name);

		if (!old || keep_known(old, &ret->v[i]))
			continue;
		snapshot_done(ret);
		return false;
	}
	return true;
}
