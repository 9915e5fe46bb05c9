#!/bin/bash
# What is in a network's way, and what is hostile there. The numbers are those of the threat model's cases.
#
# What people run into with networks and ports, and where it is made for real:
#   a port is dead on localhost             test-forwards: loopback_never_answers_and_that_is_told
#   a port is in no ss or netstat           test-forwards: loopback_never_answers_and_that_is_told
#   a forward works from the host only      test-doctor-way: a_way_that_is_closed_is_named, a_firewall_that_drops_is_named_with_its_chain
#   another container has the port          test-doctor: who_has_the_port_is_named
#   a loser's stop takes it along           test-doctor: a_loser_that_stops_takes_the_rule_along_and_is_named
#   a stale entry after an unclean end      test-doctor: a_rule_that_leads_elsewhere_is_told_with_where
#   the table is gone after a reload        test-doctor: a_rule_that_is_not_there_is_told_with_its_cause
#   open over IPv6, too                     test-doctor-way: what_nobody_asked_for_is_worth_a_note
#   veth: File exists, a pinned namespace   case_57 here; test-doctor: one_that_was_stopped_is_not_broken
#   a name is cut                           case_59 here; test-doctor-way: a_long_name_is_no_hindrance
#   NetworkManager takes ve-* over          test-doctor-way: what_the_host_lost_or_can_not_reach_is_named
#   a bridge is made anew                   test-doctor: a_bridge_that_was_made_anew_is_named
#   a lent interface vanishes               case_67 here
#   the host and its own macvlan            test-doctor-way: what_the_host_lost_or_can_not_reach_is_named
#   macvlan: Device or resource busy        a_parent_that_is_taken_whole_is_named here
#   low ports, own users, the host's network  low_ports_are_refused_to_users_of_its_own here
#   iptables beside nft                     test-doctor-way: what_only_iptables_legacy_shows_is_told
#   no nf_tables at all                     unit test_doctor, cause no-nf-tables: no kernel here lacks it

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario links --unfiltered

case_56_a_link_of_another_kind_in_the_way_is_named_and_stays() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		ip link add up0 type veth peer name up1
		for kind in bridge dummy 'macvlan mode bridge'; do
			parent=; [[ $kind != macvlan* ]] || parent='link up0'
			ip link add $parent name ve-n type $kind 2>/dev/null || { echo "this kernel has no $kind"; continue; }
			index=$(cat /sys/class/net/ve-n/ifindex)
			not systemctl start container@n
			same status 75 "$(property n ExecMainStatus)"
			logged n "ve-n" "${kind%% *}"
			systemctl stop container@n; systemctl reset-failed # it restarted by itself: that counts, too
			same "the link" "$index" "$(cat /sys/class/net/ve-n/ifindex)"
			ip link del ve-n
		done
		machdeck start n
		want 10 ping -n -c 1 -W 1 10.1.0.2
	END
}

case_57_a_stale_veth_goes_wherever_its_peer_is() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		here() { ip link add ve-n type veth peer name p-n; }
		dead() { # a namespace of no process and no name
			ip netns add held
			ip link add ve-n type veth peer name host0 netns held
			exec 9</run/netns/held
			ip netns delete held
		}
		for peer in here dead; do
			$peer
			index=$(cat /sys/class/net/ve-n/ifindex)
			exits 0 machdeck start n
			[ "$(cat /sys/class/net/ve-n/ifindex)" != "$index" ] || fail "the stale link of $peer is still there"
			want 10 ping -n -c 1 -W 1 10.1.0.2
			machdeck stop n
			exec 9<&-
		done
		nothing_left n
	END
}

case_58_a_link_that_a_running_machine_uses_is_left_to_it() {
	inside <<-'END'
		small a; small b
		conf a PRIVATE_NETWORK=1 'EXTRA_VETHS="ve-b,hostAddress=10.3.0.1,localAddress=10.3.0.2"'
		conf b PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		machdeck start a
		want 10 ping -n -c 1 -W 1 10.3.0.2
		index=$(cat /sys/class/net/ve-b/ifindex)
		not systemctl start container@b
		same status 75 "$(property b ExecMainStatus)"
		logged b ve-b
		systemctl stop container@b
		same "the link" "$index" "$(cat /sys/class/net/ve-b/ifindex)"
		want 10 ping -n -c 1 -W 1 10.3.0.2
	END
}

