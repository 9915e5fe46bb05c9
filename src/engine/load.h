/* load - one container from its files to its plan: what every verb and phase starts with. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "decide/plan.h"
#include "words/container.h"

struct loaded {
	struct container container;
	struct plan plan;
	struct facts facts; /* that the plan was made with; by load_plan() */
	char *system;       /* facts.system */
	char *conf_path;    /* NULL: there is no conf, defaults are used (SA-13) */
	char hash[17];      /* of the conf's bytes, hex */
	struct strs warnings;
};

/* load_container - the conf only, for lists: no facts, no plan. ret owned, loaded_done(). -ENOENT when there is no
 * conf and no root tree either. */
int load_container(const char *host_root, const char *name, struct loaded *ret, struct err *e);
/* load_plan - the conf, the host's facts, and the plan. host_root "" is the host itself. */
int load_plan(const char *host_root, const char *name, struct loaded *ret, struct err *e);
/* load_text - the same of a text that is to be the conf at path, on the host itself. */
int load_text(const char *name, const char *path, bool nixos_dirs, const struct buf *text, struct loaded *ret,
              struct err *e);
void loaded_done(struct loaded *l);
