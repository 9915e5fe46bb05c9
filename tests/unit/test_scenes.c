/* What lies over the list, at each size: the map, the ports, the doctor, what differs, the question before mending, a
 * form, and what asks. In a scene with one of each thing that goes wrong. */
#include "sample.h"

#include <sys/socket.h>

#include "decide/mend.h"
#include "ui/input.h"
#include "ui/menu.h"

#define SCENE_PORTS 11

struct scene {
	struct netmap_link host[11], web[1], db[1], dns[1], mail[1];
	struct netmap_address outside[5], inside[5];
	struct netmap_route out, in;
	struct netmap_space spaces[7];
	struct netmap_forward forwards[5];
	struct netmap net;
	struct netmap_wanted wanted[4];
	struct netwanted netwanted;
	struct checked_port ports[SCENE_PORTS];
	struct checkup checkup;
	struct drift_item items[5];
	struct drifted drifted;
	struct drift_list drifts;
	struct doctor_listener listener;
	struct strs failed, texts;
	struct snapshot machines;
	struct world world;
	struct app app;
	struct reach reach;
};

#define WEB "web-frontend-production-01"

static struct addr scene_address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static char *kept(struct scene *s, const char *text)
{
	if (!text)
		return NULL;
	strs_add(&s->texts, text);
	assert_false(s->texts.bad);
	return s->texts.v[s->texts.n - 1];
}

/* ---- the map */

static struct netmap_link scene_link(int index, const char *name, const char *kind, int peer, int netnsid)
{
	struct netmap_link l = {
		.index = index, .up = true, .carrier = true, .peer = peer, .netnsid = netnsid
	};

	(void)snprintf(l.name, sizeof(l.name), "%s", name);
	(void)snprintf(l.kind, sizeof(l.kind), "%s", kind);
	l.rx_rate = l.tx_rate = l.rx = l.tx = l.drops = l.errors = STATS_UNKNOWN;
	return l;
}

static void scene_links(struct scene *s)
{
	s->host[0] = scene_link(1, "lo", "", 0, NETMAP_HOST);
	s->host[0].loopback = true;
	s->host[1] = scene_link(2, "enp3s0", "", 0, NETMAP_HOST);
	s->host[1].speed = 1000;
	s->host[1].manager = NETMAP_NETWORKD;
	s->host[1].rx_rate = 1310720;
	s->host[1].tx_rate = 81920;
	s->host[1].drops = 17;
	s->host[2] = scene_link(3, "br0", "bridge", 0, NETMAP_HOST);
	s->host[3] = scene_link(4, "vb-db", "veth", 2, 1);
	s->host[3].master = 3;
	s->host[3].rx_rate = 20480;
	s->host[3].tx_rate = 4096;
	s->host[4] = scene_link(5, "tap-win11", "tun", 0, NETMAP_HOST);
	s->host[4].master = 3;
	s->host[4].carrier = false;
	s->host[5] = scene_link(6, "vb-mail", "veth", 2, 3);
	s->host[5].flaps = 4;
	s->host[6] = scene_link(7, "ve-web-fronZ2k", "veth", 2, 0);
	strs_add(&s->host[6].altnames, "ve-" WEB);
	s->host[6].errors = 3;
	s->host[7] = scene_link(8, "ve-old", "veth", 2, NETMAP_NSID_OTHER);
	s->host[7].carrier = false;
	s->host[8] = scene_link(9, "ve-lab", "dummy", 0, NETMAP_HOST);
	s->host[9] = scene_link(10, "docker0", "bridge", 0, NETMAP_HOST);
	s->host[9].carrier = false;
	s->host[10] = scene_link(11, "wg\x1b[31m0", "wireguard", 0, NETMAP_HOST);
	s->host[10].up = s->host[10].carrier = false;
	s->web[0] = scene_link(2, "eth0", "veth", 7, NETMAP_HOST);
	s->db[0] = scene_link(2, "eth0", "veth", 4, NETMAP_HOST);
	s->mail[0] = scene_link(2, "eth0", "veth", 6, NETMAP_HOST);
	s->dns[0] = scene_link(2, "mv-enp3s0", "macvlan", 2, NETMAP_HOST);
}

static void scene_space(struct scene *s, size_t i, const char *machine, int netnsid, struct netmap_link *link)
{
	s->spaces[i] = (struct netmap_space){ .netnsid = netnsid, .links = link, .n_links = link ? 1 : 0 };
	(void)snprintf(s->spaces[i].machine, sizeof(s->spaces[i].machine), "%s", machine);
}

