#include "ui/line.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/input.h"

#define CTRL(letter) ((letter) - 'a' + 1)

void line_set(struct line *l, const char *text)
{
	size_t len = strnlen(text, sizeof(l->text) - 1);

	while (text[len] && ((unsigned char)text[len] & 0xc0) == 0x80) /* not half a character */
		len--;
	memcpy(l->text, text, len);
	l->text[len] = '\0';
	l->len = l->caret = len;
}

static size_t before(const struct line *l, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)l->text[at] & 0xc0) == 0x80);
	return at;
}

static size_t behind(const struct line *l, size_t at)
{
	do
		at++;
	while (at < l->len && ((unsigned char)l->text[at] & 0xc0) == 0x80);
	return at;
}

static size_t word_before(const struct line *l)
{
	size_t at = l->caret;

	while (at > 0 && l->text[at - 1] == ' ')
		at--;
	while (at > 0 && l->text[at - 1] != ' ')
		at--;
	return at;
}

static enum line_result take_out(struct line *l, size_t from, size_t to)
{
	if (from == to)
		return LINE_MOVED;
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->caret = from;
	l->back = 0;
	return LINE_CHANGED;
}

static size_t encode(unsigned code, char ret[static 4])
{
	if (code < 0x80) {
		ret[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		ret[0] = (char)(0xc0 | code >> 6);
		ret[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		ret[0] = (char)(0xe0 | code >> 12);
		ret[1] = (char)(0x80 | (code >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | code >> 18);
	ret[1] = (char)(0x80 | (code >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (code >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static enum line_result insert(struct line *l, unsigned code)
{
	char bytes[4];
	size_t n = encode(code, bytes);

	if (l->len + n >= sizeof(l->text))
		return LINE_FULL;
	memmove(l->text + l->caret + n, l->text + l->caret, l->len - l->caret + 1);
	memcpy(l->text + l->caret, bytes, n);
	l->len += n;
	l->caret += n;
	l->back = 0;
	return LINE_CHANGED;
}

static enum line_result recall(struct line *l, bool older)
{
	size_t n = l->history ? l->history->n : 0;

	if (n == 0 || (older ? l->back >= n : l->back == 0))
		return LINE_MOVED;
	if (l->back == 0)
		(void)snprintf(l->typed, sizeof(l->typed), "%s", l->text);
	l->back += older ? 1 : (size_t)-1;
	line_set(l, l->back > 0 ? l->history->v[n - l->back] : l->typed);
	return LINE_CHANGED;
}

static enum line_result go(struct line *l, size_t at)
{
	l->caret = at;
	return LINE_MOVED;
}

enum line_result line_key(struct line *l, int key)
{
	unsigned code = (unsigned)key & ~(unsigned)INPUT_PASTED;

	if ((unsigned)key & INPUT_PASTED)
		return insert(l, code);
	switch (key) {
	case INPUT_ENTER:
		return LINE_ENTERED;
	case INPUT_ESC:
	case CTRL('c'):
		return LINE_LEFT;
	case INPUT_BACKSPACE:
		if (l->len == 0)
			return LINE_LEFT;
		return l->caret > 0 ? take_out(l, before(l, l->caret), l->caret) : LINE_MOVED;
	case INPUT_DELETE:
	case CTRL('d'):
		return l->caret < l->len ? take_out(l, l->caret, behind(l, l->caret)) : LINE_MOVED;
	case CTRL('w'):
		return take_out(l, word_before(l), l->caret);
	case CTRL('u'):
		return take_out(l, 0, l->caret);
	case CTRL('k'):
		return take_out(l, l->caret, l->len);
	case INPUT_HOME:
	case CTRL('a'):
		return go(l, 0);
	case INPUT_END:
	case CTRL('e'):
		return go(l, l->len);
	case INPUT_LEFT:
	case CTRL('b'):
		return go(l, l->caret > 0 ? before(l, l->caret) : 0);
	case INPUT_RIGHT:
	case CTRL('f'):
		return go(l, l->caret < l->len ? behind(l, l->caret) : l->len);
	case INPUT_UP:
	case CTRL('p'):
		return recall(l, true);
	case INPUT_DOWN:
	case CTRL('n'):
		return recall(l, false);
	default:
		return code >= ' ' && code < INPUT_UP ? insert(l, code) : LINE_IGNORED;
	}
}

void line_remember(struct line_history *h, const char *text)
{
	size_t i;

	if (!*text || strlen(text) >= LINE_KEPT)
		return;
	for (i = 0; i < h->n && strcmp(h->v[i], text) != 0; i++)
		;
	if (i == h->n && h->n < LINE_HISTORY)
		h->n++;
	if (i == LINE_HISTORY)
		i = 0; /* the oldest gives way */
	memmove(h->v[i], h->v[i + 1 < h->n ? i + 1 : i], (h->n - i - 1) * sizeof(h->v[0]));
	(void)snprintf(h->v[h->n - 1], LINE_KEPT, "%s", text);
}

#define COLUMN_BYTES 8 /* of text in one column, usually less */

/* Columns that the text takes up to byte to. */
static int columns_to(const struct grid *g, const struct line *l, size_t from, size_t to)
{
	char part[LINE_SIZE];

	memcpy(part, l->text + from, to - from);
	part[to - from] = '\0';
	return grid_columns(g, part);
}

/* Columns of the prompt: where it is too long for what is typed, a half and a blank behind it. */
static int draw_prompt(struct grid *g, int x, int y, int w, const char *prompt, const struct line *l)
{
	int most = w - 1 - grid_columns(g, l->text);

	if (most >= grid_columns(g, prompt))
		return grid_text(g, x, y, w, STYLE_KEY, prompt);
	if (grid_columns(g, prompt) <= w / 2)
		return grid_text(g, x, y, w / 2, STYLE_KEY, prompt);
	return grid_text(g, x, y, (most > w / 2 ? most : w / 2) - 1, STYLE_KEY, prompt) + 1;
}

void line_draw(struct grid *g, int x, int y, int w, enum style style, const char *prompt,
               const struct line *l)
{
	int used = draw_prompt(g, x, y, w, prompt, l), room = w - used;
	size_t from = 0, most;

	if (room <= 0)
		return;
	most = (size_t)room * COLUMN_BYTES;
	if (l->caret > most) /* all of a long one would be measured again and again */
		from = behind(l, l->caret - most);
	while (from < l->caret && columns_to(g, l, from, l->caret) >= room)
		from = behind(l, from);
	grid_text(g, x + used, y, room, style, l->text + from);
	g->cursor_x = x + used + columns_to(g, l, from, l->caret);
	g->cursor_y = y;
}
