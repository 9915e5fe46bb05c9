/* shellwords - words that may be quoted as in a shell: '...', "..." and backslash, no expansion of any kind. Pure. */
#pragma once

#include "base/buf.h"
#include "base/strs.h"

/* shellwords_split - add the words of text. Returns 0, or -EINVAL when a quote is not closed or a backslash ends it. */
int shellwords_split(const char *text, struct strs *ret);

/* shellwords_quote - append word so that shellwords_split and a shell read it back as that one word. */
void shellwords_quote(const char *word, struct buf *ret);