static void scene_net(struct scene *s)
{
	static const char *const inside[] = { "10.1.0.5/24", "192.168.1.53/24", "10.1.0.25/24", "10.0.0.2",
		                              "fd00::2" };
	const struct netmap_address outside[] = {
		{ .link = 1, .addr = scene_address("127.0.0.1/8") },
		{ .link = 2, .addr = scene_address("192.168.1.10/24") },
		{ .link = 3, .addr = scene_address("10.1.0.1/24") },
		{ .link = 7, .addr = scene_address("10.0.0.1") },
		{ .link = 9, .addr = scene_address("10.0.0.9/32") },
	};

	scene_links(s);
	memcpy(s->outside, outside, sizeof(outside));
	for (size_t i = 0; i < COUNT(inside); i++)
		s->inside[i] = (struct netmap_address){ .link = 2,
			                                .addr = scene_address(inside[i]),
			                                .tentative = i == 4 };
	scene_space(s, 0, "", NETMAP_HOST, s->host);
	s->spaces[0].n_links = COUNT(s->host);
	s->spaces[0].addresses = s->outside;
	s->spaces[0].n_addresses = COUNT(s->outside);
	s->spaces[0].sysctls = (struct netmap_sysctls){ .forward4 = NETMAP_ON, .forward6 = NETMAP_OFF };
	s->out = (struct netmap_route){ .to = scene_address("0.0.0.0/0"),
		                        .link = 2,
		                        .gateway = scene_address("192.168.1.1") };
	s->spaces[0].routes = &s->out;
	s->spaces[0].n_routes = 1;
	scene_space(s, 1, "cache", 8, NULL);
	s->spaces[1].shares_host = true;
	scene_space(s, 2, "db", 1, s->db);
	scene_space(s, 3, "dns", 2, s->dns);
	scene_space(s, 4, "mail", 3, s->mail);
	scene_space(s, 5, WEB, 0, s->web);
	scene_space(s, 6, "win11", 9, NULL);
	s->spaces[6].no_links = kept(s, "its network is not seen: that takes CAP_NET_ADMIN");
	for (size_t i = 0; i < 3; i++) {
		s->spaces[2 + i].addresses = &s->inside[i];
		s->spaces[2 + i].n_addresses = 1;
	}
	s->spaces[5].addresses = &s->inside[3];
	s->spaces[5].n_addresses = 2;
	s->in = (struct netmap_route){ .to = scene_address("0.0.0.0/0"),
		                       .link = 2,
		                       .gateway = scene_address("10.0.0.1") };
	s->spaces[5].routes = &s->in;
	s->spaces[5].n_routes = 1;
}

static void scene_forwards(struct scene *s)
{
	const struct netmap_forward forwards[] = {
		{ { false, 5432, 5432 }, scene_address("10.1.0.5") },
		{ { false, 7000, 80 }, scene_address("10.0.0.77") },
		{ { false, 8080, 80 }, scene_address("10.0.0.2") },
		{ { false, 8443, 443 }, scene_address("10.0.0.2") },
		{ { true, 53, 53 }, scene_address("192.168.1.53") },
	};
	const struct netmap_wanted wanted[] = {
		{ "db", "vb-db", "br0", false },
		{ "lab", "ve-lab", NULL, false },
		{ "mail", "vb-mail", "br0", false },
		{ WEB, "ve-" WEB, NULL, true },
	};

	memcpy(s->forwards, forwards, sizeof(forwards));
	memcpy(s->wanted, wanted, sizeof(wanted));
	s->net = (struct netmap){
		.v = s->spaces, .n = COUNT(s->spaces), .forwards = s->forwards, .n_forwards = COUNT(forwards)
	};
	s->netwanted = (struct netwanted){ .v = s->wanted, .n = COUNT(wanted) };
}

/* ---- the ports: each link of the chain is broken once */

struct scene_facts {
	const char *machine;
	struct port port;
	const char *guest; /* its address; NULL: it has none */
	const char *to;    /* of the rule; NULL: there is none */
	const char *at;    /* who listens inside; NULL: nobody */
};

static const struct scene_facts scene_facts[SCENE_PORTS] = {
	{ "db", { false, 5432, 5432 }, "10.1.0.5", "10.1.0.5", "127.0.0.1" },
	{ "dns", { true, 53, 53 }, "192.168.1.53", "192.168.1.53", "0.0.0.0" },
	{ "dns", { false, 53, 53 }, "192.168.1.53", "10.0.0.77", "0.0.0.0" },
	{ "lab", { false, 9000, 80 }, NULL, NULL, NULL },
	{ "mail", { false, 25, 25 }, "10.1.0.25", "10.1.0.25", "0.0.0.0" },
	{ "mail", { false, 587, 587 }, "10.1.0.25", NULL, "0.0.0.0" },
	{ "mail", { false, 993, 993 }, "10.1.0.25", "10.1.0.25", "0.0.0.0" },
	{ "mail", { false, 995, 995 }, NULL, NULL, "0.0.0.0" },
	{ WEB, { false, 8080, 80 }, "10.0.0.2", "10.0.0.2", "0.0.0.0" },
	{ WEB, { false, 8443, 443 }, "10.0.0.2", "10.0.0.2", NULL },
	{ "", { false, 7000, 80 }, NULL, "10.0.0.77", NULL },
};

static struct doctor_facts scene_chain(struct scene *s, const struct scene_facts *from, const char *file)
{
	struct doctor_facts f = { .name = from->machine,
		                  .state = MACHINE_RUNNING,
		                  .up_usec = 60 * SAMPLE_SEC,
		                  .port = from->port,
		                  .declared = *from->machine,
		                  .file = *from->machine ? file : NULL,
		                  .line = 4,
		                  .link = "eth0",
		                  .link_up = DOCTOR_YES,
		                  .host_link = "its link",
		                  .host_link_up = DOCTOR_YES,
		                  .host_address = "192.168.1.10",
		                  .failed_units = &s->failed };
	struct doctor_way *w = &f.way[DOCTOR_V4];

