#include "sample.h"

#include "ui/input.h"

struct fixture {
	struct snapshot s;
	struct app a;
	uint64_t now;
};

static void set_up(struct fixture *f)
{
	f->s = sample_snapshot();
	f->a = sample_app(&f->s);
	f->now = SAMPLE_NOW;
}

static void tear_down(struct fixture *f)
{
	app_done(&f->a);
	snapshot_done(&f->s);
}

static struct app_command press(struct fixture *f, int key)
{
	return sample_press(&f->a, &f->s, key, f->now);
}

static void follow(struct fixture *f)
{
	struct world w = sample_world(&f->s);

	app_follow(&f->a, &w);
}

static void go_to(struct fixture *f, const char *name)
{
	press(f, 'g');
	for (size_t i = 0; i < f->s.n && strcmp(f->a.selected, name) != 0; i++)
		press(f, 'j');
	assert_string_equal(f->a.selected, name);
}

static void set_state(struct fixture *f, const char *name, enum machine_state state)
{
	for (size_t i = 0; i < f->s.n; i++)
		if (!strcmp(f->s.v[i].name, name))
			f->s.v[i].state = state;
	follow(f);
}

static void no_key_means_two_things_on_a_screen(void **state)
{
	static const enum screen screens[] = { SCREEN_LIST,    SCREEN_PANE, SCREEN_LOGS,  SCREEN_TEXT,
		                               SCREEN_CONFIRM, SCREEN_MENU, SCREEN_PROMPT };

	(void)state;
	for (size_t s = 0; s < COUNT(screens); s++) {
		for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
			CLEANUP(strs_done) struct strs keys = { 0 };

			if (!(keys_binding(a)->screens & screens[s]))
				continue;
			strs_split(&keys, keys_binding(a)->keys, " ");
			assert_true(keys.n > 0);
			for (size_t i = 0; i < keys.n; i++) {
				int key = keys_parse(keys.v[i], strlen(keys.v[i]));

				assert_int_not_equal(key, INPUT_NONE);
				assert_int_equal(keys_action(screens[s], key), a);
			}
		}
	}
}

static void the_selection_follows_its_machine_not_its_row(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "mail");
	set_state(&f, "mail", MACHINE_FAILED);
	assert_string_equal(f.a.selected, "mail");
	assert_true(f.a.row < 3);
	set_state(&f, "mail", MACHINE_RUNNING);
	assert_string_equal(f.a.selected, "mail");
}

static void when_the_selected_machine_goes_its_neighbour_is_selected(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct snapshot nothing = { .taken_usec = SAMPLE_NOW };
	struct world w = sample_world(&nothing);

	(void)state;
	set_up(&f);
	press(&f, 'G');
	assert_string_equal(f.a.selected, "lab");
	machine_done(&f.s.v[4]);
	memmove(&f.s.v[4], &f.s.v[5], (--f.s.n - 4) * sizeof(*f.s.v));
	follow(&f);
	assert_string_equal(f.a.selected, "win11");
	app_follow(&f.a, &w);
	assert_string_equal(f.a.selected, "");
	assert_int_equal(sample_press(&f.a, &nothing, 's', f.now).what, APP_NOTHING);
	assert_int_equal(sample_press(&f.a, &nothing, 'j', f.now).what, APP_NOTHING);
}

static void starting_needs_no_question(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct app_command c;

	(void)state;
	set_up(&f);
	go_to(&f, "lab");
	c = press(&f, 's');
	assert_int_equal(c.what, APP_CONTROL);
	assert_int_equal(c.verb, CONTROL_START);
	assert_string_equal(c.name, "lab");
	assert_string_equal(f.a.message.text, "lab: starting…");
	assert_int_equal(press(&f, 's').what, APP_NOTHING); /* asked already */
}

static void stopping_asks_and_enter_means_no(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	assert_int_equal(press(&f, 'x').what, APP_FLUSH_INPUT);
	app_shown(&f.a, f.now);
	f.now += 10 * SAMPLE_SEC;
	assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING);
	assert_false(f.a.confirm.open);
}

