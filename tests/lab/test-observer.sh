#!/bin/bash
# The observer stays right, or says that it is not, while what it listens to dies, hangs or floods.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario observer --unfiltered --bind "${B:-$TOP/build}/tests/tools:/lab/tools"

helpers=$(cat <<-'END'
	now_ms() { echo "$((${EPOCHREALTIME/./} / 1000))"; }
	watch_as() { # [CMD...] - an observer, as somebody else
		"$@" /lab/tools/observer >/run/observed 2>&1 &
		observer=$!
		trap 'kill $observer; clear_all' EXIT
		want 10 seen 'n='
	}
	last() { tail -n 1 /run/observed; }
	seen() { [[ $(last) == *"$1"* ]]; }
	fresh() { [[ $(last) != *'|'* ]] && seen "$1"; }
	# within_ms LIMIT BEGAN CMD... - it comes true so soon after BEGAN (now_ms).
	within_ms() {
		want 10 "${@:3}"
		local took=$(($(now_ms) - $2))
		[ $took -le "$1" ] || fail "${*:3}: took $took ms, not $1: $(last)"
	}
	cpu_ms() { local utime stime; read -r utime stime < <(sed 's/.*) //' /proc/$observer/stat | cut -d' ' -f12,13); echo $(((utime + stime) * 10)); }
	users() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
END
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

a_dead_bus_is_said_at_once_and_forgotten_when_it_is_back() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		machdeck start web
		watch_as users
		want 10 fresh web=running
		trap 'systemctl start dbus.socket dbus systemd-machined; kill $observer; clear_all' EXIT
		systemctl stop dbus.socket dbus
		within_ms 1000 "$(now_ms)" seen '| states are old'
		seen web=running || fail "who runs is known without a bus: $(last)"
		systemctl start dbus.socket dbus
		within_ms 5500 "$(now_ms)" fresh web=running
		began=$(now_ms)
		machdeck stop web
		within_ms 1500 "$began" fresh web=stopped
		[ "$(grep -o 'web=' <<<"$(last)" | wc -l)" = 1 ] || fail "twice: $(last)"
	END
}

a_machined_that_is_stopped_masked_or_restarted_delays_nothing() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		small db; conf db PRIVATE_NETWORK=1
		machdeck start web
		machdeck start db
		watch_as
		want 10 fresh web=running
		machined=$(systemctl show systemd-machined --property MainPID --value)
		trap 'kill -CONT $machined || true; systemctl unmask --runtime systemd-machined || true; kill $observer
			systemctl start systemd-machined; clear_all' EXIT
		kill -STOP "$machined"
		systemctl kill --signal=KILL container@web
		within_ms 1000 "$(now_ms)" eval 'not seen web=running'
		seen db=running || fail "db: $(last)"
		kill -CONT "$machined"
		want 10 fresh web=running # as its unit restarts it
		systemctl restart systemd-machined
		want 10 fresh 'db=running web=running'
		systemctl mask --runtime systemd-machined
		systemctl kill --signal=KILL systemd-machined
		systemctl stop container@db
		within_ms 1000 "$(now_ms)" fresh db=ghost # nobody is there to drop its registration
		systemctl unmask --runtime systemd-machined
		systemctl start systemd-machined
		within_ms 5000 "$(now_ms)" fresh db=stopped
	END
}

systemd_that_executes_itself_anew_is_found_again() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		machdeck start web
		watch_as
		want 10 fresh web=running
		systemctl daemon-reexec
		want 10 fresh web=running
		machdeck stop web
		within_ms 1000 "$(now_ms)" fresh web=stopped
	END
}

a_flood_of_links_is_survived_in_bounded_time() {
	scene <<-'END'
		lab-guest web; conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		watch_as
		want 10 fresh web=running
		before=$(cpu_ms) began=$(now_ms)
		for i in $(seq 300); do printf 'link add a%s type veth peer name b%s\naddr add 10.9.0.1/32 dev a%s\nlink set a%s up\nlink del a%s\n' $i $i $i $i $i; done |
			ip -batch -
		took=$(($(now_ms) - began)) cpu=$(($(cpu_ms) - before))
		echo "300 pairs: $took ms, the observer took $cpu ms" >&2
		[ $cpu -le $((took / 2 + 20)) ] || fail "the observer took $cpu of $took ms"
		within web ip address add 10.1.0.77/32 dev lo
		within_ms 1500 "$(now_ms)" fresh web=running
		machdeck stop web
		within_ms 1000 "$(now_ms)" fresh web=stopped
	END
}

a_thousand_confs_at_once_are_seen_in_bounded_time() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		watch_as
		want 10 fresh web=stopped
		before=$(cpu_ms)
		for i in $(seq 1000); do echo PRIVATE_NETWORK=1 >$CONFS/c$i.conf; done
		within_ms 1000 "$(now_ms)" fresh n=1001
		cpu=$(($(cpu_ms) - before))
		echo "1000 confs: the observer took $cpu ms in $(wc -l </run/observed) snapshots" >&2
		[ $cpu -le 3000 ] || fail "the observer took $cpu ms"
		rm $CONFS/c*.conf
		within_ms 1500 "$(now_ms)" fresh n=1
	END
}

a_unit_that_failed_in_a_guest_is_seen_without_polling_and_costs_nothing_then() {
	scene <<-'END'
		lab-guest web; conf web PRIVATE_NETWORK=1
		machdeck start web
		watch_as
		want 10 fresh web=running
		sleep 0.5 # first questions are over
		before=$(wc -l </run/observed) cpu=$(cpu_ms)
		sleep 2
		same 'snapshots while idle' "$before" "$(wc -l </run/observed)"
		[ $(($(cpu_ms) - cpu)) -le 10 ] || fail "idle took $(($(cpu_ms) - cpu)) ms"
		by_the_guest web --unit=sick /bin/false || true
		want 10 eval '[ $(wc -l </run/observed) -gt '"$before"' ]'
	END
}

run_cases "$@"
