#!/bin/bash
# Each phase killed at 20 points, spread over the system calls it makes, and systemd-nspawn, which is none of ours, at 8:
# the next start works by itself, and none is too many for systemd.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario killed --unfiltered

# What the unit runs instead of machdeck: a phase of which /run/kill/PHASE holds options for strace gets them, once. That
# of the phase "ready", the fork of a start that waits until it is, is held still until strace has it.
on killed bash -euo pipefail -c '
	mkdir -p /run/kill /run/systemd/system/container@.service.d
	cat >/usr/local/bin/phase && chmod 0755 /usr/local/bin/phase
	cat >/run/systemd/system/container@.service.d/kill.conf <<-END
		[Service]
		ExecStart=
		ExecStart=/usr/local/bin/phase start %i
		ExecStopPost=
		ExecStopPost=/usr/local/bin/phase stopped %i
	END
	systemctl daemon-reload
' <<'END'
#!/bin/bash
trace_fork() { # MAIN
	until fork=$(pgrep -P "$1" -f "machdeck unit start"); do :; done
	kill -STOP "$1"
	strace -qqq -p "$fork" -o /run/kill/trace $(cat /run/kill/options) &
	until grep -qE '^(TracerPid:.[1-9]|State:.Z)' "/proc/$fork/status"; do :; done
	kill -CONT "$1"
}
[ "$1" != start ] || ! mv /run/kill/ready /run/kill/options 2>/dev/null || trace_fork $$ &
mv "/run/kill/$1" /run/kill/options 2>/dev/null || exec machdeck unit "$@"
exec strace -D -qqq -o /run/kill/trace $(cat /run/kill/options) machdeck unit "$@"
END

# killing PHASE - what the cases share: a container with all that can be left behind, and how it is looked at.
killing='
	small k
	conf k PRIVATE_NETWORK=1 HOST_ADDRESS=10.30.0.1 LOCAL_ADDRESS=10.30.0.2 HOST_PORT=tcp:8080:80 \
		"EXTRA_VETHS=\"kv,hostAddress=10.30.1.1,localAddress=10.30.1.2\"" TIMEOUT_START_SEC=5s
	systemctl daemon-reload
	works() {
		sleep 0.2 # it is not up before, and to ask is work
		want 20 serves k http://10.30.0.1:8080/
		want 10 systemctl is-active container@k
		same forwards "tcp 8080 10.30.0.2 80" "$(forwards)"
		same host "10.30.0.1/32 10.30.1.1/32" "$(addresses)"
	}
	stops() {
		machdeck stop k || ! systemctl --quiet is-active container@k # a guest that had to be killed is told
		nothing_left k
		same links lo "$(links)"
	}

	# end_it - with the most there can be to clean up.
	end_it() {
		local before
		before=$(leader k)
		systemctl kill --kill-who=all --signal=KILL container@k
		want 10 is_gone "$before"
	}
	is_gone() { [ "$(leader k)" != "$1" ]; }

	# record PHASE - its calls when it is not killed, one a line: NAME and how many of that name came before.
	record() {
		: >/run/kill/$1
		machdeck start k
		[ $1 != stopped ] || { end_it && works; }
		stops
		sed -n "s/^\([a-z0-9_]*\)(.*/\1/p" /run/kill/trace | awk "{ print \$1, ++seen[\$1] }" >/run/kill/calls
		nspawn=($(grep -n "^execve(\".*/systemd-nspawn\"" /run/kill/trace | cut -d: -f1 || true)) # two where it is unfiltered
		ready=$(grep -n "READY=1" /run/kill/trace | head -n 1 | cut -d: -f1) || true
	}

	# points HOW_MANY FROM TO - so many of the recorded calls.
	points() {
		sed -n "$2,$3p" /run/kill/calls | awk -v points=$1 "{ call[NR] = \$0 } END { for (i = 0; i < points; i++) print call[1 + int(i * NR / points)] }" >/run/kill/points
	}
	was_killed() { # PHASE, as systemd saw it, or strace
		local process=Control
		[ $1 != start ] || process=Main
		[ $1 != ready ] || { grep -q "^+++ killed by SIGKILL" /run/kill/trace; return; }
		journalctl --sync
		has_line k "$process process exited, code=killed, status=9/KILL"
	}

	# at_each_point PHASE [AFTERWARDS] - `once` must bring the container up, though the phase is killed meanwhile. Some
	# calls are not made as often every time, or before strace is there; after three tries an earlier one is taken.
	at_each_point() {
		local call number killed tries
		while read -r call number; do
			for ((killed = 0, tries = 0; !killed; number -= ++tries % 3 == 0)); do
				[ $number -gt 0 ] || fail "was never killed in a call of $call"
				echo "-e trace=$call -e inject=$call:signal=KILL:when=$number" >/run/kill/$1
				echo "$1, $call $number"
				from_now
				once
				! was_killed $1 || killed=1
				${2:-stops}
			done
		done </run/kill/points
	}
