#!/bin/bash
# The dashboard on a terminal that is looked at byte by byte (tests/tools/ptydrive.c): however it dies, whatever the
# terminal is called or does, it is given back as it was.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

if grep -q __asan_init "$MACHDECK"; then # which takes the signals itself
	echo "skip deaths: a sanitizer has handlers of its own"
	exit 0
fi

PTYDRIVE=${B:-$TOP/build}/tests/tools/ptydrive
TAPE=(--replay "$TOP/tests/tapes/everyday.tape")

# drive [OPTION]... - the script on stdin; figures in $FIGURES
drive() {
	[ -x "$PTYDRIVE" ] || fail "there is no $PTYDRIVE; type: make tests"
	FIGURES=$(env -u NO_COLOR LC_ALL="${LOCALE:-C.UTF-8}" "$PTYDRIVE" "$@" "$MACHDECK" "${TAPE[@]}")
}
at_most() { # FIGURE MOST
	awk -v name="$1" -v most="$2" '$1 == name { found = 1; bad = $2 > most } END { exit !found || bad }' <<<"$FIGURES" ||
		fail "$1 is over $2: $(tr '\n' ' ' <<<"$FIGURES")"
}
exactly() { same "$1" "$2" "$(sed -n "s/^$1 \([0-9]*\).*/\1/p" <<<"$FIGURES")"; }

a_crash_at_any_of_200_frames_gives_the_terminal_back() {
	drive <<<"deaths crash SEGV 200"
	exactly crash_restored 200
}

each_deadly_signal_at_any_frame_gives_the_terminal_back() {
	local name
	for name in TERM HUP INT QUIT ABRT BUS; do
		drive <<<"deaths $name $name 15"
		exactly "${name}_restored" 15
	done
}

a_lost_line_ends_it_within_a_second() {
	drive <<-'END'
	first q quit
	close
	ended lost 1
	END
	at_most lost_ms 1000
}

a_terminal_that_reads_nothing_holds_it_no_longer_than_two_seconds() {
	drive <<-'END'
	first q quit
	stall
	storm stuck 300
	signal TERM
	ended stuck 2
	END
	at_most stuck_ms 2000
}

# 300 bytes a second: a modem, or a line that is full.
a_slow_line_loses_no_key_and_can_be_left() {
	drive <<-'END'
	first q quit
	write j j j j j j j j j k k k k k k k k k j j j j j j j j j k k k k k k k k k j j j
	slow slow 300 4
	press ?
	wait : keys
	press Esc
	wait q quit
	rest 300
	press Enter
	wait chat [1 Overview]
	signal TERM
	ended left 2
	restored
	END
	at_most left_ms 2000
}

any_size_at_any_speed_is_survived() {
	drive <<-'END'
	first q quit
	storm sizes 500
	size 1x1
	size 0x0
	size 10x1
	size 500x200
	size 80x24
	wait q quit
	press q
	ended left 1
	restored
	END
	exactly left_status 0
}

any_terminal_by_name_starts_draws_and_is_left() {
	local term
	for term in xterm-256color tmux-256color screen linux vt100 no-such-terminal; do
		drive -t "$term" <<-'END' || fail "with TERM=$term: $(tail -n 1 <<<"$FIGURES")"
		first quit
		press j ?
		wait keys
		press Esc q
		ended left 1
		restored
		audit all
		END
		exactly left_status 0
		exactly all_unknown 0
	done
}

a_terminal_without_a_name_or_a_dumb_one_is_left_as_it_was() {
	local option
	for option in -T '-t dumb'; do
		drive $option <<-'END' || fail "with $option: $(tail -n 1 <<<"$FIGURES")"
		start
		rest 500
		signal TERM
		ended left 1
		restored
		audit all
		END
		exactly all_unknown 0
	done
}

every_sequence_of_a_long_evening_is_a_known_one() {
	drive <<-'END'
	first q quit
	press j k Enter 1 2 3 4 5 6 7 8 Esc ? Esc : Esc @ Esc % Esc F2 Esc y Esc / w e b Enter Esc T T T T T m m
	random keys 3000
	audit all
	signal TERM
	ended left 1
	restored
	END
	exactly all_unknown 0
}

run_cases "$@"
