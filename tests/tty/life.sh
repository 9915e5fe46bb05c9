#!/bin/bash
# The dashboard gives the terminal back as it was, however it ends.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

q_gives_the_terminal_back() {
	open_dashboard 80 24
	keys q
	terminal_is_back 0
}

ctrl_c_closes_the_help_and_then_the_dashboard() {
	open_dashboard 80 24
	keys '?'
	wait_for 'machdeck .*: keys'
	keys C-c
	wait_for 'r reload'
	keys C-c
	terminal_is_back 0
}

ended_by() { # SIGNAL NUMBER
	open_dashboard 80 24
	kill -"$1" "$DASHBOARD"
	terminal_is_back $((128 + $2))
}
a_term_signal_gives_the_terminal_back() { ended_by TERM 15; }
a_hup_signal_gives_the_terminal_back() { ended_by HUP 1; }
an_int_signal_gives_the_terminal_back() { ended_by INT 2; }
a_quit_signal_gives_the_terminal_back() { ended_by QUIT 3; }
a_segfault_gives_the_terminal_back() { ended_by SEGV 11; }
an_abort_gives_the_terminal_back() { ended_by ABRT 6; }
a_bus_error_gives_the_terminal_back() { ended_by BUS 7; }

a_crash_says_one_line() {
	open_dashboard 80 24
	kill -SEGV "$DASHBOARD"
	wait_for 'machdeck: it crashed; this is a bug'
}

a_closed_terminal_ends_it_within_a_second() {
	open_dashboard 80 24
	tm kill-server
	want "$LEAVING" gone "$DASHBOARD"
}

# Nobody reads any more, and the buffers of the terminal are full.
stop_reading() {
	local tty
	tty=$(tm display-message -p '#{pane_tty}')
	SERVER=$(tm display-message -p '#{pid}')
	kill -STOP "$SERVER"
	trap 'kill -CONT "$SERVER"; tmux -L "$SOCKET" kill-server' EXIT
	timeout 0.3 yes >"$tty" || true
}

a_terminal_that_stopped_reading_can_not_hold_it() {
	open_dashboard 80 24
	stop_reading
	kill -TERM "$DASHBOARD"
	want 2 gone "$DASHBOARD"
}

a_program_that_stood_still_ends_all_the_same() {
	open_dashboard 80 24
	stop_reading
	kill -STOP "$DASHBOARD"
	kill -TERM "$DASHBOARD"
	kill -CONT "$DASHBOARD"
	want 2 gone "$DASHBOARD"
}

ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_it_back() {
	open_dashboard 80 24
	keys C-z
	wait_for 'Stopped'
	same "second screen" 0 "$(tm display-message -p '#{alternate_on}')"
	types 'echo in "between"'
	wait_for 'in between'
	types fg
	wait_for 'q quit'
	same "second screen" 1 "$(tm display-message -p '#{alternate_on}')"
	keys q
	terminal_is_back '0|status=148'
}

a_stop_that_was_not_asked_for_is_survived() {
	open_dashboard 80 24
	kill -STOP "$DASHBOARD"
	wait_for 'Stopped'
	types fg
	wait_for 'q quit'
	keys '?'
	wait_for 'machdeck .*: keys'
}

what_libraries_print_is_shown_after_it() {
	open_dashboard 80 24
	printf 'a word from a library\n' >"/proc/$DASHBOARD/fd/2"
	keys '?'
	wait_for 'machdeck .*: keys'
	hides 'a word from' || fail "it was drawn over the screen"
	keys q
	wait_for 'q quit'
	keys q
	wait_for 'a word from a library'
}

run_cases "$@"
