#include "sample.h"

#include <errno.h>
#include <time.h>

#include "ui/logview.h"

struct fixture {
	struct logring ring;
	struct strs names;
	struct logview v;
};

static void add_as(struct fixture *f, uint64_t age_msec, uint32_t machine, enum log_source source,
                   unsigned priority, const char *ident, const char *text)
{
	const struct logrec rec = { .usec = SAMPLE_NOW - age_msec * 1000,
		                    .machine = machine,
		                    .source = source,
		                    .priority = (uint8_t)priority,
		                    .pid = source == LOG_GUEST ? 123 : 0,
		                    .ident = ident,
		                    .text = text };

	logring_add(&f->ring, &rec);
}

static void add(struct fixture *f, const char *text)
{
	add_as(f, 0, 0, LOG_GUEST, 6, "app", text);
}

static void add_numbers(struct fixture *f, unsigned from, unsigned to)
{
	char text[64];

	for (unsigned i = from; i < to; i++) {
		(void)snprintf(text, sizeof(text), "line %u", i);
		add(f, text);
	}
}

static void set_up(struct fixture *f, size_t records)
{
	*f = (struct fixture){ 0 };
	strs_add(&f->names, "web");
	assert_int_equal(logring_init(&f->ring, records, LOGRING_BYTES), 0);
	assert_int_equal(logview_init(&f->v, &f->ring, &f->names), 0);
}

static void tear_down(struct fixture *f)
{
	logview_done(&f->v);
	logring_done(&f->ring);
	strs_done(&f->names);
}

static void a_day(struct fixture *f)
{
	set_up(f, 1000);
	add_as(f, 90000, 0, LOG_SYSTEMD, 6, "systemd", "Starting container@web.service - Container 'web'...");
	add_as(f, 80000, 0, LOG_CONSOLE, 6, "console", "Welcome to Debian GNU/Linux 12 (bookworm)!");
	add_as(f, 70000, 0, LOG_GUEST, 6, "systemd", "Reached target multi-user.target - Multi-User System.");
	add_as(f, 60000, 0, LOG_GUEST, 5, "sshd", "Server listening on 0.0.0.0 port 22.");
	add_as(f, 50000, 0, LOG_GUEST, 4, "nginx",
	       "upstream timed out (110: Connection timed out) while reading");
	add_as(f, 40000, 0, LOG_GUEST, 3, "app",
	       "Traceback of the last call:\n  File \"app.py\", line 7\nKeyError: 'user'");
	add_as(f, 30000, 0, LOG_READER, 3, "machdeck",
	       "log read error: a journal file was truncated while it was read (Bus error)");
	add_as(f, 20000, 0, LOG_GUEST, 7, "app", "cache of データベース refreshed in 3 ms");
	add_as(f, 10000, 0, LOG_GUEST, 6, "app",
	       "a request for /index.html that was answered by a line which is longer than any "
	       "screen that it is looked at on, and so has to be cut or wrapped somewhere");
	logview_update(&f->v);
}

static struct buf drawn(struct logview *v, int w, int h, bool ascii)
{
	struct buf text = { 0 };
	struct grid g;

	assert_int_equal(grid_init(&g, w, h, ascii), 0);
	logview_fit(v, &g, (struct rect){ 0, 0, w, h });
	logview_draw(&g, (struct rect){ 0, 0, w, h }, v, SAMPLE_NOW);
	grid_print(&g, &text);
	grid_done(&g);
	return text;
}

static void golden(const char *name, struct logview *v, int w, int h)
{
	CLEANUP(buf_done) struct buf text = drawn(v, w, h, false);
	char file[64];

	(void)snprintf(file, sizeof(file), "%s-%dx%d", name, w, h);
	golden_compare(file, &text);
}

static bool shows(struct logview *v, int w, int h, const char *wanted)
{
	CLEANUP(buf_done) struct buf text = drawn(v, w, h, false);

	return strstr(buf_text(&text), wanted) != NULL;
}

/* ---- */

static void a_log_is_legible_at_every_size(void **state)
{
	static const struct {
		int w, h;
	} sizes[] = { { 20, 5 }, { 40, 10 }, { 60, 15 }, { 80, 24 }, { 120, 40 }, { 200, 50 } };
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	for (size_t i = 0; i < COUNT(sizes); i++)
		golden("log", &f.v, sizes[i].w, sizes[i].h);
}

static void every_size_is_safe(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	for (int wrap = 0; wrap < 2; wrap++, logview_wrap(&f.v))
		for (int w = 0; w < 45; w++)
			for (int h = 0; h < 12; h++) {
				CLEANUP(buf_done) struct buf text = { 0 };

				logview_scroll(&f.v, (w + h) % 2 ? -3 : 2);
				text = drawn(&f.v, w, h, h % 2);
			}
}

