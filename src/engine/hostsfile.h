/* hostsfile - the block of /etc/hosts that holds the containers' lines, when there is one. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

/* hostsfile_lines - the lines of all confs below host_root; one that can not be read is a sentence in problems, and
 * the last one's status is ret_status (else STATUS_DONE). */
int hostsfile_lines(const char *host_root, struct strs *ret, struct strs *problems, enum status *ret_status,
                    struct err *e);
/* hostsfile_write - put them into its block, made where there is none. Returns 1, or 0 when the file is like that already. */
int hostsfile_write(const char *host_root, const struct strs *lines, struct err *e);
/* hostsfile_show - what that would change, appended as a difference. */
int hostsfile_show(const char *host_root, const struct strs *lines, struct buf *ret, struct err *e);
/* hostsfile_refresh - after confs came, went or changed: bring the block up to date where there is one. A file that
 * is declared elsewhere, or a block that would lose lines, is left alone, and a warning says so. */
void hostsfile_refresh(const char *host_root, struct strs *warnings);
