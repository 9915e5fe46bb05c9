#include "decide/tape.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/scene.h"
#include "decide/tapewriter.h"

#define NOW  1700000000000000ull
#define HEAD "{\"machdeck-tape\":1,\"host\":\"frodo\",\"began\":1700000000000000}"

/* One machine with all there is, and one with nothing. */
static struct snapshot rich(void)
{
	struct snapshot s = { .taken_usec = NOW, .v = calloc(2, sizeof(*s.v)), .n = 2 };

	assert_non_null(s.v);
	s.v[0] = (struct machine){
		.name = strdup("a"), .state = MACHINE_GHOST, .kind = MACHINE_OTHER, .netnsid = -1
	};
	s.v[1] = (struct machine){ .name = strdup("web-01"),
		                   .kind = MACHINE_VM,
		                   .class = strdup("vm"),
		                   .unit = strdup("machine-qemu\\x2d1.scope"),
		                   .configured = true,
		                   .registered = true,
		                   .auto_start = true,
		                   .root_is_hosts = true,
		                   .overlay_over = strdup("db"),
		                   .declared = strdup("/etc/static/containers/web.conf"),
		                   .bad_conf = true,
		                   .conf_unread = true,
		                   .conf_hash = 7,
		                   .state = MACHINE_RESTARTING,
		                   .leader = 4711,
		                   .since_usec = NOW - 5,
		                   .addresses_seen = true,
		                   .reason = strdup("データベース: \x1b[31m"),
		                   .cause = "oom-kill",
		                   .drift = "reload",
		                   .linted = true,
		                   .lint_fatal = true,
		                   .os = strdup("Debian"),
		                   .cgroup = strdup("/machine.slice"),
		                   .netnsid = 0 };
	strs_add(&s.v[1].overlays, "copy");
	strs_add(&s.v[1].addresses, "fe80::1");
	strs_add(&s.v[1].ports, "tcp:8080:80");
	strs_add(&s.v[1].ports, "udp:53:53");
	strs_add(&s.v[1].guest_failed, "nginx.service");
	strs_add(&s.v[1].lints, "web-01: HOST_BRIDGE: there is no bridge br\x1b");
	return s;
}

static struct stats measured(void)
{
	struct stats s = { .name = "web-01",
		           .at_usec = NOW,
		           .cpu = 3.25f,
		           .throttled = NAN,
		           .cpu_limit = 200,
		           .memory = 1 << 20,
		           .memory_limit = STATS_UNKNOWN,
		           .memory_is_estimate = true,
		           .oom_kills = 2,
		           .io_pressure = { 1.5f, NAN },
		           .rx = 0,
		           .tx = STATS_UNKNOWN,
		           .n_links = 1,
		           .links = { { .name = "ve-web-01", .rx = 5, .tx = STATS_UNKNOWN, .drops = 1 } } };

	for (size_t i = 0; i < STATS_HISTORY; i++)
		s.cpu_history[i] = s.memory_history[i] = i < 57 ? NAN : (float)i;
	s.cpu_history[58] = NAN;
	return s;
}

/* Applies all lines of a tape. */
static void play(struct tape_reader *t, const char *text, struct scene *ret)
{
	while (*text) {
		CLEANUP(tape_record_done) struct tape_record r = { 0 };
		size_t len = strcspn(text, "\n");
		struct err e = { .text = "" };

		if (tape_parse(t, text, len, &r, &e) < 0)
			fail_msg("%s: %.*s", e.text, (int)len, text);
		assert_int_equal(scene_apply(ret, &r, &e), 0);
		text += len + (text[len] == '\n');
	}
}

static void assert_same_machines(const struct snapshot *a, const struct snapshot *b)
{
	CLEANUP(buf_done) struct buf left = { 0 }, right = { 0 };
	struct tapewriter w = { 0 }, v = { 0 };

	tapewriter_snapshot(&w, a, &left);
	tapewriter_snapshot(&v, b, &right);
	tapewriter_done(&w);
	tapewriter_done(&v);
	assert_string_equal(buf_text(&left), buf_text(&right));
}

static void confs_whose_hashes_are_large_stay_different(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = rich();
	CLEANUP(buf_done) struct buf tape = { 0 };
	struct tapewriter w = { 0 };
	size_t len;

	(void)state;
	s.v[1].conf_hash = UINT64_MAX - 1;
	tapewriter_snapshot(&w, &s, &tape);
	len = tape.len;
	s.v[1].conf_hash = UINT64_MAX;
	tapewriter_snapshot(&w, &s, &tape);
	tapewriter_done(&w);
	assert_true(tape.len > len);
}

