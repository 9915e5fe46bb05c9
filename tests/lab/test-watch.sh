#!/bin/bash
# watch, status --line and the timeline on a real systemd: each change is told once, at once, and never else.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

lab_host watch
on watch <<'END'
mkdir -p /etc/containers
for name in quick broken; do
	echo PRIVATE_NETWORK=1 >/etc/containers/$name.conf
done
lab-guest quick --init - <<INIT
#!/bin/sh
exec sleep infinity
INIT
lab-guest broken --init - <<INIT
#!/bin/sh
echo "broken: /srv/data is missing, giving up" >&2
sleep 0.3
exit 7
INIT
systemctl daemon-reload
cat >/usr/local/bin/watching <<'SH'
# Sourced: `begin_watch [--json]` runs a watch in the background, its lines are in $lines.
lines=$(mktemp -p /dev/shm)
begin_watch() {
	machdeck watch "$@" >"$lines" &
	watch=$!
	soon 'watching|"machines"'
}
# soon PATTERN - a line must come within 10 s; prints how long it took.
soon() {
	local begun=${EPOCHREALTIME/./}
	until grep -qE -- "$1" "$lines"; do
		((${EPOCHREALTIME/./} - begun < 10000000)) || { echo "no line '$1' within 10 s:"; cat "$lines"; exit 1; }
		sleep 0.01
	done
	echo "$((${EPOCHREALTIME/./} - begun)) us: $1"
}
SH
END

a_start_and_a_stop_are_lines_within_100_ms() { # three of ten at least: other tests run beside this one
	on watch <<'END'
. watching
begin_watch
for i in 1 2 3 4 5; do
	systemctl start container@quick
	soon 'quick: running$'
	: >"$lines"
	systemctl stop container@quick
	soon 'quick: stopped$'
	: >"$lines"
done | sort -n | tee /dev/shm/took
[ "$(sed -n '3s/ .*//p' /dev/shm/took)" -le 100000 ]
kill -INT $watch
wait $watch
END
}

a_failure_is_a_line_with_its_reason() {
	on watch <<'END'
. watching
begin_watch
systemctl start container@broken || true
until systemctl is-failed -q container@broken; do sleep 0.1; done
soon 'broken: (restarting|failed)'
soon 'broken: .*(giving up|status 7)'
systemctl stop container@broken
systemctl reset-failed
kill $watch
wait $watch
END
}

changes_of_confs_are_lines_and_nothing_else_is() {
	on watch <<'END'
. watching
begin_watch
echo PRIVATE_NETWORK=1 >/etc/containers/newcomer.conf
soon 'newcomer: the conf was made$'
echo HOST_ADDRESS=10.0.0.300 >>/etc/containers/newcomer.conf
soon 'newcomer: the conf was changed and can not be used: .*10\.0\.0\.300'
rm /etc/containers/newcomer.conf
soon 'newcomer: the conf was taken away$'
n=$(wc -l <"$lines")
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$watch/status"; }
before=$(switches)
sleep 3
after=$(switches)
cat "$lines"
[ "$(wc -l <"$lines")" -eq "$n" ]
[ $((after - before)) -le 1 ] || { echo "$((after - before)) wake-ups in 3 s"; exit 1; }
kill $watch
END
}

json_is_an_object_a_line() {
	on watch <<'END'
. watching
begin_watch --json
systemctl start container@quick
soon '"name":"quick".*"text":"running"'
systemctl stop container@quick
soon '"text":"stopped"'
kill $watch
wait $watch
jq -es 'all(.schema == 1) and .[0].machines == 2 and (.[1:] | all(.usec > 0 and .name == "quick" and .kind == "state"))
	and .[-1].state == "stopped" and .[-1].bad == false' "$lines"
END
}

a_watch_ends_when_its_reader_goes() {
	on watch timeout 20 bash -c 'machdeck watch | head -n 1; exit "${PIPESTATUS[0]}"'
	on watch timeout 20 bash -c 'machdeck watch 2>/tmp/full >/dev/full; [ $? -eq 74 ] && grep -q "cannot write the output" /tmp/full'
}