	f.way[DOCTOR_V6].table = DOCTOR_TABLE_GONE;
	*w = (struct doctor_way){ .table = DOCTOR_TABLE_THERE,
		                  .owner = DOCTOR_OWNER_ITSELF,
		                  .routed = DOCTOR_YES,
		                  .routed_by = "its link",
		                  .forwarding = DOCTOR_YES,
		                  .default_route = DOCTOR_YES,
		                  .host_drops.answer = FIREWALL_PASSES,
		                  .guest_drops.answer = FIREWALL_PASSES };
	if (from->guest) {
		w->configured = w->guest = scene_address(from->guest);
		w->address = DOCTOR_ADDRESS_THERE;
	}
	if (from->to) {
		w->has_rule = true;
		w->to = scene_address(from->to);
		w->to_port = from->port.guest;
	}
	if (from->at) {
		s->listener = (struct doctor_listener){ .udp = from->port.udp,
			                                .at = scene_address(from->at),
			                                .port = from->port.guest,
			                                .pid = 812,
			                                .process = "daemon",
			                                .unit = "daemon.service" };
		f.listeners = &s->listener;
		f.n_listeners = 1;
	}
	return f;
}

static void scene_ports(struct scene *s)
{
	static const struct doctor_listener sshd = {
		.port = 993, .pid = 88, .process = "sshd", .unit = "ssh.service"
	};

	strs_add(&s->failed, "nginx.service");
	for (size_t i = 0; i < SCENE_PORTS; i++) {
		const struct scene_facts *from = &scene_facts[i];
		struct checked_port *p = &s->ports[i];
		struct doctor_facts f;
		char file[96];

		(void)snprintf(file, sizeof(file), "/etc/containers/%s.conf", from->machine);
		f = scene_chain(s, from, file);
		if (i == 2)
			f.way[DOCTOR_V4].owner = DOCTOR_OWNER_NOBODY;
		if (i == 3)
			f.state = MACHINE_STOPPED;
		if (i == 4) {
			f.bridge = "br0";
			f.bridged = DOCTOR_NO;
		}
		if (i == 6) {
			f.host = &sshd;
			f.way[DOCTOR_V4].forwarding = DOCTOR_NO;
		}
		if (i == 8) {
			f.connect = DOCTOR_CONNECTED;
			f.connected_to = "192.168.1.10:8080";
			f.connect_ms = 2;
		}
		if (!*from->machine) { /* as engine/doctor has what nobody declares */
			f = (struct doctor_facts){ .name = "", .state = MACHINE_STOPPED, .port = from->port };
			f.way[DOCTOR_V4] = (struct doctor_way){ .has_rule = true,
				                                .to = scene_address(from->to),
				                                .to_port = from->port.guest,
				                                .owner = DOCTOR_OWNER_NOBODY };
		}
		(void)snprintf(p->machine, sizeof(p->machine), "%s", from->machine);
		p->port = from->port;
		p->declared = f.declared;
		p->file = f.declared ? strdup(file) : NULL;
		p->line = 4;
		if (from->to)
			strs_addf(&p->targets, "%s:%u", from->to, from->port.guest);
		doctor_judge(&f, &p->found);
	}
	s->checkup = (struct checkup){ .v = s->ports, .n = SCENE_PORTS };
}

/* ---- what differs of the web machine */

static void scene_drift(struct scene *s)
{
	static const struct {
		enum drift_cure cure;
		const char *text, *configured, *started, *live;
	} items[] = {
		{ DRIFT_RESTART, "HOST_PORT", "tcp:8080:80 tcp:8443:443 tcp:9090:9090",
		  "tcp:8080:80 tcp:8443:443", NULL },
		{ DRIFT_RESTART, "EXTRA_NSPAWN_FLAGS", "--bind-ro=/srv/www/production:/srv/www", "none",
		  NULL },
		{ DRIFT_RELOAD, "MASQUERADE", "10.0.0.2", "none", NULL },
		{ DRIFT_MEND, "inside: 10.0.0.2 is not on eth0", NULL, NULL, NULL },
		{ DRIFT_MEND, "on the host: ve-" WEB " is down", NULL, NULL, NULL },
	};
	struct drift *d = &s->drifted.drift;

	for (; d->n < COUNT(items); d->n++)
		s->items[d->n] = (struct drift_item){ .cure = items[d->n].cure,
			                              .text = kept(s, items[d->n].text),
			                              .configured = kept(s, items[d->n].configured),
			                              .started = kept(s, items[d->n].started),
			                              .live = kept(s, items[d->n].live) };
	d->v = s->items;
	strs_add(&d->unseen, "the network inside: that takes CAP_NET_ADMIN");
	s->drifted.name = kept(s, WEB);
	s->drifted.known = true;
	s->drifts = (struct drift_list){ .v = &s->drifted, .n = 1 };
}

/* ---- all of it */

static void scene_done(struct scene *s)
{
	snapshot_done(&s->machines);
	strs_done(&s->host[6].altnames);
	for (size_t i = 0; i < SCENE_PORTS; i++) {
		strs_done(&s->ports[i].targets);
		free(s->ports[i].file);
	}
	strs_done(&s->failed);
	strs_done(&s->drifted.drift.unseen);
	strs_done(&s->texts);
	app_done(&s->app);
	free(s);
}