static void the_line_under_the_cursor_is_the_first_thing_to_copy(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(snapshot_done) struct snapshot s = sample_snapshot();
	CLEANUP(app_done) struct app a = sample_app(&s);
	CLEANUP(menu_done) struct menu m = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };
	struct world w = sample_world(&s);

	(void)state;
	a_day(&f);
	w.logs = &f.v;
	a.menu = MENU_COPY;
	a.pane.open = true;
	a.pane.tab = TAB_LOGS;
	logview_scroll(&f.v, -2);
	logview_line(&f.v, &line);
	menu_build(&a, &w, &m);
	assert_string_equal(m.v[0].label, "line");
	assert_null(strchr(m.v[0].copied, '\n'));
	assert_memory_equal(m.v[0].copied, buf_text(&line), strlen(m.v[0].copied));
	a.pane.tab = TAB_OVERVIEW;
	menu_done(&m);
	menu_build(&a, &w, &m);
	assert_string_equal(m.v[0].label, "name");
}

static void wrapped_records_show_all_their_lines(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	logview_wrap(&f.v);
	golden("log-wrapped", &f.v, 60, 15);
	logview_scroll(&f.v, -3);
	golden("log-wrapped", &f.v, 40, 10);
}

static void what_is_searched_for_is_marked(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	assert_int_equal(logview_search(&f.v, "timed out|error", NULL), 1);
	golden("log-search", &f.v, 80, 24);
}

static void several_machines_have_a_column_that_text_can_not_reach(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 100);
	strs_add(&f.names, "database");
	add_as(&f, 3000, 0, LOG_GUEST, 6, "app", "hello\n22:13:20 database guest app: I am another");
	add_as(&f, 2000, 1, LOG_GUEST, 3, "app", "a real one");
	add_as(&f, 1000, 0, LOG_GUEST, 6, "systemd", "Stopped container@database.service");
	logview_update(&f.v);
	golden("log-machines", &f.v, 80, 6);
	logview_wrap(&f.v);
	golden("log-machines-wrapped", &f.v, 80, 6);
	golden("log-machines-wrapped", &f.v, 20, 5);
}

static void an_ascii_terminal_gets_ascii_of_logs(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	a_day(&f);
	text = drawn(&f.v, 80, 24, true);
	for (size_t i = 0; i < text.len; i++)
		assert_in_range(text.p[i], '\n', '~');
}

static void hostile_text_that_got_past_the_reader_stays_in_its_cells(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	set_up(&f, 100);
	add(&f, "\x1b[2J\x1b]0;t\x07 \xc2\x9b \xe2\x80\xae \xff\xfe e\xcc\x81 %n%s");
	add_as(&f, 0, 0, LOG_GUEST, 6, "\x1b[31m", "x");
	logview_update(&f.v);
	text = drawn(&f.v, 60, 8, false);
	for (size_t i = 0; i < text.len; i++)
		assert_true((unsigned char)text.p[i] >= ' ' || text.p[i] == '\n');
	assert_null(strstr(buf_text(&text), "\xc2\x9b"));
	assert_null(strstr(buf_text(&text), "\xe2\x80\xae"));
}

/* ---- following */

static void following_stops_when_scrolled_and_resumes_at_the_end(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 2000);
	add_numbers(&f, 0, 100);
	logview_update(&f.v);
	assert_true(shows(&f.v, 40, 10, "line 99"));
	assert_true(shows(&f.v, 40, 10, "following"));
	logview_scroll(&f.v, -1);
	add_numbers(&f, 100, 1334);
	logview_update(&f.v);
	assert_true(shows(&f.v, 40, 10, "line 98"));
	assert_false(shows(&f.v, 40, 10, "line 1333"));
	assert_true(shows(&f.v, 40, 10, "+1,234 new below"));
	logview_end(&f.v);
	assert_true(shows(&f.v, 40, 10, "line 1333"));
	assert_true(shows(&f.v, 40, 10, "following"));
	logview_scroll(&f.v, -5);
	logview_scroll(&f.v, 5);
	assert_true(f.v.follow);
	logview_page(&f.v, -1, 10);
	assert_int_equal(f.v.cursor, 1333 - 8);
	logview_begin(&f.v);
	assert_true(shows(&f.v, 40, 10, "line 0"));
}

