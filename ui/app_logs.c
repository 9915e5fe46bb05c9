#include "ui/app.h"

static void say_missing(struct app *a, bool found, const char *what)
{
	if (!found)
		app_say(a, STYLE_TEXT, 0, "there is no %s", what);
}

bool app_logs_act(struct app *a, struct logview *logs, enum action action)
{
	switch (action) {
	case ACTION_UP:
		logview_scroll(logs, -1);
		return true;
	case ACTION_DOWN:
		logview_scroll(logs, 1);
		return true;
	case ACTION_PAGE_UP:
		logview_page(logs, -1, a->pane.page);
		return true;
	case ACTION_PAGE_DOWN:
		logview_page(logs, 1, a->pane.page);
		return true;
	case ACTION_HALF_UP:
		logview_page(logs, -1, a->pane.page / 2);
		return true;
	case ACTION_HALF_DOWN:
		logview_page(logs, 1, a->pane.page / 2);
		return true;
	case ACTION_FIRST:
		logview_begin(logs);
		return true;
	case ACTION_LAST:
	case ACTION_FOLLOW:
		logview_end(logs);
		return true;
	case ACTION_SEARCH_NEXT:
		say_missing(a, logview_next(logs, 1), "such line below: / searches");
		return true;
	case ACTION_SEARCH_BACK:
		say_missing(a, logview_next(logs, -1), "such line above: / searches");
		return true;
	case ACTION_ERROR_NEXT:
		say_missing(a, logview_error_next(logs, 1), "error below");
		return true;
	case ACTION_ERROR_BACK:
		say_missing(a, logview_error_next(logs, -1), "error above");
		return true;
	case ACTION_PRIORITY:
		logview_priority_next(logs);
		return true;
	case ACTION_SOURCE:
		logview_source_next(logs);
		return true;
	case ACTION_TIME:
		logview_time_next(logs);
		return true;
	case ACTION_WRAP:
		logview_wrap(logs);
		return true;
	case ACTION_SIDE_LEFT:
		logview_side(logs, -8);
		return true;
	case ACTION_SIDE_RIGHT:
		logview_side(logs, 8);
		return true;
	case ACTION_SAVE:
		app_open_prompt(a, PROMPT_SAVE, "");
		return true;
	case ACTION_PAGER:
		app_todo(a, APP_PAGE_LOGS, CONTROL_START, NULL, NULL, NULL);
		return true;
	default:
		return false;
	}
}

void app_logs_take(struct app *a, struct logview *logs, enum app_prompt prompt, const char *text)
{
	struct err e = { 0 };
	int r = prompt == PROMPT_LINES ? logview_filter(logs, text, &e) : logview_search(logs, text, &e);

	if (r < 0)
		app_say(a, STYLE_BAD, 0, "%s", e.text);
	else if (r == 0 && prompt == PROMPT_SEARCH && *text)
		app_say(a, STYLE_TEXT, 0, "nowhere: '%s'", text);
}