'

a_start_killed_anywhere_comes_back_by_itself() {
	inside <<-END
		$killing
		$(cat <<-'REST'
			record start
			points 20 2 $((nspawn - 1))
			once() { systemctl start --no-block container@k && works; }
			at_each_point start
		REST
		)
	END
}

systemd_nspawn_killed_anywhere_comes_back_by_itself() {
	inside <<-END
		$killing
		$(cat <<-'REST'
			record start
			points 8 $((nspawn[-1] + 1)) $ready
			once() { systemctl start --no-block container@k && works; }
			at_each_point start
		REST
		)
	END
}

what_waits_until_it_is_ready_comes_back_by_itself_wherever_it_is_killed() {
	inside <<-END
		$killing
		$(cat <<-'REST'
			systemctl stop machdeck-net # so that there is something to do
			record ready
			points 20 1 999999
			once() { systemctl start --no-block container@k && works; }
			at_each_point ready
			systemctl start machdeck-net
		REST
		)
	END
}

the_next_start_works_wherever_the_clean_up_after_a_stop_was_killed() {
	inside <<-END
		$killing
		$(cat <<-'REST'
			record stopped
			points 20 2 999999
			machdeck start k
			once() { end_it && works; }
			at_each_point stopped "systemctl reset-failed container@k" # it was restarted, but not too often
			stops
		REST
		)
	END
}

a_guest_that_fails_by_itself_is_given_up_soon() {
	inside <<-'END'
		lab-guest k --init - <<<$'#!/bin/sh\nexit 1'
		conf k PRIVATE_NETWORK=1
		not systemctl start container@k
		want 10 systemctl is-failed container@k
		[ "$(property k NRestarts)" -le 6 ] || fail "restarted $(property k NRestarts) times"
	END
}

a_container_can_be_restarted_as_often_as_one_likes() {
	inside <<-'END'
		small often
		conf often PRIVATE_NETWORK=1
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			systemctl restart container@often
		done
	END
}

a_killed_systemd_nspawn_comes_back_with_its_forward_leading_to_it() {
	inside <<-END
		$killing
		$(cat <<-'REST'
			machdeck start k
			works
			before=$(leader k)
			exported k
			touch "$export/left" 2>/dev/null || true # read-only since 255
			systemctl kill --kill-who=main --signal=KILL container@k
			want 10 is_gone "$before"
			works
			not test -e "$export/left"
			same restarts 1 "$(property k NRestarts)"
			sed -i s/10.30.0.2/10.30.0.9/ $CONFS/k.conf
			end_it
			want 10 serves k http://10.30.0.1:8080/
			same forwards "tcp 8080 10.30.0.9 80" "$(forwards)"
			machdeck stop k
			nothing_left k
		REST
		)
	END
}

run_cases "$@"
