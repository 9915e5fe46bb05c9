#include "decide/why.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"

#define SAY(ret, ...) ((void)snprintf(ret, WHY_SIZE, __VA_ARGS__))

static bool is(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

/* Lines that tell what came after the failure: ExecStopPost's, and of systemd-nspawn's half that ended
 * second. */
static bool is_aftermath(const char *text)
{
	return strstr(text, " died too early") || strstr(text, " failed with error code ") ||
	       (strncmp(text, "machdeck: ", strlen("machdeck: ")) == 0 && strstr(text, ": stopped: "));
}

/* The newest line of the unit's processes that starts with one word and holds another; their last words for
 * "", "". */
static const char *find_line(const struct why_facts *f, const char *start, const char *part)
{
	for (size_t i = f->lines ? f->lines->n : 0; i > 0; i--) {
		const struct logline *l = &f->lines->v[i - 1];

		if (!l->from_systemd && strncmp(l->text, start, strlen(start)) == 0 &&
		    strstr(l->text, part) && !is_aftermath(l->text))
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

/* What systemd-nspawn 252 to 262 prints before it gives up, and what helps. */
static bool nspawn_words(const struct why_facts *f, char *ret)
{
	static const struct {
		const char *start, *part, *helps;
	} known[] = {
		{ "Failed to add interface", "No such device", "create the bridge, or change HOST_BRIDGE" },
		{ "Failed to add new veth interfaces", "File exists",
		  "that name is another link's: see `ip link`, delete it if it is left over" },
		{ "Failed to resolve interface", "",
		  "the host has no such link now: look at INTERFACES and MACVLANS" },
		{ "Failed to add new macvlan interfaces", "",
		  "the parent link can not carry it: is it a bridge's?" },
		{ "Failed to register machine", "already exists",
		  "its name is still taken: machdeck terminate frees it" },
		{ "Failed to register machine", "No buffer space",
		  "the bus takes 256 connections of root, each container has one: raise "
		  "max_connections_per_user" },
		{ "Failed to register machine", "masked", "systemctl unmask systemd-machined" },
		{ "Failed to register machine", "", "see systemctl status systemd-machined" },
		{ "Failed to open system bus", "", "systemd-nspawn needs it: systemctl start dbus" },
		{ "Directory tree", "busy", "another machine runs on the same tree" },
		{ "Directory", "doesn't look like", "the tree is not a system's: was it filled?" },
		{ "execv(", "", "its init is missing or can not run here: look at INIT= and the tree" },
		{ "Failed to stat", "", "the source of a bind mount is missing" },
		{ "Failed to move interface", "", "INTERFACES names a link that can not be moved" },
		{ "", "Too many open files",
		  "raise fs.inotify.max_user_instances: a guest's systemd takes about 8" },
		{ "", "No space left on device", "free some space" },
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		const char *line = find_line(f, known[i].start, known[i].part);

		if (!line)
			continue;
		SAY(ret, "%.300s (%s)", line, known[i].helps);
		return true;
	}
	return false;
}

static const char *meaning(int status)
{
	switch (status) {
	case STATUS_USAGE:
		return "its name can not be a machine's";
	case STATUS_DATA:
		return "its conf can not be used (machdeck check)";
	case STATUS_NO_CONTAINER:
		return "its tree or a file it needs is missing";
	case STATUS_UNAVAILABLE:
		return "the bus or systemd-machined was out of reach";
	case STATUS_BUG:
		return "a bug in machdeck";
	case STATUS_SYSTEM:
		return "the operating system refused";
	case STATUS_UNSAFE_TREE:
		return "refused: its tree is not safe to work in";
	case STATUS_CANNOT_CREATE:
		return "a file could not be created";
	case STATUS_IO:
		return "an input or output error";
	case STATUS_BUSY:
		return "something it needs is taken";
	case STATUS_NOT_PERMITTED:
		return "not permitted";
	case STATUS_UNSAFE_HOST:
		return "the host is not safe for it";
	case STATUS_DEADLINE:
		return "a deadline passed";
	default:
		return NULL;
	}
}

/* Our own words, without the name they start with. */
static bool own_words(const struct why_facts *f, char *ret)
{
	static const char init[] = "machdeck-init: ", host[] = "machdeck: ";
	const char *line = find_line(f, init, "");
	size_t len = strlen(f->name);

	if (line) {
		SAY(ret, "its guest's side: %s", line + strlen(init));
		return true;
	}
	line = find_line(f, host, "");
	if (!line)
		return false;
	line += strlen(host);
	if (strncmp(line, f->name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
		line += len + 2;
	SAY(ret, "%s", line);
	return true;
}

static void signal_words(int number, char *ret)
{
	const char *name = sigabbrev_np(number);

	if (number == SIGKILL)
		SAY(ret, "systemd-nspawn was killed by SIGKILL (by hand, or for want of memory: see the "
		         "kernel's log)");
	else if (name)
		SAY(ret, "systemd-nspawn was killed by SIG%s", name);
	else
		SAY(ret, "systemd-nspawn was killed by signal %d", number);
}

static void exit_words(const struct why_facts *f, char *ret)
{
	bool late = f->main_status == 0 && f->failed_phase; /* a step beside it failed */
	int code = late ? f->failed_code : f->main_code, status = late ? f->failed_status : f->main_status;
	const char *ours = code == CLD_EXITED ? meaning(status) : NULL, *last;

	if ((ours || late) && own_words(f, ret))
		return;
	if (late)
		SAY(ret, "the unit's %s %s %d%s%s", f->failed_phase,
		    code == CLD_EXITED ? "ended with status" : "was killed by signal", status,
		    ours ? ": " : "", ours ? ours : "");
	else if (code == CLD_KILLED || code == CLD_DUMPED)
		signal_words(status, ret);
	else if (ours)
		SAY(ret, "%s (status %d)", ours, status);
	else if (nspawn_words(f, ret))
		return;
	else if (code == 0)
		SAY(ret, "its start failed (journalctl -u container@%s)", f->name);
	else if ((last = find_line(f, "", "")))
		SAY(ret, "its guest or systemd-nspawn ended with status %d; last words: %.300s", status,
		    last);
	else
		SAY(ret, "its guest or systemd-nspawn ended with status %d (journalctl -u container@%s)",
		    status, f->name);
}

const char *why_guest_says(const char *status_text)
{
	static const char start[] = "Container running: ";

	return status_text && strncmp(status_text, start, strlen(start)) == 0 ? status_text + strlen(start)
	                                                                      : NULL;
}

static void span(uint64_t usec, char ret[static 32])
{
	if (usec == 0 || usec == UINT64_MAX)
		(void)snprintf(ret, 32, "in time");
	else
		(void)snprintf(ret, 32, "within %" PRIu64 " s", usec / 1000000);
}

static void timeout_words(const struct why_facts *f, char *ret)
{
	const char *says = why_guest_says(f->status_text);
	char limit[32];

	if (systemd_said(f, "stop") && !systemd_said(f, "start operation timed out")) {
		span(f->stop_timeout_usec, limit);
		SAY(ret, "its guest did not stop %s and was killed (its PID 1 ignores the stop signal?)",
		    limit);
		return;
	}
	span(f->start_timeout_usec, limit);
	SAY(ret, "its guest was not ready %s%s%s%s (a unit that hangs in it? TIMEOUT_START_SEC= allows more)",
	    limit, says ? "; guest says: \"" : "", says ? says : "", says ? "\"" : "");
}

static void early_end_words(const struct why_facts *f, char *ret)
{
	const char *last = find_line(f, "", "");

	if (!own_words(f, ret) && !nspawn_words(f, ret))
		SAY(ret, "it ended before it was ready%s%s", last ? "; last words: " : "", last ? last : "");
}

static bool cause(const struct why_facts *f, char *ret)
{
	if (is(f->result, "exit-code") || is(f->result, "signal") || is(f->result, "core-dump") ||
	    is(f->result, "start-limit-hit"))
		exit_words(f, ret);
	else if (is(f->result, "timeout"))
		timeout_words(f, ret);
	else if (is(f->result, "oom-kill"))
		SAY(ret, "out of memory: the kernel killed a process of it (raise the unit's MemoryMax=, or "
		         "find what "
		         "eats it)");
	else if (is(f->result, "protocol"))
		early_end_words(f, ret);
	else if (is(f->result, "watchdog"))
		SAY(ret, "the watchdog killed it: systemd-nspawn did not answer");
	else if (is(f->result, "resources"))
		SAY(ret, "systemd could not set up its unit (see journalctl -u container@%s)", f->name);
	else if (f->result && !is(f->result, "success"))
		SAY(ret, "systemd says: %s", f->result);
	return *ret != '\0';
}

/* What is wrong whatever its unit did. */
static bool standing_cause(const struct why_facts *f, char *ret)
{
	if (f->taken_by)
		SAY(ret, "its name is taken: %s runs a machine called %s", f->taken_by, f->name);
	else if (f->conf_problem && f->state == MACHINE_RUNNING)
		SAY(ret, "runs, but could not start again: %s", f->conf_problem);
	else if (f->conf_problem)
		SAY(ret, "its conf can not be used: %s", f->conf_problem);
	else if (f->state == MACHINE_GHOST)
		SAY(ret,
		    "systemd-machined lists it, but its leader %d is dead (machdeck terminate %s drops it)",
		    (int)f->dead_leader, f->name);
	else if (is(f->load, "masked"))
		SAY(ret, "its unit is masked (systemctl unmask container@%s)", f->name);
	else if (is(f->load, "not-found"))
		SAY(ret, "its unit does not exist: is container@.service installed? (systemctl daemon-reload "
		         "after that)");
	else if (is(f->load, "bad-setting") || is(f->load, "error"))
		SAY(ret, "systemd can not load its unit (systemctl status container@%s)", f->name);
	return *ret != '\0';
}

bool why_sentence(const struct why_facts *f, char ret[static WHY_SIZE])
{
	char raw[WHY_SIZE] = "", whole[WHY_SIZE + 64];
	const char *says;

	*ret = '\0';
	if (standing_cause(f, raw))
		(void)snprintf(whole, sizeof(whole), "%s", raw);
	else if (f->state == MACHINE_STARTING && (says = why_guest_says(f->status_text)))
		(void)snprintf(whole, sizeof(whole), "guest says: %s", says);
	else if (f->state != MACHINE_FAILED && f->state != MACHINE_RESTARTING && f->state != MACHINE_STOPPED)
		return false;
	else if (!cause(f, raw))
		return false;
	else if (is(f->result, "start-limit-hit") || systemd_said(f, "Start request repeated too quickly"))
		(void)snprintf(whole, sizeof(whole), "given up after too many failures; the last: %s", raw);
	else if (f->state == MACHINE_RESTARTING)
		(void)snprintf(whole, sizeof(whole), "attempt %u failed: %s", f->n_restarts + 1, raw);
	else
		(void)snprintf(whole, sizeof(whole), "%s", raw);
	return text_printable(ret, WHY_SIZE, whole, strlen(whole)) > 0;
}
