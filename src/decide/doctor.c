#include "decide/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/doctor_private.h"

static const struct doctor_rule *const tables[] = { doctor_chain_rules, doctor_listener_rules,
	                                            doctor_way_rules, doctor_probe_rules, doctor_note_rules };

/* ---- words */

const char *doctor_step_word(enum doctor_step s)
{
	static const char *const words[DOCTOR_STEPS] = { "declared", "rule", "address", "listener",
		                                         "connects" };

	return words[s];
}

const char *doctor_state_word(enum doctor_state s)
{
	static const char *const words[] = { "unknown", "idle", "good", "broken" };

	return words[s];
}

const char *doctor_client_word(enum doctor_client c)
{
	static const char *const words[DOCTOR_CLIENTS] = { "lan", "host", "machine", "loopback" };

	return words[c];
}

const char *doctor_cause(size_t i)
{
	for (size_t t = 0; t < COUNT(tables); t++)
		for (const struct doctor_rule *r = tables[t]; r->cause; r++)
			if (i-- == 0)
				return r->cause;
	return NULL;
}

/* ---- what is wrong */

struct judging {
	const struct doctor_facts *f;
	struct diagnosis *to;
	bool said[DOCTOR_STEPS]
		 [DOCTOR_WAYS]; /* the first of a step is its cause, the others follow from it */
};

static bool is_said(const struct diagnosis *d, const char *cause)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].cause, cause) == 0)
			return true;
	return false;
}

static bool is_broken(const struct diagnosis *d)
{
	return d->n > 0 && d->v[0].broken;
}

static int by_weight(const void *a, const void *b)
{
	const struct doctor_finding *x = a, *y = b;

	if (x->broken != y->broken)
		return x->broken ? -1 : 1;
	return x->broken ? (int)x->step - (int)y->step : 0;
}

/* A stable sort: there are few. */
static void insert(struct diagnosis *d, const struct doctor_finding *finding)
{
	size_t at = d->n;

	if (d->n == DOCTOR_FINDINGS)
		return;
	while (at > 0 && by_weight(finding, &d->v[at - 1]) < 0) {
		d->v[at] = d->v[at - 1];
		at--;
	}
	d->v[at] = *finding;
	d->n++;
}

static void find(struct judging *j, const struct doctor_rule *r, enum doctor_way_index index)
{
	const struct doctor_case c = { j->f, &j->f->way[index], index };
	struct doctor_finding new = { .cause = r->cause, .step = r->step };
	char raw[DOCTOR_TEXT];

	if (r->weight == DOCTOR_LAST && is_broken(j->to))
		return;
	if ((j->said[r->step][index] && r->weight != DOCTOR_NOTE) || !r->holds(&c))
		return;
	if (r->step != DOCTOR_CONNECTS && r->weight != DOCTOR_NOTE) {
		j->said[r->step][index] = true;
		for (size_t i = 0; !r->by_family && i < DOCTOR_WAYS; i++)
			j->said[r->step][i] = true;
	}
	if (is_said(j->to, r->cause))
		return;
	new.broken = r->weight == DOCTOR_FATAL || r->weight == DOCTOR_LAST ||
	             (r->weight == DOCTOR_IF_MEANT && doctor_way_counts(j->f, index));
	r->say(&c, raw);
	(void)text_printable(new.text, sizeof(new.text), raw, strlen(raw));
	insert(j->to, &new);
}

/* IPv4 before IPv6, so that the cause of the first comes first. */
static void find_all(struct judging *j)
{
	for (size_t t = 0; t < COUNT(tables); t++)
		for (enum doctor_way_index i = 0; i < DOCTOR_WAYS; i++)
			for (const struct doctor_rule *r = tables[t]; r->cause; r++)
				if (r->by_family || i == 0)
					find(j, r, i);
}

const struct doctor_finding *doctor_first(const struct diagnosis *d)
{
	return is_broken(d) ? &d->v[0] : NULL;
}

/* ---- the chain, link by link */