static void yes_counts_only_after_the_question_could_be_read(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct app_command c;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	press(&f, 'x');
	f.now += 60 * SAMPLE_SEC;
	assert_int_equal(press(&f, 'y').what, APP_NOTHING); /* the terminal has not shown it yet */
	app_shown(&f.a, f.now);
	f.now += APP_CONFIRM_USEC - 1;
	assert_int_equal(press(&f, 'y').what, APP_NOTHING);
	assert_true(f.a.confirm.open);
	f.now += 1;
	c = press(&f, 'y');
	assert_int_equal(c.what, APP_CONTROL);
	assert_int_equal(c.verb, CONTROL_STOP);
	assert_string_equal(c.name, "db");
	assert_false(f.a.confirm.open);
}

static void mending_shows_what_it_would_do_and_logs_that(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct app_command c;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	press(&f, 'M');
	assert_true(f.a.confirm.open);
	assert_null(f.a.confirm.preview);
	app_preview(&f.a, CONTROL_MEND, "# on the host: ve-db is down\nip link set dev ve-db up\n");
	app_shown(&f.a, f.now);
	f.now += SAMPLE_SEC;
	c = press(&f, 'y');
	assert_int_equal(c.what, APP_CONTROL);
	assert_int_equal(c.verb, CONTROL_MEND);
	assert_int_equal(f.a.n_log, 2);
	assert_string_equal(f.a.log[0].command, "ip link set dev ve-db up");
	assert_string_equal(f.a.log[1].command, "machdeck mend db");
	assert_null(f.a.confirm.preview);
	app_preview(&f.a, CONTROL_MEND, "too late"); /* the question is gone */
	assert_null(f.a.confirm.preview);
}

static void a_question_about_nothing_goes_by_itself(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	app_nothing_to_do(&f.a, CONTROL_MEND); /* nobody asked */
	press(&f, 'M');
	app_nothing_to_do(&f.a, CONTROL_STOP); /* of another question */
	assert_true(f.a.confirm.open);
	app_nothing_to_do(&f.a, CONTROL_MEND);
	assert_false(f.a.confirm.open);
	assert_string_equal(f.a.message.text,
	                    "db: nothing is missing of its network, so there is nothing to mend");
}

static void nothing_is_mended_while_it_is_read_only(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	f.a.read_only = "a test";
	go_to(&f, "db");
	assert_int_equal(press(&f, 'M').what, APP_NOTHING);
	assert_false(f.a.confirm.open);
}

static void the_marked_answer_can_be_switched(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	press(&f, 'R');
	app_shown(&f.a, f.now);
	f.now += SAMPLE_SEC;
	press(&f, INPUT_TAB);
	assert_int_equal(press(&f, INPUT_ENTER).verb, CONTROL_RESTART);
}

static void a_question_is_about_what_it_says_even_when_rows_move(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "db");
	press(&f, 'x');
	app_shown(&f.a, f.now);
	f.now += SAMPLE_SEC;
	set_state(&f, "db", MACHINE_STOPPED);
	assert_int_equal(press(&f, 'y').what, APP_NOTHING);
	assert_string_equal(f.a.message.text, "db is not running");
}

