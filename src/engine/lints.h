/* lints - what of all confs can not be meant, does not fit this host or is in another one's way (engine/hostlint), kept fresh
 * by who tells that a conf, a machine or the network changed; /etc/hosts is watched here.
 *
 * Who listens on a host's port is told by no event, so check and the details alone look at that. Names are looked up in
 * files and daemons of this host, never by asking a server: somebody only looks at a list. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "engine/netwatch.h"
#include "engine/observe.h"

struct linted {
	char *name;
	bool fatal;        /* it can not start, or not beside another one */
	struct strs texts; /* printable, what is fatal first; none: nothing is wrong */
};

struct lint_list {
	struct linted *v; /* in the order of the snapshot */
	size_t n;
};
/* lint_list_find - NULL: it has no conf, that can not be read here, or nobody looks. */
const struct linted *lint_list_find(const struct lint_list *l, const char *name);

/* lints_new - changed is called from the loop when there is a new result. o has the machines, w the network; both go after
 * this. */
struct lints;
typedef void lints_changed_fn(void *arg);
int lints_new(sd_event *loop, struct observer *o, struct netwatch *w, lints_changed_fn *changed, void *arg,
              struct lints **ret, struct err *e);
void lints_free(struct lints *l); /* NULL is fine */

/* lints_want - somebody looks from now on, or no more.
 * lints_stale - something that they depend on changed, or is to be looked at: who listens on the host has no event. Confs
 * are read again when they changed, and all are judged, in turns of some milliseconds when there is nothing else to do, once
 * a second at most. */
void lints_want(struct lints *l, bool wanted);
void lints_stale(struct lints *l);

/* lints_now - borrowed until the loop runs again; NULL: not known yet. */
const struct lint_list *lints_now(const struct lints *l);
