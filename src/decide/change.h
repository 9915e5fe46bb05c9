/* change - what differs between a container as it was started and as it is configured now: what can be done
 * while it runs, and what takes a restart. Pure. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strs.h"
#include "decide/plan.h"
#include "words/netop.h"

struct started {                   /* what a running container was started with */
	struct strs argv, devices; /* devices: values of DeviceAllow= */
	struct netops host, guest;
	struct strs masquerade; /* its addresses with a way out */
	struct strs directives; /* "KillSignal=SIGTERM": what else its unit was made with */
	char *system;           /* that its payload was of, as the plan has it; NULL */
};

void started_done(struct started *s);
/* started_parse - from its files (arch: plan.json, host, guest/net). -EINVAL (STATUS_DATA): not what we
 * wrote. */
int started_parse(const char *plan_json, const char *host, const char *guest, struct started *ret,
                  struct err *e);

struct change {
	struct netops host, guest; /* to be carried out: what is gone, then all that is to be there; nothing
	                              to do: none */
	struct netops host_back;   /* undoes `host` */
	struct netops host_after, guest_after; /* what then has been done since the start, as in its files */
	struct strs masquerade;                /* its addresses that then have a way out */
	bool masquerade_differs;
	bool switches; /* its system can be switched: it is a nix container, and runs as one */
	char *system_was,
		*system_now; /* it runs another system than is configured, and that is switched; NULL */
	struct strs restart; /* "HOST_PORT: runs with tcp:8080:80, configured is tcp:9090:80" */
};

void change_done(struct change *c);
/* change_decide - from was to now. Links that only one of both has are left alone: making and removing one
 * takes a restart. When the main link itself is another one, no link is touched. errors: -ENOMEM */
int change_decide(const struct started *was, const struct plan *now, struct change *ret, struct err *e);

/* change_note - plan.json's text after the live part of a change is done: was with other commands, bridge and
 * hosts; the whole of now when nothing waits for a restart. errors: -EINVAL, -ENOMEM */
int change_note(const char *was_json, const char *now_json, const struct change *c, struct buf *ret,
                struct err *e);
