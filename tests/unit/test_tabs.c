#include "sample.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* One machine with all that may be known of it, as the details show it. */
struct scene {
	struct snapshot s;
	struct machine *m;
	struct stats st;
	struct stats_table stats;
	struct looked look;
	struct events events;
};

static void set(char **p, const char *text)
{
	free(*p);
	*p = text ? strdup(text) : NULL;
}

static void scene_begin(struct scene *c, const char *name, enum machine_state state)
{
	struct sample one = { name, NULL, state, 3700, "", "", false, false, NULL };

	*c = (struct scene){ .s = { .host = strdup("frodo"), .taken_usec = SAMPLE_NOW } };
	sample_add(&c->s, &one);
	c->m = &c->s.v[0];
	(void)snprintf(c->look.name, sizeof(c->look.name), "%s", name);
}

static void scene_done(struct scene *c)
{
	snapshot_done(&c->s);
	look_done(&c->look);
	events_done(&c->events);
}

static void add_stats(struct scene *c)
{
	stats_unknown(&c->st, c->m->name);
	c->st.at_usec = SAMPLE_NOW;
	c->stats = (struct stats_table){ &c->st, 1 };
}

static struct look_end end_of(int index, const char *name, const char *kind, const char *addresses)
{
	struct look_end e = { .index = index,
		              .up = true,
		              .carrier = true,
		              .mtu = 1500,
		              .mac = { 0xb2, 0x65, 0x3f, 0xc9, 0x6b, (uint8_t)index } };

	(void)snprintf(e.name, sizeof(e.name), "%s", name);
	(void)snprintf(e.kind, sizeof(e.kind), "%s", kind);
	strs_split(&e.addresses, addresses, " ");
	return e;
}

static struct look_link *room_for_links(struct look_network *n, size_t count)
{
	n->v = calloc(count, sizeof(*n->v));
	assert_non_null(n->v);
	n->n = count;
	return n->v;
}

static struct look_port *room_for_ports(struct look_ports *p, size_t count)
{
	p->v = calloc(count, sizeof(*p->v));
	assert_non_null(p->v);
	p->n = count;
	return p->v;
}

static void set_port(struct look_port *p, struct port port, enum look_port_state state, const char *target,
                     const char *note)
{
	*p = (struct look_port){ .port = port, .declared = true, .state = state };
	if (target)
		strs_add(&p->targets, target);
	set(&p->note, note);
}

struct sample_process {
	pid_t pid, inside;
	char state;
	uint64_t cpu_usec, rss;
	float cpu;
	const char *command;
};

static void add_group(struct look_processes *p, const char *name, unsigned depth,
                      const struct sample_process *v, size_t n)
{
	struct proctree *t = &p->tree;

	t->groups = reallocarray(t->groups, t->n_groups + 1, sizeof(*t->groups));
	t->processes = reallocarray(t->processes, t->n_processes + n + 1, sizeof(*t->processes));
	p->cpu = reallocarray(p->cpu, t->n_processes + n + 1, sizeof(*p->cpu));
	assert_true(t->groups && t->processes && p->cpu);
	t->groups[t->n_groups++] = (struct process_group){
		.name = strdup(name), .depth = depth, .first = t->n_processes, .n = n
	};
	for (size_t i = 0; i < n; i++) {
		p->cpu[t->n_processes] = v[i].cpu;
		t->processes[t->n_processes++] =
			(struct process){ v[i].pid,      v[i].inside, v[i].state,
			                  v[i].cpu_usec, v[i].rss,    strdup(v[i].command) };
	}
}

static struct look_file *room_for_files(struct look_config *c, size_t count)
{
	c->v = calloc(count, sizeof(*c->v));
	assert_non_null(c->v);
	c->n = count;
	return c->v;
}

static void set_origin(struct look_file *f, size_t line, enum origin_kind kind, const char *becomes)
{
	f->origins.v = reallocarray(f->origins.v, f->origins.n + 1, sizeof(*f->origins.v));
	assert_non_null(f->origins.v);
	f->origins.v[f->origins.n] = (struct origin){ .line = line, .kind = kind };
	strs_split(&f->origins.v[f->origins.n++].becomes, becomes, "|");
}

/* ---- a web server that is well, with much to say */

