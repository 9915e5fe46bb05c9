#include "engine/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/tape.h"
#include "engine/player.h"

static sd_event *loop;

static int begin(void **state)
{
	(void)state;
	return sd_event_new(&loop) < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	sd_event_unref(loop);
	return 0;
}

/* A machine "web" in that state, as a look of then. */
static void look(struct recorder *r, enum machine_state state, uint64_t usec)
{
	char name[] = "web";
	struct machine m = { .name = name, .state = state, .netnsid = -1 };
	const struct snapshot s = { .v = &m, .n = 1, .taken_usec = usec };

	recorder_snapshot(r, &s);
}

static uint64_t now_usec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void run_for(uint64_t usec)
{
	assert_true(sd_event_run(loop, usec) >= 0);
}

static void what_is_recorded_can_be_played(void **state)
{
	CLEANUP(events_done) struct events happened = { 0 };
	uint64_t later = 4000000000000000;
	struct stats one = { .name = "web", .cpu = 5 };
	int fd = memfd_create("tape", MFD_CLOEXEC), again = dup(fd);
	struct recorder *r;
	struct player *p;

	(void)state;
	assert_int_equal(recorder_new(loop, fd, "frodo", &r, NULL), 0);
	look(r, MACHINE_STOPPED, 1);
	run_for(0);
	look(r, MACHINE_RUNNING, later);
	recorder_stats(r, &(struct stats_table){ &one, 1 }, later);
	events_add(&happened, later, "web", EVENT_STATE, false, "running");
	recorder_events(r, &happened);
	look(r, MACHINE_FAILED, later + 1);
	assert_null(recorder_note(r));
	recorder_free(r); /* what no turn of the loop has written yet is in the file, too */

	assert_int_equal(lseek(again, 0, SEEK_SET), 0);
	assert_int_equal(player_new(NULL, again, "tape", 0, NULL, NULL, &p, NULL), 0);
	assert_string_equal(player_now(p)->host, "frodo");
	assert_int_equal(player_now(p)->v[0].state, MACHINE_STOPPED);
	assert_null(player_note(p));
	assert_true(player_step(p));
	assert_int_equal(player_now(p)->v[0].state, MACHINE_RUNNING);
	assert_int_equal(player_clock_usec(p), later);
	assert_true(stats_find(player_stats(p), "web")->cpu == 5);
	assert_int_equal(player_events(p)->n, 1);
	assert_true(player_step(p));
	assert_int_equal(player_now(p)->v[0].state, MACHINE_FAILED);
	assert_false(player_step(p));
	assert_string_equal(player_note(p), "the tape ends here");
	player_free(p);
}

/* Fills the socket and the pipe behind the writer, which nobody empties; then empties it. */
static void a_file_that_is_too_slow_holds_nothing_up_and_only_whole_lines_get_lost(void **state)
{
	CLEANUP(buf_done) struct buf all = { 0 };
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "tape" };
	static char long_text[4000], chunk[65536];
	char *line, *rest;
	uint64_t at = 4000000000000000;
	enum machine_state last = MACHINE_UNKNOWN;
	int fds[2];
	struct recorder *r;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(recorder_new(loop, fds[1], "frodo", &r, NULL), 0);
	for (size_t i = 0; i < 5000; i++) {
		char name[] = "web";
		struct machine m = {
			.name = name, .state = MACHINE_FAILED, .reason = long_text, .netnsid = -1
		};
		const struct snapshot s = { .v = &m, .n = 1, .taken_usec = at++ };

		long_text[0] = i % 2 ? 'a' : 'b';
		recorder_snapshot(r, &s);
		run_for(0);
	}
	assert_string_equal(recorder_note(r), "the recording's file is too slow: some of it is left out");
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	while (all.len < 7000000) {
		ssize_t n = read(fds[0], chunk, sizeof(chunk));

		if (n > 0)
			buf_add(&all, chunk, (size_t)n);
		look(r, MACHINE_GHOST, at++);
		run_for(100);
	}
	look(r, MACHINE_STARTING, at++);
	for (int i = 0; i < 100000 && last != MACHINE_STARTING; i++) {
		ssize_t n = read(fds[0], chunk, sizeof(chunk));

		if (n > 0)
			buf_add(&all, chunk, (size_t)n);
		look(r, i % 2 ? MACHINE_STARTING : MACHINE_GHOST, at++);
		run_for(100);
		last = memmem(buf_text(&all) + all.len - (all.len > 300 ? 300 : all.len),
		              all.len > 300 ? 300 : all.len, "\"starting\"", 10)
		               ? MACHINE_STARTING
		               : last;
	}
	assert_int_equal(last, MACHINE_STARTING); /* it went on after the loss */
	close(fds[0]);
	recorder_free(r);
	rest = all.p;
	while ((line = strsep(&rest, "\n")) && rest) {
		CLEANUP(tape_record_done) struct tape_record record = { 0 };
		struct err e;

		if (tape_parse(&t, line, strlen(line), &record, &e) < 0)
			fail_msg("%s", e.text);
	}
}

static void a_full_disk_ends_the_recording_with_its_reason(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint64_t begun = now_usec();
	struct recorder *r;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(recorder_new(loop, fd, "frodo", &r, NULL), 0);
	for (uint64_t i = 0; now_usec() < begun + 5000000 && !recorder_note(r); i++) {
		look(r, i % 2 ? MACHINE_RUNNING : MACHINE_STOPPED, i);
		run_for(10000);
	}
	assert_non_null(recorder_note(r));
	assert_string_equal(recorder_note(r), "the recording ended: No space left on device");
	look(r, MACHINE_GHOST, 1);
	run_for(0);
	recorder_free(r);
}