case_59_names_that_begin_alike_have_each_their_own_link() {
	inside <<-'END'
		for i in 1 2; do
			small samebeginning-$i
			conf samebeginning-$i PRIVATE_NETWORK=1 HOST_ADDRESS=10.$i.0.1 LOCAL_ADDRESS=10.$i.0.2
		done
		machdeck start samebeginning-1 samebeginning-2
		for i in 1 2; do
			name=$(ip -j link show ve-samebeginning-$i | jq -r '.[0].ifname')
			want 10 ping -n -c 1 -W 1 -I "$name" 10.$i.0.2
			same "link of $i" "samebeginning-$i 10.$i.0.1/32" "$(machdeck links --json |
				jq -r --arg n "$name" '.spaces[0].links[] | select(.name == $n) | "\(.machine) \([.addresses[].address | select(startswith("10."))] | join(" "))"')"
			same "address of $i" 10.$i.0.2 "$(machdeck show-ip samebeginning-$i)"
		done
		machdeck stop samebeginning-1
		want 10 ping -n -c 1 -W 1 10.2.0.2
	END
}

case_60_no_name_of_a_link_is_printed_as_it_is_or_acted_on() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		machdeck start n
		esc=$'\e[31mfifteen.by' bad=$'b\xff\xfe' long=$(printf 'L%.0s' $(seq 127))
		ip link add ve-ghost type veth peer name h1 # of nobody, with names to act on
		trap 'ip link del ve-ghost; clear_all' EXIT # ip prints no JSON that clear_all could read
		for name in "$esc" "$bad" '%d%n%s' '$(touch /run/acted)' '-rf' "$long"; do
			ip link property add dev ve-ghost altname "$name" 2>/dev/null || echo "the kernel refuses $(printf %q "$name")"
		done
		ip link set dev h1 name "${esc%?}2"
		within n ip link set dev eth0 down
		within n ip link set dev eth0 name "$esc"
		within n ip link set dev "$esc" up
		for words in links 'links --json' doctor 'doctor n' ports check 'diff n' 'mend --dry-run n' 'mend --orphans --dry-run' list 'status n'; do
			machdeck $words >/run/said 2>&1 || true
			if grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' /run/said; then fail "machdeck $words prints control bytes: $(cat -v /run/said)"; fi
			iconv -f UTF-8 -t UTF-8 /run/said >/dev/null || fail "machdeck $words prints no UTF-8: $(cat -v /run/said)"
		done
		printf 'size 160x40\nwait n\nkey H\nwait ve-n\nsave /run/shown\nkey q\n' >/run/script
		rm -f /run/shown
		machdeck --script /run/script >/run/said 2>&1 || fail "$(cat -v /run/said)"
		if grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' /run/shown; then fail "the screen has control bytes: $(cat -v /run/shown)"; fi
		[ ! -e /run/acted ] || fail "a name was run"
		machdeck stop n
		# a stale link whose other names are hostile is in the way, and goes by its index; one that is not in the way stays
		ghost=$(cat /sys/class/net/ve-ghost/ifindex)
		ip link add ve-n type veth peer name "${bad}2"
		ip link property add dev ve-n altname $'\e]0;x\a'
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 10.1.0.2
		same "the link of nobody" "$ghost" "$(cat /sys/class/net/ve-ghost/ifindex)"
	END
}

case_61_who_makes_and_removes_the_link_all_the_time_only_delays() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		: >/run/stolen
		race() { # a bridge that somebody else than this loop removes is told in /run/stolen
			local index
			while [ ! -e /run/enough ]; do
				if ip link add ve-n type bridge 2>/dev/null; then
					ip link del ve-n type bridge 2>/dev/null || echo stolen >>/run/stolen
				fi
				ip link add ve-n type veth peer name raced 2>/dev/null && ip link del raced 2>/dev/null
			done
		}
		rm -f /run/enough
		race & racer=$!
		rounds() { # HOW_MANY
			for ((round = 0; round < $1; round++)); do
				timeout 60 machdeck start n >/run/said 2>&1 && rc=0 || rc=$?
				[ $rc -ne 124 ] || fail "the start takes longer than 60 s"
				[ $rc -eq 0 ] || [ -s /run/said ] || fail "it ended with $rc and says nothing"
				timeout 60 systemctl stop container@n || true
				systemctl reset-failed
			done
		}
		# systemd-nspawn takes its link away by name, whatever that is by then: what it did is not counted
		printf '#!/bin/sh\nexit 1\n' >/run/nspawn
		chmod 755 /run/nspawn
		mount --bind /run/nspawn /usr/bin/systemd-nspawn
		trap 'touch /run/enough; umount /usr/bin/systemd-nspawn || true; clear_all' EXIT
		rounds 12
		stolen=$(wc -l </run/stolen)
		umount /usr/bin/systemd-nspawn
		same "bridges that we removed" 0 "$stolen"
		rounds 2
		touch /run/enough
		wait $racer || true
		ip link del ve-n 2>/dev/null || true
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 10.1.0.2
	END
}

