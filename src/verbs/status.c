/* machdeck status: one machine on one screen: what is configured, what is so, why it is down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/inspect.h"
#include "engine/reload.h"
#include "verbs/show.h"
#include "verbs/status_line.h"
#include "verbs/verbs.h"

#define LOG_LINES  10
#define TODAY_USEC (12 * 3600 * 1000000ULL) /* older lines are shown with their date */

/* ---- for people */

static void label(struct buf *to, const char *name)
{
	buf_addf(to, "  %-10s ", name);
}

static void text_line(struct buf *to, const char *name, const char *text)
{
	label(to, name);
	show_text(to, text);
	buf_puts(to, "\n");
}

static void head(struct buf *to, const struct inspection *i, bool colours)
{
	const struct machine *m = i->m;
	char age[24], since[32];

	show_text(to, m->name);
	buf_puts(to, ": ");
	show_state(to, m, colours);
	if (m->since_usec) {
		show_age(m->since_usec, i->seen.taken_usec, age);
		show_local_time(m->since_usec, since);
		buf_addf(to, " for %s, since %s", age, since);
	}
	buf_puts(to, "\n");
	if (m->frozen)
		buf_addf(to, "  %-10s all its processes stand still (machdeck thaw %s)\n", "frozen", m->name);
	if (m->reason) {
		label(to, "reason");
		show_reason(to, m);
		buf_puts(to, "\n");
	}
	if (i->seen.stale)
		text_line(to, "unknown", i->seen.stale);
}

static void unit_line(struct buf *to, const struct inspection *i)
{
	const struct machine *m = i->m;

	label(to, "unit");
	show_text(to, m->unit);
	if (i->main_pid)
		buf_addf(to, ", process %d", (int)i->main_pid);
	if (m->leader)
		buf_addf(to, ", leader %d", (int)m->leader);
	if (i->n_restarts)
		buf_addf(to, ", restarted by itself: %u", i->n_restarts);
	if (m->auto_start)
		buf_puts(to, ", starts at boot");
	if (m->root_is_hosts)
		buf_puts(to, ", root = host root");
	buf_puts(to, "\n");
	if (m->state == MACHINE_RUNNING && i->guest_says && strcmp(i->guest_says, "Ready.") != 0)
		text_line(to, "guest says", i->guest_says);
}

/* What no reload can do. */
static void pending_lines(struct buf *to, const char *name)
{
	CLEANUP(strs_done) struct strs pending = { 0 };
	bool live;

	if (reload_pending(name, &pending, &live, NULL) < 0)
		return;
	for (size_t i = 0; i < pending.n; i++) {
		buf_addf(to, "  %-10s restart needed: ", "");
		show_text(to, pending.v[i]);
		buf_puts(to, "\n");
	}
}

static void root_line(struct buf *to, const struct inspection *i)
{
	CLEANUP(free_p) char *overlays = strs_join(&i->m->overlays, ", ");

	label(to, "root");
	show_text(to, i->l.plan.root);
	if (i->m->overlay_over)
		buf_addf(to, ", an overlay over that of %s", i->m->overlay_over);
	buf_puts(to, "\n");
	if (i->m->overlays.n > 0 && overlays)
		buf_addf(to, "  %-10s must not change: below the overlays of %s\n", "", overlays);
}

static void conf_lines(struct buf *to, const struct inspection *i)
{
	if (i->no_plan.text[0])
		text_line(to, "conf", i->no_plan.text);
	if (!i->has_plan) {
		if (!i->m->configured)
			text_line(to, "conf", "none: not a container of machdeck's");
		return;
	}
	label(to, "conf");
	buf_puts(to, i->l.conf_path ? i->l.conf_path : "none: everything is default");
	if (i->was_started)
		buf_puts(to, i->conf_changed
		                     ? ", changed since the start (machdeck reload applies what it can)"
		                     : ", as it was started");
	buf_puts(to, "\n");
	if (i->m->declared) {
		buf_addf(to, "  %-10s declared elsewhere, it leads to ", "");
		show_text(to, i->m->declared);
		buf_puts(to, "\n");
	}
	if (i->was_started && i->conf_changed)
		pending_lines(to, i->m->name);
	label(to, "kind");
	buf_addf(to, "%s, release %s%s\n", i->l.plan.kind == KIND_NIX ? "nix" : "tree",
	         release_name(i->l.plan.release), i->l.container.ephemeral ? ", ephemeral" : "");
	root_line(to, i);
}

