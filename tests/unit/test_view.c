#include "sample.h"

#include <time.h>

#include "ui/frame.h"
#include "ui/input.h"
#include "ui/menu.h"

static const struct {
	int w, h;
} sizes[] = { { 120, 40 }, { 80, 24 }, { 40, 10 }, { 20, 5 } };

static void at_all_sizes(const char *name, struct app *a, const struct snapshot *s)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "%s-%dx%d", name, sizes[i].w, sizes[i].h);
		golden_screen(file, a, s, sizes[i].w, sizes[i].h, false);
	}
}

static void a_list_names_what_failed_first(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	at_all_sizes("list", &a, &s);
}

static void an_ascii_terminal_gets_ascii(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	sample_press(&a, &s, 's', SAMPLE_NOW);
	golden_screen("ascii-80x24", &a, &s, 80, 24, true);
	a.text = APP_TEXT_HELP;
	text = sample_screen(&a, &s, 80, 24, true);
	for (size_t i = 0; i < text.len; i++)
		assert_in_range(text.p[i], '\n', '~');
}

static void what_does_not_work_is_above_the_list(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(buf_done) struct buf text = { 0 }, old = { 0 };
	struct world w = sample_world(&s);

	(void)state;
	w.trouble = "the recording ended: No space left on device";
	text = sample_screen_of(&a, &w, 80, 24, false);
	assert_non_null(strstr(buf_text(&text), w.trouble));
	s.stale = strdup("states are old");
	old = sample_screen_of(&a, &w, 80, 24, false);
	assert_null(strstr(buf_text(&old), w.trouble));
	assert_non_null(strstr(buf_text(&old), "states are old; shown as of"));
}

static void an_empty_system_says_what_to_do(void **state)
{
	struct snapshot s = { .taken_usec = SAMPLE_NOW };
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	at_all_sizes("empty", &a, &s);
}

static void a_question_names_machine_and_host_and_means_no(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	sample_press(&a, &s, 'j', SAMPLE_NOW);
	sample_press(&a, &s, 'j', SAMPLE_NOW);
	sample_press(&a, &s, 'x', SAMPLE_NOW);
	assert_int_equal(app_screen(&a), SCREEN_CONFIRM);
	at_all_sizes("confirm", &a, &s);
}

static void a_question_longer_than_the_screen_is_read_to_its_end(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(buf_done) struct buf before = { 0 }, after = { 0 };

	(void)state;
	sample_press(&a, &s, 'j', SAMPLE_NOW);
	sample_press(&a, &s, 'j', SAMPLE_NOW);
	sample_press(&a, &s, 'M', SAMPLE_NOW);
	app_preview(&a, CONTROL_MEND, "# one\nip a\n# two\nip b\n# three\nip c\n");
	before = sample_screen(&a, &s, 40, 10, false);
	assert_non_null(strstr(buf_text(&before), "(j: more)"));
	assert_null(strstr(buf_text(&before), "ip c"));
	for (int i = 0; i < 20; i++)
		sample_press(&a, &s, 'j', SAMPLE_NOW);
	after = sample_screen(&a, &s, 40, 10, false);
	assert_null(strstr(buf_text(&after), "(j: more)"));
	assert_non_null(strstr(buf_text(&after), "as it should be stays."));
	assert_false(a.confirm.yes);
	sample_press(&a, &s, 'k', SAMPLE_NOW); /* from where the frame left it, not from 20 lines below */
	assert_int_equal(app_screen(&a), SCREEN_CONFIRM);
	buf_done(&after);
	after = sample_screen(&a, &s, 40, 10, false);
	assert_non_null(strstr(buf_text(&after), "(j: more)"));
}

static void help_shows_every_key(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(view_done) struct view v = { 0 };
	struct world w = sample_world(&s);

	(void)state;
	sample_press(&a, &s, '?', SAMPLE_NOW);
	at_all_sizes("help", &a, &s);
	view_build(&a, &w, SAMPLE_NOW, &v);
	for (enum action i = ACTION_NONE + 1; i < ACTION_COUNT; i++) {
		assert_non_null(strstr(buf_text(&v.text.doc.text), keys_binding(i)->keys));
		assert_non_null(strstr(buf_text(&v.text.doc.text), keys_binding(i)->help));
	}
}

static bool bar_has(struct app *a, const struct snapshot *s, enum action action)
{
	CLEANUP(view_done) struct view v = { 0 };
	struct world w = sample_world(s);

	view_build(a, &w, SAMPLE_NOW, &v);
	for (size_t i = 0; i < v.n_keys; i++)
		if (v.key_actions[i] == action)
			return true;
	return false;
}

