/* talk_text - foreign text among the sentences of ui/talk: values, names of links, what would be done. */
#pragma once

#include "base/buf.h"
#include "ui/doc.h"

/* talk_add_shown - text as printable as base/text makes it. talk_add_doc - a document, a line each. */
void talk_add_shown(struct buf *to, const char *text);
void talk_add_doc(struct buf *to, const struct doc *doc);