static void web_network(struct look_network *n)
{
	struct look_link *v = room_for_links(n, 2);

	v[0].host = end_of(7, "ve-web", "veth", "10.231.136.1/32 fe80::b065:3fff:fec9:6b07/64");
	v[0].guest = end_of(2, "host0", "veth", "10.231.136.2/32 fd00:1:2:3::2/128");
	v[1].host = end_of(9, "vb-extra", "veth", "");
	v[1].host.master_index = 3;
	(void)snprintf(v[1].host.master, sizeof(v[1].host.master), "br0");
	v[1].guest = end_of(4, "extra", "veth", "192.168.7.20/24");
	strs_split(&n->host_routes, "10.231.136.2 dev ve-web", "|");
	strs_split(&n->guest_routes, "default via 10.231.136.1 dev host0|192.168.7.0/24 dev extra", "|");
}

static void web_ports(struct look_ports *p)
{
	struct look_port *v = room_for_ports(p, 4);

	set_port(&v[0], (struct port){ false, 8080, 80 }, LOOK_PORT_WELL, "10.231.136.2:80", NULL);
	set_port(&v[1], (struct port){ false, 8443, 443 }, LOOK_PORT_BAD, "10.231.136.9:443",
	         "goes to shop, which has it");
	set_port(&v[2], (struct port){ true, 53, 53 }, LOOK_PORT_BAD, NULL,
	         "not forwarded: the kernel's rule is gone; a restart makes it");
	set_port(&v[3], (struct port){ false, 9000, 9000 }, LOOK_PORT_WELL, "[fd00:1:2:3::2]:9000", NULL);
	v[3].declared = false;
}

static void web_processes(struct look_processes *p)
{
	static const struct sample_process init[] = {
		{ 4100, 1, 'S', 1250000, 11u << 20, 0, "/sbin/init" },
	};
	static const struct sample_process nginx[] = {
		{ 4200, 31, 'S', 610000000, 9u << 20, 0,
		  "nginx: master process /usr/sbin/nginx -g daemon off;" },
		{ 4201, 32, 'R', 13200000000ull, 212u << 20, 87.3f, "nginx: worker process" },
	};
	static const struct sample_process shell[] = {
		{ 1234567, 0, 'D', STATS_UNKNOWN, STATS_UNKNOWN, NAN, "systemd-run --machine web sh" },
	};

	add_group(p, "container@web.service", 0, NULL, 0);
	add_group(p, "init.scope", 1, init, COUNT(init));
	add_group(p, "system.slice", 1, NULL, 0);
	add_group(p, "nginx.service", 2, nginx, COUNT(nginx));
	add_group(p, "supervisor", 1, shell, COUNT(shell));
	p->at_usec = 1;
}

static void web_config(struct look_config *c)
{
	struct look_file *f = room_for_files(c, 1);

	set(&f->path, "/etc/containers/web.conf");
	strs_split(&f->lines,
	           "# the public web server|HOST_PORT=tcp:1:1|PRIVATE_NETWORK=1|HOST_ADDRESS=10.231.136.1|"
	           "HOST_PORT=tcp:8080:80|NO_SUCH_KEY=1",
	           "|");
	set_origin(f, 2, ORIGIN_AGAIN, "");
	set_origin(f, 3, ORIGIN_KEY, "--private-network|--network-veth");
	set_origin(f, 4, ORIGIN_KEY, "host: ip address add 10.231.136.1/32 dev ve-web");
	set_origin(f, 5, ORIGIN_KEY, "--port=tcp:8080:80");
	set_origin(f, 6, ORIGIN_UNKNOWN, "");
	strs_add(&c->warnings, "/etc/containers/web.conf:6:1: NO_SUCH_KEY: no such key; is HOST_PORT meant?");
	c->was_started = c->changed = true;
}

