/* sample - a small world for screens, and comparing them with files: UPDATE_GOLDEN=1 writes what it finds;
 * the difference is then reviewed like code. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "engine/observe.h"
#include "ui/app.h"
#include "ui/frame.h"

#define SAMPLE_NOW 1700000000000000ull /* 2023-11-14 22:13:20 UTC */
#define SAMPLE_SEC 1000000ull

/* In the order that observe gives: by name. */
struct sample {
	const char *name, *unit;
	enum machine_state state;
	uint64_t age;                  /* seconds, 0: unknown */
	const char *addresses, *ports; /* parted by blanks */
	bool only_configured;          /* addresses were not seen */
	bool bad_conf;
	const char *reason;
};

static const struct sample sample_machines[] = {
	{ "build", NULL, MACHINE_STARTING, 4, "10.0.0.9", "", true, false, NULL },
	{ "cache", NULL, MACHINE_FAILED, 130, "10.0.0.6", "tcp:6379:6379", true, false,
	  "the guest's network step failed: eth-extra: no such link (give it in EXTRA_VETHS, or take it out "
	  "of the "
	  "guest's options); exit status 71" },
	{ "db", NULL, MACHINE_RUNNING, 86400 * 12 + 5, "fe80::5c1a:1ff:fe00:2 10.0.0.5", "", false, false,
	  NULL },
	{ "dns", NULL, MACHINE_RUNNING, 7300, "10.0.0.4", "udp:53:53 tcp:53:53", false, false, NULL },
	{ "lab", NULL, MACHINE_STOPPED, 86400 * 31, "10.0.0.8", "tcp:9000:80", true, false, NULL },
	{ "mail", NULL, MACHINE_RUNNING, 3600 * 3, "2001:db8:1234:5678:9abc:def0:1234:5678",
	  "tcp:25:25 tcp:587:587 tcp:993:993 tcp:995:995", false, false, NULL },
	{ "old-wiki", NULL, MACHINE_STOPPED, 0, "", "", true, true,
	  "/etc/containers/old-wiki.conf:3:14: HOST_ADDRESS: '10.0.0.300' is not an address" },
	{ "web-frontend-production-01", NULL, MACHINE_RUNNING, 59, "10.0.0.2", "tcp:8080:80 tcp:8443:443",
	  false, false, NULL },
	{ "win11", "machine-qemu\\x2d1\\x2dwin11.scope", MACHINE_RUNNING, 60, "", "", false, false, NULL },
};

static inline void sample_add(struct snapshot *s, const struct sample *from)
{
	struct machine *m;

	s->v = realloc(s->v, (s->n + 1) * sizeof(*s->v));
	assert_non_null(s->v);
	m = &s->v[s->n++];
	*m = (struct machine){ .name = strdup(from->name),
		               .unit = from->unit ? strdup(from->unit) : NULL,
		               .kind = from->unit && strstr(from->unit, "qemu") ? MACHINE_VM
		                                                                : MACHINE_CONTAINER,
		               .configured = !from->unit,
		               .netnsid = -1,
		               .bad_conf = from->bad_conf,
		               .state = from->state,
		               .since_usec = from->age ? SAMPLE_NOW - from->age * SAMPLE_SEC : 0,
		               .addresses_seen = !from->only_configured,
		               .reason = from->reason ? strdup(from->reason) : NULL };
	strs_split(&m->addresses, from->addresses, " ");
	strs_split(&m->ports, from->ports, " ");
}

static inline struct snapshot sample_snapshot(void)
{
	struct snapshot s = { .host = strdup("frodo"), .taken_usec = SAMPLE_NOW };

	for (size_t i = 0; i < COUNT(sample_machines); i++)
		sample_add(&s, &sample_machines[i]);
	return s;
}

static inline struct world sample_world(const struct snapshot *s)
{
	struct world w = world_nothing;

	w.s = s;
	return w;
}

static inline struct app sample_app(const struct snapshot *s)
{
	struct world w = sample_world(s);
	struct app a;

	app_init(&a);
	app_follow(&a, &w);
	return a;
}

/* sample_press - a key, and the first thing that is to be done about it; the others are forgotten. */
static inline struct app_command sample_press(struct app *a, const struct snapshot *s, int key,
                                              uint64_t now_usec)
{
	struct world w = sample_world(s);
	struct app_command first = { 0 }, c;

	app_follow(a, &w);
	app_key(a, &w, key, now_usec);
	if (app_next(a, &first))
		while (app_next(a, &c))
			app_command_done(&c);
	free(first.text); /* what is compared is the rest */
	first.text = NULL;
	strs_done(&first.names);
	return first;
}

/* What a screen of that size says; the caller frees it. */
static inline struct buf sample_screen_of(struct app *a, const struct world *world, int w, int h, bool ascii)
{
	struct buf text = { 0 };
	struct view v;
	struct grid g;

	assert_int_equal(grid_init(&g, w, h, ascii), 0);
	frame_draw(a, world, SAMPLE_NOW, &g, &v);
	assert_false(v.bad);
	grid_print(&g, &text);
	assert_in_range(g.cursor_x, 0, w - 1);
	assert_in_range(g.cursor_y, 0, h - 1);
	view_done(&v);
	grid_done(&g);
	assert_false(text.bad);
	return text;
}

static inline struct buf sample_screen(struct app *a, const struct snapshot *s, int w, int h, bool ascii)
{
	struct world world = sample_world(s);

	return sample_screen_of(a, &world, w, h, ascii);
}

static inline void golden_compare(const char *name, const struct buf *text)
{
	CLEANUP(free_p) char *wanted = calloc(1, 1 << 20);
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "tests/golden/%s.screen", name);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(buf_text(text), f);
		assert_int_equal(fclose(f), 0);
	}
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s is missing: write it with UPDATE_GOLDEN=1", path);
	assert_non_null(wanted);
	(void)!fread(wanted, 1, (1 << 20) - 1, f);
	fclose(f);
	if (strcmp(wanted, buf_text(text)) != 0) {
		print_error("%s; found:\n%s", path, buf_text(text));
		assert_string_equal(buf_text(text), wanted);
	}
}

static inline void golden_screen(const char *name, struct app *a, const struct snapshot *s, int w, int h,
                                 bool ascii)
{
	CLEANUP(buf_done) struct buf text = sample_screen(a, s, w, h, ascii);

	golden_compare(name, &text);
}