static void what_can_not_be_done_is_said(void **state)
{
	static const struct {
		const char *name;
		int key;
		const char *said;
	} cases[] = {
		{ "db", 's', "db is running already" },
		{ "lab", 'x', "lab is not running" },
		{ "lab", 'R', "lab is not running: start it" },
		{ "cache", 'r', "cache is not running" },
		{ "build", 's', "build is starting already" },
		{ "win11", 'x', "win11 is a virtual machine: use the tool that started it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f);
		go_to(&f, cases[i].name);
		assert_int_equal(press(&f, cases[i].key).what, APP_NOTHING);
		assert_string_equal(f.a.message.text, cases[i].said);
	}
}

static void a_job_ends_in_a_sentence(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct err e;

	(void)state;
	set_up(&f);
	go_to(&f, "lab");
	press(&f, 's');
	assert_non_null(app_job(&f.a, "lab"));
	app_result(&f.a, "lab", CONTROL_START, 0, NULL, f.now + 1250000);
	assert_string_equal(f.a.message.text, "lab: started in 1.2 s");
	assert_null(app_job(&f.a, "lab"));

	press(&f, 's');
	(void)err_set(&e, STATUS_FAILED, 5, "lab: no such luck");
	app_result(&f.a, "lab", CONTROL_START, -5, &e, f.now);
	assert_string_equal(f.a.message.text, "lab: no such luck");
	assert_int_equal(f.a.message.style, STYLE_BAD);
}

static void a_machine_that_fails_right_after_its_start_is_not_called_started(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	go_to(&f, "lab");
	press(&f, 's');
	app_result(&f.a, "lab", CONTROL_START, 0, NULL, f.now + 300000);
	f.s.v[4].since_usec = f.now + 400000;
	set_state(&f, "lab", MACHINE_FAILED);
	assert_string_equal(f.a.message.text, "lab: it started, and failed then");
	f.s.v[4].reason = strdup("out of memory");
	follow(&f);
	assert_string_equal(f.a.message.text, "lab: it started, and failed then: out of memory");
	press(&f, INPUT_ESC);
	follow(&f);
	assert_string_equal(f.a.message.text, "");
}

static void a_start_that_a_stop_replaced_says_nothing(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct err e;

	(void)state;
	set_up(&f);
	go_to(&f, "lab");
	press(&f, 's');
	set_state(&f, "lab", MACHINE_STARTING);
	press(&f, 'x');
	app_shown(&f.a, f.now);
	f.now += SAMPLE_SEC;
	assert_int_equal(press(&f, 'y').verb, CONTROL_STOP);
	(void)err_set(&e, STATUS_FAILED, 125, "lab: the start was canceled");
	app_result(&f.a, "lab", CONTROL_START, -125, &e, f.now);
	assert_string_equal(f.a.message.text, "lab: stopping…");
	assert_int_equal(app_job(&f.a, "lab")->verb, CONTROL_STOP);
}

static void a_key_that_does_nothing_is_said_until_the_next_key(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	(void)press(&f, ';');
	assert_non_null(strstr(f.a.message.text, "that key does nothing here"));
	(void)press(&f, 'j');
	assert_string_equal(f.a.message.text, "");
}

static void a_paste_does_nothing_and_says_so(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(press(&f, INPUT_PASTE).what, APP_NOTHING);
	assert_non_null(strstr(f.a.message.text, "ignored"));
}

static void random_keys_never_do_harm_without_a_question(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	srandom(7);
	for (int i = 0; i < 200000; i++) {
		struct app_command c = press(&f, (int)(random() % 140));

		f.now += 1000;
		assert_false(c.what == APP_CONTROL &&
		             (c.verb == CONTROL_STOP || c.verb == CONTROL_RESTART ||
		              c.verb == CONTROL_FREEZE || c.verb == CONTROL_TERMINATE ||
		              c.verb == CONTROL_KILL));
		if (c.what == APP_CONTROL)
			app_result(&f.a, c.name, c.verb, 0, NULL, f.now);
		assert_true(f.a.row < f.a.n_order || f.a.n_order == 0);
	}
}

static void every_menu_is_left_with_esc_and_with_q(void **state)
{
	static const int opened_by[] = { INPUT_F1 + 1, 'y', 'K' };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(opened_by); i++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f);
		press(&f, opened_by[i / 2]);
		assert_int_equal(app_screen(&f.a), SCREEN_MENU);
		press(&f, i % 2 ? 'q' : INPUT_ESC);
		assert_int_equal(app_screen(&f.a), SCREEN_LIST);
	}
}

