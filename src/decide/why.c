#include "decide/why.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "decide/oom.h"
#include "decide/why_guest.h"

#define SAY(ret, ...) ((void)snprintf(ret, WHY_SIZE, __VA_ARGS__))

static bool is(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* ---- the log */

/* Lines that tell what came after the failure: ExecStopPost's, and of systemd-nspawn's half that ended
 * second. */
static bool is_aftermath(const char *text)
{
	return strstr(text, " died too early") || strstr(text, " failed with error code ") ||
	       (starts(text, "machdeck: ") && strstr(text, ": stopped: "));
}

/* The newest line of the unit's processes that starts with one word and holds another; their last words for
 * "", "". */
static const char *find_line(const struct why_facts *f, const char *start, const char *part)
{
	for (size_t i = f->lines ? f->lines->n : 0; i > 0; i--) {
		const struct logline *l = &f->lines->v[i - 1];

		if (!l->from_systemd && starts(l->text, start) && strstr(l->text, part) &&
		    !is_aftermath(l->text))
			return l->text;
	}
	return NULL;
}

static bool systemd_said(const struct why_facts *f, const char *part)
{
	for (size_t i = 0; f->lines && i < f->lines->n; i++)
		if (f->lines->v[i].from_systemd && strstr(f->lines->v[i].text, part))
			return true;
	return false;
}

static bool find_victim(const struct why_facts *f, struct oom_victim *ret)
{
	static const char kernel[] = "kernel: ";

	for (size_t i = f->lines && f->unit ? f->lines->n : 0; i > 0; i--) {
		const struct logline *l = &f->lines->v[i - 1];

		if (l->from_systemd && starts(l->text, kernel) &&
		    oom_read(l->text + strlen(kernel), f->unit, ret))
			return true;
	}
	return false;
}

/* ---- how the unit ended */

static const struct {
	enum status status;
	const char *cause, *meaning;
} statuses[] = {
	{ STATUS_USAGE, "bad-name", "its name can not be a machine's" },
	{ STATUS_DATA, "bad-conf", "its conf can not be used (machdeck check)" },
	{ STATUS_NO_CONTAINER, "missing-tree", "its tree or a file it needs is missing" },
	{ STATUS_UNAVAILABLE, "bus-lost", "the bus or systemd-machined was out of reach" },
	{ STATUS_BUG, "bug", "a bug in machdeck" },
	{ STATUS_SYSTEM, "system", "the operating system refused" },
	{ STATUS_UNSAFE_TREE, "unsafe-tree", "refused: its tree is not safe to work in" },
	{ STATUS_CANNOT_CREATE, "cannot-create", "a file could not be created" },
	{ STATUS_IO, "io-error", "an input or output error" },
	{ STATUS_BUSY, "busy", "something it needs is taken" },
	{ STATUS_NOT_PERMITTED, "not-permitted", "not permitted" },
	{ STATUS_UNSAFE_HOST, "unsafe-host", "the host is not safe for it" },
	{ STATUS_DEADLINE, "deadline", "a deadline passed" },
};

static size_t find_status(int status)
{
	size_t i = 0;

	while (i < COUNT(statuses) && (int)statuses[i].status != status)
		i++;
	return i;
}

static bool has_ended(const struct why_facts *f)
{
	return is(f->result, "exit-code") || is(f->result, "signal") || is(f->result, "core-dump") ||
	       is(f->result, "start-limit-hit");
}

static bool is_late(const struct why_facts *f) /* a step beside the main process failed */
{
	return has_ended(f) && f->main_status == 0 && f->failed_phase;
}

static int end_code(const struct why_facts *f)
{
	return is_late(f) ? f->failed_code : f->main_code;
}

static int end_status(const struct why_facts *f)
{
	return is_late(f) ? f->failed_status : f->main_status;
}

static bool is_ours(const struct why_facts *f)
{
	return has_ended(f) && end_code(f) == CLD_EXITED && find_status(end_status(f)) < COUNT(statuses);
}

static bool is_refusal(const struct why_facts *f)
{
	return is_ours(f) && !why_guest_ended(f);
}

static bool is_early(const struct why_facts *f)
{
	return is(f->result, "protocol");
}

static bool we_spoke(const struct why_facts *f)
{
	return is_refusal(f) || is_late(f) || is_early(f);
}

static bool init_spoke(const struct why_facts *f)
{
	return is_ours(f) || we_spoke(f);
}

static bool is_killed(const struct why_facts *f)
{
	return has_ended(f) && (end_code(f) == CLD_KILLED || end_code(f) == CLD_DUMPED);
}

static bool nspawn_spoke(const struct why_facts *f)
{
	return is_early(f) || (has_ended(f) && !is_late(f) && !is_killed(f) && !is_ours(f));
}

static bool never_ran(const struct why_facts *f)
{
	return has_ended(f) && end_code(f) == 0;
}

static bool is_timeout(const struct why_facts *f)
{
	return is(f->result, "timeout");
}

static bool is_stop_timeout(const struct why_facts *f)
{
	return is_timeout(f) && systemd_said(f, "stop") && !systemd_said(f, "start operation timed out");
}

/* Under OOMPolicy=continue, which a delegated unit has unless told otherwise, the result is that of the kill. */
static bool is_killed_hard(const struct why_facts *f)
{
	return (is_killed(f) && end_status(f) == SIGKILL) ||
	       (has_ended(f) && find_line(f, "Container ", " terminated by signal KILL"));
}

static bool is_oomd(const struct why_facts *f)
{
	return (is(f->result, "oom-kill") || is_killed_hard(f)) && systemd_said(f, "systemd-oomd killed ");
}

static bool is_oom(const struct why_facts *f)
{
	return is(f->result, "oom-kill") ||
	       (is_killed_hard(f) && systemd_said(f, "has been killed by the OOM killer"));
}

static bool is_watchdog(const struct why_facts *f)
{
	return is(f->result, "watchdog");
}

static bool is_resources(const struct why_facts *f)
{
	return is(f->result, "resources");
}

static bool is_other_result(const struct why_facts *f)
{
	return f->result && !is(f->result, "success");
}

/* ---- what is wrong whatever the unit did */

static bool is_taken(const struct why_facts *f)
{
	return f->taken_by;
}

static bool has_bad_conf(const struct why_facts *f)
{
	return f->conf_problem;
}

static bool has_unread_conf(const struct why_facts *f)
{
	return f->conf_unread;
}

static bool is_ghost(const struct why_facts *f)
{
	return f->state == MACHINE_GHOST;
}

static bool is_masked(const struct why_facts *f)
{
	return is(f->load, "masked");
}

static bool has_no_unit(const struct why_facts *f)
{
	return is(f->load, "not-found");
}

static bool has_bad_unit(const struct why_facts *f)
{
	return is(f->load, "bad-setting") || is(f->load, "error");
}

static bool guest_is_degraded(const struct why_facts *f)
{
	return f->state == MACHINE_RUNNING && f->guest_failed && f->guest_failed->n > 0;
}

static bool lacks_dependency(const struct why_facts *f)
{
	return f->state == MACHINE_STOPPED && systemd_said(f, "failed with result 'dependency'");
}

/* ---- sentences */

static void say_taken(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	SAY(ret, "its name is taken: %s runs a machine called %s", f->taken_by, f->name);
}

static void say_conf(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	SAY(ret, "%s: %s",
	    f->state == MACHINE_RUNNING ? "runs, but could not start again" : "its conf can not be used",
	    f->conf_problem);
}

static void say_ghost(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	SAY(ret, "systemd-machined lists it, but its leader %d is dead (machdeck terminate %s drops it)",
	    (int)f->dead_leader, f->name);
}

static void say_guest_units(const struct why_facts *f, const char *line, char *ret)
{
	size_t n = f->guest_failed->n, len;

	(void)line;
	SAY(ret, "%zu unit%s failed inside: ", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < n && (len = strlen(ret)) < WHY_SIZE / 2; i++)
		(void)snprintf(ret + len, WHY_SIZE - len, "%s%.128s", i > 0 ? ", " : "",
		               f->guest_failed->v[i]);
}

static void say_dependency(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	if (f->failed_dependency)
		SAY(ret, "%s, which its unit requires, did not start (systemctl status %s)",
		    f->failed_dependency, f->failed_dependency);
	else
		SAY(ret, "something its unit requires did not start (`systemctl --failed` names it)");
}

static void say_guest_side(const struct why_facts *f, const char *line, char *ret)
{
	(void)f;
	SAY(ret, "its guest's side: %s", line + strlen("machdeck-init: "));
}

/* Our own words, without the name they start with. */
static void say_own(const struct why_facts *f, const char *line, char *ret)
{
	size_t len = strlen(f->name);

	line += strlen("machdeck: ");
	if (strncmp(line, f->name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
		line += len + 2;
	SAY(ret, "%s", line);
}

static void say_phase(const struct why_facts *f, const char *line, char *ret)
{
	size_t ours = is_ours(f) ? find_status(f->failed_status) : COUNT(statuses);

	(void)line;
	SAY(ret, "the unit's %s %s %d%s%s", f->failed_phase,
	    f->failed_code == CLD_EXITED ? "ended with status" : "was killed by signal", f->failed_status,
	    ours < COUNT(statuses) ? ": " : "", ours < COUNT(statuses) ? statuses[ours].meaning : "");
}

static void say_signal(const struct why_facts *f, const char *line, char *ret)
{
	int number = end_status(f);
	const char *name = sigabbrev_np(number);

	(void)line;
	if (number == SIGKILL)
		SAY(ret, "systemd-nspawn was killed by SIGKILL (by hand, or for want of memory: see the "
		         "kernel's log)");
	else if (name)
		SAY(ret, "systemd-nspawn was killed by SIG%s", name);
	else
		SAY(ret, "systemd-nspawn was killed by signal %d", number);
}

static void say_status(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	SAY(ret, "%s (status %d)", statuses[find_status(end_status(f))].meaning, end_status(f));
}

static void say_exit(const struct why_facts *f, const char *line, char *ret)
{
	if (line)
		SAY(ret, "its guest or systemd-nspawn ended with status %d; last words: %.300s",
		    end_status(f), line);
	else
		SAY(ret, "its guest or systemd-nspawn ended with status %d (journalctl -u container@%s)",
		    end_status(f), f->name);
}

static void span(uint64_t usec, char ret[static 32])
{
	if (usec == 0 || usec == UINT64_MAX)
		(void)snprintf(ret, 32, "in time");
	else
		(void)snprintf(ret, 32, "within %" PRIu64 " s", usec / 1000000);
}

static void say_stop_timeout(const struct why_facts *f, const char *line, char *ret)
{
	char limit[32];

	(void)line;
	span(f->stop_timeout_usec, limit);
	SAY(ret, "its guest did not stop %s and was killed (its PID 1 ignores the stop signal?)", limit);
}

/* The console's "A start job is running for UNIT (5s / no limit)". */
static void say_waited_for(const struct why_facts *f, const char *line, char *ret)
{
	const char *unit =
		strstr(line, "A start job is running for ") + strlen("A start job is running for ");
	char limit[32];

	span(f->start_timeout_usec, limit);
	SAY(ret, "its guest was not ready %s: it waited for \"%.*s\" (TIMEOUT_START_SEC= allows more)", limit,
	    (int)strcspn(unit, "("), unit);
}

static void say_timeout(const struct why_facts *f, const char *line, char *ret)
{
	const char *says = why_guest_says(f->status_text);
	char limit[32];

	(void)line;
	span(f->start_timeout_usec, limit);
	SAY(ret, "its guest was not ready %s%s%s%s (a unit that hangs in it? TIMEOUT_START_SEC= allows more)",
	    limit, says ? "; guest says: \"" : "", says ? says : "", says ? "\"" : "");
}

static void say_oom(const struct why_facts *f, const char *line, char *ret)
{
	struct oom_victim victim;
	char limit[64] = "";

	(void)line;
	if (f->memory_max && f->memory_max != UINT64_MAX)
		(void)snprintf(limit, sizeof(limit), " at its limit of %" PRIu64 " MiB",
		               f->memory_max / (1024 * 1024));
	if (find_victim(f, &victim))
		SAY(ret, "out of memory: the kernel killed %s (process %d)%s", victim.process,
		    (int)victim.pid, limit);
	else
		SAY(ret, "out of memory: the kernel killed a process of it%s", limit);
}

static void say_early(const struct why_facts *f, const char *line, char *ret)
{
	(void)f;
	SAY(ret, "it ended before it was ready%s%s", line ? "; last words: " : "", line ? line : "");
}

static void say_result(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	SAY(ret, "systemd says: %s", f->result);
}

/* ---- the rules */

/* The first that applies gives the sentence: it holds, and the log has its line where it wants one. */
static const struct rule {
	const char *cause; /* NULL: that of the exit status */
	bool (*holds)(const struct why_facts *f);
	const char *start, *part; /* of the line; NULL: no line is wanted */
	void (*say)(const struct why_facts *f, const char *line, char *ret);
	const char *text;  /* without say; NULL: the line itself */
	const char *helps; /* said behind it, in parentheses; NULL: nothing. NAME in it is the machine's */
	bool anyway;       /* not only of what is down */
	bool vague;        /* "start-limit" says more, when there were too many */
} rules[] = {
/* clang-format off */
#define ANYWAY(cause, holds, say, text, helps) { cause, holds, NULL, NULL, say, text, helps, true, false }
#define DOWN(cause, holds, start, part, say, text, helps) { cause, holds, start, part, say, text, helps, false, false }
#define VAGUE(cause, holds, start, part, say, text, helps) { cause, holds, start, part, say, text, helps, false, true }
#define INIT(cause, part, helps)   DOWN(cause, init_spoke, "machdeck-init: ", part, say_guest_side, NULL, helps)
#define OWN(cause, part, helps)    DOWN(cause, we_spoke, "machdeck: ", part, say_own, NULL, helps)
#define NSPAWN(cause, start, part, helps) DOWN(cause, nspawn_spoke, start, part, NULL, NULL, helps)
	ANYWAY("name-taken", is_taken, say_taken, NULL, NULL),
	ANYWAY("bad-conf", has_bad_conf, say_conf, NULL, NULL),
	ANYWAY("ghost", is_ghost, say_ghost, NULL, NULL),
	ANYWAY("masked", is_masked, NULL, "its unit is masked", "systemctl unmask container@NAME"),
	ANYWAY("no-unit", has_no_unit, NULL, "its unit does not exist: is container@.service installed?", "systemctl daemon-reload after that"),
	ANYWAY("bad-unit", has_bad_unit, NULL, "systemd can not load its unit", "systemctl status container@NAME"),
	ANYWAY("guest-waits", why_guest_waits, why_say_guest_waits, NULL, NULL),
	ANYWAY("unit-step", why_is_undone, why_say_undone, NULL, NULL),
	ANYWAY("guest-unit", guest_is_degraded, say_guest_units, NULL, NULL),
	ANYWAY("dependency", lacks_dependency, say_dependency, NULL, NULL),

	INIT("bad-payload", "cannot run the container's init", "look at INIT= and the tree"),
	INIT("disk-full", "No space left on device", "free some space"),
	INIT("guest-step", "", NULL),
	OWN("port-clash", "host port ", NULL),
	OWN("address-clash", " belongs to ", NULL),
	OWN("name-taken", "a machine of that name runs already", NULL),
	OWN("missing-source", "which is to be bound into the container", NULL),
	OWN("missing-tree", "there is no tree to start", NULL),
	OWN("missing-bridge", "is not there (create it, or change HOST_BRIDGE)", NULL),
	OWN("missing-link", "is not there (create it, or change ", NULL),
	OWN("tree-busy", "something runs in it or prepares it", NULL),
	OWN("disk-full", "No space left on device", "free some space"),
	OWN("disk-full", "Disk quota exceeded", "free some space, or raise the quota"),
	OWN(NULL, "", NULL),
	VAGUE("unit-step", is_late, NULL, NULL, say_phase, NULL, NULL),
	DOWN("oom-kill", is_oomd, NULL, NULL, NULL, "out of memory: systemd-oomd killed all that ran in it",
		"the host or its slice was short of memory: oomctl shows the limits"),
	DOWN("oom-kill", is_oom, NULL, NULL, say_oom, NULL, "raise the unit's MemoryMax=, or find what eats it"),
	DOWN("killed", is_killed, NULL, NULL, say_signal, NULL, NULL),
	DOWN(NULL, is_refusal, NULL, NULL, say_status, NULL, NULL),

	/* what systemd-nspawn 252 to 262 prints before it gives up */
	NSPAWN("missing-bridge", "Failed to add interface", "No such device", "create the bridge, or change HOST_BRIDGE"),
	NSPAWN("link-taken", "Failed to add new veth interfaces", "File exists", "that name is another link's: see `ip link`, delete it if it is left over"),
	NSPAWN("missing-link", "Failed to resolve interface", "", "the host has no such link now: look at INTERFACES and MACVLANS"),
	NSPAWN("bad-parent", "Failed to add new macvlan interfaces", "", 
		"its parent link is taken whole: it is a bridge's port, or an ipvlan or a macvlan in mode passthru is on it (ip -d link)"),
	NSPAWN("name-taken", "Failed to register machine", "already exists", "its name is still taken: machdeck terminate frees it"),
	NSPAWN("bus-full", "Failed to register machine", "No buffer space",
		"the bus takes 256 connections of root, each container has one: raise max_connections_per_user"),
	NSPAWN("machined-masked", "Failed to register machine", "masked", "systemctl unmask systemd-machined"),
	NSPAWN("machined-hung", "Failed to register machine", "timed out", "systemd-machined hangs: systemctl restart systemd-machined"),
	NSPAWN("machined", "Failed to register machine", "", "see systemctl status systemd-machined"),
	NSPAWN("bus-lost", "Failed to open system bus", "", "systemd-nspawn needs it: systemctl start dbus"),
	NSPAWN("tree-busy", "Directory tree", "busy", "another machine runs on the same tree"),
	NSPAWN("missing-tree", "Directory", "doesn't look like", "the tree is not a system's: was it filled?"),
	NSPAWN("bad-payload", "execv(", "", "its init is missing or can not run here: look at INIT= and the tree"),
	NSPAWN("missing-source", "Failed to stat", "", "the source of a bind mount is missing"),
	NSPAWN("missing-source", "Failed to clone", "No such file", "the source of a bind mount is missing"),
	NSPAWN("no-idmap", "Failed to map ids", "", "its file system can not show files as other users': PRIVATE_USERS=no, or another file system"),
	NSPAWN("link-stuck", "Failed to move interface", "", "INTERFACES names a link that can not be moved"),
	NSPAWN("inotify-limit", "", "Too many open files", "raise fs.inotify.max_user_instances: a guest's systemd takes about 8"),
	NSPAWN("disk-full", "", "No space left on device", "free some space"),

	VAGUE("start-failed", never_ran, NULL, NULL, NULL, "its start failed", "journalctl -u container@NAME"),
	VAGUE("guest-exit", has_ended, "", "", say_exit, NULL, NULL),
	VAGUE("guest-exit", has_ended, NULL, NULL, say_exit, NULL, NULL),
	DOWN("stop-timeout", is_stop_timeout, NULL, NULL, say_stop_timeout, NULL, NULL),
	DOWN("guest-timeout", is_timeout, "", "A start job is running for ", say_waited_for, NULL, NULL),
	DOWN("guest-timeout", is_timeout, NULL, NULL, say_timeout, NULL, NULL),
	VAGUE("early-exit", is_early, "", "", say_early, NULL, NULL),
	VAGUE("early-exit", is_early, NULL, NULL, say_early, NULL, NULL),
	DOWN("watchdog", is_watchdog, NULL, NULL, NULL, "the watchdog killed it: systemd-nspawn did not answer", NULL),
	DOWN("resources", is_resources, NULL, NULL, NULL, "systemd could not set up its unit", "see journalctl -u container@NAME"),
	VAGUE("result", is_other_result, NULL, NULL, say_result, NULL, NULL),

	ANYWAY("conf-unread", has_unread_conf, NULL, "its conf can not be read here: that takes root", NULL),
	/* clang-format on */
};

static bool is_down(const struct why_facts *f)
{
	return f->state == MACHINE_FAILED || f->state == MACHINE_RESTARTING || f->state == MACHINE_STOPPED;
}

static const struct rule *find_rule(const struct why_facts *f, const char **ret_line)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct rule *rule = &rules[i];

		if ((!rule->anyway && !is_down(f)) || !rule->holds(f))
			continue;
		*ret_line = rule->start ? find_line(f, rule->start, rule->part) : NULL;
		if (*ret_line || !rule->start)
			return rule;
	}
	return NULL;
}

static void add_help(char *to, size_t size, const char *helps, const char *name)
{
	const char *at = strstr(helps, "NAME");
	size_t len = strlen(to);

	if (at)
		(void)snprintf(to + len, size - len, " (%.*s%s%s)", (int)(at - helps), helps, name,
		               at + strlen("NAME"));
	else
		(void)snprintf(to + len, size - len, " (%s)", helps);
}

static const char *cause_of_status(const struct why_facts *f)
{
	size_t i = find_status(end_status(f));

	return i < COUNT(statuses) ? statuses[i].cause : "unit-step";
}

const char *why_cause(size_t i)
{
	if (i < COUNT(rules))
		return rules[i].cause ? rules[i].cause : "start-limit"; /* that no row has */
	i -= COUNT(rules);
	return i < COUNT(statuses) ? statuses[i].cause : NULL;
}

const char *why_sentence(const struct why_facts *f, char ret[static WHY_SIZE])
{
	char raw[WHY_SIZE] = "", whole[WHY_SIZE + 256];
	bool given_up =
		is(f->result, "start-limit-hit") || systemd_said(f, "Start request repeated too quickly");
	const struct rule *rule;
	const char *line, *cause;

	*ret = '\0';
	rule = find_rule(f, &line);
	if (!rule)
		return NULL;
	cause = rule->cause ? rule->cause : cause_of_status(f);
	if (rule->say)
		rule->say(f, line, raw);
	else
		SAY(raw, "%.300s", rule->text ? rule->text : line);
	if (rule->anyway)
		(void)snprintf(whole, sizeof(whole), "%s", raw);
	else if (given_up)
		(void)snprintf(whole, sizeof(whole), "given up after too many failures; the last: %s", raw);
	else if (f->state == MACHINE_RESTARTING)
		(void)snprintf(whole, sizeof(whole), "attempt %u failed: %s", f->n_restarts + 1, raw);
	else
		(void)snprintf(whole, sizeof(whole), "%s", raw);
	if (rule->helps)
		add_help(whole, sizeof(whole), rule->helps, f->name);
	if (text_printable(ret, WHY_SIZE, whole, strlen(whole)) == 0)
		return NULL;
	return given_up && rule->vague ? "start-limit" : cause;
}
