#include "engine/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/why.h"

/* What is known of one name. */
struct known {
	const char *name;
	const struct conf_seen *conf;
	const struct registration *machine;
	const struct net_seen *net;
	bool image;
};

/* Names and units begin with the string that they are sorted by. */
static int by_first_string(const void *key, const void *item)
{
	return strcmp(key, *(char *const *)item);
}

static void *find(const char *key, const void *v, size_t n, size_t size)
{
	return n > 0 ? bsearch(key, v, n, size, by_first_string) : NULL;
}

struct conf_seen *sources_conf(const struct sources *s, const char *name)
{
	_Static_assert(offsetof(struct conf_seen, name) == 0, "sorted by it");
	return find(name, s->confs, s->n_confs, sizeof(*s->confs));
}

struct unit_seen *sources_unit(const struct sources *s, const char *unit)
{
	_Static_assert(offsetof(struct unit_seen, name) == 0, "sorted by it");
	return find(unit, s->units, s->n_units, sizeof(*s->units));
}

struct tree_seen *sources_tree(const struct sources *s, const char *name)
{
	_Static_assert(offsetof(struct tree_seen, name) == 0, "sorted by it");
	return find(name, s->trees, s->n_trees, sizeof(*s->trees));
}

static int by_machine(const void *key, const void *item)
{
	return strcmp(key, ((const struct registration *)item)->name);
}

/* The machine's name in "container@NAME.service" or "systemd-nspawn@NAME.service"; NULL: it has none. */
static char *instance(const char *unit)
{
	static const char *const templates[] = { "container@", "systemd-nspawn@" };
	size_t len = strlen(unit), tail = strlen(".service");

	for (size_t i = 0; i < COUNT(templates); i++) {
		size_t head = strlen(templates[i]);

		if (len > head + tail && strncmp(unit, templates[i], head) == 0 &&
		    strcmp(unit + len - tail, ".service") == 0)
			return strndup(unit + head, len - head - tail);
	}
	return NULL;
}

static void all_names(const struct sources *s, struct strs *ret)
{
	for (size_t i = 0; i < s->n_confs; i++)
		strs_add(ret, s->confs[i].name);
	for (size_t i = 0; i < s->machines.n; i++)
		strs_add(ret, s->machines.v[i].name);
	for (size_t i = 0; i < s->n_units; i++) {
		CLEANUP(free_p)
		char *name = s->units[i].state != MACHINE_STOPPED ? instance(s->units[i].name) : NULL;

		if (name && name_is_machine(name))
			strs_add(ret, name);
	}
	strs_add_all(ret, &s->images);
	strs_sort(ret);
}

/* The unit that is the machine's by its name, whoever runs it now. */
static void own_unit(const struct sources *s, const struct known *k, char ret[static NAME_UNIT_SIZE])
{
	name_unit(k->name, ret);
	if (k->conf || sources_unit(s, ret))
		return;
	(void)snprintf(ret, NAME_UNIT_SIZE, "systemd-nspawn@%s.service", k->name);
	if (!k->image && !sources_unit(s, ret))
		*ret = '\0';
}

static bool was_on_its_way(enum machine_state was)
{
	return was == MACHINE_STARTING || was == MACHINE_STOPPING || was == MACHINE_RESTARTING;
}

/* While systemd is out of reach: running is who has a living leader; what was down before stays down, and what was
 * on its way is left at that: its leader may rightly be gone. */
static enum machine_state old_state_of(const struct sources *s, const struct known *k,
                                       const struct unit_seen *unit)
{
	enum machine_state was = unit ? unit->state : MACHINE_STOPPED;

	if (s->units_were_known && was_on_its_way(was) && (!k->machine || k->net->leader_dead))
		return was;
	if (k->machine)
		return k->net->leader_dead ? MACHINE_GHOST : MACHINE_RUNNING;
	return s->units_were_known && (was == MACHINE_STOPPED || was == MACHINE_FAILED) ? was
	                                                                                : MACHINE_UNKNOWN;
}

static enum machine_state state_of(const struct sources *s, const struct known *k,
                                   const struct unit_seen *unit)
{
	if (!s->units_known)
		return old_state_of(s, k, unit);
	if (!k->machine)
		return unit ? unit->state : MACHINE_STOPPED;
	if (!unit && !k->net->leader_dead)
		return MACHINE_RUNNING;
	if (k->net->leader_dead && (!unit || unit->state == MACHINE_STOPPED))
		return MACHINE_GHOST;
	return unit->state;
}

static bool is_up(enum machine_state state)
{
	return state == MACHINE_RUNNING || state == MACHINE_RELOADING || state == MACHINE_STOPPING ||
	       state == MACHINE_STARTING;
}

static void fill_addresses(const struct known *k, struct machine *m)
{
	m->addresses_seen = k->net && k->net->seen && is_up(m->state);
	if (m->addresses_seen)
		strs_add_all(&m->addresses, &k->net->addresses);
	else if (k->conf)
		strs_add_all(&m->addresses, &k->conf->addresses);
	if (k->conf)
		strs_add_all(&m->ports, &k->conf->ports);
}

