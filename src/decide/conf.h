/* conf - a container's conf: text <-> lossless document <-> struct container (design: Conf keys). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/container.h"

#define CONF_SIZE_MAX 65536

/* conf_read - parse a conf's bytes into a container, strictly: what can not be read in full starts nothing.
 *
 * file      how the file is called in messages: "FILE:LINE:COLUMN: reason"
 * name      the container's; copied
 * warnings  one sentence each for what is accepted but likely a mistake (unknown key, duplicate); may be NULL
 * errors    -EINVAL (STATUS_DATA), -ENOMEM; ret is untouched then */
int conf_read(const char *file, const char *name, const char *bytes, size_t len, struct container *ret,
              struct strs *warnings, struct err *e);

/* conf_mistakes - append all for which conf_read() refuses the bytes, not only the first: of its lines, or, when those can be
 * read, what contradicts what. The first one is conf_read()'s. */
void conf_mistakes(const char *file, const char *name, const char *bytes, size_t len, struct strs *ret);

/* conf_write - append the conf's text for c, as the reference modules write it (CF-1 to CF-10), ours after theirs.
 * The text reads back to the same container, also through systemd. errors: -ENOMEM */
int conf_write(const struct container *c, struct buf *ret, struct err *e);

/* conf_rewrite - append a conf's text as conf_write() writes what it says. It may be half of a change: what contradicts what
 * is not looked at. errors: as conf_read() */
int conf_rewrite(const char *file, const char *bytes, size_t len, struct buf *ret, struct err *e);

/* conf_knows_key - whether it is one of the keys of the table in the manual; a file without any is not a conf. */
bool conf_knows_key(const char *name);

/* conf_put - append KEY=value and a newline, quoted when systemd or we would read the bare text differently. */
void conf_put(struct buf *to, const char *key, const char *value);

/* conf_veth_word - append an extra link as a word of EXTRA_VETHS=. */
void conf_veth_word(const struct veth *v, struct buf *ret);

/* conf_has_secrets - whether there are values that nobody else should read (threat model O1): mode 0600 then. */
bool conf_has_secrets(const struct container *c);