static void what_is_written_is_what_is_parsed(void **state)
{
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x" };
	CLEANUP(scene_done) struct scene scene = { 0 };
	CLEANUP(snapshot_done) struct snapshot s = rich();
	CLEANUP(buf_done) struct buf text = { 0 };
	struct stats one = measured();
	const struct stats_table stats = { &one, 1 };
	char happened[] = "failed: \xff";
	const struct event event = { NOW - 60, "web-01", EVENT_OOM, true, happened };
	struct tapewriter w = { 0 };
	const struct machine *m;

	(void)state;
	tapewriter_begin(&w, "frodo", NOW, &text);
	tapewriter_snapshot(&w, &s, &text);
	tapewriter_stats(&w, &stats, NOW, &text);
	tapewriter_event(&w, &event, &text);
	assert_false(text.bad);
	tapewriter_done(&w);
	play(&t, buf_text(&text), &scene);

	assert_string_equal(scene.now.host, "frodo");
	assert_int_equal(scene.now.n, 2);
	assert_same_machines(&s, &scene.now);
	m = snapshot_find(&scene.now, "web-01");
	assert_true(m->configured && m->registered && m->auto_start && m->root_is_hosts && m->bad_conf &&
	            m->conf_unread && m->addresses_seen);
	assert_int_equal(m->state, MACHINE_RESTARTING);
	assert_int_equal(m->kind, MACHINE_VM);
	assert_int_equal(m->leader, 4711);
	assert_int_equal(m->since_usec, NOW - 5);
	assert_string_equal(m->overlay_over, "db");
	assert_string_equal(m->overlays.v[0], "copy");
	assert_string_equal(m->declared, "/etc/static/containers/web.conf");
	assert_string_equal(m->cause, "oom-kill");
	assert_string_equal(m->drift, "reload");
	assert_true(m->linted && m->lint_fatal && !scene.now.v[0].linted);
	assert_string_equal(m->lints.v[0], "web-01: HOST_BRIDGE: there is no bridge br\\x1b");
	assert_string_equal(m->reason, "データベース: \\x1b[31m");
	assert_int_equal(m->ports.n, 2);
	assert_string_equal(m->guest_failed.v[0], "nginx.service");
	assert_int_equal(m->netnsid, 0);
	assert_int_equal(scene.now.v[0].netnsid, -1);
	assert_int_equal(scene.stats.n, 1);
	assert_true(scene.stats.v[0].cpu == 3.25f && isnan(scene.stats.v[0].throttled));
	assert_true(isnan(scene.stats.v[0].cpu_history[56]) && scene.stats.v[0].cpu_history[57] == 57);
	assert_true(isnan(scene.stats.v[0].cpu_history[58]) && scene.stats.v[0].memory_history[58] == 58);
	assert_int_equal(scene.stats.v[0].memory_limit, STATS_UNKNOWN);
	assert_int_equal(scene.stats.v[0].rx, 0);
	assert_true(scene.stats.v[0].memory_is_estimate && !scene.stats.v[0].frozen);
	assert_true(scene.stats.v[0].io_pressure.some == 1.5f && isnan(scene.stats.v[0].io_pressure.full));
	assert_int_equal(scene.stats.v[0].n_links, 1);
	assert_string_equal(scene.stats.v[0].links[0].name, "ve-web-01");
	assert_int_equal(scene.stats.v[0].links[0].tx, STATS_UNKNOWN);
	assert_int_equal(scene.events.n, 1);
	assert_int_equal(scene.events.v[0].usec, NOW - 60);
	assert_string_equal(scene.events.v[0].text, "failed: \\xff");
	assert_true(scene.events.v[0].bad);
}

static size_t lines(const struct buf *text)
{
	size_t n = 0;

	for (const char *p = buf_text(text); *p; p++)
		n += *p == '\n';
	return n;
}

static void only_what_changed_is_told_again(void **state)
{
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x", .line = 1 };
	CLEANUP(scene_done) struct scene scene = { 0 };
	CLEANUP(snapshot_done) struct snapshot s = rich();
	CLEANUP(buf_done) struct buf text = { 0 };
	struct snapshot less = { .v = s.v + 1, .n = 1, .taken_usec = NOW + 2 };
	struct tapewriter w = { 0 };
	char stale[] = "the bus is gone";

	(void)state;
	tapewriter_snapshot(&w, &s, &text);
	tapewriter_snapshot(&w, &s, &text);
	assert_int_equal(lines(&text), 2);
	s.v[1].state = MACHINE_RUNNING;
	less.stale = stale;
	tapewriter_snapshot(&w, &less, &text);
	assert_int_equal(lines(&text), 5);
	play(&t, buf_text(&text), &scene);
	assert_int_equal(scene.now.n, 1);
	assert_int_equal(scene.now.v[0].state, MACHINE_RUNNING);
	assert_string_equal(scene.now.stale, "the bus is gone");

	buf_done(&text);
	tapewriter_forget(&w); /* who went while lines were lost is told all the same */
	tapewriter_snapshot(&w, &(struct snapshot){ .taken_usec = NOW + 3 }, &text);
	play(&t, buf_text(&text), &scene);
	assert_int_equal(scene.now.n, 0);
	assert_null(scene.now.stale);
	tapewriter_done(&w);
}