static char *reason_of(const struct sources *s, const struct known *k, const struct machine *m,
                       const char *taken_by, const struct unit_seen *unit, const char **ret_cause)
{
	char text[WHY_SIZE];
	struct why_facts f = {
		.name = k->name,
		.state = m->state,
		.conf_problem = k->conf && !k->conf->unread ? k->conf->problem : NULL,
		.taken_by = taken_by,
		.dead_leader = k->machine ? k->machine->leader : 0,
		.load = k->conf && m->state == MACHINE_STOPPED && strs_has(&s->masked, m->unit) ? "masked"
		                                                                                : NULL,
		.guest_failed = k->net ? &k->net->failed : NULL,
	};

	*ret_cause = why_sentence(&f, text);
	if (*ret_cause)
		return strdup(text);
	if (unit && unit->reason && m->state == unit->state) {
		*ret_cause = unit->cause;
		return strdup(unit->reason);
	}
	f.conf_unread = k->conf && k->conf->unread;
	*ret_cause = why_sentence(&f, text);
	return *ret_cause ? strdup(text) : NULL;
}

static enum machine_kind kind_of(const struct known *k, const char *unit)
{
	if (k->machine && k->machine->class && strcmp(k->machine->class, "vm") == 0)
		return MACHINE_VM;
	if (k->conf || strncmp(unit, "container@", strlen("container@")) == 0)
		return MACHINE_CONTAINER;
	if (strncmp(unit, "systemd-nspawn@", strlen("systemd-nspawn@")) == 0)
		return k->image && !k->machine ? MACHINE_IMAGE : MACHINE_NSPAWN;
	return k->image && !k->machine ? MACHINE_IMAGE : MACHINE_OTHER;
}

static char *copy(const char *text, bool *bad)
{
	char *made = text ? strdup(text) : NULL;

	*bad |= text && !made;
	return made;
}

static const char *os_of(const struct sources *s, const struct known *k)
{
	const struct tree_seen *t = sources_tree(s, k->name);

	return t ? t->os : NULL;
}

static bool fill(const struct sources *s, const struct known *k, struct machine *m)
{
	char own[NAME_UNIT_SIZE];
	const char *taken_by = NULL, *name = own;
	const struct unit_seen *unit;
	bool bad = false;

	own_unit(s, k, own);
	if (k->machine && k->machine->unit && strcmp(k->machine->unit, own) != 0) {
		name = k->machine->unit;
		taken_by = k->conf ? name : NULL;
	}
	unit = sources_unit(s, name);
	*m = (struct machine){
		.name = copy(k->name, &bad),
		.overlay_over = copy(k->conf ? k->conf->overlay_over : NULL, &bad),
		.declared = copy(k->conf ? k->conf->leads_to : NULL, &bad),
		.class = copy(k->machine ? k->machine->class : NULL, &bad),
		.unit = copy(*name ? name : NULL, &bad),
		.configured = k->conf,
		.registered = k->machine,
		.auto_start = k->conf && k->conf->auto_start,
		.root_is_hosts = k->conf && !k->conf->problem && k->conf->root_is_hosts,
		.bad_conf = k->conf && k->conf->problem && !k->conf->unread,
		.conf_unread = k->conf && k->conf->unread,
		.conf_hash = k->conf && k->conf->text.p ? buf_hash(&k->conf->text) : 0,
		.state = state_of(s, k, unit),
		.leader = k->machine && !k->net->leader_dead ? k->machine->leader : 0,
		.kind = kind_of(k, name),
		.os = copy(os_of(s, k), &bad),
		.cgroup = copy(k->net ? k->net->cgroup : NULL, &bad),
		.netnsid = k->net ? k->net->netnsid : -1,
	};
	if (unit) {
		m->unit_words = unit->words;
		m->unit_told = unit->told;
		m->tried_again = unit->n_restarts > 0 && (m->state == MACHINE_STARTING ||
		                                          (m->state == MACHINE_STOPPING && unit->failed));
	}
	if (unit && unit->state == m->state)
		m->since_usec = unit->since_usec;
	if (m->since_usec == 0 && k->machine && m->state == MACHINE_RUNNING)
		m->since_usec = k->machine->since_usec;
	m->reason = reason_of(s, k, m, taken_by, unit, &m->cause);
	fill_addresses(k, m);
	for (size_t i = 0; k->conf && i < s->n_confs; i++)
		if (s->confs[i].overlay_over && strcmp(s->confs[i].overlay_over, k->name) == 0)
			strs_add(&m->overlays, s->confs[i].name);
	if (k->net && m->state == MACHINE_RUNNING)
		strs_add_all(&m->guest_failed, &k->net->failed);
	return !bad && !m->overlays.bad && !m->guest_failed.bad && !m->addresses.bad && !m->ports.bad;
}

int merge(const struct sources *s, struct snapshot *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	struct snapshot made = { 0 };

	all_names(s, &names);
	made.v = calloc(names.n + 1, sizeof(*made.v));
	if (names.bad || !made.v) {
		free(made.v);
		return err_no_memory(e);
	}
	for (size_t i = 0; i < names.n; i++) {
		struct known k = { .name = names.v[i] };

		if (i > 0 && strcmp(names.v[i - 1], k.name) == 0)
			continue;
		k.conf = sources_conf(s, k.name);
		if (s->machines.n > 0)
			k.machine = bsearch(k.name, s->machines.v, s->machines.n, sizeof(*s->machines.v),
			                    by_machine);
		if (k.machine)
			k.net = &s->net[k.machine - s->machines.v];
		k.image = strs_has(&s->images, k.name);
		if (!fill(s, &k, &made.v[made.n++])) {
			snapshot_done(&made);
			return err_no_memory(e);
		}
	}
	*ret = made;
	return 0;
}
