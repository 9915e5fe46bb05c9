#!/bin/bash
# machdeck-net.service: what it does, what happens without it, and that it can do no more.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario watcher --unfiltered

a_stop_before_the_guest_runs_is_clean_too() {
	inside <<-'END'
		small early
		conf early PRIVATE_NETWORK=1 HOST_ADDRESS=10.40.1.1 LOCAL_ADDRESS=10.40.1.2
		for ms in 5 10 20 30 40 50 60 70 80 100; do
			systemctl start --no-block container@early
			sleep 0.$(printf %03d $ms)
			timeout 10 systemctl stop container@early || fail "the stop after $ms ms takes more than 10 s"
			same "state after $ms ms" inactive "$(state early)"
			nothing_left early
			systemctl reset-failed # not to run into the limit of starts
		done
	END
}

without_the_watcher_a_start_brings_the_host_s_side_up() {
	inside <<-'END'
		trap 'systemctl unmask --runtime machdeck-net; clear_all' EXIT
		systemctl mask --runtime --now machdeck-net
		small n
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.40.2.1 LOCAL_ADDRESS=10.40.2.2
		machdeck start n
		[ ! -e /run/machdeck/n/host.done ]
		same host "10.40.2.1/32 10.40.2.2" "$(addresses ve-n) $(routes dev ve-n)"
		want 10 serves n http://10.40.2.2/
	END
}

a_watcher_that_comes_back_does_what_was_missed() {
	inside <<-'END'
		small n
		ip link add br0 type bridge
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.40.3.1 LOCAL_ADDRESS=10.40.3.2 'EXTRA_VETHS="nv,hostBridge=br0"'
		machdeck start n
		systemctl kill --signal=KILL machdeck-net
		ip link delete br0
		ip link add br0 type bridge
		attached() { [ "$(master nv)" = br0 ]; }
		want 10 attached
		systemctl stop machdeck-net
		ip link delete br0
		ip link add br0 type bridge
		same master none "$(master nv)"
		systemctl start machdeck-net
		same master br0 "$(master nv)"
		systemctl show machdeck-net --property MainPID --value | xargs kill -STOP
		for i in {1..200}; do echo "link add b$i type veth peer name c$i"; done | ip -batch -
		for i in {1..200}; do for j in 1 2 3 4 5; do echo "link set b$i mtu 1${j}00"; done; done | ip -batch -
		ip link delete br0
		ip link add br0 type bridge
		systemctl show machdeck-net --property MainPID --value | xargs kill -CONT
		want 10 attached
	END
}

a_failure_on_the_host_s_side_is_told_and_ends_the_start() {
	inside <<-'END'
		small n
		ip link add dev elsewhere type veth peer name other
		ip link set elsewhere up
		ip route add 10.40.4.2 dev elsewhere
		conf n PRIVATE_NETWORK=1 HOST_ADDRESS=10.40.4.1 LOCAL_ADDRESS=10.40.4.2
		exits 1 machdeck start n
		told 10.40.4.2 elsewhere
		systemctl stop container@n
		nothing_left n
		same routes 10.40.4.2 "$(routes dev elsewhere)"
	END
}

it_has_one_privilege_and_few_doors() {
	inside <<-'END'
		systemctl start machdeck-net
		pid=$(systemctl show machdeck-net --property MainPID --value)
		same capabilities 0000000000001000 "$(awk '/^CapBnd:/ { print $2 }' "/proc/$pid/status")"
		same privileges 1 "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")"
		same filter 2 "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")"
		not nsenter --target "$pid" --mount touch /etc/x /var/x /run/x
		systemd-analyze verify --man=no machdeck-net.service
	END
}

a_stop_ends_what_a_stage_2_script_waits_for() {
	inside <<-'END'
		nix_system base
		sed -i '2i echo waiting; for i in 1 2 3; do sleep 300; done' /nix/store/base/init
		conf slow SYSTEM_PATH=/nix/store/base PRIVATE_NETWORK=1
		systemctl start --no-block container@slow
		logged slow waiting
		began=${EPOCHREALTIME/./}
		exits 0 machdeck stop slow
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 1000000 ] || fail "the stop took $took us"
		same state "inactive success" "$(state slow) $(property slow Result)"
		nothing_left slow
	END
}

run_cases "$@"