static void a_history_is_told_once_and_then_continued(void **state)
{
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x", .line = 1 };
	CLEANUP(scene_done) struct scene scene = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct stats one = measured();
	struct stats_table stats = { &one, 1 };
	struct tapewriter w = { 0 };

	(void)state;
	tapewriter_stats(&w, &stats, NOW, &text);
	tapewriter_stats(&w, &stats, NOW + 1, &text);
	assert_int_equal(lines(&text), 1);
	one.at_usec += 2;
	one.cpu = 99;
	one.memory = STATS_UNKNOWN;
	tapewriter_stats(&w, &stats, NOW + 2, &text);
	assert_null(strstr(strchr(buf_text(&text), '\n'), "cpuHistory"));
	play(&t, buf_text(&text), &scene);
	assert_true(scene.stats.v[0].cpu_history[59] == 99 && scene.stats.v[0].cpu_history[58] == 59);
	assert_true(isnan(scene.stats.v[0].memory_history[59]) && scene.stats.v[0].memory_history[58] == 59);

	buf_done(&text);
	stats.n = 0;
	tapewriter_stats(&w, &stats, NOW + 3, &text);
	play(&t, buf_text(&text), &scene);
	assert_int_equal(scene.stats.n, 0);
	tapewriter_done(&w);
}

static void a_clock_that_is_set_back_does_not_go_into_the_tape(void **state)
{
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x" };
	CLEANUP(scene_done) struct scene scene = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(snapshot_done) struct snapshot s = rich();
	struct tapewriter w = { 0 };

	(void)state;
	s.taken_usec = NOW - 5000000;
	tapewriter_begin(&w, NULL, NOW, &text);
	tapewriter_snapshot(&w, &s, &text);
	play(&t, buf_text(&text), &scene);
	assert_int_equal(scene.now.taken_usec, NOW);
	assert_null(scene.now.host);
	tapewriter_done(&w);
}

/* The sentence that a second line is refused with. */
static const char *refusal(const char *line)
{
	static struct err e;
	CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x.tape" };
	CLEANUP(tape_record_done) struct tape_record head = { 0 };
	struct tape_record r = { .text = NULL, .at_usec = 1234 };

	assert_int_equal(tape_parse(&t, HEAD, strlen(HEAD), &head, NULL), 0);
	assert_int_equal(tape_parse(&t, line, strlen(line), &r, &e), -EINVAL);
	assert_int_equal(r.at_usec, 1234);
	assert_int_equal(t.line, 1);
	return e.text;
}

static void a_mistake_is_named_with_file_line_and_place(void **state)
{
	(void)state;
	assert_string_equal(refusal("{\"at\":1700000000000001,\"machine\":{\"name\":\"a\",\"kind\":\"vm\","
	                            "\"state\":\"x\"}}"),
	                    "x.tape:2: /machine/state: there is no 'x'");
	assert_non_null(strstr(refusal("{"), "x.tape:2: not JSON: "));
	assert_non_null(strstr(refusal("{\"at\":1,\"gone\":\"a\"}"), "before that of the line before"));
	assert_non_null(strstr(refusal("{\"at\":\"now\",\"gone\":\"a\"}"), "'at' must be microseconds"));
	assert_non_null(
		strstr(refusal("{\"at\":9000000000000000,\"gone\":\"a\"}"), "'at' must be microseconds"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000}"), "a line has \"at\" and one of"));
	assert_non_null(
		strstr(refusal("{\"at\":1700000000000000,\"gone\":\"a\",\"stale\":null}"), "a line has"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"gone\":\"../a\"}"),
	                       "can not be a machine's name"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"host\":\"a\"}"), "a second head"));
	assert_non_null(
		strstr(refusal("{\"at\":1700000000000000,\"machine\":{\"name\":\"a\",\"kind\":\"vm\"}}"),
	               "/machine: 'state' is missing"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"machine\":{\"colour\":1}}"),
	                       "no member 'colour'"));
	assert_non_null(strstr(
		refusal("{\"at\":1700000000000000,\"machine\":{\"name\":\"a\",\"kind\":\"vm\",\"state\":"
	                "\"running\",\"cause\":\"two words\"}}"),
		"is not one word"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"stats\":{\"name\":\"a\",\"cpu\":-1}}"),
	                       "/stats/cpu: -1 is out of range"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"stats\":{\"name\":\"a\",\"tasks\":-1}}"),
	                       "/stats/tasks: -1 is not between"));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"stats\":{\"name\":\"a\",\"links\":[{"
	                               "\"name\":\"a/b\"}]}}"),
	                       "/stats/links/0/name: "));
	assert_non_null(strstr(refusal("{\"at\":1700000000000000,\"event\":{\"kind\":\"oom\"}}"),
	                       "'text' is missing"));
	assert_non_null(
		strstr(refusal("{\"at\":1700000000000000,\"event\":{\"kind\":\"oom\",\"text\":\"x\",\"time\":"
	                       "1700000000000001}}"),
	               "after the record's"));
}