static void web_stats(struct scene *c)
{
	struct stats *st = &c->st;

	add_stats(c);
	st->cpu = 87.3f;
	st->cpu_limit = 200;
	st->throttled = 3.2f;
	for (int i = 0; i < STATS_HISTORY; i++) {
		st->cpu_history[i] = (float)(i * 3 % 200);
		st->memory_history[i] = 1e8f;
	}
	st->memory = 412u << 20;
	st->memory_limit = 512u << 20;
	st->swap = 3u << 20;
	st->oom_kills = 0;
	st->tasks = 42;
	st->tasks_limit = 16384;
	st->io_read = 1200000;
	st->io_write = 3000;
	st->cpu_pressure = (struct stats_pressure){ 12.5f, 1.5f };
	st->memory_pressure = (struct stats_pressure){ 0, 0 };
	st->io_pressure = (struct stats_pressure){ 0.5f, 0.25f };
	st->links[0] = (struct stats_link){ "ve-web", 1200000, 310000, 0, 0 };
	st->links[1] = (struct stats_link){ "vb-extra", 0, 12, 4, 1 };
	st->n_links = 2;
}

static void scene_web(struct scene *c)
{
	scene_begin(c, "web", MACHINE_RUNNING);
	set(&c->m->unit, "container@web.service");
	set(&c->m->cgroup, "/machine.slice/container@web.service");
	set(&c->m->os, "Debian GNU/Linux 12 (bookworm)");
	c->m->registered = c->m->auto_start = true;
	c->m->leader = 4100;
	strs_split(&c->m->addresses, "10.231.136.2 fd00:1:2:3::2 192.168.7.20", " ");
	strs_split(&c->m->ports, "tcp:8080:80 tcp:8443:443 udp:53:53", " ");
	web_stats(c);
	web_network(&c->look.network);
	web_ports(&c->look.ports);
	web_processes(&c->look.processes);
	web_config(&c->look.config);
	set(&c->look.plan.text,
	    "# start web\nsystemd-nspawn -M web -D /var/lib/containers/web --private-network "
	    "--network-veth --port=tcp:8080:80\nip link set ve-web up\n");
	c->look.unit.facts = (struct why_facts){ .unit = "container@web.service",
		                                 .load = "loaded",
		                                 .result = "success",
		                                 .status_text = "Container running: Ready.",
		                                 .n_restarts = 1,
		                                 .main_pid = 4099,
		                                 .state_usec = SAMPLE_NOW - 3700 * SAMPLE_SEC,
		                                 .start_timeout_usec = 60 * SAMPLE_SEC,
		                                 .stop_timeout_usec = UINT64_MAX,
		                                 .memory_max = 512u << 20,
		                                 .invocation = "0123456789abcdef0123456789abcdef" };
	c->look.known = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS | LOOK_PROCESSES | LOOK_CONFIG | LOOK_PLAN;
	events_add(&c->events, SAMPLE_NOW - 90000 * SAMPLE_SEC, "web", EVENT_STATE, true,
	           "failed: out of memory");
	events_add(&c->events, SAMPLE_NOW - 3700 * SAMPLE_SEC, "web", EVENT_STATE, false, "running");
	events_add(&c->events, SAMPLE_NOW - 60 * SAMPLE_SEC, "other", EVENT_STATE, false, "running");
	events_add(&c->events, SAMPLE_NOW - 10 * SAMPLE_SEC, "web", EVENT_ADDRESS, false,
	           "has 192.168.7.20 now");
}

/* ---- all tabs of a scene */

static const int SIZES[][2] = { { 20, 5 }, { 40, 10 }, { 60, 15 }, { 80, 24 }, { 120, 40 }, { 200, 50 } };

static void open_tab(const struct scene *c, enum tab tab, struct app *a)
{
	a->pane.open = a->pane.focused = true;
	a->text = tab == TAB_COUNT ? APP_TEXT_WHY : APP_TEXT_NONE; /* the evidence lies over the last one */
	a->pane.tab = tab == TAB_COUNT ? TAB_OVERVIEW : tab;
	(void)snprintf(a->selected, sizeof(a->selected), "%s", c->m->name);
}

static struct buf screens(const struct scene *c, int w, int h, bool ascii)
{
	CLEANUP(app_done) struct app a = sample_app(&c->s);
	struct world world = sample_world(&c->s);
	struct buf all = { 0 };

	world.stats = &c->stats;
	world.look = &c->look;
	world.events = &c->events;
	a.ascii = ascii;
	for (int tab = 0; tab <= TAB_COUNT; tab++) {
		CLEANUP(buf_done) struct buf text = { 0 };

		if (tab == TAB_LOGS)
			continue;
		open_tab(c, (enum tab)tab, &a);
		text = sample_screen_of(&a, &world, w, h, ascii);
		buf_puts(&all, buf_text(&text));
		buf_puts(&all, "\n");
	}
	assert_false(all.bad);
	return all;
}

