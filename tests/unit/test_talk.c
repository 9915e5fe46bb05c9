#include "ui/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/player.h"
#include "engine/timeline.h"
#include "golden.h"

static struct player *p;
static struct talk t;
static struct buf out;

static struct world world_now(void)
{
	struct world w = world_nothing;

	w.s = player_now(p);
	w.stats = player_stats(p);
	w.events = player_events(p);
	return w;
}

static void open_tape(const char *path)
{
	struct err e;

	if (player_new(NULL, open(path, O_RDONLY | O_CLOEXEC), path, 0, NULL, NULL, &p, &e) < 0)
		fail_msg("%s", e.text);
}

static int end(void **state)
{
	(void)state;
	player_free(p);
	talk_done(&t);
	buf_done(&out);
	t = (struct talk){ 0 };
	p = NULL;
	return 0;
}

/* A line is typed: it stands in the transcript as the terminal would echo it. */
static struct talk_command type(const char *line)
{
	struct world w = world_now();

	buf_addf(&out, "%s\n", line);
	return talk_line(&t, &w, player_clock_usec(p), line, &out);
}

static void begin(const char *tape)
{
	struct world w;

	open_tape(tape);
	w = world_now();
	talk_begin(&t, &w, player_clock_usec(p), &out);
}

static void a_list_and_a_machine_are_told_as_sentences(void **state)
{
	static const char *const lines[] = { "2",      "b",  "mail", "?",      "",   "l",
		                             "nobody", "99", "0",    "web-01", "fly" };

	(void)state;
	begin("tests/tapes/everyday.tape");
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_false(type(lines[i]).act);
	assert_true(type("q").quit);
	assert_golden("talk-everyday.txt", buf_text(&out));
}

static void an_evening_is_told_as_it_happens(void **state)
{
	struct timeline *timeline;
	size_t told = 0;

	(void)state;
	begin("tests/tapes/evening.tape");
	assert_int_equal(timeline_new(NULL, NULL, NULL, &timeline, NULL), 0);
	timeline_snapshot(timeline, player_now(p));
	while (player_step(p)) {
		const struct events *all;
		struct events fresh;
		struct world w = world_now();

		timeline_snapshot(timeline, player_now(p));
		all = timeline_events(timeline);
		fresh = (struct events){ .v = all->v + told, .n = all->n - told };
		talk_events(&t, &w, &fresh, &out);
		told = all->n;
	}
	timeline_free(timeline);
	assert_golden("talk-evening.txt", buf_text(&out));
}

static void hostile_texts_move_no_cursor(void **state)
{
	(void)state;
	begin("tests/tapes/zoo.tape");
	for (size_t i = 0; i < t.listed.n; i++) {
		(void)type(t.listed.v[i]);
		(void)type("b");
	}
	(void)type("\x1b[2J\xff");
	for (const char *c = strstr(buf_text(&out), "There is no machine"); c && *c; c++)
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
	for (size_t i = 0; i + 8 < out.len; i++)
		assert_true((unsigned char)out.p[i] >= ' ' || out.p[i] == '\n' || out.p[i] == '\x1b');
	assert_null(strstr(buf_text(&out), "\x1b[1A"));
}

static void what_interrupts_takes_a_yes_and_what_destroys_the_name(void **state)
{
	struct talk_command c;

	(void)state;
	begin("tests/tapes/everyday.tape");
	(void)type("web-01");
	assert_false(type("stop").act);
	assert_false(type("y").act);
	assert_false(type("stop").act);
	c = type("yes");
	assert_true(c.act && c.verb == CONTROL_STOP);
	assert_string_equal(c.name, "web-01");
	assert_false(type("yes").act); /* asked for nothing */
	(void)type("web-01");
	assert_false(type("terminate").act);
	assert_false(type("yes").act);
	assert_false(type("terminate").act);
	assert_true(type("web-01").act);
	(void)type("web-01");
	c = type("reload");
	assert_true(c.act && c.verb == CONTROL_RELOAD);
}

static void numbers_are_those_of_the_list_and_the_menu(void **state)
{
	struct talk_command c;

	(void)state;
	begin("tests/tapes/everyday.tape");
	(void)type("7");
	assert_string_equal(t.chosen, "lab");
	c = type("1");
	assert_true(c.act && c.verb == CONTROL_START);
	assert_string_equal(c.name, "lab");
}

static void a_machine_that_is_gone_is_not_acted_on(void **state)
{
	(void)state;
	begin("tests/tapes/evening.tape");
	(void)type("shop");
	(void)snprintf(t.chosen, sizeof(t.chosen), "elsewhere");
	assert_false(type("start").act);
	assert_non_null(strstr(buf_text(&out), "elsewhere is gone.\n"));
}

