#include "ui/click.h"

static void sort_by(struct app *a, size_t column)
{
	size_t n = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		enum column_id id = a->columns.order[i];

		if (!a->columns.shown[id] || n++ != column)
			continue;
		a->sort = (struct columns_sort){ .by = id, .reverse = a->sort.by == id && !a->sort.reverse };
		return;
	}
}

static void press(struct app *a, const struct world *w, const struct screen_hit *hit, const struct view *v,
                  bool twice, uint64_t now_usec)
{
	switch (hit->part) {
	case PART_ROW:
		if (hit->index >= a->n_order)
			return;
		app_select(a, w, w->s->v[a->order[hit->index]].name);
		a->pane.focused = false;
		if (twice)
			app_act(a, w, ACTION_OPEN, now_usec);
		break;
	case PART_HEADING:
		sort_by(a, hit->index);
		break;
	case PART_TAB:
		app_act(a, w, (enum action)(ACTION_TAB_OVERVIEW + hit->index), now_usec);
		break;
	case PART_KEY:
		app_act(a, w, v->key_actions[hit->index], now_usec);
		break;
	case PART_ITEM:
		a->menu_row = hit->index;
		app_act(a, w, a->prompt == PROMPT_PALETTE ? ACTION_ACCEPT : ACTION_CHOOSE, now_usec);
		break;
	case PART_BUTTON:
		if (hit->index < v->dialog.n_buttons)
			app_answer(a, w, hit->index == 1, now_usec);
		break;
	case PART_NOTHING:
		break;
	}
}

void click(struct app *a, const struct world *w, const struct grid *g, const struct view *v,
           const struct input_mouse *m, bool twice, uint64_t now_usec)
{
	struct screen_hit hit = screen_hit(g, v, m->x, m->y);

	switch (m->button) {
	case INPUT_WHEEL_UP:
		app_move(a, w, -3);
		break;
	case INPUT_WHEEL_DOWN:
		app_move(a, w, 3);
		break;
	case INPUT_BUTTON_LEFT:
		press(a, w, &hit, v, twice, now_usec);
		break;
	case INPUT_BUTTON_MIDDLE:
	case INPUT_BUTTON_RIGHT:
		break;
	}
}