static void compare(const char *name, const struct scene *c, int w, int h, bool ascii)
{
	CLEANUP(buf_done) struct buf all = screens(c, w, h, ascii);
	char file[64];

	(void)snprintf(file, sizeof(file), "%s-%dx%d", name, w, h);
	golden_compare(file, &all);
}

static void every_tab_of_a_busy_machine_fits_every_size(void **state)
{
	CLEANUP(scene_done) struct scene c;

	(void)state;
	scene_web(&c);
	for (size_t i = 0; i < COUNT(SIZES); i++)
		compare("tabs-web", &c, SIZES[i][0], SIZES[i][1], false);
}

static void an_ascii_terminal_gets_ascii_tabs(void **state)
{
	CLEANUP(scene_done) struct scene c;
	CLEANUP(buf_done) struct buf all = { 0 };

	(void)state;
	scene_web(&c);
	for (size_t i = 0; i < COUNT(SIZES); i++)
		compare("tabs-ascii", &c, SIZES[i][0], SIZES[i][1], true);
	all = screens(&c, 80, 24, true);
	for (size_t i = 0; i < all.len; i++)
		assert_in_range(all.p[i], '\n', '~');
}

static void what_is_not_known_yet_is_not_made_up(void **state)
{
	CLEANUP(scene_done) struct scene c;
	CLEANUP(buf_done) struct buf all = { 0 };

	(void)state;
	scene_begin(&c, "web", MACHINE_UNKNOWN);
	c.m->since_usec = 0;
	compare("tabs-unknown", &c, 80, 24, false);
	compare("tabs-unknown", &c, 40, 10, false);
	add_stats(&c);
	c.look.known = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS | LOOK_CONFIG | LOOK_PLAN;
	compare("tabs-nothing", &c, 80, 24, false);
	all = screens(&c, 80, 24, false);
	assert_null(strstr(buf_text(&all), "nan"));
	assert_null(strstr(buf_text(&all), "18446744073709551615"));
}

#define HOSTILE                                                                                              \
	"\x1b[2J\x1b]0;owned\a%n%s\xe2\x80\xae"                                                              \
	"exe.gnp\xff\r\n\x9b"

static void hostile_unit(struct look_unit *u)
{
	u->facts = (struct why_facts){ .unit = HOSTILE,
		                       .load = HOSTILE,
		                       .result = HOSTILE,
		                       .status_text = "Container running: " HOSTILE,
		                       .failed_phase = HOSTILE,
		                       .failed_dependency = HOSTILE,
		                       .invocation = HOSTILE,
		                       .main_code = CLD_KILLED,
		                       .main_status = 12345,
		                       .failed_code = CLD_DUMPED,
		                       .failed_status = SIGSEGV };
	loglines_add(&u->lines, SAMPLE_NOW, false, HOSTILE);
	set(&u->no_log, HOSTILE);
}

