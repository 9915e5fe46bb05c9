/* What the screens of ports say. */
#include "sample.h"

#include "engine/doctor.h"
#include "ui/view.h"

static void finds(const char *text, bool there, const struct doc *d)
{
	CLEANUP(buf_done) struct buf all = { 0 }, line = { 0 };

	for (size_t i = 0; i < d->n_lines; i++) {
		doc_plain(d, i, &line);
		buf_addf(&all, "%s\n", buf_text(&line));
	}
	if ((strstr(buf_text(&all), text) != NULL) != there)
		fail_msg("'%s' is %s:\n%s", text, there ? "not in" : "in", buf_text(&all));
}

static void sample_port(struct checked_port *p)
{
	struct doctor_finding *f = &p->found.v[0];

	*p = (struct checked_port){ .machine = "web",
		                    .port = { .host = 8080, .guest = 80 },
		                    .declared = true };
	p->file = strdup("/etc/containers/web.conf");
	p->line = 4;
	strs_add(&p->targets, "10.0.0.2:80");
	p->found.state = DOCTOR_BROKEN;
	p->found.n = 1;
	*f = (struct doctor_finding){ "no-listener", DOCTOR_LISTENER, true, "nothing listens on 80 in web" };
	p->found.from[DOCTOR_HOST].state = DOCTOR_BROKEN;
	strcpy(p->found.from[DOCTOR_HOST].text, "nothing listens on 80 in web");
	p->found.from[DOCTOR_LAN].state = DOCTOR_GOOD;
}

static void a_port_is_followed_from_its_line_to_its_clients(void **state)
{
	struct checkup c = { .n = 1 };
	struct world w = world_nothing;
	struct view v = { 0 };
	struct doc d = { 0 };

	(void)state;
	c.v = calloc(1, sizeof(*c.v));
	sample_port(c.v);
	w.ports = &c;
	view_ports(&w, &v, &d);
	finds("web  tcp 8080 > 80  broken", true, &d);
	finds("rule > 10.0.0.2:80", true, &d);
	finds("from: lan, not host  declared in /etc/containers/web.conf:4", true, &d);
	finds("nothing listens on 80 in web", true, &d);
	doc_done(&d);
	view_done(&v);
	checkup_done(&c);
}

static void the_doctor_says_a_cause_once(void **state)
{
	struct checkup c = { .n = 1 };
	struct world w = world_nothing;
	struct app a = { .selected = "web" };
	struct view v = { 0 };
	struct doc d = { 0 };

	(void)state;
	c.v = calloc(1, sizeof(*c.v));
	sample_port(c.v);
	w.ports = &c;
	view_doctor(&a, &w, &v, &d);
	finds("nothing listens on 80 in web", true, &d);
	finds("host       no: as said above", true, &d);
	doc_done(&d);
	view_done(&v);
	checkup_done(&c);
}

static void the_doctor_says_what_a_machine_reaches_with_ports_or_without(void **state)
{
	struct reach r = {
		.to = { [REACH_HOST] = { DOCTOR_GOOD, NULL, "10.0.0.1 on ve-web", { 0 } },
		        [REACH_NEIGHBOURS] = { DOCTOR_IDLE, NULL, "it is on no bridge", { 0 } },
		        [REACH_GATEWAY] = { DOCTOR_BROKEN, "no-route", "it has no default route", { 0 } },
		        [REACH_NAMES] = { DOCTOR_UNKNOWN, NULL, "not seen", { 0 } } }
	};
	struct checkup none = { 0 };
	struct app a = { .selected = "web" };

	(void)state;
	for (int is_down = 0; is_down < 2; is_down++) {
		struct world w = world_nothing;
		struct view v = { 0 };
		struct doc d = { 0 };

		w.ports = &none;
		w.reach = &r;
		for (enum reach_target t = 0; is_down && t < REACH_TARGETS; t++)
			r.to[t].state = DOCTOR_IDLE;
		view_doctor(&a, &w, &v, &d);
		finds("web forwards no port", true, &d);
		finds("web reaches", !is_down, &d);
		finds("gateway    it has no default route", !is_down, &d);
		doc_done(&d);
		view_done(&v);
	}
}