static void the_cursor_stays_on_its_record_when_others_fall_out_or_come_in_before(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 100);
	add_numbers(&f, 0, 100);
	logview_update(&f.v);
	logview_scroll(&f.v, -50);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 49");
	add_numbers(&f, 100, 120);
	logview_update(&f.v);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 49");
	add_as(&f, 5000, 0, LOG_CONSOLE, 6, "console", "late");
	logview_update(&f.v);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 49");
	add_numbers(&f, 120, 400);
	logview_update(&f.v);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 300");
	assert_true(shows(&f.v, 60, 10, "301 older fell out"));
}

static void a_late_record_of_another_journal_is_shown_where_it_belongs(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	set_up(&f, 100);
	add_as(&f, 3000, 0, LOG_GUEST, 6, "a", "1");
	add_as(&f, 1000, 0, LOG_GUEST, 6, "a", "3");
	logview_update(&f.v);
	add_as(&f, 2000, 0, LOG_CONSOLE, 6, "a", "2");
	logview_update(&f.v);
	logview_save(&f.v, &text);
	assert_string_equal(buf_text(&text), "2023-11-14 22:13:17 web a[123]: 1\n"
	                                     "2023-11-14 22:13:18 web a: 2\n"
	                                     "2023-11-14 22:13:19 web a[123]: 3\n");
}

/* ---- searching and choosing */

static void n_goes_down_and_N_up_through_what_matches(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 1000);
	add_numbers(&f, 0, 100);
	logview_update(&f.v);
	assert_int_equal(logview_search(&f.v, "5$", NULL), 1);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 95");
	assert_true(logview_next(&f.v, -1));
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 85");
	assert_true(logview_next(&f.v, 1));
	assert_false(logview_next(&f.v, 1));
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 95");
	add_numbers(&f, 100, 110);
	logview_update(&f.v);
	assert_true(logview_next(&f.v, 1));
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 105");
	assert_int_equal(logview_search(&f.v, "nowhere", NULL), 0);
	assert_int_equal(logview_search(&f.v, "", NULL), 0);
	assert_false(logview_next(&f.v, -1));
}

static void a_bad_search_or_filter_is_a_sentence_and_changes_nothing(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct err e = { 0 };

	(void)state;
	set_up(&f, 1000);
	add_numbers(&f, 0, 10);
	logview_update(&f.v);
	assert_int_equal(logview_filter(&f.v, "7", NULL), 0);
	assert_int_equal(logview_filter(&f.v, "[", &e), -EINVAL);
	assert_int_equal(logview_search(&f.v, "*(", &e), -EINVAL);
	assert_non_null(strstr(e.text, "can not be searched for"));
	assert_int_equal(f.v.n, 1);
}

static void a_filter_keeps_what_matches_also_of_what_comes(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 1000);
	add_numbers(&f, 0, 100);
	logview_update(&f.v);
	logview_scroll(&f.v, -49); /* line 50 */
	assert_int_equal(logview_filter(&f.v, "[02468]$", NULL), 0);
	assert_int_equal(f.v.n, 50);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 50");
	add_numbers(&f, 100, 110);
	logview_update(&f.v);
	assert_int_equal(f.v.n, 55);
	assert_int_equal(f.v.below, 5);
	assert_int_equal(logview_filter(&f.v, "", NULL), 0);
	assert_int_equal(f.v.n, 110);
	assert_string_equal(logview_record(&f.v, f.v.cursor)->text, "line 50");
}

static void priorities_and_sources_choose_and_trouble_of_ours_always_shows(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	assert_int_equal(f.v.n, 9);
	logview_priority_next(&f.v);
	assert_int_equal(f.v.n, 3); /* warning, error, ours */
	logview_priority_next(&f.v);
	assert_int_equal(f.v.n, 2);
	logview_priority_next(&f.v);
	assert_int_equal(f.v.n, 9);
	logview_source_next(&f.v);
	assert_int_equal(f.v.n, 7);
	logview_source_next(&f.v);
	assert_int_equal(f.v.n, 3);
	logview_source_next(&f.v);
	assert_int_equal(f.v.n, 9);
}

static void errors_are_jumped_to(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	assert_true(logview_error_next(&f.v, -1));
	assert_int_equal(logview_record(&f.v, f.v.cursor)->source, LOG_READER);
	assert_true(logview_error_next(&f.v, -1));
	assert_non_null(strstr(logview_record(&f.v, f.v.cursor)->text, "Traceback"));
	assert_false(logview_error_next(&f.v, -1));
	assert_true(logview_error_next(&f.v, 1));
}

static void the_record_under_the_cursor_is_copied_as_text(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	a_day(&f);
	logview_scroll(&f.v, -3);
	logview_line(&f.v, &text);
	assert_string_equal(buf_text(&text), "2023-11-14 22:12:40 web app[123]: Traceback of the last call:\n"
	                                     "2023-11-14 22:12:40 web app[123]:   File \"app.py\", line 7\n"
	                                     "2023-11-14 22:12:40 web app[123]: KeyError: 'user'\n");
}

