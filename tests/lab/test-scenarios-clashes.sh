#!/bin/bash
# What a start meets on the host's network, and what becomes of it. The cases of the threat model, 56 to 67, are these:
#  56 test-scenarios-refusals: a_link_of_that_name_that_is_not_ours_is_refused_and_stays
#  57 test-scenarios-refusals: stale_links_of_an_earlier_start_are_removed; here one of a dead namespace
#  58 test-scenarios-refusals: an_extra_veth_of_another_running_container_is_refused_naming_it
#  59 test-netmap: a_long_name_is_shown_in_full_and_each_has_its_own_link
#  60 test-netmap: hostile_names_are_shown_safely_and_never_acted_on
#  61 to 63, 66, 67 here
#  64 test-netmap: lost_events_are_made_up_by_one_reading_and_it_is_idle_again
#  65 test_nl: a_dump_that_was_interrupted_begins_again_and_in_the_end_is_told
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario clashes

case_57_a_veth_whose_other_end_is_in_a_pinned_namespace_is_removed() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		ip netns add dead
		ip link add ve-n type veth peer name host0 netns dead
		exits 0 machdeck start n
		want 5 ping -n -c 1 -W 1 10.22.0.2
		same "the other end" "" "$(ip netns exec dead ip -j link | jq -r '.[].ifname | select(. == "host0")')"
	END
}

case_58_an_extra_veth_of_a_running_machine_is_not_the_main_link_of_another() {
	inside <<-'END'
		small n
		small owner
		conf owner PRIVATE_NETWORK=1 'EXTRA_VETHS="ve-n,hostAddress=10.23.0.1,localAddress=10.23.0.2"'
		machdeck start owner
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		exits 75 machdeck start n
		told ve-n
		want 5 ping -n -c 1 -W 1 10.23.0.2
	END
}

case_61_a_link_that_comes_and_goes_during_the_start_is_never_taken_for_ours() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		ip link add guard type bridge
		(while :; do
			ip link add ve-n type bridge 2>/dev/null && : >/run/once && ip link del ve-n 2>/dev/null
		done) & racer=$!
		want 10 test -e /run/once
		for i in 1 2 3 4 5; do
			rc=0; timeout 60 machdeck start n >/run/said 2>&1 || rc=$?
			case $rc in 0 | 1 | 75) ;; *) fail "it ended with $rc: $(cat /run/said)" ;; esac
			[ $rc -ne 0 ] || same kind veth "$(ip -j -d link show ve-n | jq -r '.[].linkinfo.info_kind')"
			systemctl stop container@n
			systemctl reset-failed
		done
		kill $racer; wait $racer || true
		same "what is a bridge and somebody's" bridge "$(ip -j -d link show guard | jq -r '.[].linkinfo.info_kind')"
		! ip link show ve-n >/dev/null 2>&1 || ip link del ve-n
		exits 0 machdeck start n
		want 5 ping -n -c 1 -W 1 10.22.0.2
	END
}

case_62_a_bridge_that_is_none_is_named() {
	inside <<-'END'
		small n
		ip link add br0 type veth peer name br0p
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.1.2/24
		exits 1 machdeck start n
		told br0
		systemctl stop container@n
		nothing_left n
		same links "br0 br0p lo" "$(links)"
		same kind veth "$(ip -j -d link show br0 | jq -r '.[].linkinfo.info_kind')"
		exits 0 machdeck check
		told "br0 is no bridge"
	END
}

case_62_a_bridge_that_is_down_stays_so_and_is_shown_so() {
	inside <<-'END'
		small n
		ip link add br0 type bridge
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.1.2/24
		exits 0 machdeck start n
		same master br0 "$(master vb-n)"
		not is_up br0
		machdeck links >/run/said
		grep -q 'br0.*down' /run/said || fail "$(cat /run/said)"
	END
}

case_62_a_bridge_of_a_thousand_ports_takes_one_more() {
	inside <<-'END'
		small n
		ip link add br0 type bridge
		ip link set br0 up
		ip addr add 192.168.1.1/24 dev br0
		for ((i = 0; i < 1000; i++)); do echo "link add p$i type veth peer name q$i"; echo "link set p$i master br0"; done | ip -batch -
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.1.2/24
		exits 0 machdeck start n
		same master br0 "$(master vb-n)"
		want 10 ping -n -c 1 -W 1 192.168.1.2
	END
}

case_63_an_address_that_another_link_has_is_told_with_both() {
	inside <<-'END'
		small n
		ip link add other type veth peer name otherp
		ip link set other up
		ip link set otherp up
		ip addr add 10.22.0.1/32 dev other
		ip route add 10.22.0.2 dev other
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		exits 1 machdeck start n
		told other ve-n 10.22.0.
		systemctl stop container@n
		nothing_left n
		same "the other's" "10.22.0.1/32 10.22.0.2" "$(addresses other) $(routes dev other)"
	END
}

case_63_ipv6_that_is_off_is_told_with_its_remedy() {
	inside <<-'END'
		small n
		sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS6=fd22::1 LOCAL_ADDRESS6=fd22::2
		rc=0; said=$(machdeck start n 2>&1) || rc=$?
		sysctl -qw net.ipv6.conf.default.disable_ipv6=0
		same status 1 $rc
		told disable_ipv6=0
		systemctl stop container@n
		nothing_left n
	END
}

case_66_a_socket_that_fails_is_told_with_the_step_and_nothing_stays() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		systemctl stop machdeck-net
		machdeck start n
		before=$(ip addr; ip route; ip -6 route)
		for fault in sendto:EPERM sendto:ENOBUFS sendto:ENOMEM sendmsg:ENOMEM recvmsg:ENOMEM recvmsg:EINTR socket:EPERM socket:ENOMEM; do
			rc=0
			timeout 30 strace -qq -o /dev/null -e trace=${fault%:*} -e inject=${fault%:*}:error=${fault#*:}:when=1 \
				machdeck links >/run/said 2>&1 || rc=$?
			[ $rc -lt 124 ] || fail "$fault: it ended with $rc"
			[ $rc -eq 0 ] || grep -q ':.*' /run/said || fail "$fault: $rc without a word"
		done
		same network "$before" "$(ip addr; ip route; ip -6 route)"
		systemctl start machdeck-net
	END
}

# systemd-nspawn brings an interface back by the name it had, and the kernel only hardware: this one is virtual.
case_67_an_interface_that_was_renamed_inside_is_told_at_the_stop() {
	inside <<-'END'
		small n
		ip link add eth1 type veth peer name other
		conf n PRIVATE_NETWORK=1 'INTERFACES="eth1"'
		machdeck start n
		within n ip link set eth1 down
		within n ip link set eth1 name mine
		not ip link show dev eth1
		exits 1 machdeck stop n
		told 'interface "eth1"' "look at INTERFACES"
		ip link add eth1 type veth peer name another
		exits 0 machdeck start n
		exits 0 machdeck stop n
		ip link show dev eth1
	END
}

a_link_that_is_down_and_up_at_once_is_well_again() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2 HOST_ADDRESS6=fd22::1 LOCAL_ADDRESS6=fd22::2
		machdeck start n
		want 5 ping -n -c 1 -W 1 10.22.0.2
		for i in 1 2 3; do
			printf 'link set ve-n down\nlink set ve-n up\n' | ip -batch -
			machdeck mend n
			want 10 machdeck diff n
			want 10 ping -n -c 1 -W 1 10.22.0.2
			want 10 ping -n -c 1 -W 1 fd22::2
		done
	END
}

run_cases "$@"