static void free_scene(struct scene **s)
{
	scene_done(*s);
}

/* That machine is selected. */
static struct scene *scene(const char *selected)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->machines = sample_snapshot();
	scene_net(s);
	scene_forwards(s);
	scene_ports(s);
	scene_drift(s);
	s->world = sample_world(&s->machines);
	s->world.net = &s->net;
	s->world.netwanted = &s->netwanted;
	s->world.ports = &s->checkup;
	s->world.drifts = &s->drifts;
	reach_judge(&(struct reach_facts){ .map = &s->net, .machine = selected }, &s->reach);
	s->world.reach = &s->reach;
	s->app = sample_app(&s->machines);
	app_select(&s->app, &s->world, selected);
	assert_string_equal(s->app.selected, selected);
	return s;
}

static void at_each_size(const char *name, struct scene *s)
{
	static const struct {
		int w, h;
	} sizes[] = { { 200, 50 }, { 120, 40 }, { 80, 24 }, { 60, 15 }, { 40, 10 }, { 20, 5 } };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		char file[64];

		(void)snprintf(file, sizeof(file), "%s-%dx%d", name, sizes[i].w, sizes[i].h);
		s->app.text_top = 0;
		text = sample_screen_of(&s->app, &s->world, sizes[i].w, sizes[i].h, false);
		golden_compare(file, &text);
	}
}

static void press(struct scene *s, const char *keys)
{
	struct app_command c;

	for (; *keys; keys++) {
		app_follow(&s->app, &s->world);
		app_key(&s->app, &s->world, (unsigned char)*keys, SAMPLE_NOW);
		while (app_next(&s->app, &c))
			app_command_done(&c);
	}
}

static void the_map_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene("db");

	(void)state;
	press(s, "H");
	at_each_size("map", s);
}

static void all_ports_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene("db");

	(void)state;
	press(s, "O");
	at_each_size("all-ports", s);
}

/* The checkup that the doctor's screen asks for has one machine's ports alone. */
static void the_doctor_at_each_size(void **state)
{
	static const struct {
		const char *machine, *file;
		size_t first, n;
	} cases[] = { { WEB, "doctor", 8, 2 }, { "mail", "doctor-mail", 4, 4 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(free_scene) struct scene *s = scene(cases[i].machine);

		s->checkup.v += cases[i].first;
		s->checkup.n = cases[i].n;
		press(s, "d");
		at_each_size(cases[i].file, s);
	}
}

static void what_differs_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	press(s, "D");
	at_each_size("differs", s);
}

static void the_question_before_mending_at_each_size(void **state)
{
	static const char *const steps[][2] = {
		{ "on the host: ve-" WEB " does not have 10.0.0.1", "ip addr add 10.0.0.1 dev ve-" WEB },
		{ "in the guest: there is no default route by 10.0.0.1",
		  "nsenter -t \"$(machinectl show -p Leader --value " WEB
		  ")\" -n ip route add default via 10.0.0.1" },
	};
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	CLEANUP(mending_done) struct mending m = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		strs_add(&m.reasons, steps[i][0]);
		strs_add(&m.commands, steps[i][1]);
	}
	strs_add(&m.cannot, "bridge br0 is not there: make it, then mend");
	mend_describe(&m, &text);
	press(s, "M");
	app_preview(&s->app, CONTROL_MEND, buf_text(&text));
	at_each_size("mend", s);
}

/* ---- a form */

static void open_form(struct scene *s)
{
	static const char conf[] =
		"# the shop\nAUTO_START=1\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n"
		"HOST_PORT=tcp:8080:80,tcp:8443:443\nPRIVATE_USERS=pick\nMEMORY_MAX=512M\n"
		"EXTRA_NSPAWN_FLAGS=\"--bind-ro=/srv/www/production:/srv/www --bind=/var/lib/shop\"\n";
	CLEANUP(buf_done) struct buf text = { 0 };

	buf_puts(&text, conf);
	form_open(&s->app.form, WEB, &text);
	app_open_menu(&s->app, MENU_FORM);
	s->app.menu_row = 1;
}

/* To the field (and item of it) of that row. */
static void go_to(struct scene *s, const char *key, size_t nth)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };

	form_rows(&s->app.form, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.v[i].kind != FORM_GROUP && strcmp(form_key(rows.v[i].field), key) == 0 &&
		    nth-- == 0) {
			press(s, "g");
			for (size_t k = 0; k < i; k++)
				press(s, "j");
			assert_int_equal(s->app.menu_row, i);
			return;
		}
	fail_msg("no row %s", key);
}

static bool has_label(const struct scene *s, const char *label)
{
	CLEANUP(menu_done) struct menu m = { 0 };
	bool has = false;

	menu_build(&s->app, &s->world, &m);
	for (size_t i = 0; i < m.n; i++)
		has |= strcmp(m.v[i].label, label) == 0;
	return has;
}

