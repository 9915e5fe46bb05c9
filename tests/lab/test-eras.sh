#!/bin/bash
# Guests of the releases before 2021-05: ready by a FIFO, stopped by power-off, without what went wrong in their time. How
# they reload is in test-scenarios-reload.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario eras

# in_ms LIMIT CMD... - what it does, within so many milliseconds
helpers=$(cat <<-'END'
	in_ms() {
		local began=${EPOCHREALTIME/./} took
		"${@:2}"
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		[ $took -le $1 ] || fail "$took ms instead of at most $1: ${*:2}"
	}
	old_guest() { # NAME RELEASE - systemd, which writes the FIFO of 2014 when it is ready
		lab-guest "$1"
		service "$1" done.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sh -c 'if [ -p /var/lib/startup-done ]; then echo done >/var/lib/startup-done; fi'
		UNIT
		conf "$1" RELEASE=$2 PRIVATE_NETWORK=1 HOST_ADDRESS=10.14.0.1 LOCAL_ADDRESS=10.14.0.2
		systemctl daemon-reload
	}
	powers_off() { # NAME - as its time did it, and cleanly
		same signal 28 "$(property "$1" KillSignal)"
		in_ms 20000 systemctl stop "container@$1"
		same state "inactive success" "$(state "$1") $(property "$1" Result)"
		logged "$1" "Container $1 has been shut down"
	}
END
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

a_guest_of_2014_is_ready_when_it_has_written_its_fifo() {
	scene <<-'END'
		lab-guest f --init - <<-'INIT'
			#!/bin/sh
			sleep 0.7
			echo done >/var/lib/startup-done
			exec /bin/busybox httpd -f -p 80 -h /srv
		INIT
		conf f RELEASE=2014 PRIVATE_NETWORK=1 HOST_ADDRESS=10.14.0.1 LOCAL_ADDRESS=10.14.0.2
		systemctl daemon-reload
		began=${EPOCHREALTIME/./}
		exits 0 machdeck start f
		[ $((${EPOCHREALTIME/./} - began)) -ge 700000 ] || fail "it was ready before its guest was"
		[ ! -e $ROOTS/f/var/lib/startup-done ] || fail "the FIFO is left"
	END
}

a_guest_of_2014_that_dies_before_its_fifo_hangs_nobody() {
	scene <<-'END'
		lab-guest f --init - <<<$'#!/bin/sh\necho no disk; sleep 0.2; exit 3'
		conf f RELEASE=2014 PRIVATE_NETWORK=1
		systemctl daemon-reload
		in_ms 10000 exits 1 machdeck start f
		told 'status 3'
		want 10 systemctl is-failed container@f
		systemctl stop container@f
	END
}

# With one it never worked: the two ends route to each other's address alone.
a_mask_of_2014_is_refused_so_that_none_is_in_hosts() {
	scene <<-'END'
		conf h RELEASE=2014 PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.14.0.2/24
		exits 65 machdeck hosts
		told 'leave the prefix out'
		conf h RELEASE=2014 PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.14.0.2
		exits 0 machdeck hosts
		told '10.14.0.2 h.containers'
	END
}

stops() { # RELEASE
	scene <<<"$(printf '%s\n' "old_guest o $1" 'machdeck start o; powers_off o')"
}
a_guest_of_2014_is_powered_off() { stops 2014; }
a_guest_of_2020_is_powered_off() { stops 2020; }
a_guest_of_2021_04_is_powered_off() { stops 2021-04; }

one_that_is_not_systemd_or_is_stopped_early_takes_no_longer() {
	scene <<-'END'
		small p
		conf p RELEASE=2020 PRIVATE_NETWORK=1
		systemctl daemon-reload
		machdeck start p
		in_ms 20000 systemctl stop container@p
		nothing_left p
		old_guest o 2020
		for after in 0.02 0.1 0.2 0.3; do
			systemctl start --no-block container@o
			sleep $after
			in_ms 8000 systemctl stop container@o
			nothing_left o
		done
		service o never.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sleep 54321
		UNIT
		systemctl start --no-block container@o
		want 10 pgrep -xf '/bin/sleep 54321'
		in_ms 20000 systemctl stop container@o
		nothing_left o
	END
}

without_machined_and_the_bus_they_stop_and_so_does_the_host() {
	local began
	lab_host gone --bind "$LAB_DIR:/lab/tests"
	SCENE=gone
	scene <<-'END'
		trap - EXIT
		old_guest o1 2014
		old_guest o2 2020
		old_guest o3 2021-04
		for i in 1 2 3; do sed -i "s/10.14.0/10.14.$i/" $CONFS/o$i.conf; done
		systemctl daemon-reload
		machdeck start o1 o2 o3
		mv /run/dbus/system_bus_socket /run/dbus/away
		kill -KILL $(systemctl show systemd-machined dbus --property MainPID --value)
		powers_off o1
		powers_off o2
	END
	began=${EPOCHREALTIME/./}
	on gone systemctl --no-block poweroff || true
	want 30 eval '! "$LAB" list | grep -q "^${HOSTS[gone]}"'
	[ $((${EPOCHREALTIME/./} - began)) -lt 15000000 ] || fail "the shutdown took $((${EPOCHREALTIME/./} - began)) us"
}

run_cases "$@"