static void what_is_not_known_is_not_none(void **state)
{
	static const struct {
		const char *problem, *limits;
		bool tape, known;
		const char *says;
	} cases[] = {
		{ NULL, NULL, false, false, "looking ..." },
		{ "out of memory", NULL, false, false, "out of memory" },
		{ NULL, NULL, true, false, "a tape does not tell" },
		{ NULL, "the rules (CAP_NET_ADMIN)", false, true, "not seen: the rules (CAP_NET_ADMIN)" },
		{ NULL, NULL, false, true, "no port is forwarded" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct checkup c = { .limits = cases[i].limits ? strdup(cases[i].limits) : NULL };
		struct world w = world_nothing;
		struct view v = { 0 };
		struct doc d = { 0 };

		w.ports = cases[i].known ? &c : NULL;
		w.ports_problem = cases[i].problem;
		w.is_tape = cases[i].tape;
		view_ports(&w, &v, &d);
		finds(cases[i].says, true, &d);
		doc_done(&d);
		view_done(&v);
		checkup_done(&c);
	}
}

/* br0 with db's link as its port; ve-old, whose other end nobody has. */
static void the_map_draws_both_ends_and_what_is_wrong(void **state)
{
	struct netmap_link host[] = {
		{ .index = 2,
		  .name = "br0",
		  .kind = "bridge",
		  .up = true,
		  .carrier = true,
		  .netnsid = NETMAP_HOST },
		{ .index = 3,
		  .name = "vb-db",
		  .kind = "veth",
		  .up = true,
		  .carrier = true,
		  .master = 2,
		  .peer = 5,
		  .netnsid = 1 },
		{ .index = 4,
		  .name = "ve-old",
		  .kind = "veth",
		  .up = true,
		  .peer = 9,
		  .netnsid = NETMAP_NSID_OTHER },
	};
	struct netmap_link inside[] = { { .index = 5,
		                          .name = "eth0",
		                          .kind = "veth",
		                          .up = true,
		                          .carrier = true,
		                          .peer = 3,
		                          .netnsid = NETMAP_HOST } };
	struct netmap_address address = { .link = 5 };
	struct netmap_space spaces[] = { { .netnsid = NETMAP_HOST, .links = host, .n_links = 3 },
		                         { .machine = "db", .netnsid = 1, .links = inside, .n_links = 1 } };
	struct netmap_forward forward = { .port = { .host = 5432, .guest = 5432 } };
	struct netmap m = { .v = spaces, .n = 2, .forwards = &forward, .n_forwards = 1 };
	struct netwanted wanted = { 0 };
	struct world w = world_nothing;
	struct view v = { 0 };
	struct doc d = { 0 };
	struct app a;

	(void)state;
	spaces[1].addresses = &address;
	spaces[1].n_addresses = 1;
	assert_int_equal(addr_parse("10.0.0.2/24", &address.addr, NULL), 0);
	forward.to = address.addr;
	w.net = &m;
	w.netwanted = &wanted;
	app_init(&a);
	view_network(&a, &w, &v, &d);
	finds("br0  bridge  up\n└─ vb-db  up ─── db  eth0  up  10.0.0.2/24  tcp 5432 > 5432\n", true, &d);
	finds("ve-old  no carrier  orphan\n", true, &d);
	finds("ve-old  orphan: no running machine has its other end\n", true, &d);
	doc_done(&d);
	view_done(&v);
	app_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_followed_from_its_line_to_its_clients),
		cmocka_unit_test(the_doctor_says_a_cause_once),
		cmocka_unit_test(the_doctor_says_what_a_machine_reaches_with_ports_or_without),
		cmocka_unit_test(what_is_not_known_is_not_none),
		cmocka_unit_test(the_map_draws_both_ends_and_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
