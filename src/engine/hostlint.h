/* hostlint - what of confs does not fit this host, or each other (decide/lint_host, decide/lint): read once, for check and
 * for who looks at one. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/container.h"
#include "words/firewall.h"
#include "words/netmap.h"

struct hostlint { /* of the host's own namespace alone */
	struct netmap map;
	struct firewall filters;
	bool filters_known;
	struct buf hosts;
};

/* hostlint_read - what the kernel does not tell (without rights, without a network) is left out. -ENOMEM */
int hostlint_read(struct hostlint *ret, struct err *e);
void hostlint_done(struct hostlint *h);

/* hostlint_judge - append, printable. netnsid: as lint_host(). */
void hostlint_judge(const struct hostlint *h, const struct container *c, int netnsid, struct strs *ret);

/* hostlint_one - the same of one container, and what it and each other conf have in the other's way; all read now. */
int hostlint_one(const struct container *c, int netnsid, struct strs *ret, struct err *e);