static void times_can_be_full_relative_or_none(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	assert_true(shows(&f.v, 80, 24, "|22:13:10 guest "));
	logview_time_next(&f.v);
	assert_true(shows(&f.v, 80, 24, "|2023-11-14 22:13:10 guest "));
	logview_time_next(&f.v);
	assert_true(shows(&f.v, 80, 24, "| 10s guest "));
	logview_time_next(&f.v);
	assert_true(shows(&f.v, 80, 24, "|guest   app[123]: a request"));
	logview_time_next(&f.v);
	assert_true(shows(&f.v, 80, 24, "|22:13:10 guest "));
}

static void long_lines_are_looked_at_sideways(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	a_day(&f);
	logview_side(&f.v, 60);
	assert_true(shows(&f.v, 80, 24, " longer than any screen"));
	assert_true(shows(&f.v, 80, 24, "from column 61"));
	logview_side(&f.v, -100);
	assert_true(shows(&f.v, 80, 24, "app[123]: a request"));
}

static void an_empty_log_says_why(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 10);
	assert_true(shows(&f.v, 40, 5, "nothing is logged yet"));
	f.v.note = "the journal can not be read: run as root";
	assert_true(shows(&f.v, 80, 5, "the journal can not be read: run as root"));
	add(&f, "x");
	assert_int_equal(logview_filter(&f.v, "y", NULL), 0);
	assert_true(shows(&f.v, 40, 5, "nothing of what is logged is shown"));
	logview_scroll(&f.v, -5);
	logview_scroll(&f.v, 5);
	assert_false(logview_error_next(&f.v, 1));
}

static uint64_t cpu_usec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void a_hundred_thousand_lines_are_taken_in_a_moment(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	uint64_t began = cpu_usec();
	char text[120];

	(void)state;
	set_up(&f, LOGRING_RECORDS);
	assert_int_equal(logview_filter(&f.v, "burst", NULL), 0);
	assert_int_equal(logview_search(&f.v, "line 99999", NULL), 0);
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text),
		               "burst line %u of 100000, as long as such lines mostly are", i);
		add(&f, text);
		if (i % 400 == 0) {
			CLEANUP(buf_done) struct buf screen = { 0 };

			logview_update(&f.v);
			screen = drawn(&f.v, 80, 24, false);
		}
	}
	logview_update(&f.v);
	assert_int_equal(f.v.n, LOGRING_RECORDS);
	assert_int_equal(f.ring.received, 100000);
	assert_int_equal(f.ring.fallen, 100000 - LOGRING_RECORDS);
	assert_true(logview_next(&f.v, -1) || f.v.cursor == f.v.n - 1);
	assert_in_range(cpu_usec() - began, 0, getenv("WRAP") ? 60000000 : 2000000); /* under valgrind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_is_legible_at_every_size),
		cmocka_unit_test(every_size_is_safe),
		cmocka_unit_test(the_line_under_the_cursor_is_the_first_thing_to_copy),
		cmocka_unit_test(wrapped_records_show_all_their_lines),
		cmocka_unit_test(what_is_searched_for_is_marked),
		cmocka_unit_test(several_machines_have_a_column_that_text_can_not_reach),
		cmocka_unit_test(an_ascii_terminal_gets_ascii_of_logs),
		cmocka_unit_test(hostile_text_that_got_past_the_reader_stays_in_its_cells),
		cmocka_unit_test(following_stops_when_scrolled_and_resumes_at_the_end),
		cmocka_unit_test(the_cursor_stays_on_its_record_when_others_fall_out_or_come_in_before),
		cmocka_unit_test(a_late_record_of_another_journal_is_shown_where_it_belongs),
		cmocka_unit_test(n_goes_down_and_N_up_through_what_matches),
		cmocka_unit_test(a_bad_search_or_filter_is_a_sentence_and_changes_nothing),
		cmocka_unit_test(a_filter_keeps_what_matches_also_of_what_comes),
		cmocka_unit_test(priorities_and_sources_choose_and_trouble_of_ours_always_shows),
		cmocka_unit_test(errors_are_jumped_to),
		cmocka_unit_test(the_record_under_the_cursor_is_copied_as_text),
		cmocka_unit_test(times_can_be_full_relative_or_none),
		cmocka_unit_test(long_lines_are_looked_at_sideways),
		cmocka_unit_test(an_empty_log_says_why),
		cmocka_unit_test(a_hundred_thousand_lines_are_taken_in_a_moment),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
