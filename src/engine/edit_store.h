/* edit_store - texts of confs that were, and opening what is no conf: for edit. */
#pragma once

#include "engine/edit.h"

/* edit_history_add - the text before a save, once, at the disk; of more than EDIT_HISTORY the oldest goes. */
int edit_history_add(const char *name, const struct buf *text, struct err *e);

/* edit_settings - kind, path, leaf and store of a machine's settings, by what edit_begin_any() takes. edit_settings_open - the text as it holds now. */
int edit_settings(struct edit *x, const char *unit, struct err *e);
int edit_settings_open(struct edit *x, struct err *e);
int edit_settings_read(const struct edit *x, struct buf *ret,
                       struct err *e); /* that file as it is; errors: as files_read() */
/* edit_settings_folder - opened; made when it is missing. */
int edit_settings_folder(struct edit *x, bool make, struct err *e);
/* edit_settings_later - what text sets anew, and a drop-in that systemd reads later sets, too. */
void edit_settings_later(const struct edit *x, const struct buf *text, struct strs *warnings);
