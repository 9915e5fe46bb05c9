#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/dropin.h"
#include "decide/overlay.h"

/* The drop-in of container "web" with this conf; the caller lets go of it. */
static struct buf dropin_of(const char *conf)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	const struct facts facts = { .path = "/usr/bin" };
	struct buf text = { 0 };
	struct err e = { 0 };

	if (conf_read("web.conf", "web", conf, strlen(conf), &c, NULL, &e) < 0 ||
	    plan_build(&c, &facts, &p, &e) < 0)
		fail_msg("%s", e.text);
	dropin_text(&c, &p, "/etc/containers/web.conf", &text);
	assert_false(text.bad);
	return text;
}

static void expect(const char *conf, const char *line)
{
	CLEANUP(buf_done) struct buf text = dropin_of(conf);
	CLEANUP(buf_done) struct buf whole = { 0 };

	buf_addf(&whole, "\n%s\n", line);
	if (!strstr(buf_text(&text), buf_text(&whole)))
		fail_msg("'%s' is not in: %s", line, buf_text(&text));
}

static void expect_none(const char *conf, const char *part)
{
	CLEANUP(buf_done) struct buf text = dropin_of(conf);

	if (strstr(buf_text(&text), part))
		fail_msg("'%s' is in: %s", part, buf_text(&text));
}

static void an_overlay_is_mounted_by_a_unit_with_the_name_of_its_place(void **state)
{
	CLEANUP(buf_done) struct buf unit = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	overlay_unit("/var/lib/nixos-containers", "my-box.1", &unit);
	assert_string_equal(buf_text(&unit), "var-lib-nixos\\x2dcontainers-my\\x2dbox.1.mount");
	overlay_unit_text("/var/lib/containers", "b", "a", &text);
	assert_string_equal(
		buf_text(&text),
		"# Made by machdeck-generator: b was cloned with --overlay.\n\n[Unit]\n"
		"Description=Root of b, an overlay over a\n"
		"RequiresMountsFor=/var/lib/containers/a /var/lib/containers/.overlays/b\n\n"
		"[Mount]\nWhat=overlay\nWhere=/var/lib/containers/b\nType=overlay\n"
		"Options=lowerdir=/var/lib/containers/a,upperdir=/var/lib/containers/.overlays/b/upper,"
		"workdir=/var/lib/containers/.overlays/b/work,metacopy=on\n");
}

static void the_conf_is_the_source(void **state)
{
	(void)state;
	expect("", "SourcePath=/etc/containers/web.conf");
}

static void the_root_must_be_mounted(void **state)
{
	(void)state;
	expect("", "RequiresMountsFor=/var/lib/containers/%i");
}

static void what_is_bound_must_be_mounted(void **state)
{
	(void)state;
	expect("EXTRA_NSPAWN_FLAGS=--bind=/srv/data:/data", "RequiresMountsFor=\"/srv/data\"");
	expect("EXTRA_NSPAWN_FLAGS=--bind-ro=/srv/ro", "RequiresMountsFor=\"/srv/ro\"");
}

static void a_path_with_blanks_quotes_and_percents_stays_one_word(void **state)
{
	(void)state;
	expect("EXTRA_NSPAWN_FLAGS=\"'--bind=/srv/a b%n:/data'\"", "RequiresMountsFor=\"/srv/a b%%n\"");
}

static void what_is_in_the_container_s_own_tree_need_not_be_mounted(void **state)
{
	(void)state;
	expect_none("EXTRA_NSPAWN_FLAGS=--bind=+/srv/data:/data", "srv");
	expect_none("EXTRA_NSPAWN_FLAGS=--bind=:/data", "data");
}

static void the_timeout_is_the_conf_s(void **state)
{
	(void)state;
	expect("TIMEOUT_START_SEC=2min", "TimeoutStartSec=2min");
	expect("", "TimeoutStartSec=1min");
}

static void devices_are_allowed(void **state)
{
	(void)state;
	expect("ALLOWED_DEVICES=/dev/fuse:rw", "DeviceAllow=\"/dev/fuse\" rw");
	expect("ENABLE_TUN=1", "DeviceAllow=\"/dev/net/tun\" rw");
}

static void an_ephemeral_one_gets_its_runtime_directory(void **state)
{
	(void)state;
	expect("SYSTEM_PATH=/nix/store/x\nEPHEMERAL=1", "RuntimeDirectory=containers/%i");
	expect_none("SYSTEM_PATH=/nix/store/x\nEPHEMERAL=1", "RequiresMountsFor");
}

static void a_new_release_is_stopped_by_its_kill_signal(void **state)
{
	(void)state;
	expect("", "KillSignal=TERM");
	expect_none("", "ExecStop");
}

static void an_old_release_is_asked_to_power_off(void **state)
{
	(void)state;
	expect("SYSTEM_PATH=/nix/store/x\nRELEASE=2020", "KillSignal=WINCH");
	expect("SYSTEM_PATH=/nix/store/x\nRELEASE=2020", "ExecStop=" LIBEXECDIR "/machdeck-unit poweroff %i");
	expect("SYSTEM_PATH=/nix/store/x\nRELEASE=2014",
	       "ExecStop=-" LIBEXECDIR "/machdeck-unit poweroff %i");
}

static void at_boot_it_waits_for_the_network_and_its_links(void **state)
{
	(void)state;
	expect("AUTO_START=1", "After=network.target");
	expect("AUTO_START=1", "Wants=network.target");
	expect("AUTO_START=1\nINTERFACES=eth1", "Wants=sys-subsystem-net-devices-eth1.device");
	expect("AUTO_START=1\nINTERFACES=eth-1.7", "After=sys-subsystem-net-devices-eth\\x2d1.7.device");
}

static void by_hand_it_waits_for_no_link(void **state)
{
	(void)state;
	expect_none("INTERFACES=eth1", ".device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_overlay_is_mounted_by_a_unit_with_the_name_of_its_place),
		cmocka_unit_test(the_conf_is_the_source),
		cmocka_unit_test(the_root_must_be_mounted),
		cmocka_unit_test(what_is_bound_must_be_mounted),
		cmocka_unit_test(a_path_with_blanks_quotes_and_percents_stays_one_word),
		cmocka_unit_test(what_is_in_the_container_s_own_tree_need_not_be_mounted),
		cmocka_unit_test(the_timeout_is_the_conf_s),
		cmocka_unit_test(devices_are_allowed),
		cmocka_unit_test(an_ephemeral_one_gets_its_runtime_directory),
		cmocka_unit_test(a_new_release_is_stopped_by_its_kill_signal),
		cmocka_unit_test(an_old_release_is_asked_to_power_off),
		cmocka_unit_test(at_boot_it_waits_for_the_network_and_its_links),
		cmocka_unit_test(by_hand_it_waits_for_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
