#!/bin/bash
# Starting, stopping and entering machines, and what a person is told meanwhile.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario control --unfiltered

several_machines_are_started_and_stopped_at_once() {
	inside <<-'END'
		for i in a b c; do small $i; conf $i PRIVATE_NETWORK=1; done
		exits 0 machdeck start a b c
		told 'a: started' 'b: started' 'c: started'
		for i in a b c; do same "state of $i" active "$(state $i)"; done
		exits 0 machdeck restart a b
		exits 0 machdeck stop a b c
		for i in a b c; do same "state of $i" inactive "$(state $i)"; done
	END
}

the_worst_outcome_is_the_exit_status() {
	inside <<-'END'
		small good; conf good PRIVATE_NETWORK=1
		exits 66 machdeck start good nosuch
		told 'good: started' 'nosuch: there is no container of that name'
		exits 64 machdeck stop good ../x
		same 'state' active "$(state good)"
		conf bad 'PRIVATE_NETWORK=maybe'
		mkdir -p $ROOTS/bad
		exits 65 machdeck start bad
		told bad.conf:1
		exits 0 machdeck stop bad
	END
}

a_failed_start_shows_why_and_the_last_lines_of_the_log() {
	inside <<-'END'
		lab-guest sick
		conf sick PRIVATE_NETWORK=1 INIT=/sbin/nosuch
		drop_in sick Restart=no
		exits 1 machdeck start sick
		told 'cannot start sick: ' /sbin/nosuch '    machdeck-init: '
	END
}

a_failed_reload_shows_no_lines_of_the_start() {
	inside <<-'END'
		lab-guest web --init - <<-'INIT'
			#!/bin/sh
			echo good morning
			exec sleep 1000
		INIT
		conf web PRIVATE_NETWORK=1
		machdeck start web
		logged web 'good morning'
		conf web 'HOST_ADDRESS="'
		exits 65 machdeck reload web
		told '/etc/containers/web.conf:1:'
		[[ $said != *'good morning'* ]] || fail "$said"
	END
}

a_masked_unit_is_told_in_systemd_s_words() {
	inside <<-'END'
		small masked; conf masked PRIVATE_NETWORK=1
		systemctl mask --runtime container@masked
		exits 1 machdeck start masked
		told 'Unit container@masked.service is masked'
		systemctl unmask --runtime container@masked
	END
}

terminate_ends_a_machine_at_once_and_for_good() {
	inside <<-'END'
		lab-guest deaf --init - <<-'INIT'
			#!/bin/sh
			trap '' TERM INT
			while :; do sleep 1; done
		INIT
		conf deaf PRIVATE_NETWORK=1
		machdeck start deaf
		began=${EPOCHREALTIME/./}
		exits 0 machdeck terminate deaf
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 10000000 ] || fail "it took $took us"
		same state inactive "$(state deaf)"
		nothing_left deaf
		sleep 0.5 # longer than RestartSec=
		same 'state later' inactive "$(state deaf)"
		same result success "$(property deaf Result)"
	END
}

a_machine_of_another_unit_is_stopped_with_its_unit() {
	inside <<-'END'
		small other
		systemd-run --quiet --unit=strange systemd-nspawn --quiet --keep-unit -M other -D $ROOTS/other --private-network \
			--kill-signal=SIGTERM /sbin/init
		want 10 machinectl show other
		mv $ROOTS/other $ROOTS/moved 2>/dev/null || { umount -l $ROOTS/other; rmdir $ROOTS/other; }
		exits 66 machdeck start other
		exits 0 machdeck terminate other
		want 10 not machinectl show other
	END
}

starting_needs_no_d_bus_and_stopping_neither() {
	inside <<-'END'
		small nobus; conf nobus PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		machdeck start nobus
		systemctl stop dbus.socket dbus.service systemd-machined
		exits 0 machdeck stop nobus
		same state inactive "$(state nobus)"
		exits 0 machdeck list
		systemctl start dbus.socket dbus.service systemd-machined
		exits 0 machdeck start nobus
	END
}

