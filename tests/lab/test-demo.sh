#!/bin/bash
# The demo: what a newcomer sees first.

. "$(dirname -- "$0")/lib.sh"

DEMO=$STAGE/usr/share/machdeck/demo
[ -x "$DEMO" ] || no_host 1 "there is no staged demo, $DEMO; type: make stage"

shows_all() { # FILE - what the demo printed
	local name
	for name in app db scratch web; do
		grep -qE "^$name +running " "$1" || fail "$name does not run"
	done
	grep -qE '^broken +failed ' "$1" || fail "broken did not fail"
	grep -qE '^idle +stopped ' "$1" || fail "idle is not stopped"
	! grep -F 'failed inside' "$1" || fail "what a guest does fails"
	grep -qF 'This page comes from the container web.' "$1" || fail "there is no page"
}

without_a_terminal_it_shows_six_containers_and_the_page() {
	local host
	"$DEMO" </dev/null >"$T/out"
	cat "$T/out"
	shows_all "$T/out"
	host=$(grep -oE -m 1 '^demo-[0-9]+' "$T/out")
	! "$LAB" list | grep -q "^$host\s" || fail "its host is still up"
}

an_installed_demo_runs_on_what_is_installed() {
	mkdir "$T/up" "$T/work"
	unshare --mount --propagation private -- bash -c '
		mount -n -t overlay -o "lowerdir=$1/usr:/usr,upperdir=$2/up,workdir=$2/work" installed /usr
		/usr/share/machdeck/demo </dev/null' bash "$STAGE" "$T" >"$T/out"
	cat "$T/out"
	shows_all "$T/out"
}

on_a_terminal_it_opens_the_dashboard_until_it_is_left() {
	mkfifo "$T/keys"
	TERM=xterm timeout 60 script --quiet --return --flush --command "stty rows 24 cols 100; '$DEMO'" "$T/screen" \
		<"$T/keys" >/dev/null &
	exec {keys}>"$T/keys"
	want 40 grep -qa 'scratch' "$T/screen"
	want 10 grep -qa '1 stopped' "$T/screen"
	printf q >&"$keys"
	wait $!
	grep -qaF $'\e[?1049l' "$T/screen" || fail "the terminal was left in the dashboard's screen"
}

run_cases "$@"