/* What the system would say is said here: the effects are only told. */
static void a_conf_is_filled_in_by_lines(void **state)
{
	static const char conf[] =
		"AUTO_START=1\nPRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.2\nHOST_PORT=tcp:8080:80\n"
		"EXTRA_NSPAWN_FLAGS=--bind=/a\n";
	static const char *const lines[] = { "?",          "PRIVATE_NETWORK",
		                             "",           "HOST_PORT",
		                             "udp:53:53",  "l",
		                             "nothing",    "x 18",
		                             "x 99",       "LOCAL_ADDRESS",
		                             "10.0.0.300", "b",
		                             "no",         "s",
		                             "no",         "s",
		                             "yes",        "l" };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct app app;
	struct form *form = &app.form;
	struct doc preview = { 0 };

	(void)state;
	begin("tests/tapes/everyday.tape");
	app_init(&app);
	t.app = &app;
	(void)type("web-01");
	assert_int_equal(type("e").form, APP_FORM_OPEN);
	buf_puts(&text, conf);
	form_open(form, "web-01", &text);
	strs_split(&form->choices[CHOICE_PORT], "tcp:8081:80 tcp:\x1b[2J", " ");
	talk_formed(&t, APP_FORM_OPEN, "", &preview, &out);
	doc_line(&preview, STYLE_GOOD, "+HOST_PORT=udp:53:53");
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct talk_command c = type(lines[i]);

		if (strcmp(lines[i], "10.0.0.300") == 0)
			(void)snprintf(form->problem, sizeof(form->problem),
			               "LOCAL_ADDRESS: '10.0.0.300' is not an address");
		form->previews = c.form == APP_FORM_PREVIEW;
		if (c.form != APP_NOTHING)
			talk_formed(&t, c.form, c.form == APP_FORM_SAVE ? "saving ..." : "", &preview, &out);
	}
	assert_int_equal(t.edits.asks, TALK_FORM_WAIT);
	form_close(form);
	doc_done(&preview);
	assert_null(strchr(buf_text(&out), '\x1b'));
	assert_golden("talk-form.txt", buf_text(&out));
}

static void what_another_one_edits_is_told_and_not_changed(void **state)
{
	static const struct {
		const char *line, *told;
		enum app_effect effect;
	} lines[] = {
		{ "AUTO_START", "1. AUTO_START: 1\n1: start it at boot", APP_NOTHING },
		{ "x 1",
		  "Nothing is changed: read-only: PID 7 (root, since 10:03) edits it; e takes it when that "
		  "is over.\n",
		  APP_NOTHING },
		{ "s", "Nothing is changed: read-only: PID 7", APP_NOTHING },
		{ "p", "A start would do this:\n--network-veth\n", APP_FORM_PLAN },
		{ "e", "", APP_FORM_OPEN },
		{ "b", "", APP_FORM_CLOSE },
	};
	CLEANUP(buf_done) struct buf text = { 0 };
	struct app app;
	struct form *form = &app.form;
	struct doc plan = { 0 };

	(void)state;
	begin("tests/tapes/everyday.tape");
	app_init(&app);
	t.app = &app;
	(void)type("web-01");
	buf_puts(&text, "AUTO_START=1\n");
	form_open(form, "web-01", &text);
	form_hold(form, 7, "", "10:03:05");
	talk_formed(&t, APP_FORM_OPEN, "web-01 is being edited", &plan, &out);
	assert_non_null(strstr(buf_text(&out), "1. AUTO_START: 1\n"));
	assert_non_null(strstr(buf_text(&out), "conf of web-01, read-only> "));
	doc_line(&plan, STYLE_TEXT, "--network-veth");
	for (size_t i = 0; i < COUNT(lines); i++) {
		size_t before = out.len;
		struct talk_command c = type(lines[i].line);

		assert_int_equal(c.form, lines[i].effect);
		form->previews = c.form == APP_FORM_PLAN;
		if (c.form == APP_FORM_CLOSE)
			form_close(form);
		if (c.form != APP_NOTHING)
			talk_formed(&t, c.form, "", &plan, &out);
		if (!strstr(buf_text(&out) + before, lines[i].told))
			fail_msg("%s: %s", lines[i].line, buf_text(&out) + before);
		assert_null(strstr(buf_text(&out) + before, "can be set")); /* once is enough */
	}
	doc_done(&plan);
	app_done(&app);
	t.app = NULL;
}

