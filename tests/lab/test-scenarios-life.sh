#!/bin/bash
# From start to stop: readiness, reboot, stops at any moment and without helpers, deadlines.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario life --unfiltered

a_command_runs_in_a_started_container_and_it_starts_again_after_a_stop() {
	inside <<-'END'
		web id1
		conf id1 PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		exits 0 machdeck start id1
		same uname Linux "$(machdeck run id1 -- uname)"
		exits 0 machdeck stop id1
		same state inactive "$(state id1)"
		exits 0 machdeck start id1
		same page id1 "$(fetch http://10.233.1.2/)"
	END
}

# slow_system NAME - one whose stage 2 takes 5 s.
slow_system='slow_system() {
	nix_system "$1"
	sed -i "2a echo first stage line; i=0; while [ \$i -lt 100 ]; do sleep 0.05; i=\$((i + 1)); done" "/nix/store/$1/init"
}'

a_stop_during_stage_2_ends_the_container_cleanly() {
	inside <<-END
		$slow_system
		slow_system slow
		conf id1 SYSTEM_PATH=/nix/store/slow PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		systemctl start --no-block container@id1
		in_stage_2() { [[ \$(log_of id1) == *"first stage line"* ]]; }
		want 10 in_stage_2
		began=\${EPOCHREALTIME/./}
		machdeck stop id1
		took=\$((\${EPOCHREALTIME/./} - began))
		[ \$took -lt 2000000 ] || fail "the stop took \$took us"
		logged id1 "exited successfully"
		same state inactive "\$(state id1)"
		nothing_left id1
		nix_system quick
		sed -i s,store/slow,store/quick, \$CONFS/id1.conf
		machdeck start id1
		same page quick "\$(fetch http://10.233.1.2/)"
	END
}

# Most of these are before the guest's first process can hear anything.
a_stop_at_any_moment_of_a_start_is_clean() {
	inside <<-'END'
		web early
		conf early PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		for ms in 5 10 20 30 40 50 60 70 80 100 130 160 200 250 300; do
			systemctl start --no-block container@early
			sleep 0.$(printf %03d $ms)
			timeout 20 systemctl stop container@early || fail "the stop after $ms ms takes more than 20 s"
			same "state after $ms ms" inactive "$(state early)"
			nothing_left early
		done
		machdeck start early
		same page early "$(fetch http://10.233.1.2/)"
	END
}

a_stop_needs_neither_machined_nor_d_bus() {
	inside <<-'END'
		web id1
		conf id1 PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		machdeck start id1
		systemctl stop systemd-machined
		machdeck stop id1
		logged id1 "has been shut down"
		same state inactive "$(state id1)"
		machdeck start id1
		systemctl stop dbus.socket dbus.service systemd-machined
		began=${EPOCHREALTIME/./}
		exits 0 machdeck stop id1
		took=$((${EPOCHREALTIME/./} - began))
		same state inactive "$(state id1)"
		systemctl start dbus.socket dbus.service systemd-logind
		[ $took -lt 5000000 ] || fail "without D-Bus the stop took $took us"
		machdeck start id1
		same page id1 "$(fetch http://10.233.1.2/)"
		machdeck stop id1
		nothing_left id1
	END
}

a_script_that_becomes_the_guest_s_init_is_its_first_process() {
	inside <<-'END'
		web s
		printf '#!/bin/sh\n[ $$ = 1 ] && exec /sbin/init\n' >$ROOTS/s/start
		chmod 0755 $ROOTS/s/start
		conf s PRIVATE_NETWORK=1 HOST_ADDRESS=10.5.0.1 LOCAL_ADDRESS=10.5.0.2 INIT=/start
		machdeck start s
		same leader systemd "$(cat "/proc/$(leader s)/comm")"
		same page s "$(fetch http://10.5.0.2/)"
		exits 0 machdeck stop s
	END
}

a_plain_payload_stops_clean_and_at_once() {
	inside <<-'END'
		small p
		conf p PRIVATE_NETWORK=1 HOST_ADDRESS=10.5.0.1 LOCAL_ADDRESS=10.5.0.2
		machdeck start p
		want 10 serves p http://10.5.0.2/
		began=${EPOCHREALTIME/./}
		exits 0 machdeck stop p
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 1000000 ] || fail "the stop took $took us"
		same state "inactive success" "$(state p) $(property p Result)"
	END
}

