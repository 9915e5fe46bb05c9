#!/bin/bash
# What a start refuses instead of taking it from somebody, and what it clears away instead of refusing.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario refusals

# refused LINE... - with `first` running, `second` with these lines must be refused, naming first, which keeps its port.
refused='refused() {
	small first
	small second
	conf first PRIVATE_NETWORK=1 HOST_ADDRESS=10.20.0.1 LOCAL_ADDRESS=10.20.0.2 HOST_PORT=tcp:8080:80 "EXTRA_VETHS=\"fv,hostAddress=10.20.9.1,localAddress=10.20.9.2\""
	conf second PRIVATE_NETWORK=1 "$@"
	machdeck start first
	exits 75 machdeck start second
	told first
	systemctl stop container@second
	not systemctl start container@second
	same status 75 "$(property second ExecMainStatus)"
	logged second first
	systemctl stop container@second
	not machinectl show second
	want 10 serves first http://10.20.0.1:8080/
	same forwards "tcp 8080 10.20.0.2 80" "$(forwards)"
	same links "fv lo ve-first" "$(links)"
}'

a_port_of_another_running_container_is_refused_naming_it() {
	inside <<-END
		$refused
		refused HOST_ADDRESS=10.21.0.1 LOCAL_ADDRESS=10.21.0.2 HOST_PORT=tcp:8080:80
		logged second 8080
	END
}

an_address_of_another_running_container_is_refused_naming_it() {
	inside <<-END
		$refused
		refused HOST_ADDRESS=10.21.0.1 LOCAL_ADDRESS=10.20.0.2
		logged second 10.20.0.2
	END
}

an_address_of_the_host_for_another_running_container_is_no_container_s_own() {
	inside <<-END
		$refused
		refused HOST_ADDRESS=10.21.0.1 LOCAL_ADDRESS=10.20.0.1
		logged second 10.20.0.1
	END
}

an_address_of_another_running_container_is_not_given_to_the_host() {
	inside <<-END
		$refused
		refused HOST_ADDRESS=10.20.0.2 LOCAL_ADDRESS=10.21.0.2
		logged second 10.20.0.2
	END
}

of_two_that_start_at_once_and_want_the_same_one_is_refused() {
	inside <<-'END'
		small a
		small b
		drop_in '' Restart=no
		one_of_two() { # LINE that both have besides
			local i
			for i in 1 2 3 4 5; do
				conf a PRIVATE_NETWORK=1 HOST_ADDRESS=10.20.0.1 "$1" LOCAL_ADDRESS=10.20.0.2
				conf b PRIVATE_NETWORK=1 HOST_ADDRESS=10.20.0.1 LOCAL_ADDRESS=10.20.0.3 "$1"
				exits 75 machdeck start a b
				told "belongs to "
				same 'how many run' 1 "$(systemctl is-active container@a container@b | grep -cx active)"
				machdeck stop a b
			done
		}
		one_of_two HOST_PORT=tcp:8080:80
		one_of_two LOCAL_ADDRESS6=fc00:20::2
	END
}

two_containers_can_share_the_host_s_address() {
	inside <<-'END'
		small a
		small b
		conf a PRIVATE_NETWORK=1 HOST_ADDRESS=10.20.0.1 LOCAL_ADDRESS=10.20.0.2 HOST_ADDRESS6=fc00:20::1 LOCAL_ADDRESS6=fc00:20::2
		conf b PRIVATE_NETWORK=1 HOST_ADDRESS=10.20.0.1 LOCAL_ADDRESS=10.20.0.3 HOST_ADDRESS6=fc00:20::1 LOCAL_ADDRESS6=fc00:20::3
		exits 0 machdeck check
		exits 0 machdeck start a b
		want 10 serves a http://10.20.0.2/
		want 10 serves b http://10.20.0.3/
		machdeck stop a
		want 10 serves b http://10.20.0.3/
		want 10 serves b http://[fc00:20::3]/
		same host "10.20.0.1/32 fc00:20::1/128" "$(addresses)"
		exits 0 machdeck start a
		want 10 serves a http://[fc00:20::2]/
	END
}