static void addresses_lines(struct buf *to, const struct inspection *i)
{
	static const enum link_key inside[] = { LOCAL4, LOCAL6 };
	const struct machine *m = i->m;
	char text[ADDR_TEXT_SIZE];

	if (m->addresses.n > 0 || m->addresses_seen) {
		CLEANUP(free_p) char *all = strs_join(&m->addresses, ", ");

		label(to, "addresses");
		show_text(to, m->addresses.n > 0 ? all : "none");
		buf_puts(to, m->addresses_seen ? ", seen in it\n" : ", as configured\n");
	}
	for (size_t k = 0; i->has_plan && m->addresses_seen && k < COUNT(inside); k++) {
		const struct addr *a = &i->l.container.addr[inside[k]];

		if (!addr_is_set(a))
			continue;
		addr_print(a, false, text);
		if (!strs_has(&m->addresses, text))
			buf_addf(to, "  %-10s %s is configured, and is not there\n", "", text);
	}
}

static const struct link *main_link(const struct inspection *i)
{
	static const char *const prefixes[] = { "ve-", "vb-" };
	char name[NETOP_NAME_SIZE];

	for (size_t p = 0; i->m->registered && p < COUNT(prefixes); p++) {
		const struct link *l;

		(void)snprintf(name, sizeof(name), "%s%s", prefixes[p], i->m->name);
		l = links_find_host(&i->links, name);
		if (l)
			return l;
	}
	return NULL;
}

static void link_line(struct buf *to, const struct inspection *i)
{
	const struct link *l = main_link(i), *bridge = l && l->master ? links_at(&i->links, l->master) : NULL;

	label(to, "network");
	if (l) {
		show_text(to, l->name);
		buf_puts(to, l->up ? " is up" : " is DOWN");
		if (l->up && !l->carrier)
			buf_puts(to, ", without carrier");
		if (bridge) {
			buf_puts(to, ", a port of ");
			show_text(to, bridge->name);
		}
	} else if (i->m->registered && !i->m->addresses_seen && i->has_plan &&
	           !container_has_private_net(&i->l.container)) {
		buf_puts(to, "the host's");
	} else {
		buf_puts(to, "no link on the host");
	}
	buf_puts(to, "\n");
	for (size_t s = 0; s < i->n_steps; s++)
		if (!i->steps[s].holds)
			buf_addf(to, "  %-10s missing on the host: %s\n", "", i->steps[s].command);
}

/* Where the kernel sends what comes to that port of the host; NULL: nowhere. */
static const struct forward *forward_of(const struct inspection *i, const struct port *p)
{
	for (size_t f = 0; f < i->forwards.n; f++)
		if (i->forwards.v[f].port.host == p->host && i->forwards.v[f].port.udp == p->udp)
			return &i->forwards.v[f];
	return NULL;
}

static bool is_its_own(const struct inspection *i, const struct forward *f)
{
	char to[ADDR_TEXT_SIZE];

	addr_print(&f->to, false, to);
	return i->m->registered && strs_has(&i->m->addresses, to);
}

static void port_line(struct buf *to, const struct inspection *i, const struct port *p)
{
	const struct forward *f = forward_of(i, p);
	char port[PORT_TEXT_SIZE], address[ADDR_TEXT_SIZE];

	port_print(p, port);
	buf_puts(to, port);
	if (!i->forwards_known || (!f && !i->m->registered)) {
		buf_puts(to, "\n");
		return;
	}
	if (!f) {
		buf_puts(to, ": NOT forwarded (no address in the guest yet, or the rules were flushed: "
		             "restart it)\n");
		return;
	}
	addr_print(&f->to, false, address);
	buf_addf(to,
	         is_its_own(i, f) ? ": forwarded to %s port %u\n"
	                          : ": goes to %s port %u, which is not this machine's address\n",
	         address, f->port.guest);
}

static void port_lines(struct buf *to, const struct inspection *i)
{
	for (size_t p = 0; i->has_plan && p < i->l.container.n_ports; p++) {
		label(to, p == 0 ? "ports" : "");
		port_line(to, i, &i->l.container.ports[p]);
	}
}

static void log_lines(struct buf *to, const struct inspection *i)
{
	size_t from = i->lines.n > LOG_LINES ? i->lines.n - LOG_LINES : 0;
	char when[32];

	if (i->no_log)
		text_line(to, "log", i->no_log);
	for (size_t n = from; n < i->lines.n; n++) {
		const struct logline *line = &i->lines.v[n];

		show_local_time(line->usec, when);
		buf_addf(to, "  %-10s %s %-7s ", n == from ? "log" : "",
		         i->seen.taken_usec - line->usec < TODAY_USEC ? when + strlen("2026-11-22 ") : when,
		         line->from_systemd ? "systemd" : "console");
		show_text(to, line->text);
		buf_puts(to, "\n");
	}
}

