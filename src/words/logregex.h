/* logregex - what is searched for in log lines: an extended regular expression (regex(7)). Case matters only
 * when it has a capital. What has nothing special in it is found without the regex machine, ten times as
 * fast. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "words/logring.h"

struct logregex {
	char *text; /* NULL: none is set */
	bool is_plain, any_case;
	regex_t compiled;
};

/* logregex_set - "" unsets. -EINVAL (STATUS_USAGE): no regular expression, the sentence says why; -ENOMEM. It
 * is as it was after a failure. */
int logregex_set(struct logregex *x, const char *text, struct err *e);
void logregex_done(struct logregex *x);

/* logregex_find - the first match in text at or after from: where it begins, its length. False also when
 * unset. */
bool logregex_find(const struct logregex *x, const char *text, size_t from, size_t *ret_at, size_t *ret_len);
/* logregex_in - whether it is found in the record's text or in who wrote it. */
bool logregex_in(const struct logregex *x, const struct logrec *rec);