a_guest_that_ignores_the_halt_signal_is_killed_at_the_deadline() {
	inside <<-'END'
		lab-guest deaf --init - <<-'INIT'
			#!/bin/sh
			# not systemd
			trap '' 37
			: >/deaf
			while :; do sleep 0.1; done
		INIT
		conf deaf PRIVATE_NETWORK=1 HOST_ADDRESS=10.5.0.1 LOCAL_ADDRESS=10.5.0.2 TIMEOUT_START_SEC=1 HOST_PORT=tcp:8080:80
		drop_in deaf TimeoutStopSec=1
		systemctl start --no-block container@deaf
		want 10 test -e $ROOTS/deaf/deaf
		exits 1 machdeck stop deaf
		same Result timeout "$(property deaf Result)"
		systemctl stop container@deaf
		nothing_left deaf
	END
}

a_start_that_is_asked_for_is_tried_though_systemd_gave_up() {
	inside <<-'END'
		lab-guest g --init - <<<$'#!/bin/sh\nexit 1'
		conf g PRIVATE_NETWORK=1
		not systemctl start container@g
		want 10 systemctl is-failed container@g
		printf '#!/bin/sh\nexec sleep 1000' >$ROOTS/g/sbin/init
		not systemctl start container@g
		exits 0 machdeck start g
	END
}

