/* What is said about verbs, and which of them fits which machine. Pure. */
#include <string.h>

#include "base/cleanup.h"
#include "decide/shellwords.h"
#include "engine/control.h"
#include "words/name.h"

static const struct {
	const char *word, *doing, *did;
} verb_words[CONTROL_VERBS] = {
	[CONTROL_START] = { "start", "starting", "started" },
	[CONTROL_STOP] = { "stop", "stopping", "stopped" },
	[CONTROL_RESTART] = { "restart", "restarting", "restarted" },
	[CONTROL_RELOAD] = { "reload", "reloading", "reloaded" },
	[CONTROL_TERMINATE] = { "terminate", "terminating", "terminated" },
	[CONTROL_KILL] = { "kill", "killing", "killed" },
	[CONTROL_FREEZE] = { "freeze", "freezing", "frozen" },
	[CONTROL_THAW] = { "thaw", "thawing", "thawed" },
	[CONTROL_ENABLE] = { "enable", "enabling", "enabled" },
	[CONTROL_DISABLE] = { "disable", "disabling", "disabled" },
	[CONTROL_FORGIVE] = { "forgive", "forgiving", "forgiven" },
	[CONTROL_DROP] = { "drop", "dropping", "dropped" },
	[CONTROL_MEND] = { "mend", "mending", "mended" },
};

const char *control_word(enum control_verb verb)
{
	return verb_words[verb].word;
}

const char *control_doing(enum control_verb verb)
{
	return verb_words[verb].doing;
}

const char *control_did(enum control_verb verb)
{
	return verb_words[verb].did;
}

/* ---- what fits */

static bool is_down(const struct machine *m)
{
	return m->state == MACHINE_STOPPED || m->state == MACHINE_FAILED;
}

/* Whether its unit is no person's session, say, that would end with it. */
static bool is_alone(const struct machine *m)
{
	return m->unit && name_unit_is_alone(m->unit);
}

static const char *start_refuses(const struct machine *m)
{
	switch (m->state) {
	case MACHINE_STARTING:
		return "is starting already";
	case MACHINE_RUNNING:
	case MACHINE_RELOADING:
		return "is running already";
	case MACHINE_STOPPING:
		return "is stopping: wait until it has stopped";
	case MACHINE_GHOST: /* ours drop it themselves when they start */
		return m->kind == MACHINE_CONTAINER
		               ? NULL
		               : "is a ghost that keeps its name taken: drop the registration first";
	case MACHINE_UNKNOWN:
	case MACHINE_STOPPED:
	case MACHINE_RESTARTING:
	case MACHINE_FAILED:
		return NULL;
	}
	return NULL;
}

/* Of a machine that systemd can start by a unit of its own. */
static const char *state_refuses(const struct machine *m, enum control_verb verb)
{
	switch (verb) {
	case CONTROL_START:
		return start_refuses(m);
	case CONTROL_STOP:
	case CONTROL_TERMINATE:
	case CONTROL_KILL:
	case CONTROL_THAW:
		return is_down(m) ? "is not running" : NULL;
	case CONTROL_RESTART:
		return is_down(m) ? "is not running: start it" : NULL;
	case CONTROL_RELOAD:
		if (m->kind != MACHINE_CONTAINER)
			return "can not be reloaded: systemd-nspawn@ knows no reload, only a restart";
		return m->state == MACHINE_RUNNING || m->state == MACHINE_UNKNOWN ? NULL : "is not running";
	case CONTROL_MEND:
		if (m->kind != MACHINE_CONTAINER)
			return "was not started by machdeck: what its network should be is not known";
		return is_down(m) ? "is not running: start it" : NULL;
	case CONTROL_FREEZE:
		return m->state == MACHINE_RUNNING || m->state == MACHINE_UNKNOWN ? NULL : "is not running";
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
		if (m->kind != MACHINE_CONTAINER || m->state == MACHINE_UNKNOWN)
			return NULL;
		if (!m->configured)
			return "has no conf that could say whether it starts by itself";
		if (m->bad_conf)
			return "has a conf that can not be used: mend that first";
		return m->auto_start != (verb == CONTROL_ENABLE) ? NULL
		       : m->auto_start                           ? "starts by itself already"
		                                                 : "does not start by itself anyway";
	case CONTROL_FORGIVE:
		return m->state == MACHINE_FAILED || m->state == MACHINE_RESTARTING ||
		                       m->state == MACHINE_UNKNOWN
		               ? NULL
		               : "has not failed";
	case CONTROL_DROP:
		return m->state == MACHINE_GHOST || m->state == MACHINE_UNKNOWN
		               ? NULL
		               : "is not a ghost: its registration is needed";
	}
	return NULL;
}