static void a_form_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	size_t at;

	(void)state;
	open_form(s);
	at_each_size("form", s);
	go_to(s, "HOST_PORT", 1);
	at = s->app.menu_row;
	at_each_size("form-list", s);
	press(s, "\r");
	at_each_size("form-value", s);
	press(s, "x");
	at_each_size("form-error", s);
	press(s, "\x7f\r");
	assert_int_equal(s->app.menu_row, at);
	(void)snprintf(
		s->app.form.problem, sizeof(s->app.form.problem),
		"HOST_PORT: tcp 8080 of the host is also forwarded by lab (/etc/containers/lab.conf:4)");
	at_each_size("form-conflict", s);
	(void)snprintf(s->app.form.problem, sizeof(s->app.form.problem), "HOST_ADDRESS6: 'x' is no address");
	assert_true(has_label(s, "! HOST_ADDRESS6"));
	assert_true(has_label(s, "  HOST_ADDRESS"));
}

/* The keys that would change something: Enter, x, S; the one that takes it; then what is left to look at. */
static void what_another_one_edits_is_looked_at_and_not_changed(void **state)
{
	static const char *const changing[] = { "\r", "x", "S" };
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	struct app_command c;

	(void)state;
	open_form(s);
	form_hold(&s->app.form, 4242, "alice", "10:03:05");
	app_say(&s->app, STYLE_BUSY, 0, "%s is being edited by %s; you can look, not change", WEB,
	        s->app.form.held);
	s->app.message.brief = true;
	at_each_size("form-held", s);
	go_to(s, "HOST_PORT", 1);
	for (size_t i = 0; i < COUNT(changing); i++) {
		press(s, changing[i]);
		assert_int_equal(s->app.prompt, PROMPT_NONE);
		assert_false(form_is_dirty(&s->app.form));
		assert_string_equal(
			s->app.message.text,
			"read-only: PID 4242 (alice, since 10:03) edits it; e takes it when that is over");
	}
	at_each_size("form-held-why", s);
	press(s, "k");
	assert_string_equal(s->app.message.text, ""); /* the help of the field is back */
	s->app.form.freed = true;
	press(s, "x");
	assert_non_null(strstr(s->app.message.text, "until e takes it"));
	app_key(&s->app, &s->world, 'e', SAMPLE_NOW);
	assert_true(app_next(&s->app, &c));
	assert_int_equal(c.what, APP_FORM_OPEN);
	assert_string_equal(c.name, WEB);
	app_command_done(&c);
	press(s, "q"); /* and nothing is asked */
	assert_false(s->app.form.open);
	assert_int_equal(s->app.menu, MENU_NONE);
}

static void the_plan_of_a_form_is_read_and_saves_nothing(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	struct app_command c;
	size_t at;

	(void)state;
	open_form(s);
	app_key(&s->app, &s->world, 'p', SAMPLE_NOW);
	assert_true(app_next(&s->app, &c));
	assert_int_equal(c.what, APP_FORM_PLAN);
	app_command_done(&c);
	go_to(s, "MEMORY_MAX", 0);
	at = s->app.menu_row;
	app_form_show(&s->app, APP_TEXT_FORM_PLAN);
	press(s, "j");
	app_shown(&s->app, SAMPLE_NOW - APP_CONFIRM_USEC);
	app_key(&s->app, &s->world, '\r', SAMPLE_NOW);
	assert_false(app_next(&s->app, &c));
	press(s, "q");
	assert_int_equal(s->app.menu, MENU_FORM);
	assert_int_equal(s->app.text, APP_TEXT_NONE);
	assert_int_equal(s->app.menu_row, at);
	press(s, "xq");
	assert_non_null(strstr(s->app.message.text, "not saved"));
	press(s, "Q"); /* what was said of the form goes with it */
	assert_string_equal(s->app.message.text, "");
}

static void what_is_typed_in_a_form_can_be_written_to_another_file(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	struct app_command c;

	(void)state;
	open_form(s);
	go_to(s, "HOST_PORT", 1);
	press(s, "W/root/copy");
	assert_int_equal(s->app.prompt, PROMPT_SAVE);
	app_key(&s->app, &s->world, '\r', SAMPLE_NOW);
	assert_true(app_next(&s->app, &c));
	assert_int_equal(c.what, APP_FORM_WRITE);
	assert_string_equal(c.text, "/root/copy");
	app_command_done(&c);
	assert_int_equal(s->app.menu, MENU_FORM);
	press(s, "W\r"); /* to none */
	assert_int_equal(s->app.menu, MENU_FORM);
	press(s, "q");
	assert_false(s->app.form.open);
}

/* 118: pasted it is there to the last byte, and opened again it is the same. */
static void a_long_value_is_whole_or_not_typed_at_all(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);
	char value[LINE_SIZE + 8] = "/";

	(void)state;
	open_form(s);
	go_to(s, "INIT", 0);
	press(s, "\r/");
	memset(value + 1, 'x', 4095);
	for (size_t i = 1; i < 4096; i++)
		app_key(&s->app, &s->world, 'x' | INPUT_PASTED, SAMPLE_NOW);
	press(s, "\r");
	assert_non_null(strstr(buf_text(&s->app.form.text), value));
	press(s, "\r\r");
	assert_non_null(strstr(buf_text(&s->app.form.text), value));
	memset(value + 1, 'x', LINE_SIZE);
	assert_int_equal(form_set(&s->app.form, s->app.form.field, 0, value, NULL), 0);
	press(s, "\r");
	assert_int_equal(s->app.prompt, PROMPT_NONE);
	assert_non_null(strstr(s->app.message.text, "E opens"));
}