case_62_a_bridge_that_is_not_there_or_is_none_is_named_and_others_work() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.2/24
		refused() { # WORDS...
			machdeck start n >/run/said 2>&1 && fail "it starts"
			grep -qF -- "$1" /run/said || fail "nothing of $1: $(cat /run/said; log_of n | tail -n 5)"
			systemctl stop container@n
			systemctl reset-failed
			nothing_left n
		}
		refused br0
		ip link add br0 type veth peer name other
		refused br0
		same 'what was there' br0 "$(ip -j link show br0 | jq -r '.[].ifname')"
		ip link del br0
		ip link add br0 type bridge # and it is down
		exits 0 machdeck start n
		same master br0 "$(master vb-n)"
		machdeck stop n
		ip link set br0 up; ip addr add 10.5.0.1/24 dev br0
		ip netns add ports # with which they go, all at once
		for i in $(seq 1000); do echo "link add q$i master br0 type veth peer name r$i netns ports"; done | ip -batch -
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 10.5.0.2
		ip netns delete ports
		want 60 not ip link show dev q1000
	END
}

case_63_what_is_there_already_is_well_only_where_it_is_the_same() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS6=fd01::1 LOCAL_ADDRESS6=fd01::2
		ip link add other type veth peer name rehto; ip link set other up; ip link set rehto up
		ip addr add 10.1.0.1/32 dev other # the host's, on one more link
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 10.1.0.2
		machdeck unit poststart n # all of it is there
		machdeck stop n
		ip route add 10.1.0.2 dev other
		exits 1 machdeck start n
		told 10.1.0.2 other
		systemctl stop container@n; systemctl reset-failed
		ip route del 10.1.0.2 dev other
		# without IPv6 the step that needs it is told
		sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		trap 'sysctl -qw net.ipv6.conf.default.disable_ipv6=0; clear_all' EXIT
		exits 1 machdeck start n
		told fd01::
		systemctl stop container@n; systemctl reset-failed
		sysctl -qw net.ipv6.conf.default.disable_ipv6=0
		nothing_left n
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 fd01::2
		machdeck stop n
		# one more has the address: its guest's is not usable, and the doctor tells who is in the way
		ip link del other
		ip link add br0 type bridge; ip link set br0 up; ip -6 addr add fd05::2/64 dev br0 nodad
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS6=fd05::2/64 HOST_PORT=8080:80
		machdeck start n >/run/said 2>&1 || true
		machdeck doctor n >>/run/said 2>&1 || true
		grep -q fd05::2 /run/said || fail "$(cat /run/said)"
	END
}

case_66_a_netlink_that_fails_is_told_and_leaves_nothing() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		failing() { strace -f --seccomp-bpf -qqq -o /dev/null -e trace="$1" -e inject="$1:error=$2:when=$3" "${@:4}"; }
		sockets=$(strace -f -qqq -e trace=socket -o /run/trace machdeck links >/dev/null 2>&1; grep -c AF_NETLINK /run/trace)
		[ "$sockets" -gt 0 ] || fail "no netlink socket was opened"
		for errno in ENOBUFS EPERM ENOMEM; do
			failing sendto,sendmsg $errno 1+ machdeck links >/run/said 2>&1 && rc=0 || rc=$?
			[ $rc -lt 128 ] || fail "links ended with $rc at $errno"
			grep -qE '^machdeck: ' /run/said || fail "links says nothing of $errno: $(cat -v /run/said)"
		done
		# a start: what fails is told, and the next one works
		mkdir -p /run/systemd/system/container@.service.d
		trap 'rm -rf /run/systemd/system/container@.service.d; systemctl daemon-reload; clear_all' EXIT
		for errno in ENOBUFS EPERM ENOMEM EINTR; do
			printf '[Service]\nRestart=no\nExecStart=\nExecStart=/usr/bin/strace -D -qqq -o /dev/null -e trace=sendto -e inject=sendto:error=%s:when=1 machdeck unit start %%i\n' \
				$errno >/run/systemd/system/container@.service.d/fault.conf
			systemctl daemon-reload
			systemctl start container@n >/run/said 2>&1 && rc=0 || rc=$?
			status=$(property n ExecMainStatus)
			[[ $rc -eq 0 || " 71 75 77 " = *" $status "* ]] || fail "$errno: it ended with $status: $(log_of n | tail -n 3)"
			systemctl stop container@n; systemctl reset-failed
			nothing_left n
		done
		rm -rf /run/systemd/system/container@.service.d; systemctl daemon-reload
		exits 0 machdeck start n
		want 10 ping -n -c 1 -W 1 10.1.0.2
	END
}

