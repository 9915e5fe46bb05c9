#include "ui/termseq.h"

#include <string.h>

#include "base/cleanup.h"

#define SCREEN_STRING 240 /* bytes that screen passes on at once; it cuts longer ones */

bool termseq_is_name(const char *term)
{
	size_t len = strlen(term);

	return len >= 1 && len <= 64 &&
	       strspn(term, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-") == len;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool termseq_is_modern(const char *term)
{
	static const char *const old[] = { "linux", "vt",   "ansi", "dumb",   "cons",
		                           "sun",   "hurd", "wy",   "unknown" };

	for (size_t i = 0; i < COUNT(old); i++)
		if (begins(term, old[i]))
			return false;
	return true;
}

static void add_base64(struct buf *to, const char *text, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = 0;
		char four[4];

		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (i + j < len ? (unsigned char)text[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			four[j] = digits[i + j > len ? 64 : v >> (18 - 6 * j) & 63];
		buf_add(to, four, sizeof(four));
	}
}

/* In pieces, each a string of its own to screen and one whole to the terminal behind it. */
static void add_for_screen(struct buf *to, const struct buf *sequence)
{
	for (size_t at = 0; at < sequence->len; at += SCREEN_STRING) {
		size_t rest = sequence->len - at;

		buf_puts(to, "\x1bP");
		buf_add(to, sequence->p + at, rest < SCREEN_STRING ? rest : SCREEN_STRING);
		buf_puts(to, "\x1b\\");
	}
}

/* tmux takes it for itself where set-clipboard is on, or passes it on where allow-passthrough is. */
static void add_for_tmux(struct buf *to, const struct buf *sequence)
{
	buf_add(to, sequence->p, sequence->len);
	buf_puts(to, "\x1bPtmux;\x1b");
	buf_add(to, sequence->p, sequence->len);
	buf_puts(to, "\x1b\\");
}

bool termseq_copy(struct buf *to, const char *term, bool in_tmux, const char *text, size_t len)
{
	CLEANUP(buf_done) struct buf sequence = { 0 };

	if (len == 0 || len > TERMSEQ_COPY_MAX || !termseq_is_modern(term))
		return false;
	buf_puts(&sequence, "\x1b]52;c;");
	add_base64(&sequence, text, len);
	buf_puts(&sequence, "\a");
	if (sequence.bad)
		return false;
	if (in_tmux || begins(term, "tmux"))
		add_for_tmux(to, &sequence);
	else if (begins(term, "screen"))
		add_for_screen(to, &sequence);
	else
		buf_add(to, sequence.p, sequence.len);
	return true;
}