static void what_is_being_saved_is_not_changed_and_can_be_left(void **state)
{
	static const char *const changing[] = { "\r", "x", "S" };
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	open_form(s);
	go_to(s, "HOST_PORT", 1);
	press(s, "x");
	assert_true(form_is_dirty(&s->app.form));
	s->app.form.saving = true;
	for (size_t i = 0; i < COUNT(changing); i++) {
		press(s, changing[i]);
		assert_int_equal(s->app.prompt, PROMPT_NONE);
		assert_string_equal(s->app.message.text, "it is being saved; q leaves it to that");
	}
	press(s, "q"); /* though it is changed */
	assert_false(s->app.form.open);
	assert_int_equal(s->app.menu, MENU_NONE);
}

static void what_a_form_would_save_at_each_size(void **state)
{
	static const char diff[] =
		"--- /etc/containers/" WEB ".conf\n+++ after\n-HOST_PORT=tcp:8080:80,tcp:8443:443\n"
		"+HOST_PORT=tcp:8080:80\n \nplan\n---port=tcp:8443:443\n";
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	open_form(s);
	doc_text(&s->app.results, STYLE_TEXT, diff);
	app_form_show(&s->app, APP_TEXT_SAVE);
	at_each_size("form-save", s);
}

/* ---- what else is read or typed over the list */

/* As ui/doer has them. */
static void result_of(struct scene *s, const char *name, enum style style, const char *status)
{
	doc_line(&s->app.results, STYLE_STRONG, "%-20s ", name);
	doc_add(&s->app.results, style, "%s", status);
}

static void what_was_run_in_several_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	(void)snprintf(s->app.results_title, sizeof(s->app.results_title),
	               "systemctl is-system-running in 3 machines");
	result_of(s, "db", STYLE_GOOD, "  0");
	doc_add(&s->app.results, STYLE_TEXT, "  running");
	result_of(s, "mail", STYLE_BAD, "  1");
	doc_text(&s->app.results, STYLE_TEXT,
	         "degraded: \x1b[31mrspamd.service\xff failed, and it says so in a rather long line\n");
	result_of(s, WEB, STYLE_BAD, "it ended while the command ran");
	s->app.text = APP_TEXT_RESULTS;
	at_each_size("results", s);
}

static void what_the_program_itself_uses_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	s->app.self = (struct app_self){ .since_usec = SAMPLE_NOW - 3600 * SAMPLE_SEC,
		                         .cpu_usec = 2100000,
		                         .wakeups = 1830,
		                         .frames = 1800,
		                         .bytes = 912345,
		                         .bus_calls = 412,
		                         .memory = 11534336 };
	press(s, "%");
	at_each_size("self", s);
}

static void each_line_that_is_typed_at_each_size(void **state)
{
	static const struct {
		enum app_prompt prompt;
		const char *text, *name;
	} prompts[] = {
		{ PROMPT_SEARCH, "out of (memory", "prompt-search" },
		{ PROMPT_LINES, "error|warn", "prompt-lines" },
		{ PROMPT_RUN, "systemctl --failed --no-legend", "prompt-run" },
		{ PROMPT_SAVE, "/root/logs of web.txt", "prompt-save" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(prompts); i++) {
		CLEANUP(free_scene) struct scene *s = scene(WEB);

		app_open_prompt(&s->app, prompts[i].prompt, prompts[i].text);
		at_each_size(prompts[i].name, s);
	}
}

static void what_others_saved_meanwhile_at_each_size(void **state)
{
	static const char theirs[] =
		"# the "
		"shop\nAUTO_START=1\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.7\n";
	static const struct {
		const char *keys, *address;
	} answers[] = { { "\r", "10.0.0.9" },
		        { "q", "10.0.0.9" },
		        { "j\r", "10.0.0.7" },
		        { "jj\r", "10.0.0.9" },
		        { "jj\ryes\r\r\x1bq", "10.0.0.9" } };

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(free_scene) struct scene *s = scene(WEB);
		char line[64];
		size_t field = 0;
		struct err e;

		open_form(s);
		while (strcmp(form_key(field), "LOCAL_ADDRESS") != 0)
			field++;
		assert_int_equal(form_set(&s->app.form, field, 0, "10.0.0.9", &e), 0);
		buf_puts(&text, theirs);
		assert_int_equal(form_clash(&s->app.form, &text, &e), 0);
		app_form_clashed(&s->app);
		if (i == 0)
			at_each_size("clash", s);
		press(s, answers[i].keys);
		if (s->app.prompt == PROMPT_YOURS) {
			at_each_size("clash-yours", s);
			press(s, "yours\r");
		}
		assert_int_equal(s->app.menu, MENU_FORM);
		(void)snprintf(line, sizeof(line), "LOCAL_ADDRESS=%s\n", answers[i].address);
		assert_non_null(strstr(buf_text(&s->app.form.text), line));
		assert_int_equal(strstr(buf_text(&s->app.form.base), "10.0.0.7") != NULL, i == 2 || i == 3);
	}
}

/* ---- errands */

#define STOPPED "lab"

static void typed(struct scene *s, const char *text)
{
	press(s, text);
	press(s, (char[]){ '\r', '\0' });
}