/* Goes to a screen; the question and the menu come up by a key, too. */
static void go_to_screen(struct app *a, const struct snapshot *s, enum screen screen)
{
	static const struct {
		enum screen screen;
		const char *keys;
	} ways[] = { { SCREEN_LIST, "" },   { SCREEN_PANE, "1\t" },    { SCREEN_LOGS, "l" },
		     { SCREEN_TEXT, "?" },  { SCREEN_CONFIRM, "jjx" }, { SCREEN_MENU, "y" },
		     { SCREEN_PROMPT, "/" } };

	for (size_t i = 0; i < COUNT(ways); i++)
		for (const char *k = ways[i].keys; ways[i].screen == screen && *k; k++)
			sample_press(a, s, *k, SAMPLE_NOW);
	assert_int_equal(app_screen(a), screen);
}

static void every_action_is_on_the_bar_of_its_screens(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();

	(void)state;
	for (enum screen screen = SCREEN_LIST; screen <= SCREEN_PROMPT; screen *= 2) {
		CLEANUP(app_done) struct app a = sample_app(&s);
		CLEANUP(buf_done) struct buf text = { 0 };
		struct world w = sample_world(&s);

		go_to_screen(&a, &s, screen);
		text = sample_screen(&a, &s, 1000, 50, false);
		for (enum action i = ACTION_NONE + 1; i < ACTION_COUNT; i++) {
			char key[KEY_TEXT_MAX], shown[64];

			if (!(keys_binding(i)->screens & screen) ||
			    (!(screen & AT_WORK) && !app_can(&a, &w, i)))
				continue;
			assert_true(bar_has(&a, &s, i));
			keys_first(i, key);
			(void)snprintf(shown, sizeof(shown), "%s %s", key, keys_binding(i)->bar);
			if (screen == SCREEN_LOGS && !strstr(buf_text(&text), shown))
				fail_msg("the bar of screen %d lacks '%s'", (int)screen, shown);
		}
	}
}

static void every_action_of_the_work_screens_is_in_the_palette(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(menu_done) struct menu m = { 0 };
	struct world w = sample_world(&s);

	(void)state;
	sample_press(&a, &s, ':', SAMPLE_NOW);
	menu_build(&a, &w, &m);
	for (enum action i = ACTION_NONE + 1; i < ACTION_COUNT; i++) {
		size_t n = 0;

		for (size_t k = 0; k < m.n; k++)
			n += m.v[k].action == i;
		assert_int_equal(n, keys_binding(i)->screens & AT_WORK ? 1 : 0);
	}
}

static void details_show_the_whole_reason(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	sample_press(&a, &s, INPUT_ENTER, SAMPLE_NOW);
	at_all_sizes("details", &a, &s);
}

static bool screen_says(struct app *a, const struct snapshot *s, int w, int h, const char *text)
{
	struct world world = sample_world(s);
	CLEANUP(buf_done) struct buf screen = sample_screen_of(a, &world, w, h, false);

	return strstr(buf_text(&screen), text);
}

static void what_is_not_seen_says_its_right_at_every_size(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	static const char all[] = "guest addresses: CAP_NET_ADMIN; logs: group systemd-journal; "
				  "systems, images, failed units inside: root";

	(void)state;
	s.limits = strdup(all);
	s.closed = true;
	assert_true(screen_says(&a, &s, 120, 40, all));
	assert_true(screen_says(&a, &s, 80, 24, "not all is seen: ? says why"));
	assert_true(screen_says(&a, &s, 40, 10, "not all is seen: ? says why"));
	sample_press(&a, &s, '?', SAMPLE_NOW);
	assert_true(screen_says(&a, &s, 80, 24, "logs: group systemd-journal"));
	assert_true(screen_says(&a, &s, 40, 10, "logs: group systemd-journal"));
}

static void of_a_machine_that_seems_well_the_evidence_says_what_is_not_seen(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	s.closed = true;
	for (int i = 0; i < 3; i++)
		sample_press(&a, &s, 'j', SAMPLE_NOW);
	assert_int_equal(snapshot_find(&s, a.selected)->state, MACHINE_RUNNING);
	sample_press(&a, &s, 'w', SAMPLE_NOW);
	assert_true(screen_says(&a, &s, 80, 24, "failed units inside: that takes root"));
}

static void old_data_is_announced(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	s.stale = strdup(
		"states are from systemd-machined's files alone: cannot connect to systemd: No such file or "
		"directory (is it running?)");
	at_all_sizes("stale", &a, &s);
}

static void what_was_asked_for_shows_at_once_and_its_failure_in_full(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	struct err e;

	(void)state;
	sample_press(&a, &s, 'G', SAMPLE_NOW - 12 * SAMPLE_SEC);
	assert_string_equal(a.selected, "lab");
	assert_int_equal(sample_press(&a, &s, 's', SAMPLE_NOW - 12 * SAMPLE_SEC).what, APP_CONTROL);
	golden_screen("starting-80x24", &a, &s, 80, 24, false);
	(void)err_set(
		&e, STATUS_FAILED, 5,
		"lab: it did not start: the guest's init ended with exit status 127 before it was ready "
		"(/sbin/init is missing in /var/lib/containers/lab)");
	app_result(&a, "lab", CONTROL_START, -5, &e, SAMPLE_NOW);
	golden_screen("failed-80x24", &a, &s, 80, 24, false);
	golden_screen("failed-40x10", &a, &s, 40, 10, false);
}

