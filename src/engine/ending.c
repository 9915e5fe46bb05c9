#include "engine/ending.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define SECOND 1000000ULL

static const char *verb_word(enum control_verb verb)
{
	static const char *const words[] = {
		[CONTROL_START] = "start",   [CONTROL_STOP] = "stop",           [CONTROL_RESTART] = "restart",
		[CONTROL_RELOAD] = "reload", [CONTROL_TERMINATE] = "terminate",
	};

	return words[verb];
}

/* What our own programs say by their exit status (enum status), and what helps. */
static const char *meaning(int status)
{
	switch (status) {
	case STATUS_USAGE:
		return "its name can not be a machine's";
	case STATUS_DATA:
		return "its conf can not be used; `machdeck check` says where";
	case STATUS_NO_CONTAINER:
		return "its root or a file it needs is missing";
	case STATUS_UNAVAILABLE:
		return "the bus or systemd-machined is out of reach";
	case STATUS_BUG:
		return "machdeck has a bug; please report it";
	case STATUS_SYSTEM:
		return "the operating system refused a step";
	case STATUS_UNSAFE_TREE:
		return "its root tree is not safe to work in, so nothing was touched";
	case STATUS_CANNOT_CREATE:
		return "a file or folder could not be made";
	case STATUS_IO:
		return "reading or writing failed";
	case STATUS_BUSY:
		return "something it needs is taken by another machine";
	case STATUS_NOT_PERMITTED:
		return "a step is not permitted";
	case STATUS_UNSAFE_HOST:
		return "the host is misconfigured or not safe";
	case STATUS_DEADLINE:
		return "a step took too long";
	default:
		return NULL;
	}
}

/* What the guest's PID 1 said last; systemd-nspawn puts its own words before it. */
static const char *guest_said(const struct unit *u)
{
	static const char prefix[] = "Container running: ";
	const char *text = u->status_text ? u->status_text : "";

	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	return text;
}

static void exit_cause(const struct unit *u, char *ret, size_t size)
{
	const char *phase = u->failed_phase, *means;
	int status = u->main_status;

	if (u->main_status == 0 && phase) {
		status = u->failed_status;
		means = meaning(status);
		(void)snprintf(ret, size, "%s failed: %s%sexit status %d%s",
		               strcmp(phase, "ExecStartPost") == 0 ? "its network on the host" : phase,
		               means ? means : "", means ? " (" : "", status, means ? ")" : "");
		return;
	}
	/* machdeck-init ends with 71, too, and says which step of the guest's network it was. */
	if (status == STATUS_SYSTEM && strncmp(guest_said(u), "machdeck-init: ", 15) == 0) {
		(void)snprintf(ret, size, "in its guest, %s", guest_said(u) + 15);
		return;
	}
	means = meaning(status);
	if (means)
		(void)snprintf(ret, size, "%s (exit status %d)", means, status);
	else if (status == 133)
		(void)snprintf(ret, size, "its guest rebooted");
	else
		(void)snprintf(ret, size, "systemd-nspawn or its guest ended with exit status %d", status);
}

static void timeout_cause(enum control_verb verb, const struct unit *u, char *ret, size_t size)
{
	bool starts = verb == CONTROL_START || verb == CONTROL_RESTART;
	uint64_t limit = starts ? u->start_timeout_usec : u->stop_timeout_usec;
	char seconds[32] = "its time-out";

	if (limit && limit != UINT64_MAX)
		(void)snprintf(seconds, sizeof(seconds), "%ju s", (uintmax_t)(limit / SECOND));
	if (starts)
		(void)snprintf(ret, size,
		               "its guest did not say that it is ready within %s%s%s (a unit in it hangs, or its init "
		               "never tells; TIMEOUT_START_SEC allows more)",
		               seconds, *guest_said(u) ? "; it said last: " : "", guest_said(u));
	else
		(void)snprintf(ret, size, "its guest did not end within %s and was killed", seconds);
}

static void unit_cause(enum control_verb verb, const struct unit *u, char *ret, size_t size)
{
	static const struct {
		const char *result, *cause;
	} plain[] = {
		{ "oom-kill", "the kernel ran out of memory and killed it; give it more, or limit it less" },
		{ "start-limit-hit", "it failed too often in a short time; repair it, wait 10 s and start it again" },
		{ "watchdog", "it stopped answering systemd's watchdog" },
		{ "protocol", "its guest ended before it said that it is ready" },
		{ "resources", "systemd lacks a resource for it (memory, processes, a cgroup)" },
		{ "exec-condition", "a condition of its unit is not met" },
		{ "success", "systemd does not say why" },
	};
	const char *result = u->result ? u->result : "";

	if (strcmp(result, "exit-code") == 0) {
		exit_cause(u, ret, size);
		return;
	}
	if (strcmp(result, "timeout") == 0) {
		timeout_cause(verb, u, ret, size);
		return;
	}
	if (strcmp(result, "signal") == 0 || strcmp(result, "core-dump") == 0) {
		(void)snprintf(ret, size, "systemd-nspawn was ended by signal %s",
		               sigabbrev_np(u->main_status) ? sigabbrev_np(u->main_status) : "?");
		return;
	}
	for (size_t i = 0; i < COUNT(plain); i++) {
		if (strcmp(result, plain[i].result) != 0)
			continue;
		(void)snprintf(ret, size, "%s", plain[i].cause);
		return;
	}
	(void)snprintf(ret, size, "its unit's result is '%s'", result);
}

int ending_explain(enum control_verb verb, const char *name, const char *result, const struct unit *u, struct err *e)
{
	static const struct {
		const char *result, *cause;
	} jobs[] = {
		{ "canceled", "another job took its place: somebody asked for something else meanwhile" },
		{ "dependency", "something its unit requires did not start (a mount?); `systemctl --failed` names it" },
		{ "skipped", "it is not in a state where that can be done" },
		{ "invalid", "it is not running" },
		{ "timeout", "systemd gave the job up: what it waits for did not come" },
		{ "assert", "an assertion of its unit is not met" },
		{ "unsupported", "systemd can not do that with its unit" },
	};
	char cause[ERR_TEXT_MAX];
	bool again = u && u->sub && strcmp(u->sub, "auto-restart") == 0;

	for (size_t i = 0; i < COUNT(jobs); i++)
		if (strcmp(result, jobs[i].result) == 0)
			return err_set(e, STATUS_FAILED, ECANCELED, "cannot %s %s: %s", verb_word(verb), name,
			               jobs[i].cause);
	if (!u || !u->has_service)
		return err_set(e, STATUS_FAILED, EIO, "cannot %s %s: the job ended as '%s', and systemd does not say why",
		               verb_word(verb), name, result);
	if (verb == CONTROL_RELOAD && u->active && strcmp(u->active, "active") == 0) {
		if (u->failed_phase && strcmp(u->failed_phase, "ExecReload") == 0)
			return err_set(e, STATUS_FAILED, EIO,
			               "cannot reload %s: it ended with exit status %d; the machine runs on", name,
			               u->failed_status);
		return err_set(e, STATUS_FAILED, EIO, "cannot reload %s; the machine runs on", name);
	}
	unit_cause(verb, u, cause, sizeof(cause));
	if (strcmp(result, "done") == 0)
		return err_set(e, STATUS_FAILED, EIO, "%s is stopped, but not cleanly: %s", name, cause);
	return err_set(e, STATUS_FAILED, EIO, "cannot %s %s: %s%s", verb_word(verb), name, cause,
	               again ? "; systemd tries again by itself" : "");
}