/* Each question with a right and a wrong answer; what the system would say is said here. */
static void errands_are_asked_in_sentences(void **state)
{
	static const struct {
		const char *line;
		enum app_effect begins;
	} lines[] = {
		{ "create", APP_NOTHING },
		{ "web-01", APP_NOTHING },
		{ "new", APP_NOTHING },
		{ "rpm", APP_NOTHING },
		{ "tree", APP_NOTHING },
		{ "/src", APP_NOTHING },
		{ "private", APP_NOTHING },
		{ "tcp:auto:80", APP_NOTHING },
		{ "pick", APP_NOTHING },
		{ "2", APP_ERRAND_LOOK },
		{ "now?", APP_NOTHING },
		{ "look", APP_NOTHING },
		{ "no", APP_NOTHING },
		{ "form", APP_NOTHING },
		{ "lab", APP_NOTHING },
		{ "clone", APP_NOTHING },
		{ "lab2", APP_ERRAND_LOOK },
		{ "look", APP_NOTHING },
		{ "yes", APP_ERRAND },
		{ "step", APP_NOTHING },
		{ "done", APP_NOTHING },
		{ "lab", APP_NOTHING },
		{ "clone", APP_NOTHING },
		{ "lab3", APP_ERRAND_LOOK },
		{ "full", APP_NOTHING },
		{ "both", APP_NOTHING },
		{ "overlay", APP_ERRAND_LOOK },
		{ "look", APP_NOTHING },
		{ "no", APP_NOTHING },
		{ "lab", APP_NOTHING },
		{ "destroy", APP_ERRAND_LOOK },
		{ "look", APP_NOTHING },
		{ "yes", APP_NOTHING },
		{ "lab", APP_NOTHING },
		{ "destroy", APP_ERRAND_LOOK },
		{ "look", APP_NOTHING },
		{ "lab", APP_ERRAND },
		{ "fail", APP_NOTHING },
		{ "lab", APP_NOTHING },
		{ "rename", APP_ERRAND_LOOK },
		{ "", APP_NOTHING },
	};
	struct world w;
	struct app app;

	(void)state;
	app_init(&app);
	t.app = &app;
	begin("tests/tapes/everyday.tape");
	w = world_now();
	for (size_t i = 0; i < COUNT(lines); i++) {
		const char *line = lines[i].line;
		enum app_effect begun = APP_NOTHING;
		struct app_command c;
		struct err e;

		if (strcmp(line, "look") == 0)
			app_errand_looked(&app, app.wish.errand, app.wish.name, 0,
			                  "delete  /var/lib/containers/\x1b[2Jlab\n", NULL);
		else if (strcmp(line, "full") == 0)
			app_errand_looked(&app, app.wish.errand, app.wish.name, 0,
			                  "# root: a full copy of /roots/lab\n", NULL);
		else if (strcmp(line, "form") ==
		         0) /* one was open: what is a screen's of it is in nobody's way */
			app.menu = MENU_FORM;
		else if (strcmp(line, "step") == 0)
			app_errand_progress(&app, "lab", "12 MB copied");
		else if (strcmp(line, "done") == 0)
			app_errand_result(&app, "lab", 0, "lab2: cloned (copied)", NULL, NULL,
			                  player_clock_usec(p));
		else if (strcmp(line, "fail") == 0)
			app_errand_result(&app, "lab",
			                  err_set(&e, STATUS_FAILED, EIO, "lab: cannot delete it"), "", NULL,
			                  &e, player_clock_usec(p));
		else
			(void)type(line);
		talk_errands(&t, &w, player_clock_usec(p), &out);
		while (app_next(&app, &c)) {
			begun = c.what == APP_FLUSH_INPUT ? begun : c.what;
			app_command_done(&c);
		}
		if (begun != lines[i].begins)
			fail_msg("line %zu, %s: %d", i, line, (int)begun);
	}
	app_done(&app);
	t.app = NULL;
	assert_null(strchr(buf_text(&out), '\x1b'));
	assert_golden("talk-errands.txt", buf_text(&out));
}

static void nothing_is_begun_while_it_is_read_only(void **state)
{
	struct app app;

	(void)state;
	app_init(&app);
	app.read_only = "it is a recording";
	t.app = &app;
	begin("tests/tapes/everyday.tape");
	(void)type("create");
	(void)type("lab");
	(void)type("destroy");
	assert_false(talk_errand_asks(&app));
	app_done(&app);
	t.app = NULL;
	assert_non_null(strstr(buf_text(&out), "it is a recording"));
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

static void who_may_only_look_is_told_why_instead_of_the_actions(void **state)
{
	(void)state;
	t.locked = "it was started to look only (--read-only)";
	begin("tests/tapes/everyday.tape");
	(void)type("web-01");
	assert_non_null(
		strstr(buf_text(&out),
	               "Nothing can be changed: it was started to look only (--read-only). b goes back.\n"));
	assert_null(strstr(buf_text(&out), "An action"));
	assert_false(type("stop").act);
	assert_false(type("1").act);
	assert_int_equal(type("e").form, APP_NOTHING);
	assert_null(strstr(buf_text(&out), "type yes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_and_a_machine_are_told_as_sentences),
		TEST(what_another_one_edits_is_told_and_not_changed),
		TEST(who_may_only_look_is_told_why_instead_of_the_actions),
		TEST(an_evening_is_told_as_it_happens),
		TEST(hostile_texts_move_no_cursor),
		TEST(what_interrupts_takes_a_yes_and_what_destroys_the_name),
		TEST(numbers_are_those_of_the_list_and_the_menu),
		TEST(a_machine_that_is_gone_is_not_acted_on),
		TEST(a_conf_is_filled_in_by_lines),
		TEST(errands_are_asked_in_sentences),
		TEST(nothing_is_begun_while_it_is_read_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