static void a_recording_takes_a_new_file_of_its_own(void **state)
{
	char folder[] = "/tmp/recorderXXXXXX", path[64], link[64];
	struct stat st;
	struct err e;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/tape", folder);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(recorder_create(path, &fd, &e), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(fd);
	assert_int_equal(recorder_create(path, &fd, &e), -EEXIST);
	assert_non_null(strstr(e.text, "it takes a new file"));
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(recorder_create(link, &fd, &e), -EEXIST);
	unlink(link);
	unlink(path);
	rmdir(folder);
}

/* A player of that text; NULL: refused with e. */
static struct player *play(const char *text, sd_event *on, double speed, struct err *e)
{
	int fd = memfd_create("tape", MFD_CLOEXEC);
	struct player *p = NULL;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return player_new(on, fd, "x.tape", speed, NULL, NULL, &p, e) < 0 ? NULL : p;
}

#define HEAD     "{\"machdeck-tape\":1,\"host\":\"h\",\"began\":1000000}\n"
#define GONE(at) "{\"at\":" #at ",\"gone\":\"web\"}\n"
#define WEB(at)                                                                                              \
	"{\"at\":" #at ",\"machine\":{\"name\":\"web\",\"kind\":\"container\",\"state\":\"running\"}}\n"

static void what_is_no_tape_is_refused_with_its_place(void **state)
{
	struct err e;
	int fds[2];
	struct player *p;

	(void)state;
	assert_null(play("", NULL, 0, &e));
	assert_string_equal(e.text, "x.tape is empty: no tape");
	assert_null(play("hello", NULL, 0, &e));
	assert_non_null(strstr(e.text, "x.tape:1: not JSON"));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(player_new(NULL, fds[0], "x.tape", 0, NULL, NULL, &p, &e), -EINVAL);
	assert_string_equal(e.text, "x.tape is no regular file");
	close(fds[1]);
}

static void a_mistake_ends_the_tape_where_it_is(void **state)
{
	struct player *p =
		play(HEAD WEB(1000000) GONE(2000000) "{\"at\":3000000}\n" WEB(4000000), NULL, 0, NULL);

	(void)state;
	assert_non_null(p);
	assert_int_equal(player_now(p)->n, 1);
	assert_true(player_step(p));
	assert_int_equal(player_now(p)->n, 0);
	assert_non_null(strstr(player_note(p), "x.tape:4: a line has"));
	assert_false(player_step(p));
	player_free(p);
}

static void a_line_without_end_is_bounded(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	(void)state;
	buf_puts(&text, HEAD);
	while (text.len < 3 * TAPE_LINE_MAX)
		buf_puts(&text, "[[[[[[[[[[[[[[[[");
	assert_null(play(buf_text(&text), NULL, 0, &e));
	assert_string_equal(e.text, "x.tape:2: the line is longer than 1048576 bytes");
}

/* Ten seconds of the tape, a hundred times as fast. */
static void it_plays_at_its_speed(void **state)
{
	uint64_t begun = now_usec(), last = 0, took;
	struct player *p = play(HEAD WEB(1000000) GONE(6000000) WEB(11000000), loop, 100, NULL);

	(void)state;
	assert_non_null(p);
	while (!player_note(p)) {
		assert_true(player_clock_usec(p) >= last);
		last = player_clock_usec(p);
		run_for(1000000);
	}
	took = now_usec() - begun;
	assert_int_equal(player_clock_usec(p), 11000000);
	assert_in_range(took, 99000, 1000000);
	player_free(p);
}

static void a_tape_can_stand_still(void **state)
{
	struct player *p = play(HEAD WEB(1000000) GONE(2000000), loop, 0, NULL);

	(void)state;
	run_for(5000);
	assert_int_equal(player_clock_usec(p), 1000000);
	assert_int_equal(player_now(p)->n, 1);
	player_free(p);
}

static void the_tapes_of_the_tests_can_be_played(void **state)
{
	static const struct {
		const char *path;
		size_t machines, moments;
	} tapes[] = {
		{ "tests/tapes/everyday.tape", 12, 0 },
		{ "tests/tapes/evening.tape", 5, 10 },
		{ "tests/tapes/zoo.tape", 20, 0 },
		{ "tests/tapes/empty.tape", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(tapes); i++) {
		int fd = open(tapes[i].path, O_RDONLY | O_CLOEXEC);
		struct err e = { .text = "" };
		struct player *p = NULL;
		size_t moments = 0;

		if (player_new(NULL, fd, tapes[i].path, 0, NULL, NULL, &p, &e) < 0)
			fail_msg("%s", e.text);
		assert_true(player_now(p)->n >= tapes[i].machines);
		while (player_step(p))
			moments++;
		assert_string_equal(player_note(p), "the tape ends here");
		assert_true(moments >= tapes[i].moments);
		player_free(p);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_recorded_can_be_played),
		TEST(a_file_that_is_too_slow_holds_nothing_up_and_only_whole_lines_get_lost),
		TEST(a_full_disk_ends_the_recording_with_its_reason),
		TEST(a_recording_takes_a_new_file_of_its_own),
		TEST(what_is_no_tape_is_refused_with_its_place),
		TEST(a_mistake_ends_the_tape_where_it_is),
		TEST(a_line_without_end_is_bounded),
		TEST(it_plays_at_its_speed),
		TEST(a_tape_can_stand_still),
		TEST(the_tapes_of_the_tests_can_be_played),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
