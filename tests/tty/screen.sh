#!/bin/bash
# The dashboard on terminals of all kinds and sizes, and with hostile ones.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

all_sizes_are_followed() {
	local size
	open_dashboard 120 40
	for size in 80:24 40:10 20:5 10:1 1:1 3:2 500:200 80:24; do
		tm resize-window -x "${size%:*}" -y "${size#*:}"
		kill -0 "$DASHBOARD" || fail "it ended at $size"
	done
	want $PATIENCE key_bar 24
}

key_bar() { screen | sed -n "$1p" | grep -q '^ s start.*q quit$'; }

a_storm_of_sizes_ends_at_the_last_one() {
	local i
	open_dashboard 80 24
	for i in $(seq 200); do
		tm resize-window -x $((RANDOM % 200 + 1)) -y $((RANDOM % 60 + 1))
	done
	tm resize-window -x 60 -y 12
	want $PATIENCE key_bar 12
}

# attach W H - a terminal that shows ours, as after an ssh; it is a tmux of its own.
attach() {
	env -u TMUX TERM=xterm-256color LC_ALL=C.UTF-8 tmux -L "$SOCKET-outside" -f /dev/null new-session -d -x "$1" -y "$2" \
		"env -u TMUX tmux -L $SOCKET attach"
	trap 'tmux -L "$SOCKET-outside" kill-server 2>/dev/null || true; tmux -L "$SOCKET" kill-server 2>/dev/null || true' EXIT
}
outside() { tmux -L "$SOCKET-outside" capture-pane -p | grep -qE -- "$1"; }

detached_and_attached_elsewhere_it_is_whole_again() {
	local size
	open_dashboard 80 24
	tm set-option -g status off
	tm set-option -g window-size latest
	for size in 100x30 60x15 120x36; do
		attach "${size%x*}" "${size#*x}"
		want $PATIENCE outside 'q quit *$'
		want $PATIENCE key_bar "${size#*x}"
		keys '?'
		want $PATIENCE outside 'machdeck .*: keys'
		tm detach-client
		want $PATIENCE bash -c "! tmux -L $SOCKET-outside has-session 2>/dev/null"
		keys q
		wait_for 'q quit'
		kill -0 "$DASHBOARD" || fail "it ended"
	done
	keys q
	terminal_is_back 0
}

a_paste_never_acts() {
	open_dashboard 80 24
	tm set-buffer $'s\rx\ry\rq\r'
	tm paste-buffer -p
	wait_for 'pasted text was ignored'
	kill -0 "$DASHBOARD" || fail "it took q from a paste"
}

a_large_paste_never_acts() {
	open_dashboard 80 24
	tm set-buffer "$(for i in $(seq 1000); do printf 'd y \n t q R'; done)"
	tm paste-buffer -p
	wait_for 'pasted text was ignored'
	kill -0 "$DASHBOARD" || fail "it took q from a paste"
}

answers_of_the_terminal_are_no_keys() {
	open_dashboard 80 24
	keys -l $'\e[24;80R\e[?62;22c\e]52;c;cQ==\a\eP1$rq\e\\\e[<0;1;1M\e[I\eq'
	keys '?'
	wait_for 'machdeck .*: keys'
	kill -0 "$DASHBOARD" || fail "it took an answer for q"
}

escape_alone_closes_the_help() {
	open_dashboard 80 24
	keys '?'
	wait_for 'machdeck .*: keys'
	keys Escape
	wait_for 'r reload'
}

arrows_and_letters_both_move() {
	open_dashboard 40 10
	keys '?'
	wait_for 'In the list'
	keys Down Down j j PageDown
	want $PATIENCE hides 'In the list'
	keys g
	wait_for 'In the list'
	keys End
	wait_for 'processes killed'
}

spoken() { # TERM - the dashboard comes as sentences
	in_terminal 80 24 "TERM=$(printf %q "$1") $MACHDECK; echo status=\$?"
	wait_for 'can not show the dashboard'
	wait_for 'machine> *$'
	same "second screen" 0 "$(tm display-message -p '#{alternate_on}')"
	types q
	wait_for 'status=0'
}
a_dumb_terminal_gets_sentences() { spoken dumb; }
a_path_for_a_terminal_type_gets_sentences() { spoken ../../../tmp/x; }
an_escape_in_a_terminal_type_gets_sentences() { spoken $'x\ey'; }

guessed() { # COMMAND that starts it
	in_terminal 80 24 "$1; echo status=\$?"
	wait_for 'the terminal type TERM is not set: taken for xterm-256color'
	keys q
	wait_for 'status=0'
}
an_unset_terminal_type_is_taken_for_an_xterm() { guessed "env -u TERM $MACHDECK"; }
an_empty_terminal_type_is_taken_for_an_xterm() { guessed "TERM= $MACHDECK"; }

an_unknown_terminal_type_is_taken_for_an_xterm() {
	open_dashboard 80 24 TERM=no-such-terminal
	wait_for "the terminal type 'no-such-terminal' is not known here"
	keys q
	terminal_is_back 0
}

what_a_caller_says_of_terminals_is_not_believed_by_root() {
	[ "$EUID" -eq 0 ] || skip "needs root"
	mkdir -p "$T/terminfo"
	infocmp xterm | sed '/^[^#\t]/s/.*/mine|of the caller,/' | tic -x -o "$T/terminfo" - 2>/dev/null
	TERMINFO=$T/terminfo infocmp mine >/dev/null || fail "no terminfo entry was made"
	open_dashboard 80 24 TERM=mine TERMINFO="$T/terminfo" HOME=/nowhere
	wait_for "the terminal type 'mine' is not known here"
}

works_on() { # TERM
	open_dashboard 80 24 "TERM=$1" LINES=7
	hides 'not known' || fail "it is not in terminfo"
	keys '?'
	wait_for 'machdeck .*: keys'
	keys q
	wait_for 'r reload'
	keys q
	wait_for 'status=0'
}
an_xterm_works() { works_on xterm; }
a_screen_terminal_works() { works_on screen; }
a_linux_console_works() { works_on linux; }
a_vt100_terminal_works() { works_on vt100; }

without_utf8_all_is_ascii() {
	LOCALE=C open_dashboard 80 24
	keys '?'
	wait_for 'machdeck .*: keys'
	! screen | LC_ALL=C grep -q '[^ -~]' || fail "something else than ASCII is on the screen"
}

an_unknown_locale_is_survived() {
	LOCALE=xx_YY.UTF-8 open_dashboard 80 24
	keys q
	terminal_is_back 0
}

no_color_means_none() {
	open_dashboard 80 24 NO_COLOR=1
	! tm capture-pane -pe | grep -qE $'\e\\[[0-9;]*(3[0-8]|4[0-8])[0-9;]*m' || fail "there is colour"
}

without_a_terminal_it_says_so() {
	local out rc=0
	out=$("$MACHDECK" </dev/null 2>&1 | cat) || rc=$?
	same "exit status" 64 "$rc"
	[[ $out == *"needs a terminal"* ]] || fail "it says: $out"
}

run_cases "$@"
