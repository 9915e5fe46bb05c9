/* unitfile - files of [Section]s and KEY=VALUE lines as systemd reads them: a machine's .nspawn file (systemd.nspawn(5)),
 * a drop-in of its unit (systemd.unit(5)). Judged, and changed with every other byte as it was. Pure. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

enum unitfile_kind { UNITFILE_NSPAWN, UNITFILE_DROPIN };

struct unit_entry {
	char *section;
	char *key, *value; /* NULL: the section's heading */
	size_t at, end;    /* its bytes, the newline too */
	size_t line;       /* its first one, from 1 */
};
struct unitfile {
	struct unit_entry *v;
	size_t n;
};
void unitfile_done(struct unitfile *f);

/* unitfile_parse - comments and empty lines are no entries. errors: -EINVAL STATUS_DATA "FILE:LINE:1: reason": what
 * systemd would skip is a mistake here;  -ENOMEM */
int unitfile_parse(const char *file, const struct buf *text, struct unitfile *ret, struct err *e);

/* unitfile_judge - what can be told of it without starting anything: its form, sections and keys, values that are yes or
 * no, ports. warnings (may be NULL): what systemd may not know. errors: as unitfile_parse(), the value's sentence */
int unitfile_judge(const char *file, enum unitfile_kind kind, const struct buf *text, struct strs *warnings,
                   struct err *e);

enum unit_operation { UNIT_SET, UNIT_UNSET, UNIT_ADD, UNIT_REMOVE };
struct unit_change {
	enum unit_operation operation;
	const char *name;  /* "Network.Port" */
	const char *value; /* of UNSET: not looked at */
};

/* unitfile_edit - append the new text to ret. SET changes the line where it stands, or adds one at the end of its section;
 * UNSET takes all its lines out; ADD and REMOVE are for keys that may come more than once: a line each.
 *
 * errors  -EINVAL STATUS_USAGE: no SECTION.KEY, a value of several lines, SET of a key that has more than one line;
 *         -ENOENT STATUS_FAILED: REMOVE of what is not there;  as unitfile_parse() */
int unitfile_edit(const char *file, const struct buf *text, const struct unit_change *changes, size_t n,
                  struct buf *ret, struct err *e);

/* unitfile_values - of "Section.Key", a line each, in their order. errors: -EINVAL STATUS_USAGE;  as unitfile_parse() */
int unitfile_values(const char *file, const struct buf *text, const char *name, struct strs *ret,
                    struct err *e);

/* unitfile_merge - both texts come from base: their changed lines and mine together. errors: -EBUSY STATUS_BUSY: they
 * touch each other;  -ENOMEM */
int unitfile_merge(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
                   struct buf *ret, struct err *e);
