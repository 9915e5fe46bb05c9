/* dropin - what one container's unit needs beyond its template, as the text of a drop-in (A.8). Pure. */
#pragma once

#include "base/buf.h"
#include "base/strs.h"
#include "decide/plan.h"
#include "words/container.h"

/* dropin_text - the drop-in for c, whose plan is p and whose conf was read from conf_path (SourcePath=, so
 * that systemd itself tells when it was edited). No value from the conf can end its line or be taken for a
 * specifier. */
void dropin_text(const struct container *c, const struct plan *p, const char *conf_path, struct buf *ret);

/* dropin_escape - append a path without its first "/", or another word that does not begin with ".", as a part of a unit's
 * name. source: systemd.unit(5), "String Escaping for Inclusion in Unit Names" */
void dropin_escape(const char *text, struct buf *ret);