an_extra_veth_of_another_running_container_is_refused_naming_it() {
	inside <<-END
		$refused
		refused HOST_ADDRESS=10.21.0.1 LOCAL_ADDRESS=10.21.0.2 'EXTRA_VETHS="fv,hostAddress=10.21.9.1,localAddress=10.21.9.2"'
		logged second fv
	END
}

a_machine_of_that_name_that_is_not_ours_is_refused_and_lives() {
	inside <<-'END'
		small other
		small name
		systemd-run --quiet --unit=foreign --property=Type=notify --property=Delegate=yes systemd-nspawn --quiet --keep-unit \
			-D $ROOTS/other -M name --private-network --kill-signal=TERM /bin/busybox sleep 1000
		before=$(leader name)
		conf name PRIVATE_NETWORK=1
		not systemctl start container@name
		same status 75 "$(property name ExecMainStatus)"
		logged name foreign
		same leader "$before" "$(leader name)"
		systemctl kill --signal=KILL foreign # a sleep that is PID 1 heeds nothing else
		want 10 not systemctl is-active foreign
		systemctl stop container@name
		machdeck start name
	END
}

a_link_of_that_name_that_is_not_ours_is_refused_and_stays() {
	inside <<-'END'
		small n
		ip link add nv type bridge
		conf n PRIVATE_NETWORK=1 'EXTRA_VETHS="nv,hostAddress=10.22.0.1,localAddress=10.22.0.2"'
		not systemctl start container@n
		same status 75 "$(property n ExecMainStatus)"
		logged n nv
		same kind bridge "$(ip -j -d link show nv | jq -r '.[].linkinfo.info_kind')"
		systemctl stop container@n
		ip link delete nv
		ip link add ve-n type bridge
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		not systemctl start container@n
		same status 75 "$(property n ExecMainStatus)"
		same kind bridge "$(ip -j -d link show ve-n | jq -r '.[].linkinfo.info_kind')"
	END
}

stale_links_of_an_earlier_start_are_removed() {
	inside <<-'END'
		small n
		small b
		ip link add br0 type bridge
		ip link set br0 up
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2 'EXTRA_VETHS="nv,hostAddress=10.22.1.1,localAddress=10.22.1.2"'
		conf b PRIVATE_NETWORK=1 HOST_BRIDGE=br0
		for link in ve-n nv vb-b; do ip link add $link type veth peer name p-$link; done
		exits 0 machdeck start n b
		same links "br0 lo nv vb-b ve-n" "$(links)"
		want 10 ping -n -c 1 -W 1 10.22.0.2
	END
}

a_forward_that_leads_to_nobody_is_cleared_by_the_next_start() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2 HOST_PORT=tcp:8080:80
		machdeck start n
		machdeck stop n
		nft add element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.99.9.9 . 80 }'
		machdeck start n
		want 10 serves n http://10.22.0.1:8080/
		same forwards "tcp 8080 10.22.0.2 80" "$(forwards)"
	END
}

a_step_that_fails_in_the_guest_is_told_by_name_on_the_host() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 'EXTRA_VETHS="va,hostAddress=10.22.1.1,localAddress=10.22.1.2 vb,hostAddress=10.22.1.1,localAddress=10.22.1.3"'
		exits 1 machdeck start n
		logged n machdeck-init: 10.22.1.1 vb
		want 10 systemctl is-failed container@n
		exits 3 machdeck status n
		told 10.22.1.1
		systemctl stop container@n
		nothing_left n
	END
}

a_host_s_side_that_is_already_so_is_no_error() {
	inside <<-'END'
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.22.0.1 LOCAL_ADDRESS=10.22.0.2
		machdeck start n
		machdeck unit poststart n
		rm -f /run/machdeck/n/host.done
		machdeck unit poststart n
		same host "10.22.0.1/32 10.22.0.2" "$(addresses ve-n) $(routes dev ve-n)"
	END
}

run_cases "$@"