a_bus_that_is_restarted_meanwhile_changes_nothing() {
	inside <<-'END'
		web slow; conf slow PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		service slow wait.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sleep 1
		UNIT
		machdeck start slow >/tmp/said 2>&1 &
		want 10 machinectl show slow # systemd-nspawn, too, talks to the bus until then
		systemctl restart dbus
		systemctl daemon-reexec # and with it every connection to systemd itself
		wait $! || fail "$(cat /tmp/said)"
		same state active "$(state slow)"
		same said 'slow: started' "$(cat /tmp/said)"
	END
}

a_machined_that_hangs_keeps_nothing_of_ours_waiting() {
	inside <<-'END'
		for i in up down; do small $i; conf $i PRIVATE_NETWORK=1; done
		machdeck start up
		pid=$(systemctl show systemd-machined --property MainPID --value)
		kill -STOP $pid
		trap 'kill -CONT $pid; clear_all' EXIT
		within_ms() {
			local began=${EPOCHREALTIME/./} took
			exits 0 "${@:2}"
			took=$(((${EPOCHREALTIME/./} - began) / 1000))
			[ $took -le $1 ] || fail "$2 $3 took $took ms"
		}
		within_ms 10000 machdeck list
		told up
		within_ms 10000 machdeck run up -- true
		within_ms 10000 machdeck unit prestart down # systemd-nspawn itself asks systemd-machined, for 25 s
	END
}

somebody_without_rights_is_told_the_action() {
	inside <<-'END'
		small locked; conf locked PRIVATE_NETWORK=1
		exits 77 setpriv --reuid=65534 --regid=65534 --clear-groups machdeck start locked
		told org.freedesktop.systemd1.manage-units
		exits 77 setpriv --reuid=65534 --regid=65534 --clear-groups machdeck run locked -- true
		exits 0 setpriv --reuid=65534 --regid=65534 --clear-groups machdeck list
	END
}

# ---- reload

a_reload_moves_the_main_link_to_another_bridge() {
	inside <<-'END'
		for i in br0 br1; do ip link add $i type bridge; ip link set $i up; done
		small b; conf b PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.2/24
		machdeck start b
		same bridge br0 "$(master vb-b)"
		conf b PRIVATE_NETWORK=1 HOST_BRIDGE=br1 LOCAL_ADDRESS=10.5.0.3/24
		exits 0 machdeck reload b
		same said 'b: reloaded' "$said"
		same bridge br1 "$(master vb-b)"
		same address 10.5.0.3/24 "$(addresses_in b dev eth0)"
		exits 0 machdeck reload b # a second one finds nothing to do
		same bridge br1 "$(master vb-b)"
	END
}

a_reload_brings_back_what_somebody_took_away() {
	inside <<-'END'
		small web
		ip link add br0 type bridge
		ip link set br0 up
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 'EXTRA_VETHS="vx1,hostBridge=br0"'
		small port
		conf port PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.2.0.2/24
		machdeck start web port
		ip addr del 10.1.0.1/32 dev ve-web
		ip link set vx1 nomaster
		ip link set vb-port nomaster
		within web ip addr del 10.1.0.2/32 dev eth0
		exits 0 machdeck status port
		told 'missing on the host: ip link set dev vb-port master br0 up'
		exits 0 machdeck reload web port
		serves web http://10.1.0.2/
		same 'master of vx1' br0 "$(master vx1)"
		same 'master of vb-port' br0 "$(master vb-port)"
		for i in web port; do
			exits 0 machdeck status $i
			[[ $said != *missing* ]] || fail "$said"
		done
		within web ip link delete vx1
		exits 0 machdeck reload web
		logged web 'reload: on the host: there is no link vx1' 'reload: in the guest: there is no link vx1'
	END
}

