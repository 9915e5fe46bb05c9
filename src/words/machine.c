#include "words/machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void machine_done(struct machine *m)
{
	free(m->name);
	free(m->class);
	free(m->unit);
	free(m->overlay_over);
	strs_done(&m->overlays);
	free(m->declared);
	free(m->reason);
	free(m->os);
	free(m->cgroup);
	strs_done(&m->guest_failed);
	strs_done(&m->lints);
	strs_done(&m->addresses);
	strs_done(&m->ports);
	*m = (struct machine){ 0 };
}

static char *copy_text(const char *text, bool *bad)
{
	char *made = text ? strdup(text) : NULL;

	*bad |= text && !made;
	return made;
}

static void copy_texts(const struct strs *from, struct strs *to, bool *bad)
{
	*to = (struct strs){ 0 };
	strs_add_all(to, from);
	*bad |= to->bad;
}

bool machine_copy(const struct machine *m, struct machine *ret)
{
	bool bad = false;

	*ret = *m;
	ret->name = copy_text(m->name, &bad);
	ret->class = copy_text(m->class, &bad);
	ret->unit = copy_text(m->unit, &bad);
	ret->overlay_over = copy_text(m->overlay_over, &bad);
	copy_texts(&m->overlays, &ret->overlays, &bad);
	ret->declared = copy_text(m->declared, &bad);
	ret->reason = copy_text(m->reason, &bad);
	ret->os = copy_text(m->os, &bad);
	ret->cgroup = copy_text(m->cgroup, &bad);
	copy_texts(&m->addresses, &ret->addresses, &bad);
	copy_texts(&m->ports, &ret->ports, &bad);
	copy_texts(&m->guest_failed, &ret->guest_failed, &bad);
	copy_texts(&m->lints, &ret->lints, &bad);
	if (bad)
		machine_done(ret);
	return !bad;
}

bool machine_has_trouble(const struct machine *m)
{
	return m->reason && !(m->conf_unread && m->cause && strcmp(m->cause, "conf-unread") == 0);
}

const char *machine_kind_word(enum machine_kind k)
{
	switch (k) {
	case MACHINE_CONTAINER:
		return "container";
	case MACHINE_NSPAWN:
		return "nspawn";
	case MACHINE_IMAGE:
		return "image";
	case MACHINE_VM:
		return "vm";
	case MACHINE_OTHER:
		return "other";
	}
	return "other";
}

const char *machine_state_word(enum machine_state s)
{
	switch (s) {
	case MACHINE_UNKNOWN:
		return "unknown";
	case MACHINE_STOPPED:
		return "stopped";
	case MACHINE_STARTING:
		return "starting";
	case MACHINE_RUNNING:
		return "running";
	case MACHINE_RELOADING:
		return "reloading";
	case MACHINE_STOPPING:
		return "stopping";
	case MACHINE_RESTARTING:
		return "restarting";
	case MACHINE_FAILED:
		return "failed";
	case MACHINE_GHOST:
		return "ghost";
	}
	return "unknown";
}

enum machine_state machine_state_of_unit(const char *active, const char *sub)
{
	static const struct {
		const char *active;
		enum machine_state state;
	} words[] = {
		{ "active", MACHINE_RUNNING },       { "reloading", MACHINE_RELOADING },
		{ "refreshing", MACHINE_RELOADING }, { "activating", MACHINE_STARTING },
		{ "failed", MACHINE_FAILED },        { "deactivating", MACHINE_STOPPING },
		{ "inactive", MACHINE_STOPPED },     { "maintenance", MACHINE_STOPPED },
	};

	if (strncmp(sub, "auto-restart", strlen("auto-restart")) == 0)
		return MACHINE_RESTARTING;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(active, words[i].active) == 0)
			return words[i].state;
	return MACHINE_UNKNOWN;
}

uint64_t machine_since(enum machine_state state, uint64_t state_usec, uint64_t active_usec)
{
	return state == MACHINE_RUNNING && active_usec ? active_usec : state_usec;
}
