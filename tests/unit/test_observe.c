#include "engine/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* One source of each kind, in arrays that a test fills; names are borrowed. */
static struct conf_seen confs[4];
static struct registration machines[4];
static struct net_seen net[4];
static struct unit_seen units[4];
static struct sources s;
static struct snapshot now;

static int begin(void **state)
{
	(void)state;
	memset(confs, 0, sizeof(confs));
	memset(machines, 0, sizeof(machines));
	memset(net, 0, sizeof(net));
	memset(units, 0, sizeof(units));
	s = (struct sources){
		.confs = confs, .machines.v = machines, .net = net, .units = units, .units_known = true
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		strs_done(&confs[i].addresses);
		strs_done(&confs[i].ports);
		strs_done(&net[i].addresses);
	}
	strs_done(&s.images);
	snapshot_done(&now);
	return 0;
}

static struct conf_seen *add_conf(char *name)
{
	struct conf_seen *c = &confs[s.n_confs++];

	c->name = name;
	strs_add(&c->addresses, "10.0.0.2");
	strs_add(&c->ports, "tcp:8080:80");
	return c;
}

static struct net_seen *add_machine(const char *name, char *unit)
{
	struct registration *m = &machines[s.machines.n];

	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->unit = unit;
	m->leader = 77;
	m->since_usec = 5000000;
	return &net[s.machines.n++];
}

static struct unit_seen *add_unit(char *name, enum machine_state state)
{
	struct unit_seen *u = &units[s.n_units++];

	u->name = name;
	u->state = state;
	return u;
}

static const struct machine *merged(const char *name)
{
	snapshot_done(&now);
	assert_int_equal(merge(&s, &now, NULL), 0);
	return snapshot_find(&now, name);
}

static char crashed[] = "it crashed", why[] = "why";
static char web_unit[] = "container@web.service", web[] = "web", db[] = "db", scope[] = "machine-web.scope";

static void a_configured_container_that_is_not_loaded_is_stopped(void **state)
{
	const struct machine *m;

	(void)state;
	add_conf(web)->auto_start = true;
	confs[0].root_is_hosts = true;
	m = merged("web");
	assert_int_equal(m->state, MACHINE_STOPPED);
	assert_true(m->configured && m->auto_start && m->root_is_hosts && !m->registered &&
	            !m->addresses_seen);
	assert_string_equal(m->unit, "container@web.service");
	assert_string_equal(m->addresses.v[0], "10.0.0.2");
	assert_string_equal(m->ports.v[0], "tcp:8080:80");
	assert_null(m->reason);
}

static void a_root_over_another_is_told_of_both(void **state)
{
	const struct machine *m;

	(void)state;
	add_conf(db);
	add_conf(web)->overlay_over = db;
	m = merged("web");
	assert_string_equal(m->overlay_over, "db");
	assert_int_equal(m->overlays.n, 0);
	m = merged("db");
	assert_null(m->overlay_over);
	assert_int_equal(m->overlays.n, 1);
	assert_string_equal(m->overlays.v[0], "web");
}

static void a_running_container_shows_the_addresses_seen_in_it(void **state)
{
	struct net_seen *n;
	const struct machine *m;

	(void)state;
	add_conf(web);
	add_unit(web_unit, MACHINE_RUNNING);
	n = add_machine("web", web_unit);
	n->seen = true;
	strs_add(&n->addresses, "10.9.9.9");
	m = merged("web");
	assert_int_equal(now.n, 1);
	assert_int_equal(m->state, MACHINE_RUNNING);
	assert_true(m->addresses_seen);
	assert_int_equal(m->addresses.n, 1);
	assert_string_equal(m->addresses.v[0], "10.9.9.9");
	assert_int_equal(m->since_usec, 5000000);
	assert_int_equal(m->leader, 77);
}

