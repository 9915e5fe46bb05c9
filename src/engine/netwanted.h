/* netwanted - which main link and bridge each machine is to have: as it was started, else as its conf says. For
 * netmap_judge(). */
#pragma once

#include "base/err.h"
#include "base/strs.h"
#include "words/netmap.h"
#include "words/snapshot.h"

struct netwanted {
	struct netmap_wanted *v; /* sorted by machine; points into machines and texts */
	size_t n;
	struct strs texts;
};

void netwanted_done(struct netwanted *w);
/* netwanted_read - some files for each machine of ours. machines is borrowed as long as ret. What can not be read is not
 * wanted. -ENOMEM */
int netwanted_read(const struct snapshot *machines, struct netwanted *ret, struct err *e);