static enum doctor_state step_state(const struct diagnosis *d, enum doctor_step step,
                                    enum doctor_state otherwise)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].broken && d->v[i].step == step)
			return DOCTOR_BROKEN;
	return otherwise;
}

__attribute__((format(printf, 4, 5))) static void set(struct diagnosis *d, enum doctor_step step,
                                                      enum doctor_state state, const char *format, ...)
{
	char raw[sizeof(d->steps[0].text)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	d->steps[step].state = step_state(d, step, state);
	(void)text_printable(d->steps[step].text, sizeof(d->steps[step].text), raw, strlen(raw));
}

static void set_declared(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->declared && f->file && f->line)
		set(d, DOCTOR_DECLARED, DOCTOR_GOOD, "%s:%zu", f->file, f->line);
	else if (f->declared)
		set(d, DOCTOR_DECLARED, DOCTOR_GOOD, "%s", f->file ? f->file : "yes");
	else
		set(d, DOCTOR_DECLARED, DOCTOR_UNKNOWN, "not in its conf");
}

static void set_rule(const struct doctor_facts *f, struct diagnosis *d)
{
	char text[2 * DOCTOR_ADDRESS_TEXT] = "", one[DOCTOR_ADDRESS_TEXT];

	for (size_t i = 0; i < DOCTOR_WAYS; i++) {
		size_t len = strlen(text);

		if (!f->way[i].has_rule)
			continue;
		doctor_address_text(&f->way[i].to, f->way[i].to_port, one);
		(void)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "", one);
	}
	if (f->no_rules)
		set(d, DOCTOR_RULE, DOCTOR_UNKNOWN, "%s", f->no_rules);
	else if (*text)
		set(d, DOCTOR_RULE, doctor_can_run(f) ? DOCTOR_GOOD : DOCTOR_IDLE, "%s", text);
	else
		set(d, DOCTOR_RULE, DOCTOR_IDLE,
		    doctor_can_run(f) ? "none: it waits for an address" : "none");
}

static void set_address(const struct doctor_facts *f, struct diagnosis *d)
{
	char text[2 * ADDR_TEXT_SIZE + 16] = "", one[ADDR_TEXT_SIZE];
	bool there = false;

	for (size_t i = 0; i < DOCTOR_WAYS; i++) {
		size_t len = strlen(text);

		if (f->way[i].address == DOCTOR_ADDRESS_NONE)
			continue;
		there |= f->way[i].address == DOCTOR_ADDRESS_THERE;
		addr_print(&f->way[i].guest, false, one);
		(void)snprintf(text + len, sizeof(text) - len, "%s%s%s", len > 0 ? " " : "", one,
		               f->way[i].address == DOCTOR_ADDRESS_WAITS ? " (tentative)" : "");
	}
	if (!doctor_can_run(f))
		set(d, DOCTOR_ADDRESS, DOCTOR_IDLE, "it does not run");
	else if (f->no_guest)
		set(d, DOCTOR_ADDRESS, DOCTOR_UNKNOWN, "%s", f->no_guest);
	else
		set(d, DOCTOR_ADDRESS, there ? DOCTOR_GOOD : DOCTOR_IDLE, "%s%s%s", *text ? text : "none",
		    *text && f->link ? " on " : "", *text && f->link ? f->link : "");
}

static void set_listener(const struct doctor_facts *f, struct diagnosis *d)
{
	const struct doctor_listener *l = doctor_listener_of(f, &f->way[DOCTOR_V4]);
	char at[DOCTOR_ADDRESS_TEXT], process[160];

	l = l ? l : doctor_listener_of(f, &f->way[DOCTOR_V6]);
	if (!doctor_can_run(f)) {
		set(d, DOCTOR_LISTENER, DOCTOR_IDLE, "it does not run");
	} else if (f->no_listeners || f->no_guest) {
		set(d, DOCTOR_LISTENER, DOCTOR_UNKNOWN, "%s",
		    f->no_listeners ? f->no_listeners : f->no_guest);
	} else if (l) {
		doctor_address_text(&l->at, l->port, at);
		doctor_who(l, process, sizeof(process));
		set(d, DOCTOR_LISTENER, DOCTOR_GOOD, "%s: %s", at, process);
	} else {
		set(d, DOCTOR_LISTENER, DOCTOR_IDLE, "nobody on %s %u", doctor_protocol(f), f->port.guest);
	}
}