static void scene_hostile(struct scene *c)
{
	static const struct sample_process process[] = { { 1, 2, '\x1b', 1, 1, 1, HOSTILE } };
	struct look_link *l;
	struct look_port *p;
	struct look_file *f;

	scene_begin(c, "web", MACHINE_RUNNING);
	c->m->root_is_hosts = true;
	set(&c->m->unit, HOSTILE);
	set(&c->m->os, HOSTILE);
	set(&c->m->overlay_over, HOSTILE);
	strs_add(&c->m->overlays, HOSTILE);
	set(&c->m->reason, HOSTILE);
	strs_add(&c->m->addresses, HOSTILE);
	strs_add(&c->m->guest_failed, HOSTILE);
	set(&c->s.limits, HOSTILE);
	hostile_unit(&c->look.unit);
	l = room_for_links(&c->look.network, 1);
	l->host = end_of(1, "\x1b[2J%n\r\n\xff", "veth", "");
	l->guest = end_of(2, "\x1b]0;%s\a", "\x1b[2J", "");
	(void)snprintf(l->host.master, sizeof(l->host.master), "\x1b[2J%%n");
	strs_add(&l->guest.addresses, HOSTILE);
	strs_add(&l->host.altnames, HOSTILE);
	strs_add(&c->look.network.guest_routes, HOSTILE);
	set(&c->look.network.no_routes, HOSTILE);
	p = room_for_ports(&c->look.ports, 1);
	set_port(p, (struct port){ false, 65535, 65535 }, LOOK_PORT_BAD, HOSTILE, HOSTILE);
	add_group(&c->look.processes, HOSTILE, 0, process, 1);
	f = room_for_files(&c->look.config, 1);
	set(&f->path, HOSTILE);
	set(&f->note, HOSTILE);
	set(&f->problem, HOSTILE);
	strs_add(&f->lines, HOSTILE);
	set_origin(f, 1, ORIGIN_KEY, HOSTILE);
	strs_add(&c->look.config.warnings, HOSTILE);
	set(&c->look.plan.text, HOSTILE);
	events_add(&c->events, SAMPLE_NOW, "web", EVENT_STATE, true, "%s", HOSTILE);
	c->look.known = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS | LOOK_PROCESSES | LOOK_CONFIG | LOOK_PLAN;
}

static void hostile_text_stays_text_in_every_tab(void **state)
{
	CLEANUP(scene_done) struct scene c;
	CLEANUP(buf_done) struct buf all = { 0 };

	(void)state;
	scene_hostile(&c);
	compare("tabs-hostile", &c, 80, 24, false);
	all = screens(&c, 40, 10, false);
	for (size_t i = 0; i < all.len; i++)
		assert_true(all.p[i] == '\n' || (unsigned char)all.p[i] >= ' ');
	assert_null(strstr(buf_text(&all), "\xe2\x80\xae"));
}

static void a_virtual_machine_says_who_knows_it(void **state)
{
	CLEANUP(scene_done) struct scene c;

	(void)state;
	scene_begin(&c, "win11", MACHINE_RUNNING);
	c.m->kind = MACHINE_VM;
	c.m->configured = false;
	c.m->leader = 812;
	set(&c.m->unit, "machine-qemu\\x2d1\\x2dwin11.scope");
	set(&c.look.config.note, "a virtual machine: who runs it knows its configuration");
	set(&c.look.plan.problem, "only containers with a conf are started by a plan of ours");
	c.look.known = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS | LOOK_CONFIG | LOOK_PLAN;
	compare("tabs-vm", &c, 80, 24, false);
}

static void an_image_says_how_it_would_start(void **state)
{
	CLEANUP(scene_done) struct scene c;

	(void)state;
	scene_begin(&c, "fedora", MACHINE_STOPPED);
	c.m->kind = MACHINE_IMAGE;
	c.m->configured = false;
	c.m->since_usec = 0;
	set(&c.m->unit, "systemd-nspawn@fedora.service");
	set(&c.look.config.note,
	    "there is no .nspawn file: systemd-nspawn@.service has its defaults (--boot, a "
	    "network of its own, users of its own)");
	set(&c.look.plan.problem, "only containers with a conf are started by a plan of ours");
	set(&c.look.processes.problem, "it does not run");
	c.look.unit.facts =
		(struct why_facts){ .unit = "systemd-nspawn@fedora.service", .result = "success" };
	c.look.known = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS | LOOK_PROCESSES | LOOK_CONFIG | LOOK_PLAN;
	compare("tabs-image", &c, 80, 24, false);
}

static void a_root_over_or_below_another_says_so(void **state)
{
	(void)state;
	for (int below = 0; below < 2; below++) {
		CLEANUP(scene_done) struct scene c;
		CLEANUP(buf_done) struct buf all = { 0 };

		scene_begin(&c, "web", MACHINE_STOPPED);
		if (!below)
			set(&c.m->overlay_over, "base");
		for (int i = 0; below && i < 2; i++)
			strs_add(&c.m->overlays, i ? "copy2" : "copy1");
		all = screens(&c, 80, 24, false);
		assert_non_null(
			strstr(buf_text(&all),
		               below ? "root       must not change: below the overlays of copy1, copy2 "
		                     : "root       an overlay over that of base "));
	}
}

