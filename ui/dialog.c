#include "ui/dialog.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_MAX 76

/* Where the parts of a dialog are on this screen. */
struct place {
	struct rect box, text;
	bool framed;
	int title_y, buttons_y; /* -1: none */
};

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static int longest_line(const struct grid *g, const char *text)
{
	int longest = 0;

	while (*text) {
		char line[256];
		size_t len = strcspn(text, "\n");
		int columns;

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
		columns = grid_columns(g, line);
		longest = columns > longest ? columns : longest;
		text += len + (text[len] == '\n');
	}
	return longest;
}

/* As wide as it needs; all of the screen rather than leave a narrow strip beside it. */
static int box_width(const struct dialog *d, const struct grid *g, int screen)
{
	int title = grid_columns(g, d->title) + 16, text = longest_line(g, d->text);
	int w = smaller(4 + (title > text ? title : text), WIDTH_MAX);

	return w + 8 > screen ? screen : w;
}

static struct place place(const struct dialog *d, const struct grid *g, struct rect screen)
{
	struct place p = { .title_y = -1, .buttons_y = -1 };
	int lines, extra = d->n_buttons > 0 ? 2 : 0;

	p.framed = screen.w >= 30 && screen.h >= 7 + extra;
	p.box.w = p.framed ? box_width(d, g, screen.w) : screen.w;
	p.text.w = p.box.w - (p.framed ? 4 : 0);
	lines = grid_lines(g, p.text.w, d->text);
	if (!p.framed)
		extra = d->n_buttons > 0;
	p.box.h = smaller(lines + extra + (p.framed ? 2 : 1), screen.h);
	p.box.x = screen.x + (screen.w - p.box.w) / 2;
	p.box.y = screen.y + (screen.h - p.box.h) / 2;

	p.text.x = p.box.x + (p.framed ? 2 : 0);
	p.text.y = p.box.y + 1;
	p.text.h = p.box.h - extra - (p.framed ? 2 : 1);
	if (p.framed || p.box.h > (d->n_buttons > 0))
		p.title_y = p.box.y;
	if (d->n_buttons > 0)
		p.buttons_y = p.box.y + p.box.h - (p.framed ? 2 : 1);
	return p;
}

int dialog_scroll(const struct dialog *d, const struct grid *g, struct rect screen)
{
	struct place p = place(d, g, screen);
	int last = grid_lines(g, p.text.w, d->text) - p.text.h;

	if (d->top > last)
		return last > 0 ? last : 0;
	return d->top > 0 ? d->top : 0;
}

static void draw_buttons(struct grid *g, int x, int y, int right, const struct dialog *d)
{
	for (size_t i = 0; i < d->n_buttons && x < right; i++) {
		int from = x;

		if (i == d->chosen) {
			g->cursor_x = x;
			g->cursor_y = y;
		}
		x += grid_text(g, x, y, right - x, STYLE_STRONG, i == d->chosen ? "[" : " ");
		x += grid_text(g, x, y, right - x, i == d->chosen ? STYLE_STRONG : STYLE_TEXT, d->buttons[i]);
		x += grid_text(g, x, y, right - x, STYLE_STRONG, i == d->chosen ? "]" : " ");
		if (i == d->chosen)
			grid_pick(g, (struct rect){ from, y, x - from, 1 });
		x += 2;
	}
}

void dialog_draw(struct grid *g, struct rect screen, const struct dialog *d)
{
	struct place p = place(d, g, screen);
	int lines = grid_lines(g, p.text.w, d->text), indent = p.framed ? 2 : 0;

	grid_frame(g, p.box, p.framed, d->title,
	           lines <= d->top + p.text.h ? ""
	           : d->n_buttons > 0         ? "(j: more) "
	                                      : "(more) ");
	grid_wrap(g, p.text, d->top, STYLE_TEXT, d->text);
	if (p.buttons_y >= 0)
		draw_buttons(g, p.box.x + indent, p.buttons_y, p.box.x + p.box.w - indent, d);
}

size_t dialog_button_at(const struct dialog *d, const struct grid *g, struct rect screen, int x, int y)
{
	struct place p = place(d, g, screen);
	int at = p.box.x + (p.framed ? 2 : 0);

	for (size_t i = 0; i < d->n_buttons && y == p.buttons_y; i++) {
		int end = at + 2 + grid_columns(g, d->buttons[i]);

		if (x >= at && x < end)
			return i;
		at = end + 2;
	}
	return d->n_buttons;
}