static void without_the_right_to_look_the_configured_addresses_are_shown_as_such(void **state)
{
	const struct machine *m;

	(void)state;
	add_conf(web);
	add_unit(web_unit, MACHINE_RUNNING);
	add_machine("web", web_unit);
	m = merged("web");
	assert_false(m->addresses_seen);
	assert_string_equal(m->addresses.v[0], "10.0.0.2");
}

static void when_systemd_is_out_of_reach_a_living_leader_means_running_and_the_rest_is_unknown(void **state)
{
	(void)state;
	s.units_known = false;
	add_conf(db);
	add_conf(web);
	add_machine("web", web_unit);
	assert_int_equal(merged("web")->state, MACHINE_RUNNING);
	assert_int_equal(merged("db")->state, MACHINE_UNKNOWN);
}

static void what_was_down_stays_down_while_systemd_is_out_of_reach(void **state)
{
	(void)state;
	s.units_known = false;
	s.units_were_known = true;
	add_conf(db);
	add_conf(web);
	add_unit(web_unit, MACHINE_FAILED)->reason = why;
	assert_int_equal(merged("db")->state, MACHINE_STOPPED);
	assert_int_equal(merged("web")->state, MACHINE_FAILED);
	assert_string_equal(merged("web")->reason, "why");
	units[0].state = MACHINE_RUNNING;
	assert_int_equal(merged("web")->state, MACHINE_UNKNOWN);
}

static void what_was_on_its_way_is_left_at_that_while_systemd_is_out_of_reach(void **state)
{
	(void)state;
	s.units_known = false;
	s.units_were_known = true;
	add_conf(web);
	add_unit(web_unit, MACHINE_STOPPING);
	assert_int_equal(merged("web")->state, MACHINE_STOPPING);
	add_machine("web", web_unit)->leader_dead = true;
	assert_int_equal(merged("web")->state, MACHINE_STOPPING);
	net[0].leader_dead = false;
	assert_int_equal(merged("web")->state, MACHINE_RUNNING);
	net[0].leader_dead = true;
	units[0].state = MACHINE_RUNNING;
	assert_int_equal(merged("web")->state, MACHINE_GHOST);
}

static void a_registration_whose_leader_and_unit_are_gone_is_a_ghost(void **state)
{
	const struct machine *m;

	(void)state;
	add_conf(web);
	add_machine("web", web_unit)->leader_dead = true;
	m = merged("web");
	assert_int_equal(m->state, MACHINE_GHOST);
	assert_non_null(strstr(m->reason, "leader 77 is dead"));
	assert_int_equal(m->leader, 0);
	net[0].leader_dead = false;
	assert_int_equal(merged("web")->leader, 77);
}

static void a_crashed_container_that_waits_for_its_restart_is_no_ghost(void **state)
{
	(void)state;
	add_conf(web);
	add_machine("web", web_unit)->leader_dead = true;
	add_unit(web_unit, MACHINE_RESTARTING)->reason = crashed;
	assert_int_equal(merged("web")->state, MACHINE_RESTARTING);
	assert_string_equal(merged("web")->reason, "it crashed");
	assert_int_equal(merged("web")->leader, 0);
}

static void while_a_container_stops_it_is_stopping_though_its_registration_is_gone(void **state)
{
	(void)state;
	add_conf(web);
	add_unit(web_unit, MACHINE_STOPPING);
	assert_int_equal(merged("web")->state, MACHINE_STOPPING);
}

static void a_machine_started_by_hand_is_listed_with_its_scope(void **state)
{
	const struct machine *m;

	(void)state;
	add_machine("web", scope);
	m = merged("web");
	assert_int_equal(m->state, MACHINE_RUNNING);
	assert_false(m->configured);
	assert_string_equal(m->unit, "machine-web.scope");
	assert_null(m->reason);
}

static void a_name_taken_by_somebody_else_is_said(void **state)
{
	const struct machine *m;

	(void)state;
	add_conf(web);
	add_machine("web", scope);
	m = merged("web");
	assert_int_equal(m->state, MACHINE_RUNNING);
	assert_string_equal(m->unit, "machine-web.scope");
	assert_non_null(strstr(m->reason, "its name is taken: machine-web.scope"));
}