static void a_ghost_says_what_is_gone(void **state)
{
	CLEANUP(scene_done) struct scene c;

	(void)state;
	scene_begin(&c, "web", MACHINE_GHOST);
	set(&c.m->unit, "container@web.service");
	set(&c.m->reason, "systemd-machined still has it, with the leader 4100, which is gone");
	c.m->cause = "ghost";
	c.look.unit.problem = strdup("systemd is out of reach");
	c.look.known = LOOK_UNIT;
	compare("tabs-ghost", &c, 80, 24, false);
}

static void a_failed_machine_shows_its_evidence(void **state)
{
	CLEANUP(scene_done) struct scene c;
	struct look_unit *u = &c.look.unit;

	(void)state;
	scene_begin(&c, "web", MACHINE_FAILED);
	set(&c.m->unit, "container@web.service");
	set(&c.m->reason, "killed for want of memory: the limit is 512M (kernel: oom-kill)");
	c.m->cause = "oom-kill";
	u->facts = (struct why_facts){ .unit = "container@web.service",
		                       .load = "loaded",
		                       .result = "oom-kill",
		                       .main_code = CLD_KILLED,
		                       .main_status = SIGKILL,
		                       .failed_phase = "ExecStartPost",
		                       .failed_code = CLD_EXITED,
		                       .failed_status = 71,
		                       .n_restarts = 5,
		                       .state_usec = SAMPLE_NOW - 130 * SAMPLE_SEC,
		                       .start_timeout_usec = 60 * SAMPLE_SEC,
		                       .memory_max = 512u << 20,
		                       .invocation = "0123456789abcdef0123456789abcdef" };
	for (int i = 0; i < 9; i++)
		loglines_add(&u->lines, SAMPLE_NOW - (140 - (uint64_t)i) * SAMPLE_SEC, i > 6,
		             i > 6 ? "container@web.service: Failed with result 'oom-kill'."
		                   : "a line of its own that says something about what it did before it was "
		                     "killed");
	c.look.known = LOOK_UNIT;
	compare("tabs-failed", &c, 80, 24, false);
	compare("tabs-failed", &c, 40, 10, false);
}

static void what_helps_a_stale_machine_is_on_its_tabs(void **state)
{
	CLEANUP(scene_done) struct scene c;
	CLEANUP(buf_done) struct buf stale = { 0 }, well = { 0 };

	(void)state;
	scene_begin(&c, "web", MACHINE_RUNNING);
	c.look.known = LOOK_CONFIG;
	c.m->drift = "restart";
	stale = screens(&c, 100, 24, false);
	assert_non_null(strstr(buf_text(&stale), "restart needed: R"));
	c.m->drift = "nothing";
	well = screens(&c, 100, 24, false);
	assert_null(strstr(buf_text(&well), "STALE"));
}

static void what_a_tape_says_is_likely_a_mistake_is_on_its_tabs(void **state)
{
	CLEANUP(scene_done) struct scene c;
	CLEANUP(buf_done) struct buf shown = { 0 };

	(void)state;
	scene_begin(&c, "web", MACHINE_RUNNING);
	c.m->linted = true;
	strs_add(&c.m->lints, "web: HOST_BRIDGE: there is no bridge br7 on this host");
	shown = screens(&c, 100, 24, false);
	assert_non_null(strstr(buf_text(&shown), "CHECK"));
	assert_non_null(strstr(buf_text(&shown), "there is no bridge br7 on this host"));
	strs_done(&c.m->lints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tab_of_a_busy_machine_fits_every_size),
		cmocka_unit_test(an_ascii_terminal_gets_ascii_tabs),
		cmocka_unit_test(what_is_not_known_yet_is_not_made_up),
		cmocka_unit_test(hostile_text_stays_text_in_every_tab),
		cmocka_unit_test(a_virtual_machine_says_who_knows_it),
		cmocka_unit_test(an_image_says_how_it_would_start),
		cmocka_unit_test(a_root_over_or_below_another_says_so),
		cmocka_unit_test(a_ghost_says_what_is_gone),
		cmocka_unit_test(a_failed_machine_shows_its_evidence),
		cmocka_unit_test(what_helps_a_stale_machine_is_on_its_tabs),
		cmocka_unit_test(what_a_tape_says_is_likely_a_mistake_is_on_its_tabs),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
