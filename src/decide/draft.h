/* draft - a conf put together from options of a command: "--host-address 10.0.0.1" is HOST_ADDRESS=10.0.0.1. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/container.h"

#define DRAFT_OPTION_SIZE 48

struct draft { /* keys.v[i] has the value values.v[i]; each key once */
	struct strs keys, values;
};
void draft_done(struct draft *d);

/* draft_option - what the option of a conf's key is called: "HOST_ADDRESS6" is "host-address6". */
void draft_option(const char *key, char ret[static DRAFT_OPTION_SIZE]);

/* draft_set - give key that value; a list's is added to it: words with a blank, ports with a comma between. NULL is the
 * value of a switch, "1". draft_replace - the whole value. draft_get - NULL: not set; borrowed. */
void draft_set(struct draft *d, const char *key, const char *value);
void draft_replace(struct draft *d, const char *key, const char *value);
const char *draft_get(const struct draft *d, const char *key);

/* draft_read - the container it makes, judged as a conf is. base (may be "") is the text of a conf whose other keys
 * stay; ret_text (may be NULL) is the text that was read. errors: as conf_read(), of a file "(options)" */
int draft_read(const struct draft *d, const char *base, const char *name, struct container *ret,
               struct buf *ret_text, struct strs *warnings, struct err *e);