/* Of a machine that somebody else started, and only they know how. */
static const char *foreign_refuses(const struct machine *m, enum control_verb verb)
{
	bool vm = m->kind == MACHINE_VM;

	switch (verb) {
	case CONTROL_STOP:
	case CONTROL_FREEZE:
	case CONTROL_THAW:
		if (vm)
			return "is a virtual machine: use the tool that started it";
		return is_alone(m) ? state_refuses(m, verb)
		                   : "runs in a unit that is not its alone: end it where it was started";
	case CONTROL_TERMINATE:
		return is_alone(m) ? state_refuses(m, verb)
		                   : "runs in a unit that is not its alone: end it where it was started";
	case CONTROL_KILL:
	case CONTROL_DROP:
		return state_refuses(m, verb);
	case CONTROL_START:
	case CONTROL_RESTART:
	case CONTROL_RELOAD:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_FORGIVE:
	case CONTROL_MEND:
		return vm ? "is a virtual machine: use the tool that started it"
		          : "was started by somebody else: use the tool that started it";
	}
	return NULL;
}

const char *control_refuses(const struct machine *m, enum control_verb verb)
{
	switch (m->kind) {
	case MACHINE_CONTAINER:
	case MACHINE_NSPAWN:
	case MACHINE_IMAGE:
		return state_refuses(m, verb);
	case MACHINE_VM:
	case MACHINE_OTHER:
		return foreign_refuses(m, verb);
	}
	return NULL;
}

/* ---- the command */

static void add_words(struct buf *ret, const char *before, const char *word)
{
	buf_puts(ret, before);
	buf_puts(ret, " ");
	shellwords_quote(word, ret);
}

static void unit_command(enum control_verb verb, const struct machine *m, const char *unit, struct buf *ret)
{
	switch (verb) {
	case CONTROL_START:
	case CONTROL_STOP:
	case CONTROL_RESTART:
	case CONTROL_RELOAD:
	case CONTROL_FREEZE:
	case CONTROL_THAW:
		buf_addf(ret, "systemctl %s", control_word(verb));
		add_words(ret, "", unit);
		return;
	case CONTROL_TERMINATE:
	case CONTROL_KILL:
		add_words(ret, "systemctl stop --no-block", unit);
		add_words(ret, " && systemctl kill --signal=KILL", unit);
		add_words(ret, " && systemctl reset-failed", unit);
		return;
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
		if (m->kind == MACHINE_CONTAINER)
			buf_addf(ret, "machdeck %s %s", control_word(verb), m->name);
		else
			add_words(ret, verb == CONTROL_ENABLE ? "systemctl enable" : "systemctl disable",
			          unit);
		return;
	case CONTROL_FORGIVE:
		add_words(ret, "systemctl reset-failed", unit);
		return;
	case CONTROL_MEND:
		buf_addf(ret, "machdeck mend %s", m->name);
		return;
	case CONTROL_DROP:
		return;
	}
}

void control_command(enum control_verb verb, const struct machine *m, struct buf *ret)
{
	CLEANUP(buf_done) struct buf unit = { 0 };
	bool by_machined = m->kind == MACHINE_VM || (m->kind == MACHINE_OTHER && !is_alone(m));

	if (verb == CONTROL_DROP) {
		buf_addf(ret,
		         "busctl call org.freedesktop.machine1 /org/freedesktop/machine1 "
		         "org.freedesktop.machine1.Manager UnregisterMachine s %s",
		         m->name);
	} else if (by_machined && verb == CONTROL_TERMINATE) {
		buf_addf(ret, "machinectl terminate %s", m->name);
	} else if (by_machined) {
		buf_addf(ret, "machinectl kill --signal=KILL%s %s", is_alone(m) ? "" : " --kill-whom=leader",
		         m->name);
	} else {
		buf_addf(&unit, "%s@%s.service",
		         m->kind == MACHINE_CONTAINER ? "container" : "systemd-nspawn", m->name);
		unit_command(verb, m, m->unit ? m->unit : buf_text(&unit), ret);
	}
}