static void an_image_and_its_unit_are_one_machine(void **state)
{
	static char unit[] = "systemd-nspawn@img.service";
	const struct machine *m;

	(void)state;
	strs_add(&s.images, "img");
	m = merged("img");
	assert_int_equal(m->state, MACHINE_STOPPED);
	assert_string_equal(m->unit, "systemd-nspawn@img.service");
	add_unit(unit, MACHINE_FAILED)->reason = why;
	m = merged("img");
	assert_int_equal(now.n, 1);
	assert_int_equal(m->state, MACHINE_FAILED);
	assert_string_equal(m->reason, "why");
}

static void a_failed_unit_without_a_conf_is_listed_a_stopped_one_is_not(void **state)
{
	(void)state;
	add_unit(web_unit, MACHINE_FAILED);
	assert_non_null(merged("web"));
	units[0].state = MACHINE_STOPPED;
	assert_null(merged("web"));
}

static void units_that_are_not_machines_make_no_rows(void **state)
{
	static char bad[] = "container@..service", other[] = "machine-web.scope",
		    worse[] = "container@.service";

	(void)state;
	add_unit(worse, MACHINE_FAILED);
	add_unit(bad, MACHINE_FAILED);
	add_unit(other, MACHINE_RUNNING);
	(void)merged("web");
	assert_int_equal(now.n, 0);
}

static void a_bad_conf_is_told_whether_it_runs_or_not(void **state)
{
	(void)state;
	add_conf(web)->problem = "web.conf:1:1: no";
	assert_string_equal(merged("web")->reason, "its conf can not be used: web.conf:1:1: no");
	assert_true(merged("web")->bad_conf);
	add_unit(web_unit, MACHINE_RUNNING);
	add_machine("web", web_unit);
	assert_string_equal(merged("web")->reason, "runs, but could not start again: web.conf:1:1: no");
}

static void rows_are_sorted_by_name(void **state)
{
	(void)state;
	add_conf(db);
	add_conf(web);
	add_machine("a", scope);
	strs_add(&s.images, "m");
	(void)merged("a");
	assert_int_equal(now.n, 4);
	assert_string_equal(now.v[0].name, "a");
	assert_string_equal(now.v[1].name, "db");
	assert_string_equal(now.v[2].name, "m");
	assert_string_equal(now.v[3].name, "web");
}

static void one_look_works_where_there_is_no_systemd(void **state)
{
	struct snapshot got;
	struct err e;

	(void)state;
	assert_int_equal(observe_once(&got, &e), 0);
	snapshot_done(&got);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_configured_container_that_is_not_loaded_is_stopped),
		CASE(a_root_over_another_is_told_of_both),
		CASE(a_running_container_shows_the_addresses_seen_in_it),
		CASE(without_the_right_to_look_the_configured_addresses_are_shown_as_such),
		CASE(when_systemd_is_out_of_reach_a_living_leader_means_running_and_the_rest_is_unknown),
		CASE(what_was_down_stays_down_while_systemd_is_out_of_reach),
		CASE(what_was_on_its_way_is_left_at_that_while_systemd_is_out_of_reach),
		CASE(a_registration_whose_leader_and_unit_are_gone_is_a_ghost),
		CASE(a_crashed_container_that_waits_for_its_restart_is_no_ghost),
		CASE(while_a_container_stops_it_is_stopping_though_its_registration_is_gone),
		CASE(a_machine_started_by_hand_is_listed_with_its_scope),
		CASE(a_name_taken_by_somebody_else_is_said),
		CASE(an_image_and_its_unit_are_one_machine),
		CASE(a_failed_unit_without_a_conf_is_listed_a_stopped_one_is_not),
		CASE(units_that_are_not_machines_make_no_rows),
		CASE(a_bad_conf_is_told_whether_it_runs_or_not),
		CASE(rows_are_sorted_by_name),
		CASE(one_look_works_where_there_is_no_systemd),
	};

	return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
