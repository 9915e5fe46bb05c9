# Sourced by tests/tty/*.sh: the real program in a real terminal (tmux), keys in, screen out. Cases, want, same, fail and
# skip are those of the lab's library. Nothing here waits for a time: all is asked for until it is there.

. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../lab/lib.sh"

MACHDECK=${MACHDECK:-$TOP/build/machdeck}
PATIENCE=15
LEAVING=${LEAVING:-1} # seconds that leaving may take; looking for leaks takes longer

# in_terminal W H [CMD...] - a terminal of its own for this case, with a shell in it; CMD is typed there.
in_terminal() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	[ -x "$MACHDECK" ] || fail "there is no $MACHDECK; type: make"
	local w=$1 h=$2
	shift 2
	SOCKET=tty-$BASHPID
	trap 'tmux -L "$SOCKET" kill-server 2>/dev/null || true' EXIT
	env -u TMUX -u NO_COLOR LC_ALL="${LOCALE:-C.UTF-8}" TZ=UTC \
		tmux -L "$SOCKET" -f /dev/null new-session -d -x "$w" -y "$h" 'exec bash --norc --noprofile'
	want $PATIENCE shows '[#$] *$'
	[ $# -eq 0 ] || types "$*"
}

tm() { local verb=$1; shift; tmux -L "$SOCKET" "$verb" "$@"; }
screen() { tm capture-pane -p; }
keys() { tm send-keys "$@"; }
types() { tm send-keys -l "$*" && tm send-keys Enter; }
shows() { screen | grep -qE -- "$1" || { screen; return 1; }; }
hides() { ! screen | grep -qE -- "$1"; }

# wait_for PATTERN - until the screen shows it; the screen is printed when it does not.
wait_for() {
	local deadline=$((${EPOCHREALTIME/./} + PATIENCE * 1000000))
	until shows "$1" >/dev/null; do
		((${EPOCHREALTIME/./} < deadline)) || { screen; fail "the screen does not show '$1'"; }
		sleep 0.01
	done
}

dashboard_pid() { pgrep -x machdeck -P "$(tm display-message -p '#{pane_pid}')"; }
gone() { [ ! -d "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"; } # an orphan may not find anybody to reap it

# open_dashboard W H [ENV=...]... - and remember how the terminal was before.
open_dashboard() {
	local w=$1 h=$2
	shift 2
	rm -f "$T/before" "$T/after"
	in_terminal "$w" "$h"
	types "stty -g >$T/before; echo in front"
	want $PATIENCE test -s "$T/before"
	types "env $* $MACHDECK; echo \"status=\$?\"; stty -g >$T/after"
	wait_for "${READY:-q quit}"
	want $PATIENCE dashboard_pid
	DASHBOARD=$(dashboard_pid)
}

# terminal_is_back STATUS - the screen of before, its settings, a cursor; the program said STATUS.
terminal_is_back() {
	wait_for "status=$1"
	wait_for 'in front'
	want $PATIENCE cmp "$T/before" "$T/after"
	same "second screen" 0 "$(tm display-message -p '#{alternate_on}')"
	same "cursor" 1 "$(tm display-message -p '#{cursor_flag}')"
	hides 'q quit' || { screen; fail "something of the dashboard is left"; }
	types 'echo still "good"'
	wait_for 'still good'
}
