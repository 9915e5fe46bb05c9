#!/bin/bash
# Containers on bridges, with extra links, on a share of a NIC or with a NIC of their own.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario bridges --unfiltered

containers_on_a_bridge_answer_with_and_without_an_address() {
	inside <<-'END'
		ip link add br0 type bridge
		ip addr add 192.168.0.1/24 dev br0
		ip addr add fc00::1/7 dev br0 nodad
		ip link set br0 up
		web webserver
		web web-noip
		conf webserver AUTO_START=1 PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.0.100/24 LOCAL_ADDRESS6=fc00::2/7
		conf web-noip AUTO_START=1 PRIVATE_NETWORK=1 HOST_BRIDGE=br0
		systemctl daemon-reload
		systemctl start machines.target
		want 10 systemctl is-active container@webserver container@web-noip
		is_up_in webserver eth0
		is_up_in web-noip eth0
		same addresses "" "$(addresses_in web-noip eth0)"
		want 10 ping -n -c 1 -W 1 192.168.0.100
		want 10 serves webserver http://192.168.0.100/
		want 10 serves webserver 'http://[fc00::2]/'
		same show-ip 192.168.0.100 "$(machdeck show-ip webserver)"
		same master br0 "$(master vb-webserver)"
		same "host's routes" "" "$(routes dev vb-webserver)"
		machdeck stop webserver
		not fetch http://192.168.0.100/
		not fetch 'http://[fc00::2]/'
	END
}

extra_veths_are_up_addressed_and_attached_on_both_sides() {
	inside <<-'END'
		for i in 0 1; do
			ip link add br$i type bridge
			ip addr add 192.168.$i.1/24 dev br$i
			ip link set br$i up
		done
		ip addr add fc00::1/7 dev br0 nodad
		web webserver
		conf webserver PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.0.100/24 LOCAL_ADDRESS6=fc00::2/7 \
			'EXTRA_VETHS="veth1,hostBridge=br1,localAddress=192.168.1.100/24 veth2,hostAddress=192.168.2.1,localAddress=192.168.2.100"'
		machdeck start webserver
		for link in veth1 veth2; do
			want 10 is_up $link
			want 10 is_up_in webserver $link
		done
		same master br1 "$(master veth1)"
		same master none "$(master veth2)"
		same "host's veth2" "192.168.2.1/32 192.168.2.100" "$(addresses veth2) $(routes dev veth2)"
		same "guest's veth2" "192.168.2.100/32 192.168.2.1" "$(addresses_in webserver veth2) $(routes_in webserver dev veth2)"
		for address in 192.168.0.100 fc00::2 192.168.1.100 192.168.2.100; do
			want 10 ping -n -c 1 -W 1 $address
		done
		machdeck stop webserver
		not ping -n -c 1 -W 1 192.168.1.100
		not ping -n -c 1 -W 1 192.168.2.100
		same links "br0 br1 lo" "$(links)"
	END
}

extra_veths_work_beside_a_bridge_alone_and_without_a_main_link() {
	inside <<-'END'
		ip link add br0 type bridge
		ip link set br0 up
		small bridged
		small alone
		conf bridged PRIVATE_NETWORK=1 HOST_BRIDGE=br0 'EXTRA_VETHS="veth1,hostAddress=192.168.2.1,localAddress=192.168.2.100"'
		conf alone PRIVATE_NETWORK=1 'EXTRA_VETHS="veth2,hostAddress=192.168.3.1,localAddress=192.168.3.100"'
		machdeck start bridged alone
		want 10 ping -n -c 1 -W 1 192.168.2.100
		want 10 ping -n -c 1 -W 1 192.168.3.100
		same "guest's links" "lo veth2" "$(within alone ip -j link | jq -r '[.[].ifname] | sort | join(" ")')"
	END
}

macvlan_containers_reach_each_other_the_host_and_its_neighbours() {
	inside <<-'END'
		ip netns add peer
		ip link add eth1 type veth peer name eth0 netns peer
		ip -n peer addr add 192.168.1.2/24 dev eth0
		ip -n peer link set eth0 up
		ip link set eth1 up
		ip link add mv-eth1-host link eth1 type macvlan mode bridge
		ip addr add 192.168.1.1/24 dev mv-eth1-host
		ip link set mv-eth1-host up
		for i in 1 2; do
			web test$i
			service test$i lan.service <<-UNIT
				[Service]
				Type=oneshot
				ExecStart=/bin/sh -c 'ip addr add 192.168.1.25$((i + 2))/24 dev mv-eth1 && ip link set mv-eth1 up'
			UNIT
			conf test$i AUTO_START=1 PRIVATE_NETWORK=1 'MACVLANS="eth1"'
		done
		systemctl daemon-reload
		systemctl start machines.target
		want 10 systemctl is-active container@test1 container@test2
		want 10 within test1 ping -n -c 1 -W 1 192.168.1.254
		for address in 192.168.1.253 192.168.1.254; do
			want 10 ping -n -c 1 -W 1 $address
			want 10 ip netns exec peer ping -n -c 1 -W 1 $address
		done
		machdeck restart test1
		want 10 ping -n -c 1 -W 1 192.168.1.253
	END
}

a_physical_interface_moves_into_the_container_and_comes_back() {
	inside <<-'END'
		ip link add eth1 type veth peer name other
		small n
		conf n PRIVATE_NETWORK=1 'INTERFACES="eth1"'
		machdeck start n
		within n ip link show dev eth1
		not ip link show dev eth1
		machdeck stop n
		ip link show dev eth1
	END
}

the_host_s_network_can_change_below_a_running_container() {
	inside <<-'END'
		ip link add br0 type bridge
		ip addr add 192.168.1.1/24 dev br0
		ip link set br0 up
		ip link add eth1 type veth peer name other
		small n
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.1.122/24
		machdeck start n
		pings() { ping -n -c 1 -W 1 192.168.1.122 && within n ping -n -c 1 -W 1 "$1"; }
		want 10 pings 192.168.1.1
		ip link set eth1 up master br0
		ip addr replace 192.168.1.2/24 dev br0
		ip addr del 192.168.1.1/24 dev br0
		ip addr replace 192.168.1.2/24 dev br0
		want 10 pings 192.168.1.2
		ip link set eth1 nomaster
		ip addr flush dev br0
		ip addr add 192.168.1.1/24 dev br0
		want 10 pings 192.168.1.1
	END
}

links_return_to_a_bridge_that_is_made_again() {
	inside <<-'END'
		for i in 0 1; do ip link add br$i type bridge && ip link set br$i up; done
		small n
		conf n PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=192.168.1.122/24 'EXTRA_VETHS="veth1,hostBridge=br1"'
		machdeck start n
		same masters "br0 br1" "$(master vb-n) $(master veth1)"
		for i in 0 1; do ip link delete br$i; done
		same masters "none none" "$(master vb-n) $(master veth1)"
		for i in 0 1; do ip link add br$i type bridge && ip link set br$i up; done
		attached() { [ "$(master vb-n) $(master veth1)" = "br0 br1" ]; }
		want 10 attached
		ip addr add 192.168.1.1/24 dev br0
		want 10 ping -n -c 1 -W 1 192.168.1.122
	END
}

a_missing_bridge_is_named_and_nothing_of_the_start_stays() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 'EXTRA_VETHS="veth1,hostBridge=br9,localAddress=192.168.1.100/24"'
		exits 66 machdeck start n
		told br9
		systemctl stop container@n
		nothing_left n
		same links lo "$(links)"
	END
}

run_cases "$@"