static void every_size_from_1x1_up_is_drawn(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);

	(void)state;
	s.stale = strdup("the bus is gone");
	for (int w = 1; w <= 90; w += w < 30 ? 1 : 7) {
		for (int h = 1; h <= 30; h += h < 12 ? 1 : 5) {
			for (int screen = 0; screen < 4; screen++) {
				CLEANUP(buf_done) struct buf text = { 0 };

				a.confirm.open = screen == 1;
				a.text = screen == 2   ? APP_TEXT_HELP
				         : screen == 3 ? APP_TEXT_COMMANDS
				                       : APP_TEXT_NONE;
				text = sample_screen(&a, &s, w, h, w % 2);
				assert_true(text.len > 0);
			}
		}
	}
}

static void hostile_text_is_shown_and_keeps_its_columns(void **state)
{
	static const struct sample hostile[] = {
		{ "evil\x1b[2J", NULL, MACHINE_FAILED, 5, "10.0.0.1\x9b", "tcp:%n:%s", true, false,
		  "\x1b]0;owned\a \xe2\x80\xae"
		  "gnp.exe \xff\xfe データベース" },
		{ "データベース", NULL, MACHINE_RUNNING, 5, "10.0.0.2", "", false, false, NULL },
	};
	CLEANUP(snapshot_done) struct snapshot s = { .taken_usec = SAMPLE_NOW };
	CLEANUP(app_done) struct app a;

	(void)state;
	app_init(&a);
	sample_add(&s, &hostile[0]);
	sample_add(&s, &hostile[1]);
	golden_screen("hostile-80x10", &a, &s, 80, 10, false);
	golden_screen("hostile-30x6", &a, &s, 30, 6, false);
}

static uint64_t tick_at_age(uint64_t seconds, uint64_t period_usec)
{
	struct sample one = { "one", NULL, MACHINE_RUNNING, seconds, "", "", false, false, NULL };
	CLEANUP(snapshot_done) struct snapshot s = { .taken_usec = SAMPLE_NOW };
	CLEANUP(app_done) struct app a;
	CLEANUP(view_done) struct view v = { 0 };
	CLEANUP(grid_done) struct grid g = { 0 };
	struct world w = sample_world(&s);

	app_init(&a);
	a.period_usec = period_usec;
	sample_add(&s, &one);
	assert_int_equal(grid_init(&g, 80, 24, false), 0);
	frame_draw(&a, &w, SAMPLE_NOW, &g, &v);
	return frame_tick(&a, &g, &v);
}

static void the_clock_ticks_no_more_often_than_what_is_shown_changes(void **state)
{
	(void)state;
	assert_int_equal(tick_at_age(0, 0), 0);
	assert_int_equal(tick_at_age(59, 0), SAMPLE_SEC);
	assert_int_equal(tick_at_age(60, 0), 60 * SAMPLE_SEC);
	assert_int_equal(tick_at_age(3600, 0), 3600 * SAMPLE_SEC);
	assert_int_equal(tick_at_age(86400 * 9, 0), 3600 * SAMPLE_SEC);
}

static void seconds_of_an_age_wait_for_the_next_sample(void **state)
{
	(void)state;
	assert_int_equal(tick_at_age(0, 2 * SAMPLE_SEC), 0);
	assert_int_equal(tick_at_age(59, 2 * SAMPLE_SEC), 2 * SAMPLE_SEC);
	assert_int_equal(tick_at_age(60, 2 * SAMPLE_SEC), 60 * SAMPLE_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_names_what_failed_first),
		cmocka_unit_test(an_ascii_terminal_gets_ascii),
		cmocka_unit_test(what_does_not_work_is_above_the_list),
		cmocka_unit_test(an_empty_system_says_what_to_do),
		cmocka_unit_test(a_question_names_machine_and_host_and_means_no),
		cmocka_unit_test(a_question_longer_than_the_screen_is_read_to_its_end),
		cmocka_unit_test(help_shows_every_key),
		cmocka_unit_test(every_action_is_on_the_bar_of_its_screens),
		cmocka_unit_test(every_action_of_the_work_screens_is_in_the_palette),
		cmocka_unit_test(details_show_the_whole_reason),
		cmocka_unit_test(what_is_not_seen_says_its_right_at_every_size),
		cmocka_unit_test(of_a_machine_that_seems_well_the_evidence_says_what_is_not_seen),
		cmocka_unit_test(old_data_is_announced),
		cmocka_unit_test(what_was_asked_for_shows_at_once_and_its_failure_in_full),
		cmocka_unit_test(every_size_from_1x1_up_is_drawn),
		cmocka_unit_test(hostile_text_is_shown_and_keeps_its_columns),
		cmocka_unit_test(the_clock_ticks_no_more_often_than_what_is_shown_changes),
		cmocka_unit_test(seconds_of_an_age_wait_for_the_next_sample),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
