#include "decide/shellwords.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

static const char blanks[] = " \t\n";

/* One word from *p on, which is not blank there; *p is left behind it. */
static int take_word(const char **p, struct buf *word)
{
	char quote = '\0';

	for (; **p && (quote || !strchr(blanks, **p)); (*p)++) {
		char c = **p;

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = (char)(quote ? '\0' : c);
			continue;
		}
		if (c == '\\' && quote != '\'' && (!quote || ((*p)[1] && strchr("\"\\`$", (*p)[1])))) {
			c = *++*p;
			if (!c)
				return -EINVAL;
		}
		buf_add(word, &c, 1);
	}
	return quote ? -EINVAL : 0;
}

int shellwords_split(const char *text, struct strs *ret)
{
	for (const char *p = text; *(p += strspn(p, blanks));) {
		CLEANUP(buf_done) struct buf word = { 0 };

		if (take_word(&p, &word) < 0)
			return -EINVAL;
		strs_add(ret, buf_text(&word));
		ret->bad |= word.bad;
	}
	return 0;
}

void shellwords_quote(const char *word, struct buf *ret)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";

	if (word[0] && word[strspn(word, plain)] == '\0') {
		buf_puts(ret, word);
		return;
	}
	buf_puts(ret, "'");
	for (const char *p = word; *p; p++) {
		if (*p == '\'')
			buf_puts(ret, "'\\''");
		else
			buf_add(ret, p, 1);
	}
	buf_puts(ret, "'");
}
