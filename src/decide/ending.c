#include "decide/ending.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"

static bool is(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

/* What a job's own result says, whatever state the unit is in. */
static const char *job_cause(const char *result)
{
	static const struct {
		const char *result, *cause;
	} known[] = {
		{ "canceled", "another job took its place: somebody asked for something else meanwhile" },
		{ "dependency",
		  "something its unit requires did not start (a mount?); `systemctl --failed` names it" },
		{ "skipped", "its unit is not in a state where that can be done" },
		{ "invalid", "it is not running" },
		{ "frozen", "it is frozen; thaw it first" },
		{ "timeout", "systemd gave the job up: what it waits for did not come" },
		{ "assert", "an assertion of its unit is not met" },
		{ "unsupported", "systemd can not do that with its unit" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (is(result, known[i].result))
			return known[i].cause;
	return NULL;
}

/* What a phase of ours refused keeps its own status; else it is the guest that failed. */
static enum status phase_status(int code, int status)
{
	switch (code == CLD_EXITED ? status : 0) {
	case STATUS_DATA:
	case STATUS_UNSAFE_TREE:
	case STATUS_BUSY:
	case STATUS_NOT_PERMITTED:
	case STATUS_UNSAFE_HOST:
		return (enum status)status;
	default:
		return STATUS_FAILED;
	}
}

/* Also what a start lacks, or can not make; of a reload that would be said of a machine that runs on. */
static enum status start_status(const struct why_facts *f)
{
	bool lacks = f->main_status == STATUS_NO_CONTAINER || f->main_status == STATUS_CANNOT_CREATE ||
	             f->main_status == STATUS_IO;

	if (why_guest_ended(f))
		return STATUS_FAILED;
	return lacks && f->main_code == CLD_EXITED ? (enum status)f->main_status
	                                           : phase_status(f->main_code, f->main_status);
}

/* A reload passes on how the switch ended, which does not use our numbers. */
static enum status reload_status(int code, int status)
{
	bool ours = status >= STATUS_USAGE && status <= STATUS_UNSAFE_HOST;

	return code == CLD_EXITED && status > 0 && !ours ? (enum status)status : phase_status(code, status);
}

int ending_explain(const char *verb, const char *name, const char *result, const struct why_facts *f,
                   struct err *e)
{
	const char *cause = job_cause(result);
	char why[WHY_SIZE];

	if (cause)
		return err_set(e, STATUS_FAILED, ECANCELED, "cannot %s %s: %s", verb, name, cause);
	if (f && f->state == MACHINE_RUNNING && is(f->failed_phase, "ExecReload"))
		return err_set(e, reload_status(f->failed_code, f->failed_status), EIO,
		               "cannot %s %s: it ended with exit status %d; the machine runs on", verb, name,
		               f->failed_status);
	if (f && is(result, "done") && is(f->result, "timeout"))
		return err_set(
			e, STATUS_FAILED, EIO,
			"%s is stopped, but not cleanly: its guest did not end within %ju s and was killed",
			name, (uintmax_t)f->stop_timeout_usec / 1000000);
	if (!f || !why_sentence(f, why))
		return err_set(e, STATUS_FAILED, EIO,
		               "cannot %s %s: its job is '%s', and systemd does not say why", verb, name,
		               result);
	if (is(result, "done"))
		return err_set(e, STATUS_FAILED, EIO, "%s is stopped, but not cleanly: %s", name, why);
	return err_set(e, start_status(f), EIO, "cannot %s %s: %s%s", verb, name, why,
	               f->state == MACHINE_RESTARTING ? "; systemd tries again by itself" : "");
}
