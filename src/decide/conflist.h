/* conflist - the keys of a conf that are lists: their items, one by one. Pure. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

bool conf_list_is(const char *key);
/* conf_list_split - add the items of a list key's value; conf_list_join - append the value that these items are. */
void conf_list_split(const char *key, const char *value, struct strs *ret);
void conf_list_join(const char *key, const struct strs *items, struct buf *ret);

/* conf_list_change - append key's value in a conf's text with that item at its end (once), or without it; nothing: no item
 * is left. Ports are the same however they are written.
 *
 * errors  -EINVAL STATUS_USAGE: it is no list;  -ENOENT STATUS_FAILED: that item is not in it;  as envfile_parse() */
int conf_list_change(const char *file, const struct buf *text, const char *key, const char *item, bool add,
                     struct buf *ret, struct err *e);