/* Whether something on the way is not known. */
static bool way_is_untold(const struct doctor_way *w)
{
	return w->forwarding == DOCTOR_UNTOLD || w->default_route == DOCTOR_UNTOLD ||
	       w->host_drops.answer == FIREWALL_UNTOLD || w->host_drops.answer == FIREWALL_MAY_DROP ||
	       w->guest_drops.answer == FIREWALL_UNTOLD || w->guest_drops.answer == FIREWALL_MAY_DROP;
}

static const struct doctor_way *best_way(const struct doctor_facts *f)
{
	for (enum doctor_way_index i = 0; i < DOCTOR_WAYS; i++)
		if (doctor_leads_home(&f->way[i]) && doctor_way_counts(f, i))
			return &f->way[i];
	return doctor_leads_home(&f->way[DOCTOR_V4])   ? &f->way[DOCTOR_V4]
	       : doctor_leads_home(&f->way[DOCTOR_V6]) ? &f->way[DOCTOR_V6]
	                                               : NULL;
}

static enum doctor_state chain_so_far(const struct diagnosis *d)
{
	enum doctor_state worst = DOCTOR_GOOD;

	for (enum doctor_step s = 0; s < DOCTOR_CONNECTS; s++) {
		if (d->steps[s].state == DOCTOR_BROKEN)
			return DOCTOR_BROKEN;
		if (d->steps[s].state == DOCTOR_IDLE)
			worst = DOCTOR_IDLE;
		else if (d->steps[s].state == DOCTOR_UNKNOWN && worst == DOCTOR_GOOD && s != DOCTOR_DECLARED)
			worst = DOCTOR_UNKNOWN;
	}
	return worst;
}

static void set_connects(const struct doctor_facts *f, struct diagnosis *d)
{
	const struct doctor_way *w = best_way(f);
	enum doctor_state before = chain_so_far(d);

	if (f->connect == DOCTOR_CONNECTED)
		set(d, DOCTOR_CONNECTS, DOCTOR_GOOD, "%s answered in %u ms", f->connected_to, f->connect_ms);
	else if (f->connect == DOCTOR_SILENT && before == DOCTOR_GOOD)
		set(d, DOCTOR_CONNECTS, DOCTOR_GOOD,
		    "%s: nobody refused it in %u ms, and more udp does not tell", f->connected_to,
		    f->connect_ms);
	else if (step_state(d, DOCTOR_CONNECTS, DOCTOR_GOOD) == DOCTOR_BROKEN)
		set(d, DOCTOR_CONNECTS, DOCTOR_BROKEN, "no");
	else if (before == DOCTOR_BROKEN || before == DOCTOR_IDLE)
		set(d, DOCTOR_CONNECTS, DOCTOR_IDLE, "not before the rest is well");
	else if (before == DOCTOR_UNKNOWN || !w || way_is_untold(w))
		set(d, DOCTOR_CONNECTS, DOCTOR_UNKNOWN, "not all of the way can be seen");
	else
		set(d, DOCTOR_CONNECTS, DOCTOR_GOOD, "nothing is in the way");
}

/* ---- from where */

