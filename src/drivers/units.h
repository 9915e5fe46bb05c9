/* units - systemd's view of the machines' units (org.freedesktop.systemd1): states, jobs, events. The only
 * door to it. Everything is asynchronous on the loop; text in it that a guest wrote (status_text) is hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/limits.h"

#define UNIT_REQUIRES_MAX 32 /* more are not looked at */
#define UNIT_DEVICES_MAX  64

/* One unit as systemd tells it; all text is borrowed for the length of the call-back. */
struct unit {
	const char *name;

	bool has_state; /* what follows to `job` was told (from a list: without the times and invocation) */
	const char *load, *active, *sub; /* "loaded", "active", "running" */
	uint64_t state_usec;             /* CLOCK_REALTIME of its last change of state; 0: not told */
	uint64_t active_usec;            /* ... when it became active */
	char invocation[33]; /* hex; "" none: matches _SYSTEMD_INVOCATION_ID and INVOCATION_ID in the journal
	                      */
	const char *job;     /* its pending job's path; NULL: none */
	const char
		*requires[UNIT_REQUIRES_MAX]; /* what must be up for it (Requires=, Requisite=, BindsTo=) */
	size_t n_requires;
	int needs_reload; /* its files changed since systemd read them */
	unsigned live_limits,
		kept_limits; /* bits by enum limit: set until it stops or the next boot; set for good (systemctl
	                                     set-property) */

	bool has_service;        /* what follows was told */
	const char *result;      /* "success", "exit-code", "timeout", ... */
	const char *status_text; /* hostile: the guest's PID 1 writes it */
	uint32_t n_restarts;
	pid_t main_pid;
	int32_t main_code,
		main_status; /* CLD_EXITED, CLD_KILLED, ... of waitid(2), and status or signal; 0: none */
	int32_t kill_signal; /* 0: not told */
	uint64_t start_timeout_usec, stop_timeout_usec; /* UINT64_MAX: none */
	uint64_t memory_max;                            /* bytes; UINT64_MAX: none */
	uint64_t cpu_quota_usec, tasks_max, io_weight;  /* microseconds a second; UINT64_MAX: none */
	struct {
		const char *node, *modifier;
	} devices[UNIT_DEVICES_MAX]; /* DeviceAllow= */
	size_t n_devices;
	const char *cgroup;       /* "/machine.slice/container@web.service"; "" while it has none */
	const char *failed_phase; /* "ExecStartPost": whose last run failed while the main process did not; or
	                             NULL */
	int32_t failed_code, failed_status;
};

enum units_change {
	UNITS_UP,          /* the connection stands: ask anew for all you show */
	UNITS_DOWN,        /* it is lost, e says why; made again by itself */
	UNITS_STATE,       /* unit changed: has_state or has_service is set */
	UNITS_GONE,        /* unit was unloaded: inactive, and nothing refers to it */
	UNITS_JOB_NEW,     /* unit got a job: unit->name, unit->job */
	UNITS_JOB_REMOVED, /* unit's job ended: unit->name, unit->job, result */
	UNITS_RELOADED,    /* systemd re-read its files (daemon-reload): ask anew */
};

struct units_event {
	enum units_change change;
	const struct unit *unit;
	const char *result; /* of a removed job: "done", "failed", "timeout", "canceled", "dependency", ... */
	const struct err *e;
};

/* units_new - keep a connection to systemd; on_event is called from the loop only, for container@*.service,
 * systemd-nspawn@*.service and the scopes of machines; jobs are told of all units. Asking works from UNITS_UP
 * to UNITS_DOWN; else -ENOTCONN. */
struct units;
typedef void units_event_fn(const struct units_event *event, void *arg);
int units_new(sd_event *loop, units_event_fn *on_event, void *arg, struct units **ret, struct err *e);
void units_free(struct units *u);

/* units_list - the loaded ones of those units, with load, active, sub and job; at most 10,000. Stopped ones
 * are there only while something refers to them. The answer comes within 1 s. */
typedef void units_list_fn(int r, const struct unit *v, size_t n, const struct err *e, void *arg);
int units_list(struct units *u, units_list_fn *done, void *arg, sd_bus_slot **ret_slot, struct err *e);

/* units_named - the same of these units (at most UNIT_REQUIRES_MAX), loaded or not: load is "not-found" of
 * what there is none of. */
int units_named(struct units *u, char *const *names, size_t n, units_list_fn *done, void *arg,
                sd_bus_slot **ret_slot, struct err *e);

/* units_get - all there is to know of one unit, loaded or not (costs PID 1 about 2 ms: for the one that
 * matters). The answer comes within 3 s. load is "not-found" when there is no such unit file. */
typedef void units_get_fn(int r, const struct unit *unit, const struct err *e, void *arg);
int units_get(struct units *u, const char *unit, units_get_fn *done, void *arg, sd_bus_slot **ret_slot,
              struct err *e);

/* The rest asks for a change; done tells within 10 s whether it was taken on. When we are not root and on a
 * terminal a person may be asked to authenticate, which may take two minutes.
 * errors  -EPERM STATUS_NOT_PERMITTED at once: the gate is closed; told to done: -EACCES
 *         STATUS_NOT_PERMITTED names the polkit action */
typedef void units_done_fn(int r, const char *job, const struct err *e, void *arg);

/* units_job - ask for a job; done tells its path, its end is a later UNITS_JOB_REMOVED. */
enum units_verb { UNITS_START, UNITS_STOP, UNITS_RELOAD };
int units_job(struct units *u, enum units_verb verb, const char *unit, units_done_fn *done, void *arg,
              sd_bus_slot **ret_slot, struct err *e);

/* units_kill - SIGKILL to all processes of the unit (job NULL); success when there is none. */
int units_kill(struct units *u, const char *unit, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
               struct err *e);
/* units_forgive - forget that the unit failed, so that it is merely stopped (job NULL). */
int units_forgive(struct units *u, const char *unit, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                  struct err *e);

/* units_freeze - its processes stand still, and run on (job NULL). Told when they do. systemd waits for that
 * in the kernel: done may come late. Refused with systemd's words where it has no freezer (cgroup v1). */
int units_freeze(struct units *u, const char *unit, bool freeze, units_done_fn *done, void *arg,
                 sd_bus_slot **ret_slot, struct err *e);

/* units_cancel_job - take a job back (its path, from units_job); its end is told as UNITS_JOB_REMOVED with
 * "canceled". What it had begun already goes on. Success when it has ended. */
int units_cancel_job(struct units *u, const char *job, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                     struct err *e);

/* units_enable - the links in /etc that make it start at boot, or their removal (job NULL). systemd hears of
 * it with units_reload_manager, which runs the generators: told within 90 s.
 * polkit  org.freedesktop.systemd1.manage-unit-files, org.freedesktop.systemd1.reload-daemon */
int units_enable(struct units *u, const char *unit, bool enable, units_done_fn *done, void *arg,
                 sd_bus_slot **ret_slot, struct err *e);
int units_reload_manager(struct units *u, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                         struct err *e);

/* units_limit - SetUnitProperties: n limits of the unit, applied at once; runtime: in /run, else in /etc (job NULL). */
int units_limit(struct units *u, const char *unit, const struct limit_value *v, size_t n, bool runtime,
                units_done_fn *done, void *arg, sd_bus_slot **ret_slot, struct err *e);