static int print_text(const struct inspection *i)
{
	CLEANUP(buf_done) struct buf to = { 0 };
	struct err e = { 0 };

	head(&to, i, show_colours());
	unit_line(&to, i);
	conf_lines(&to, i);
	addresses_lines(&to, i);
	if (i->m->registered)
		link_line(&to, i);
	port_lines(&to, i);
	log_lines(&to, i);
	if (i->seen.limits)
		text_line(&to, "not seen", i->seen.limits);
	if (to.bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	return verb_print_buf(&to);
}

/* ---- for programs */

static json_t *conf_json(const struct inspection *i)
{
	if (!i->has_plan)
		return json_pack("{s:o}", "problem",
		                 show_json_text(i->no_plan.text[0] ? i->no_plan.text : NULL));
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:b}", "path", show_json_text(i->l.conf_path),
	                 "changed", i->was_started ? json_boolean(i->conf_changed) : json_null(), "kind",
	                 i->l.plan.kind == KIND_NIX ? "nix" : "tree", "release",
	                 release_name(i->l.plan.release), "root", show_json_text(i->l.plan.root),
	                 "overlayOver", show_json_text(i->m->overlay_over), "ephemeral",
	                 i->l.container.ephemeral);
}

static json_t *link_json(const struct inspection *i)
{
	const struct link *l = main_link(i), *bridge = l && l->master ? links_at(&i->links, l->master) : NULL;

	if (!l)
		return json_null();
	return json_pack("{s:o, s:b, s:b, s:o}", "name", show_json_text(l->name), "up", l->up, "carrier",
	                 l->carrier, "bridge", show_json_text(bridge ? bridge->name : NULL));
}

static json_t *steps_json(const struct inspection *i)
{
	json_t *array = json_array();

	for (size_t s = 0; s < i->n_steps; s++)
		(void)json_array_append_new(array, json_pack("{s:o, s:b}", "command",
		                                             show_json_text(i->steps[s].command), "holds",
		                                             i->steps[s].holds));
	return array;
}

static json_t *forwards_json(const struct inspection *i)
{
	json_t *array = json_array();

	for (size_t p = 0; i->has_plan && i->forwards_known && p < i->l.container.n_ports; p++) {
		const struct forward *f = forward_of(i, &i->l.container.ports[p]);
		char port[PORT_TEXT_SIZE], address[ADDR_TEXT_SIZE] = "";

		port_print(&i->l.container.ports[p], port);
		if (f)
			addr_print(&f->to, false, address);
		(void)json_array_append_new(array, json_pack("{s:s, s:o, s:b}", "port", port, "to",
		                                             show_json_text(f ? address : NULL), "own",
		                                             f && is_its_own(i, f)));
	}
	return array;
}

static json_t *log_json(const struct inspection *i)
{
	json_t *array = json_array();
	char when[32];

	for (size_t n = 0; n < i->lines.n; n++) {
		show_time(i->lines.v[n].usec, when);
		(void)json_array_append_new(array,
		                            json_pack("{s:s, s:s, s:o}", "time", when, "from",
		                                      i->lines.v[n].from_systemd ? "systemd" : "console",
		                                      "text", show_json_text(i->lines.v[n].text)));
	}
	return array;
}

static int print_json(const struct inspection *i)
{
	json_t *doc = show_machine(i->m);
	json_t *more = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "schema", 1, "conf",
	                         conf_json(i), "link", link_json(i), "hostSide", steps_json(i), "forwards",
	                         forwards_json(i), "log", log_json(i), "restarts", (int)i->n_restarts,
	                         "guestSays", show_json_text(i->guest_says), "stale",
	                         show_json_text(i->seen.stale), "limits", show_json_text(i->seen.limits));

	if (!doc || !more || json_object_update(doc, more) < 0) {
		json_decref(doc);
		doc = NULL;
	}
	json_decref(more);
	return show_json(doc);
}

int verb_status(const struct verb *v, int argc, char **argv)
{
	CLEANUP(inspection_done) struct inspection i = { 0 };
	const char *name;
	struct err e = { 0 };
	bool json;
	int r;

	if (status_line_is_meant(argc, argv))
		return status_line(v, argc, argv);
	r = verb_one_name(v, argc, argv, &json, &name);
	if (r != STATUS_DONE)
		return r;
	if (inspect(name, &i, &e) < 0)
		return verb_fail(&e);
	r = json ? print_json(&i) : print_text(&i);
	if (r != STATUS_DONE)
		return r;
	return i.m->state == MACHINE_RUNNING || i.m->state == MACHINE_RELOADING ? STATUS_DONE : STATUS_DOWN;
}