__attribute__((format(printf, 4, 5))) static void from(struct diagnosis *d, enum doctor_client client,
                                                       enum doctor_state state, const char *format, ...)
{
	char raw[sizeof(d->from[0].text)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	d->from[client].state = state;
	(void)text_printable(d->from[client].text, sizeof(d->from[client].text), raw, strlen(raw));
}

/* What keeps others away and not the host itself (facts of the kernel: its own packets are not forwarded). */
static bool is_of_others(const struct doctor_finding *finding)
{
	static const char *const causes[] = { "no-default-route", "no-forwarding", "rp-filter",
		                              "host-firewall" };

	for (size_t i = 0; i < COUNT(causes); i++)
		if (strcmp(finding->cause, causes[i]) == 0)
			return true;
	return false;
}

/* Who listens on the host's port keeps nobody away: the kernel translates before it looks for a listener. */
static const struct doctor_finding *obstacle_of(const struct diagnosis *d, bool is_host)
{
	for (size_t i = 0; i < d->n && d->v[i].broken; i++)
		if (strcmp(d->v[i].cause, "host-listener") != 0 && !(is_host && is_of_others(&d->v[i])))
			return &d->v[i];
	return NULL;
}

static void from_client(const struct doctor_facts *f, struct diagnosis *d, enum doctor_client client,
                        const struct doctor_finding *obstacle, bool is_sure)
{
	enum doctor_state before = chain_so_far(d);

	if (obstacle)
		from(d, client, DOCTOR_BROKEN, "%s", obstacle->text);
	else if (before == DOCTOR_IDLE || !doctor_can_run(f))
		from(d, client, DOCTOR_IDLE, "not now");
	else if (before == DOCTOR_UNKNOWN || !is_sure)
		from(d, client, DOCTOR_UNKNOWN, "not all of the way can be seen");
	else if (f->host_address)
		from(d, client, DOCTOR_GOOD, strchr(f->host_address, ':') ? "[%s]:%u" : "%s:%u",
		     f->host_address, f->port.host);
	else
		from(d, client, DOCTOR_UNKNOWN, "the host has no address but loopback");
}

static void from_loopback(const struct doctor_facts *f, struct diagnosis *d)
{
	const struct doctor_way *w = best_way(f);
	const char *name = w && w->to.family == AF_INET6 ? "::1" : "127.0.0.1";
	char process[120];

	if (f->local || f->host) {
		doctor_who(f->local ? f->local : f->host, process, sizeof(process));
		from(d, DOCTOR_LOOPBACK, DOCTOR_BROKEN, "%s is not translated by nspawn: %s answers there",
		     name, process);
	} else {
		from(d, DOCTOR_LOOPBACK, DOCTOR_BROKEN, "%s is not translated by nspawn: use %s", name,
		     f->host_address ? f->host_address : "another address of the host");
	}
}

static void judge_clients(const struct doctor_facts *f, struct diagnosis *d)
{
	const struct doctor_way *w = best_way(f);
	const struct doctor_finding *first = obstacle_of(d, false), *for_host = obstacle_of(d, true);

	from_client(f, d, DOCTOR_LAN, first, w && !way_is_untold(w));
	from_client(f, d, DOCTOR_MACHINE, first, w && !way_is_untold(w));
	from_client(f, d, DOCTOR_HOST, for_host, w && w->guest_drops.answer == FIREWALL_PASSES);
	from_loopback(f, d);
}

/* ---- all of it */

static enum doctor_state state_of(const struct doctor_facts *f, const struct diagnosis *d)
{
	if (is_broken(d))
		return DOCTOR_BROKEN;
	if (!doctor_can_run(f) || f->state == MACHINE_STARTING || f->state == MACHINE_STOPPING)
		return DOCTOR_IDLE;
	for (enum doctor_step s = DOCTOR_RULE; s < DOCTOR_STEPS; s++)
		if (d->steps[s].state != DOCTOR_GOOD)
			return d->steps[s].state;
	return DOCTOR_GOOD;
}

void doctor_judge(const struct doctor_facts *f, struct diagnosis *ret)
{
	struct judging j = { .f = f, .to = ret };

	*ret = (struct diagnosis){ 0 };
	find_all(&j);
	set_declared(f, ret);
	set_rule(f, ret);
	set_address(f, ret);
	set_listener(f, ret);
	set_connects(f, ret);
	judge_clients(f, ret);
	ret->state = state_of(f, ret);
}