a_reload_that_fails_on_one_side_leaves_both_as_they_were() {
	inside <<-'END'
		small half; conf half PRIVATE_NETWORK=1 HOST_ADDRESS=10.6.0.1 LOCAL_ADDRESS=10.6.0.2
		machdeck start half
		within half ip link set eth0 down
		within half ip link set eth0 name mine
		before="$(addresses dev ve-half) $(routes dev ve-half)"
		conf half PRIVATE_NETWORK=1 HOST_ADDRESS=10.6.0.8 LOCAL_ADDRESS=10.6.0.9
		exits 1 machdeck reload half
		told 'in the guest' eth0
		same 'the host' "$before" "$(addresses dev ve-half) $(routes dev ve-half)"
		same state active "$(state half)"
		within half ip link set mine name eth0
		exits 0 machdeck reload half
		same 'the host' '10.6.0.8/32 10.6.0.9' "$(addresses dev ve-half) $(routes dev ve-half)"
		same 'the guest' '10.6.0.9/32 10.6.0.8, default via 10.6.0.8' "$(addresses_in half dev eth0) $(routes_in half dev eth0)"
	END
}

# ---- run

a_command_gets_what_is_piped_and_its_exit_status_comes_back() {
	inside <<-'END'
		web run; conf run PRIVATE_NETWORK=1
		exits 66 machdeck run run -- true
		told 'run: not running'
		machdeck start run
		same output hello "$(echo hello | machdeck run run -- cat)"
		same errors oops "$(machdeck run run -- sh -c 'echo oops >&2' 2>&1 >/dev/null)"
		exits 7 machdeck run run -- sh -c 'exit 7'
		exits 127 machdeck run run -- nosuchcommand
		exits 137 machdeck run run -- sh -c 'kill -9 $$'
		exits 64 machdeck run run
		same words "a 'b c' \$d" "$(machdeck run run -- printf '%s' "a 'b c' \$d")"
		dd if=/dev/urandom of=/tmp/bytes bs=64K count=20 2>/dev/null
		machdeck run run -- cat </tmp/bytes | cmp - /tmp/bytes
	END
}

# Case 150 of the threat model.
a_command_is_in_all_namespaces_and_the_cgroup_of_the_machine() {
	inside <<-'END'
		mkdir -p $ROOTS/ns/{bin,sbin,usr,etc,root,dev,proc,sys,run,tmp,var}
		cp /bin/busybox $ROOTS/ns/bin/
		for i in sh sleep id grep readlink cat; do ln -s busybox $ROOTS/ns/bin/$i; done
		printf '#!/bin/sh\nwhile :; do sleep 1; done\n' >$ROOTS/ns/sbin/init
		chmod 0755 $ROOTS/ns/sbin/init
		conf ns PRIVATE_NETWORK=1 PRIVATE_USERS=pick
		machdeck start ns
		kinds='cgroup ipc mnt net pid user uts'
		wanted=$(for i in $kinds; do readlink /proc/$(leader ns)/ns/$i; done)
		same namespaces "$wanted" "$(machdeck run ns -- sh -c "for i in $kinds; do readlink /proc/self/ns/\$i; done")"
		same cgroup "$(grep ^0:: /proc/$(leader ns)/cgroup)" "$(machdeck run ns -- sleep 30 & want 10 pgrep -xf 'sleep 30' >/dev/null
			grep ^0:: /proc/$(pgrep -xf 'sleep 30')/cgroup; kill $!)"
		same user 0:0 "$(machdeck run ns -- sh -c 'echo $(id -u):$(id -g)')"
		same "map of users" "$(cat /proc/$(leader ns)/uid_map)" "$(machdeck run ns -- cat /proc/self/uid_map)"
		[ "$(awk '{ print $2 }' /proc/$(leader ns)/uid_map)" != 0 ] || fail "its root is the host's"
		same capabilities "$(grep CapBnd /proc/$(leader ns)/status)" "$(machdeck run ns -- grep CapBnd /proc/self/status)"
	END
}