a_reboot_restarts_the_unit_and_configures_the_network_again() {
	inside <<-'END'
		web r
		conf r PRIVATE_NETWORK=1 HOST_ADDRESS=10.6.0.1 LOCAL_ADDRESS=10.6.0.2 HOST_PORT=tcp:8080:80 'EXTRA_VETHS="rv,hostAddress=10.6.1.1,localAddress=10.6.1.2"'
		machdeck start r
		before=$(leader r)
		within r systemctl reboot
		again() { [ "$(leader r)" != "$before" ] && systemctl is-active container@r && serves r http://10.6.0.1:8080/; }
		want 10 again
		same restarts 1 "$(property r NRestarts)"
		same addresses "10.6.0.1/32 10.6.1.1/32" "$(addresses ve-r) $(addresses rv)"
		want 10 ping -n -c 1 -W 1 10.6.1.2
	END
}

a_power_off_leaves_the_unit_down_and_well() {
	inside <<-'END'
		web r
		conf r PRIVATE_NETWORK=1 HOST_ADDRESS=10.6.0.1 LOCAL_ADDRESS=10.6.0.2
		machdeck start r
		within r systemctl poweroff
		down() { [ "$(state r)" = inactive ]; }
		want 10 down
		same Result success "$(property r Result)"
		nothing_left r
	END
}

a_guest_that_never_gets_ready_fails_at_the_deadline_and_leaves_nothing() {
	inside <<-'END'
		web never
		service never never.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sleep infinity
		UNIT
		conf never PRIVATE_NETWORK=1 HOST_ADDRESS=10.7.0.1 LOCAL_ADDRESS=10.7.0.2 HOST_PORT=tcp:8080:80 TIMEOUT_START_SEC=2s
		systemctl daemon-reload
		began=$SECONDS
		exits 1 machdeck start never
		[ $((SECONDS - began)) -lt 5 ] || fail "it took $((SECONDS - began)) s"
		told never
		systemctl stop container@never
		nothing_left never
	END
}

a_guest_can_wait_for_its_host_while_it_boots() {
	inside <<-'END'
		web waits
		service waits gateway.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sh -c 'until ping -n -c 1 -W 0.2 10.8.0.1 && ping -n -c 1 -W 0.2 10.8.1.1; do :; done'
		UNIT
		conf waits PRIVATE_NETWORK=1 HOST_ADDRESS=10.8.0.1 LOCAL_ADDRESS=10.8.0.2 TIMEOUT_START_SEC=20s \
			'EXTRA_VETHS="wv,hostAddress=10.8.1.1,localAddress=10.8.1.2"'
		systemctl daemon-reload
		machdeck start waits
		same page waits "$(fetch http://10.8.0.2/)"
	END
}

the_host_s_side_is_up_before_the_guest_has_run_100_ms() {
	inside <<-'END'
		lab-guest soon --init - <<-'INIT'
			#!/bin/bash
			# Notes when the host's address answers, and becomes systemd.
			began=${EPOCHREALTIME/./}
			until read -r up </sys/class/net/eth0/carrier && [ "$up" = 1 ] && ping -q -n -c 1 -W 0.02 10.8.0.1 >/dev/null; do
				((${EPOCHREALTIME/./} - began < 3000000)) || break
			done
			echo $(((${EPOCHREALTIME/./} - began) / 1000)) >>/took
			exec /lib/systemd/systemd
		INIT
		conf soon PRIVATE_NETWORK=1 HOST_ADDRESS=10.8.0.1 LOCAL_ADDRESS=10.8.0.2
		for i in 1 2 3; do
			machdeck start soon
			machdeck stop soon
		done
		took=$(xargs <$ROOTS/soon/took)
		for ms in $took; do
			[ "$ms" -lt 100 ] || fail "it took $took ms"
		done
	END
}

a_guest_with_users_of_its_own_starts_again_and_again() {
	inside <<-'END'
		web u
		conf u PRIVATE_NETWORK=1 PRIVATE_USERS=pick HOST_ADDRESS=10.9.0.1 LOCAL_ADDRESS=10.9.0.2 HOST_PORT=tcp:8080:80
		for i in 1 2; do
			exits 0 machdeck start u
			want 10 serves u http://10.9.0.1:8080/
			read -r _ base _ <"/proc/$(leader u)/uid_map"
			[ "$base" -ge 65536 ] || fail "its root is $base of the host"
			same 'root of its tree' "$base" "$(stat -c %u $ROOTS/u/etc)"
			same 'who runs' 0 "$(machdeck run u -- id -u)"
			exits 0 machdeck stop u
			nothing_left u
		done
	END
}

status_and_list_have_a_word_for_every_state() {
	inside <<-'END'
		small up
		small down
		small bad
		web slow
		service slow wait.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sh -c 'until test -e /go; do sleep 0.02; done'
		UNIT
		for name in up down bad slow; do conf $name PRIVATE_NETWORK=1; done
		echo 'INTERFACES="missing"' >>$CONFS/bad.conf
		machdeck start up
		not machdeck start bad
		systemctl start --no-block container@slow
		word() { machdeck list --json | jq -r --arg name "$1" '.machines[] | select(.name == $name) | .state'; }
		is() { [ "$(word "$1")" = "$2" ]; }
		want 10 is slow starting
		want 10 is up running
		want 10 is down stopped
		want 10 is bad failed
		exits 0 machdeck status up
		exits 3 machdeck status down
		exits 3 machdeck status bad
		exits 66 machdeck status nobody
		inner_is_free() { (cd "/sys/fs/cgroup$(property slow ControlGroup)" && grep -q . supervisor/cgroup.procs && ! grep . cgroup.procs); }
		want 10 inner_is_free # of processes, or the guest gets no controllers
		touch $ROOTS/slow/go
		want 10 is slow running

		nix_system base
		sed -i '3a until test -e /go; do sleep 0.02; done' /nix/store/base/bin/switch-to-configuration
		conf nix SYSTEM_PATH=/nix/store/base PRIVATE_NETWORK=1
		machdeck start nix
		since=$(machdeck status --json nix | jq -r .since)
		systemctl reload --no-block container@nix
		want 10 is nix reloading
		exits 0 machdeck status nix
		told 'nix: reloading'
		touch $ROOTS/nix/go
		want 10 is nix running
		same since "$since" "$(machdeck status --json nix | jq -r .since)"
		service slow deaf.service <<-'UNIT'
			[Service]
			ExecStart=/bin/true
			RemainAfterExit=yes
			ExecStop=/bin/sh -c 'until test -e /gone; do sleep 0.02; done'
		UNIT
		within slow systemctl daemon-reload
		within slow systemctl start deaf
		systemctl stop --no-block container@slow
		want 10 is slow stopping
		exits 3 machdeck status slow
		told 'slow: stopping'
		touch $ROOTS/slow/gone
		want 10 is slow stopped
	END
}

run_cases "$@"