static void what_is_no_tape_is_refused_at_its_first_line(void **state)
{
	static const char *const heads[] = { "",
		                             "[]",
		                             "{}",
		                             "{\"machdeck-tape\":2,\"host\":\"a\",\"began\":1}",
		                             "{\"machdeck-tape\":1,\"host\":\"a\"}",
		                             "{\"machdeck-tape\":1,\"host\":\"a\",\"began\":1,\"x\":1}",
		                             "{\"machdeck-tape\":1,\"host\":5,\"began\":1}" };

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct tape_reader t = { .file = "x" };
		struct tape_record r = { 0 };

		assert_int_equal(tape_parse(&t, heads[i], strlen(heads[i]), &r, NULL), -EINVAL);
	}
}

static void hostile_sizes_are_bounded(void **state)
{
	CLEANUP(buf_done) struct buf line = { 0 };

	(void)state;
	buf_puts(&line, "{\"at\":1700000000000000,\"machine\":{\"name\":\"a\",\"kind\":\"vm\",\"state\":"
	                "\"running\",\"ports\":[\"x\"");
	for (size_t i = 0; i < 1000; i++)
		buf_puts(&line, ",\"x\"");
	buf_puts(&line, "]}}");
	assert_non_null(strstr(refusal(buf_text(&line)), "more than 1000 strings"));
	buf_done(&line);
	for (size_t i = 0; i < TAPE_LINE_MAX / 16 + 1; i++)
		buf_puts(&line, "[[[[[[[[[[[[[[[[");
	assert_non_null(strstr(refusal(buf_text(&line)), "longer than 1048576 bytes"));
	line.p[100000] = '\0';
	assert_non_null(strstr(refusal(line.p), "not JSON: maximum parsing depth"));
}

/* Whatever a line of a good tape is turned into, it is taken or refused, and nothing is lost or read beyond.
 */
static void no_changed_byte_breaks_the_parser(void **state)
{
	CLEANUP(snapshot_done) struct snapshot s = rich();
	CLEANUP(buf_done) struct buf text = { 0 };
	struct stats one = measured();
	struct tapewriter w = { 0 };
	uint32_t random = 12345;

	(void)state;
	tapewriter_snapshot(&w, &s, &text);
	tapewriter_stats(&w, &(struct stats_table){ &one, 1 }, NOW, &text);
	tapewriter_done(&w);
	for (int round = 0; round < 3000; round++) {
		CLEANUP(free_p) char *copy = strdup(buf_text(&text));
		CLEANUP(tape_reader_done) struct tape_reader t = { .file = "x", .line = 1 };
		CLEANUP(scene_done) struct scene scene = { 0 };

		for (int i = 0; i < 3; i++) {
			random = random * 1664525 + 1013904223;
			copy[random % text.len] = (char)(random >> 24);
		}
		for (char *p = copy, *line; (line = strsep(&p, "\n"));) {
			CLEANUP(tape_record_done) struct tape_record r = { 0 };

			if (tape_parse(&t, line, strlen(line), &r, NULL) == 0)
				assert_int_equal(scene_apply(&scene, &r, NULL), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confs_whose_hashes_are_large_stay_different),
		cmocka_unit_test(what_is_written_is_what_is_parsed),
		cmocka_unit_test(only_what_changed_is_told_again),
		cmocka_unit_test(a_history_is_told_once_and_then_continued),
		cmocka_unit_test(a_clock_that_is_set_back_does_not_go_into_the_tape),
		cmocka_unit_test(a_mistake_is_named_with_file_line_and_place),
		cmocka_unit_test(what_is_no_tape_is_refused_at_its_first_line),
		cmocka_unit_test(hostile_sizes_are_bounded),
		cmocka_unit_test(no_changed_byte_breaks_the_parser),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
