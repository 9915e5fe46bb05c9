/* releases - what differs between the reference modules: one row each (behaviours A.0). */
#pragma once

#include <stdbool.h>

#include "words/container.h"

struct release_rules {
	/* Only PRIVATE_NETWORK, HOST_ADDRESS and LOCAL_ADDRESS exist (and MACVLANS, in confs alone), and PRIVATE_NETWORK
	 * alone drives the network: the other options came later (A.13). */
	bool first_options;
	bool private_net_is_veth; /* A.5 7: --network-veth follows PRIVATE_NETWORK, no --private-network */
	bool address_last;        /* CI-7: in the guest routes come before addresses */
	bool veths_need_address; /* BUG-1: extra veths only inside the main link's conditional (CI-8, PO-7) */
	bool notify_ready;       /* READY comes from the guest's systemd (UD-4) */
	bool ready_fifo;         /* PR-4, PO-8: the guest writes $root/var/lib/startup-done */
	bool reload_socket;      /* RL-2: reload goes over $root/var/lib/run-command.socket */
	bool link_journal;
	bool exit_on_reboot; /* EXIT_ON_REBOOT=1 for systemd-nspawn */
	bool new_unit;       /* UD-8, UD-11, UD-14: reboot statuses, slice, delegation, device policy */
	const char *kill_signal_arg; /* argv's --kill-signal=, NULL: none */
	const char *kill_signal;     /* UD-13 */
	bool stop_by_poweroff; /* SP-1, SP-2: ExecStop powers the guest off, the kill signal is one nspawn ignores */
	const char *timeout_start; /* UD-10 of a container with options; NULL: systemd's own */
};

const struct release_rules *release_rules(enum release r);
