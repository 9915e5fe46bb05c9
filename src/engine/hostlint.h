/* hostlint - what of confs does not fit this host, or each other (decide/lint_host, decide/lint): read once, for check and
 * for who looks at one. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "decide/lint_host.h"
#include "drivers/resolve.h"
#include "words/container.h"
#include "words/firewall.h"
#include "words/machine.h"
#include "words/netmap.h"

struct hostlint { /* of the host's own namespace alone */
	struct netmap map;
	struct firewall filters;
	bool filters_known;
	struct buf hosts;
	struct strs names; /* what names lead to; hostlint_ask() */
};

/* hostlint_read - what the kernel does not tell (without rights, without a network) is left out. -ENOMEM */
int hostlint_read(struct hostlint *ret, struct err *e);
void hostlint_done(struct hostlint *h);

/* hostlint_ask - where the host's name service leads who looks for them, in two seconds at most. h->names has what was
 * answered. errors  -ETIMEDOUT: not all was; -ENOMEM */
int hostlint_ask(struct hostlint *h, const struct strs *names, enum resolve_sources sources, struct err *e);

/* hostlint_by - append what does not fit, printable, by facts of one's own. m: the machine as it is seen; NULL: it does not
 * run. hostlint_judge - by those. */
void hostlint_by(const struct lint_facts *facts, const struct container *c, const struct machine *m,
                 struct strs *ret);
void hostlint_judge(const struct hostlint *h, const struct container *c, const struct machine *m,
                    struct strs *ret);

/* hostlint_one - the same of one container, and what it and each other conf have in the other's way; all read now. */
int hostlint_one(const struct container *c, const struct machine *m, struct strs *ret, struct err *e);

/* hostlint_paths - append what is to be bound, or joined, and is not there. It looks at paths, which may be on a file system
 * that does not answer: for processes that may wait. */
void hostlint_paths(const struct container *c, struct strs *ret);

/* hostlint_others - append what c and each other conf have in each other's way, as all are read now, and was did not have
 * already; NULL: none was. */
int hostlint_others(const struct container *c, const struct container *was, struct strs *ret, struct err *e);

/* hostlint_pair - append what a and b have in each other's way, said of a: what keeps one from starting, then what is only
 * odd. Returns how many of them are of the first kind. */
size_t hostlint_pair(const struct container *a, const struct container *b, struct strs *ret);