static void what_is_destroyed_or_reset_at_each_size(void **state)
{
	static const struct {
		enum app_errand errand;
		const char *key, *name;
	} cases[] = { { ERRAND_DESTROY, "-", "destroy" }, { ERRAND_RESET, "Z", "reset" } };
	static const char text[] =
		"stop    container@lab.service\nremove  /etc/containers/lab.conf\n"
		"delete  /var/lib/containers/lab (412 MB in 18234 files)\nkeep    /srv/data, bound into it\n";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(free_scene) struct scene *s = scene(STOPPED);

		press(s, cases[i].key);
		app_errand_looked(&s->app, cases[i].errand, STOPPED, 0, text, NULL);
		press(s, "la");
		at_each_size(cases[i].name, s);
	}
}

static void what_a_clone_is_asked_and_would_do_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(STOPPED);

	(void)state;
	press(s, "Ylab");
	at_each_size("clone-name", s);
	typed(s, "2");
	app_errand_looked(&s->app, ERRAND_CLONE, STOPPED, 0,
	                  "# root: a full copy of /var/lib/containers/lab\n", NULL);
	at_each_size("clone-root", s);
	typed(s, "");
	app_errand_looked(&s->app, ERRAND_CLONE, STOPPED, 0,
	                  "# root: a copy that shares blocks of /var/lib/containers/lab\n# host name and "
	                  "machine ID: its own\n"
	                  "# HOST_ADDRESS: 10.233.1.1 becomes 10.233.2.1\n# LOCAL_ADDRESS: 10.233.1.2 "
	                  "becomes 10.233.2.2\n"
	                  "# HOST_PORT: tcp:9000:80 becomes tcp:9001:80\n"
	                  "# "
	                  "/etc/containers/"
	                  "lab2.conf\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.233.2.1\nLOCAL_ADDRESS=10.233.2.2\n"
	                  "HOST_PORT=tcp:9001:80\n# /var/lib/containers/lab2\n",
	                  NULL);
	at_each_size("clone", s);
	app_shown(&s->app, SAMPLE_NOW - APP_CONFIRM_USEC);
	typed(s, "");
	app_errand_progress(&s->app, STOPPED, "212 MB of 412 MB copied");
	at_each_size("clone-runs", s);
}

static void the_states_to_go_back_to_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(STOPPED);

	(void)state;
	press(s, "B");
	app_errand_looked(&s->app, ERRAND_RESTORE, STOPPED, 0,
	                  "base                             Mon 2023-11-13 09:00:00\n"
	                  "before-reset-20231114-101530     Tue 2023-11-14 10:15:30\n"
	                  "20231114-180000                  -\n",
	                  NULL);
	at_each_size("restore-list", s);
	typed(s, "j");
	app_errand_looked(&s->app, ERRAND_RESTORE, STOPPED, 0,
	                  "The root of lab becomes before-reset-20231114-101530; what it is now is kept as a "
	                  "snapshot.\n",
	                  NULL);
	at_each_size("restore", s);
}

static void what_a_rename_is_asked_and_would_do_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(STOPPED);

	(void)state;
	press(s, "=");
	typed(s, "mail");
	at_each_size("rename-taken", s);
	press(s, "\x15");
	typed(s, "shop");
	app_errand_looked(&s->app, ERRAND_RENAME, STOPPED, 0,
	                  "rename  /etc/containers/lab.conf\nrename  /var/lib/containers/lab\n"
	                  "write   /var/lib/containers/lab/etc/hostname: shop\n",
	                  NULL);
	at_each_size("rename", s);
}

static void a_long_name_is_read_before_it_is_typed_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(WEB);

	(void)state;
	press(s, "-");
	at_each_size("destroy-looking", s);
}

static void what_a_new_container_is_asked_at_each_size(void **state)
{
	CLEANUP(free_scene) struct scene *s = scene(STOPPED);

	(void)state;
	press(s, "+");
	typed(s, "shop");
	at_each_size("create-root", s);
	typed(s, "");
	press(s, "/srv/trees/de");
	at_each_size("create-folder", s);
	typed(s, "bian");
	at_each_size("create-network", s);
	typed(s, "");
	press(s, "tcp:auto:80");
	at_each_size("create-ports", s);
	typed(s, "");
	at_each_size("create-users", s);
	typed(s, "");
	at_each_size("create-start", s);
	typed(s, "");
	app_errand_looked(
		&s->app, ERRAND_CREATE, "shop", 0,
		"# "
		"/etc/containers/shop.conf\nPRIVATE_NETWORK=1\nPRIVATE_USERS=pick\nHOST_ADDRESS=10.233.4.1\n"
		"LOCAL_ADDRESS=10.233.4.2\nHOST_PORT=tcp:8081:80\n# /var/lib/containers/shop\n",
		NULL);
	at_each_size("create", s);
}

/* ---- by keys alone, where there is little room */

