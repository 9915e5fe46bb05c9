#include "words/logregex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_capital(const char *text)
{
	for (; *text; text++)
		if (isupper((unsigned char)*text))
			return true;
	return false;
}

void logregex_done(struct logregex *x)
{
	if (x->text && !x->is_plain)
		regfree(&x->compiled);
	free(x->text);
	*x = (struct logregex){ 0 };
}

int logregex_set(struct logregex *x, const char *text, struct err *e)
{
	struct logregex made = { .is_plain = !strpbrk(text, "\\^$.|?*+()[]{}"),
		                 .any_case = !has_capital(text) };
	char why[128];
	int r;

	if (*text) {
		made.text = strdup(text);
		if (!made.text)
			return err_no_memory(e);
	}
	r = made.is_plain ? 0 : regcomp(&made.compiled, text, REG_EXTENDED | (made.any_case ? REG_ICASE : 0));
	if (r != 0) {
		(void)regerror(r, &made.compiled, why, sizeof(why));
		free(made.text);
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be searched for: %s", text, why);
	}
	logregex_done(x);
	*x = made;
	return 0;
}

bool logregex_find(const struct logregex *x, const char *text, size_t from, size_t *ret_at, size_t *ret_len)
{
	regmatch_t m;

	if (!x->text)
		return false;
	if (x->is_plain) {
		const char *at =
			x->any_case ? strcasestr(text + from, x->text) : strstr(text + from, x->text);

		if (!at)
			return false;
		*ret_at = (size_t)(at - text);
		*ret_len = strlen(x->text);
		return true;
	}
	if (regexec(&x->compiled, text + from, 1, &m, from > 0 ? REG_NOTBOL : 0) != 0)
		return false;
	*ret_at = from + (size_t)m.rm_so;
	*ret_len = (size_t)(m.rm_eo - m.rm_so);
	return true;
}

bool logregex_in(const struct logregex *x, const struct logrec *rec)
{
	size_t at, len;

	return logregex_find(x, rec->text, 0, &at, &len) || logregex_find(x, rec->ident, 0, &at, &len);
}