a_command_has_no_more_capabilities_than_the_machine_and_a_clean_environment() {
	inside <<-'END'
		web caps; conf caps PRIVATE_NETWORK=1
		machdeck start caps
		bounding=$(awk '/CapBnd/ { print $2 }' /proc/$(leader caps)/status)
		same sets "0000000000000000 $bounding $bounding $bounding 0000000000000000" \
			"$(machdeck run caps -- awk '/^Cap/ { printf "%s%s", sep, $2; sep = " " }' /proc/self/status)"
		same environment 'HOME LANG LOGNAME PATH PWD SHELL SHLVL USER' \
			"$(SECRET=1 machdeck run caps -- bash -c 'compgen -e' | sort | tr '\n' ' ' | sed 's/ $//')"
		same home /root "$(machdeck run caps -- pwd)"
		same descriptors '0 1 2' "$(machdeck run caps -- sh -c 'cd /proc/self/fd; echo [012]; ' 7</etc/passwd)"
		not machdeck run caps -- sh -c 'test -e /proc/self/fd/7' 7</etc/passwd
	END
}

# at_terminal SCRIPT - runs it with a terminal of its own; prints what appears there.
at_terminal='at_terminal() { script --quiet --return --command "stty rows 33 cols 99; $1" /dev/null </dev/null | tr -d "\r"; }'

a_command_at_a_terminal_gets_one_of_the_machine_s_own() {
	inside <<-END
		$at_terminal
		web term; conf term PRIVATE_NETWORK=1
		machdeck start term
		at_terminal 'TERM=screen machdeck run term -- sh -c "tty; stty size; echo \\\$TERM; ps -o tty= -p \\\$\\\$; exit 9"; echo rc=\$?' >/tmp/said
		grep -q '/dev/pts/[0-9]' /tmp/said || fail "\$(cat /tmp/said)"
		grep -qx '33 99' /tmp/said && grep -qx screen /tmp/said && grep -qx 'rc=9' /tmp/said || fail "\$(cat /tmp/said)"
		# Ours is never handed over, wherever it is connected to.
		at_terminal 'echo | machdeck run term -- sh -c "test -t 1; echo \\\$?; tty </dev/tty || echo none"' >/tmp/said
		grep -qx 1 /tmp/said && grep -q none /tmp/said || fail "\$(cat /tmp/said)"
	END
}

# Case 149 of the threat model: TIOCSTI, and TIOCLINUX's paste.
a_guest_can_not_type_into_the_caller_s_terminal() {
	inside <<-END
		$at_terminal
		web typist; conf typist PRIVATE_NETWORK=1
		machdeck start typist
		cat >\$ROOTS/typist/root/type.pl <<-'PERL'
			for my \$fd (0, 1, 2) {
				open my \$tty, '+<&=', \$fd or next;
				ioctl \$tty, 0x5412, \$_ for split //, "touch /tmp/typed\n";
				ioctl \$tty, 0x541c, my \$paste = "\3";
			}
		PERL
		at_terminal 'sysctl -q dev.tty.legacy_tiocsti=1; machdeck run typist -- perl /root/type.pl; machdeck run typist -- perl /root/type.pl | cat; true | machdeck run typist -- perl /root/type.pl; sleep 0.2' >/dev/null
		[ ! -e /tmp/typed ] || fail "the guest typed a command"
	END
}

a_command_ends_with_its_caller() {
	inside <<-'END'
		web orphan; conf orphan PRIVATE_NETWORK=1
		machdeck start orphan
		machdeck run orphan -- sleep 300 &
		want 10 pgrep -x sleep
		kill -KILL $!
		want 10 not pgrep -x sleep
		machdeck run orphan -- sleep 300 &
		want 10 pgrep -x sleep
		kill -TERM $!
		rc=0; wait $! || rc=$?
		same status 143 $rc
	END
}

progress_is_shown_at_a_terminal_only() {
	inside <<-END
		$at_terminal
		web slow; conf slow PRIVATE_NETWORK=1
		service slow wait.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sleep 2
		UNIT
		at_terminal 'machdeck start slow' >/tmp/said
		grep -q 'slow waits: its guest boots, [0-9]* of 60 s' /tmp/said || fail "\$(cat -v /tmp/said)"
		machdeck stop slow
		same 'plain output' 'slow: started' "\$(machdeck start slow 2>&1)"
	END
}

run_cases "$@"