case_67_a_link_that_was_lent_comes_back_without_its_addresses() {
	inside <<-'END'
		ip link add eth1 type veth peer name other
		ip addr add 192.0.2.1/24 dev eth1
		small n; conf n PRIVATE_NETWORK=1 INTERFACES=eth1
		machdeck start n
		within n ip link show dev eth1
		machdeck stop n
		want 10 ip link show dev eth1
		same 'its addresses' '' "$(addresses dev eth1)"
	END
}

# systemd-nspawn looks for it by its name: what is virtual goes with the namespace, a card comes back by the kernel.
case_67_a_link_that_is_renamed_inside_or_held_by_a_killed_one_is_missed_by_name() {
	inside <<-'END'
		small n; conf n PRIVATE_NETWORK=1 INTERFACES=eth1
		drop_in n Restart=no
		renamed() {
			within n ip link set dev eth1 down
			within n ip link set dev eth1 name hidden
			machdeck stop n >/run/said 2>&1 || true
			want 10 eval 'has_line n "interfaces back" || has_line n "Unknown interface name eth1"' # before and since 255
		}
		killed() {
			systemctl kill --kill-who=all --signal=KILL container@n
			want 10 systemctl is-failed container@n
		}
		for end in renamed killed; do
			ip link add eth1 type veth peer name other
			exits 0 machdeck start n
			$end
			want 10 not ip link show dev eth1
			systemctl reset-failed
			not machdeck start n
			logged n eth1
			systemctl stop container@n; systemctl reset-failed
			ip link del other 2>/dev/null || true
		done
		ip link add eth1 type veth peer name other
		exits 0 machdeck start n
	END
}

a_parent_that_is_taken_whole_is_named() {
	inside <<-'END'
		ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up
		ip link add try link up0 type macvlan mode bridge 2>/dev/null || { echo "this kernel has no macvlan"; exit 0; }
		ip link del try
		small n; conf n PRIVATE_NETWORK=1 MACVLANS=up0
		small m; conf m PRIVATE_NETWORK=1 MACVLANS=up0
		refused() {
			not machdeck start n
			machdeck status n >/tmp/status || true
			grep -q 'its parent link is taken whole: .*\[bad-parent\]' /tmp/status || fail "$(cat /tmp/status)"
			systemctl stop container@n; systemctl reset-failed
		}
		ip link add br0 type bridge; ip link set up0 master br0
		exits 0 machdeck check n
		told 'n: MACVLANS: up0 is a port of br0, so it can carry no macvlan'
		refused
		ip link set up0 nomaster
		ip link add pt link up0 type macvlan mode passthru
		refused
		ip link del pt
		exits 0 machdeck start n m # two in the same mode share it
		within n ip link show dev mv-up0
		within m ip link show dev mv-up0
	END
}

low_ports_are_refused_to_users_of_its_own() {
	inside <<-'END'
		small p; conf p PRIVATE_USERS=pick
		exits 0 machdeck check p
		told 'PRIVATE_USERS: on the host' 'may not listen below net.ipv4.ip_unprivileged_port_start'
		machdeck start p || true
		want 10 logged p 'ermission denied'
		systemctl stop container@p; systemctl reset-failed
		conf p PRIVATE_USERS=pick PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck check p
		same 'what it says' '1 container: no mistakes found' "$said"
		exits 0 machdeck start p
		want 10 serves p http://10.1.0.2/
	END
}

run_cases "$@"
