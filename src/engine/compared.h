/* compared - a container as it was started beside what its conf says now. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "decide/change.h"
#include "engine/load.h"

struct compared {
	struct loaded now;
	struct buf was_json, now_json; /* plan.json of the start, and what it would be now */
	struct started was;
	struct change change;
};

/* compared_read - of NAME, which runs and was started by us. ret: compared_done().
 * errors  -ENOENT STATUS_NO_CONTAINER: it does not run, or was not started by us;  as load_plan(), started_parse() */
int compared_read(const char *name, struct compared *ret, struct err *e);
/* compared_text - the same of a text that is to be the conf at path; as load_text(). */
int compared_text(const char *name, const char *path, bool nixos_dirs, const struct buf *text,
                  struct compared *ret, struct err *e);
void compared_done(struct compared *c);

/* compared_file - a file of its start: leaf in /run/machdeck/NAME, appended to ret. errors: as above */
int compared_file(const char *name, const char *leaf, struct buf *ret, struct err *e);
