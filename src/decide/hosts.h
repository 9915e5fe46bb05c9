/* hosts - containers' lines for /etc/hosts, and the marked block there that holds them (HO-1 to HO-3). Pure.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/container.h"

#define HOSTS_BEGIN "# BEGIN machdeck"
#define HOSTS_END   "# END machdeck"

/* hosts_lines - append "ADDRESS NAME.containers" for each address of c's own end, of either family and
 * without its prefix. The ends of extra veths have no lines. */
void hosts_lines(const struct container *c, struct strs *ret);

/* hosts_edit - the text of a hosts file with the marked block replaced by one of these lines; put at the end
 * where there is none, removed when there are no lines. Every other byte stays.
 *
 * errors  -EINVAL STATUS_DATA: the marks are not one BEGIN with one END behind it, exactly as written;
 * -ENOMEM */
int hosts_edit(const char *text, size_t len, const struct strs *lines, struct buf *ret, struct err *e);