the_status_line_tells_health_by_its_status() {
	on watch <<'END'
same() { [ "$2" = "$1" ] || { echo "wanted '$1', got '$2'"; exit 1; }; }
systemctl start container@quick
same '2m 1+ 1-' "$(machdeck status --line)"
systemctl start container@broken || true
until systemctl is-failed -q container@broken; do sleep 0.1; done
line=$(COLUMNS=40 machdeck status --line) && exit 1
[[ $line == '2m 1+ 1!  broken:'* ]] || { echo "$line"; exit 1; }
[ ${#line} -le 40 ]
line=$(machdeck status --line=tmux --width 30) && exit 1
[[ $line == '2m 1+ #[fg=red]1!#[default]  #[fg=red]broken:'*'#[default]' ]] || { echo "$line"; exit 1; }
dropin=/run/systemd/system/container@broken.service.d/zz-again.conf
mkdir -p "${dropin%/*}"
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=200ms\nExecStartPre=/bin/sh -c "sleep 0.2; exit 7"\n' >$dropin
systemctl daemon-reload
systemctl start container@broken || true
deadline=$((SECONDS + 20))
until [ "$(systemctl show container@broken --property NRestarts --value)" -gt 0 ]; do ((SECONDS < deadline)); sleep 0.05; done
for ((i = 0; i < 20; i++)); do # whatever it is in between
	same '2m 1+ 1!  broken:restarting' "$(machdeck status --line)"
done
systemctl stop container@broken
rm $dropin; systemctl daemon-reload
rc=0; machdeck status --line quick 2>/dev/null || rc=$?
same 64 $rc
rc=0; machdeck status --line --width 0 2>/dev/null || rc=$?
same 64 $rc
END
}

# The fifth of 21 runs, the start of the program included: other tests run beside this one.
the_status_line_takes_20_ms_and_no_process() {
	on watch <<'END'
strace -f -e trace=fork,vfork,clone,clone3,execve -o /dev/shm/calls machdeck status --line || true
grep -cE 'fork|clone' /dev/shm/calls && { cat /dev/shm/calls; exit 1; }
[ "$(grep -c execve /dev/shm/calls)" -eq 1 ]
for i in $(seq 21); do
	begun=${EPOCHREALTIME/./}
	machdeck status --line >/dev/null || true
	echo $((${EPOCHREALTIME/./} - begun))
done | sort -n | sed -n 5p >/dev/shm/took
echo "$(cat /dev/shm/took) us"
[ "$(cat /dev/shm/took)" -le 20000 ]
END
}

a_lost_systemd_makes_no_change_of_a_machine() {
	on watch <<'END'
. watching
systemctl stop 'container@*'
systemctl reset-failed
systemctl start container@quick
begin_watch
systemctl daemon-reexec
until systemctl is-active -q container@quick; do sleep 0.05; done
echo PRIVATE_NETWORK=1 >/etc/containers/newcomer.conf
soon 'newcomer: the conf was made$'
rm /etc/containers/newcomer.conf
kill $watch
wait $watch
! grep -E 'quick|broken' "$lines"
END
}

# What a script begins with to have machdeck --linear in the background: `line WORDS` types, its text is in $lines.
talking='
. watching
rm -f /dev/shm/typed
mkfifo /dev/shm/typed
TERM=dumb machdeck --linear </dev/shm/typed >"$lines" 2>&1 &
talk=$!
exec 9>/dev/shm/typed
line() { echo "$*" >&9; }
soon "^machine> "
'

a_screen_reader_can_start_and_stop() {
	on watch <<<'systemctl stop "container@*"'"$talking"'
line quick
soon "^1\\. start"
line 1
soon "quick: starting\\.$"
soon "quick: started\\.$"
soon "^quick: running$"
line quick
line stop
soon "To stop quick, type yes"
[ "$(systemctl is-active container@quick)" = active ]
line yes
soon "quick: stopped\\.$"
[ "$(systemctl is-active container@quick || true)" = inactive ]
line q
wait $talk
if LC_ALL=C grep "[^[:print:]]" "$lines"; then exit 1; fi
'
}

what_happened_before_is_known_from_the_journal() {
	on watch <<<'
systemctl start container@quick
systemctl stop container@quick
systemctl start container@broken || true
until systemctl is-failed -q container@broken; do sleep 0.1; done
journalctl --sync || true
'"$talking"'
seen() { # NAME WORDS
	for i in $(seq 100); do
		line "$1"
		line b
		! grep -qE "^Last event, .*$2" "$lines" || return 0
		sleep 0.03
	done
	cat "$lines"
	return 1
}
seen quick "stopped"
seen broken "(failed: exit-code|restarts by itself, time|could not be started)"
line q
wait $talk
'
}

nothing_a_guest_writes_is_taken_for_an_event() {
	on watch <<<'
systemctl stop "container@*"
systemctl reset-failed
logger --journald <<-END
	MESSAGE=web failed
	MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c
	UNIT=container@quick.service
	UNIT_RESULT=forged
END
logger --journald <<-END
	MESSAGE=new machine
	MESSAGE_ID=24d8d4452573402496068381a6312df2
	NAME=quick
	LEADER=forged
END
journalctl --sync || true
until journalctl --quiet LEADER=forged | grep -q .; do sleep 0.02; done
'"$talking"'
for i in $(seq 20); do
	line quick
	line b
	sleep 0.03
done
soon "^Last event, "
if grep forged "$lines"; then exit 1; fi
line q
wait $talk
'
}

run_cases "$@"