static void escape_leaves_every_dialog_and_nothing_is_begun(void **state)
{
	static const char *const ways[] = {
		"+",
		"+shop\r",
		"+shop\r\r",
		"+shop\r\r/src\r",
		"+shop\r\r/src\r\r",
		"+shop\r\r/src\r\r\r",
		"+shop\r\r/src\r\r\r\r",
		"+lab\r",
		"Y",
		"Ylab2",
		"=",
		"=lab\r",
		"-",
		"-la",
		"Z",
		"Zlab",
		"s",
		"K",
		"y",
		"o",
		":",
		":cl",
		"/na",
		"C",
		"@",
		"?",
		"w",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		CLEANUP(free_scene) struct scene *s = scene(STOPPED);
		CLEANUP(buf_done) struct buf text = { 0 };
		size_t begun;

		press(s, ways[i]);
		text = sample_screen_of(&s->app, &s->world, 40, 10, false);
		begun = s->app.n_jobs;
		for (int n = 0; n < 2 && app_screen(&s->app) != SCREEN_LIST; n++) {
			struct app_command c;

			app_key(&s->app, &s->world, INPUT_ESC, SAMPLE_NOW);
			while (app_next(&s->app, &c)) {
				assert_true(c.what != APP_ERRAND && c.what != APP_CONTROL &&
				            c.what != APP_QUIT);
				app_command_done(&c);
			}
		}
		if (app_screen(&s->app) != SCREEN_LIST)
			fail_msg("Esc does not leave %s", ways[i]);
		assert_int_equal(s->app.n_jobs, begun);
	}
}

/* The arrows reach each row, the row is on the screen, and the cursor of the terminal stands on it. */
static void reach_each_row(struct scene *s)
{
	CLEANUP(menu_done) struct menu m = { 0 };

	menu_build(&s->app, &s->world, &m);
	assert_true(m.n > 1);
	for (size_t i = 0; i < m.n; i++) {
		CLEANUP(buf_done) struct buf text = sample_screen_of(&s->app, &s->world, 40, 10, false);
		char label[16];

		assert_int_equal(s->app.menu_row, i);
		(void)snprintf(label, sizeof(label), "%.12s", m.v[i].label);
		if (!strstr(buf_text(&text), label))
			fail_msg("%s is not seen when it is marked", label);
		app_key(&s->app, &s->world, INPUT_DOWN, SAMPLE_NOW);
	}
}

static void arrows_reach_each_row_of_each_menu_and_it_is_seen(void **state)
{
	static const char *const ways[] = {
		"+shop\r", "+shop\r\r/src\r", "+shop\r\r/src\r\r\r", "+shop\r\r/src\r\r\r\r", "K", "o"
	};

	(void)state;
	for (size_t i = 0; i <= COUNT(ways); i++) {
		CLEANUP(free_scene) struct scene *s = scene(WEB);

		if (i < COUNT(ways))
			press(s, ways[i]);
		else
			open_form(s);
		press(s, "g");
		reach_each_row(s);
	}
}

static void an_ascii_terminal_gets_ascii(void **state)
{
	static const struct {
		char key;
		const char *name;
	} screens[] = { { 'H', "map-ascii" },
		        { 'O', "all-ports-ascii" },
		        { 'd', "doctor-ascii" },
		        { 'D', "differs-ascii" } };

	(void)state;
	for (size_t i = 0; i < COUNT(screens); i++) {
		CLEANUP(free_scene) struct scene *s = scene(WEB);
		CLEANUP(buf_done) struct buf text = { 0 };

		press(s, (char[]){ screens[i].key, '\0' });
		text = sample_screen_of(&s->app, &s->world, 80, 24, true);
		for (size_t k = 0; k < text.len; k++)
			assert_in_range(text.p[k], '\n', '~');
		golden_compare(screens[i].name, &text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_map_at_each_size),
		cmocka_unit_test(all_ports_at_each_size),
		cmocka_unit_test(the_doctor_at_each_size),
		cmocka_unit_test(what_differs_at_each_size),
		cmocka_unit_test(the_question_before_mending_at_each_size),
		cmocka_unit_test(a_form_at_each_size),
		cmocka_unit_test(what_another_one_edits_is_looked_at_and_not_changed),
		cmocka_unit_test(what_is_typed_in_a_form_can_be_written_to_another_file),
		cmocka_unit_test(a_long_value_is_whole_or_not_typed_at_all),
		cmocka_unit_test(what_is_being_saved_is_not_changed_and_can_be_left),
		cmocka_unit_test(the_plan_of_a_form_is_read_and_saves_nothing),
		cmocka_unit_test(what_a_form_would_save_at_each_size),
		cmocka_unit_test(escape_leaves_every_dialog_and_nothing_is_begun),
		cmocka_unit_test(arrows_reach_each_row_of_each_menu_and_it_is_seen),
		cmocka_unit_test(what_was_run_in_several_at_each_size),
		cmocka_unit_test(what_the_program_itself_uses_at_each_size),
		cmocka_unit_test(each_line_that_is_typed_at_each_size),
		cmocka_unit_test(what_others_saved_meanwhile_at_each_size),
		cmocka_unit_test(what_is_destroyed_or_reset_at_each_size),
		cmocka_unit_test(what_a_clone_is_asked_and_would_do_at_each_size),
		cmocka_unit_test(the_states_to_go_back_to_at_each_size),
		cmocka_unit_test(what_a_rename_is_asked_and_would_do_at_each_size),
		cmocka_unit_test(a_long_name_is_read_before_it_is_typed_at_each_size),
		cmocka_unit_test(what_a_new_container_is_asked_at_each_size),
		cmocka_unit_test(an_ascii_terminal_gets_ascii),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