/* A byte of what comes out of a terminal, be it well or not: keys, pastes, mouse reports, broken sequences. */
static unsigned char hostile_byte(void)
{
	static const char *const pieces[] = {
		"\x1b[200~sxK\ry!:", "\x1b[201~", "\x1b[<0;9;9M", "\x1b[<64;1;1M", "\x1b[", "\x1bO",
		"\x1b]52;c;",        "\xe2\x82",  "\x1b[M  ",     "\x1b[[A"
	};
	static const char *next = "";

	if (!*next && random() % 8 == 0)
		next = pieces[(size_t)random() % COUNT(pieces)];
	if (*next)
		return (unsigned char)*next++;
	return (unsigned char)(random() % 256);
}

static void a_million_hostile_bytes_change_nothing_while_it_is_read_only(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct input in = { 0 };
	size_t keys = 0, screens = 0;

	(void)state;
	set_up(&f);
	f.a.read_only = "you started it with --read-only";
	srandom(11);
	while (keys < 1000000) {
		int key = random() % 50 ? input_byte(&in, hostile_byte()) : input_expire(&in);
		struct world w = sample_world(&f.s);
		struct app_command c;

		if (key == INPUT_NONE)
			continue;
		keys++;
		f.now += 1000 + (uint64_t)random() % 300000;
		app_key(&f.a, &w, key, f.now);
		while (app_next(&f.a, &c)) {
			if (c.what == APP_CONTROL || c.what == APP_CANCEL || c.what == APP_SESSION ||
			    c.what == APP_RUN || c.what == APP_SAVE_LOGS || c.what == APP_PAGE_LOGS ||
			    c.what == APP_LOCK)
				fail_msg("key %zu, %d, made effect %d", keys, key, (int)c.what);
			app_command_done(&c);
		}
		screens |= app_screen(&f.a);
		app_shown(&f.a, f.now);
	}
	assert_int_equal(screens & AT_WORK, AT_WORK);
	assert_true(screens & SCREEN_PROMPT && screens & SCREEN_MENU && screens & SCREEN_TEXT);
}

static void ten_kilobytes_pasted_change_nothing_for_who_may_do_all(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct world w;
	struct app_command c;

	(void)state;
	set_up(&f);
	w = sample_world(&f.s);
	srandom(13);
	for (int i = 0; i < 10240; i++) {
		f.now += 10000;
		app_key(&f.a, &w, (int)(' ' + random() % 95) | INPUT_PASTED, f.now);
		assert_false(app_next(&f.a, &c));
	}
	app_key(&f.a, &w, INPUT_PASTE, f.now);
	assert_false(app_next(&f.a, &c));
	assert_int_equal(app_screen(&f.a), SCREEN_LIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_means_two_things_on_a_screen),
		cmocka_unit_test(the_selection_follows_its_machine_not_its_row),
		cmocka_unit_test(when_the_selected_machine_goes_its_neighbour_is_selected),
		cmocka_unit_test(starting_needs_no_question),
		cmocka_unit_test(stopping_asks_and_enter_means_no),
		cmocka_unit_test(yes_counts_only_after_the_question_could_be_read),
		cmocka_unit_test(mending_shows_what_it_would_do_and_logs_that),
		cmocka_unit_test(a_question_about_nothing_goes_by_itself),
		cmocka_unit_test(nothing_is_mended_while_it_is_read_only),
		cmocka_unit_test(the_marked_answer_can_be_switched),
		cmocka_unit_test(a_question_is_about_what_it_says_even_when_rows_move),
		cmocka_unit_test(what_can_not_be_done_is_said),
		cmocka_unit_test(a_job_ends_in_a_sentence),
		cmocka_unit_test(a_machine_that_fails_right_after_its_start_is_not_called_started),
		cmocka_unit_test(a_start_that_a_stop_replaced_says_nothing),
		cmocka_unit_test(a_key_that_does_nothing_is_said_until_the_next_key),
		cmocka_unit_test(a_paste_does_nothing_and_says_so),
		cmocka_unit_test(random_keys_never_do_harm_without_a_question),
		cmocka_unit_test(every_menu_is_left_with_esc_and_with_q),
		cmocka_unit_test(a_million_hostile_bytes_change_nothing_while_it_is_read_only),
		cmocka_unit_test(ten_kilobytes_pasted_change_nothing_for_who_may_do_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
