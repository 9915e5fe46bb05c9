#include "decide/releases.h"

static const struct release_rules rules[] = {
	[RELEASE_2014] = {
		.first_options = true,
		.private_net_is_veth = true,
		.address_last = true,
		.ready_fifo = true,
		.reload_socket = true,
		.exit_on_reboot = true,
		.kill_signal = "WINCH",
		.stop_by_poweroff = true,
	},
	[RELEASE_2020] = {
		.veths_need_address = true,
		.notify_ready = true,
		.link_journal = true,
		.new_unit = true,
		.kill_signal = "WINCH",
		.stop_by_poweroff = true,
		.timeout_start = "1min",
	},
	[RELEASE_2021_04] = {
		.notify_ready = true,
		.link_journal = true,
		.new_unit = true,
		.kill_signal = "WINCH",
		.stop_by_poweroff = true,
		.timeout_start = "1min",
	},
	[RELEASE_2021_05] = {
		.notify_ready = true,
		.link_journal = true,
		.new_unit = true,
		.kill_signal_arg = "SIGRTMIN+3",
		.kill_signal = "TERM",
		.timeout_start = "1min",
	},
	/* 2021-05 and 2021-11 differ in words only (behaviours A.0). */
	[RELEASE_2021_11] = {
		.notify_ready = true,
		.link_journal = true,
		.new_unit = true,
		.kill_signal_arg = "SIGRTMIN+3",
		.kill_signal = "TERM",
		.timeout_start = "1min",
	},
};

const struct release_rules *release_rules(enum release r)
{
	return &rules[r];
}
