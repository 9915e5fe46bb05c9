/* edit_store - texts of confs that were: for edit. */
#pragma once

#include "engine/edit.h"

/* edit_history_add - the text before a save, once, at the disk; of more than EDIT_HISTORY the oldest goes. */
int edit_history_add(const char *name, const struct buf *text, struct err *e);
