#!/bin/bash
# machdeck logs: the guest's journal and the host's view of it, followed through bursts, rotations and broken files.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario logs --unfiltered --bind "${B:-$TOP/build}/tests/tools:/lab/tools"

helpers=$(cat <<-'END'
	guests=1
	# guest NAME - one that boots systemd, whose journald takes all that is written.
	guest() {
		web "$1"
		mkdir -p $ROOTS/"$1"/etc/systemd/journald.conf.d
		printf '[Journal]\nRateLimitIntervalSec=0\nRateLimitBurst=0\nRuntimeMaxUse=400M\n' >$ROOTS/"$1"/etc/systemd/journald.conf.d/all.conf
		conf "$1" PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.$((++guests))
		machdeck start "$1"
	}
	follow() { # NAME... - what is followed from now on, in $seen; its process is $follower
		seen=$(mktemp)
		machdeck logs -f -n 0 "$@" >"$seen" 2>"$seen.err" &
		follower=$!
		want 10 has_reader
		reader=$(has_reader)
		say "$1" marker-of-the-start
		want 10 grep -q marker-of-the-start "$seen"
	}
	unfollow() {
		reader=$(has_reader)
		kill "$follower"
		want 10 is_gone "$reader"
	}
	is_gone() { ! kill -0 "$1"; }
	has_reader() { pgrep --parent "$follower"; }
	say() { by_the_guest "$1" logger -t said "${@:2}"; }
	seen() { grep -q -- "$1" "$seen"; }
	cpu() { # PID - hundredths of a second, with its children's
		local s pid total=0
		for pid in "$1" $(pgrep --parent "$1"); do
			s=$(sed 's/.*) //' "/proc/$pid/stat")
			set -- $s
			total=$((total + ${12} + ${13} + (pid == follower ? ${14} + ${15} : 0)))
		done
		echo $total
	}
	peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"; }
	journals() { echo "/proc/$(leader "$1")/root/run/log/journal"/*/; }
END
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

guest_and_host_are_merged_by_time() {
	scene <<-'END'
		guest web
		say web first of the guest
		within web sh -c 'echo second of the console >/dev/console'
		want 10 has_line web 'second of the console'
		systemd-run --quiet --wait true
		say web third of the guest
		got=$(machdeck logs -n 200 web | grep -oE 'said\[?[0-9]*\]?: first|console: second|said\[?[0-9]*\]?: third' | sed 's/.* //' | xargs)
		same order 'first second third' "$got"
		exits 0 machdeck logs -n 500 web
		told 'Startup finished in' 'console: ' "Started container@web.service"
		same json 'guest said' "$(machdeck logs --json web | jq -r 'select(.text == "third of the guest") | "\(.from) \(.ident)"')"
		exits 0 machdeck logs --grep '^third of .*guest' web
		same one 1 "$(wc -l <<<"$said")"
		exits 64 machdeck logs --grep '(' web
		told "'(' can not be searched for"
		exits 64 machdeck logs -p nonsense web
		exits 66 machdeck logs nobody
	END
}

several_machines_have_a_column() {
	scene <<-'END'
		guest one
		guest two
		follow one two
		say two here is two
		want 10 seen ' two  *said.*here is two'
		say one here is one
		want 10 seen ' one  *said.*here is one'
		unfollow
	END
}

a_burst_arrives_whole_costs_little_and_is_read_at_once_later() {
	scene <<-'END'
		guest web
		follow web
		before=$(cpu "$follower")
		began=${EPOCHREALTIME/./}
		by_the_guest web sh -c 'seq -f "burst line %06.0f of 100000, as long as such lines mostly are" 100000 | systemd-cat -t burst'
		within web journalctl --sync
		written=${EPOCHREALTIME/./}
		want 20 seen 'burst line 100000'
		lag=$(((${EPOCHREALTIME/./} - written) / 1000))
		used=$(($(cpu "$follower") - before))
		echo "FIGURES written in $(((written - began) / 1000)) ms, seen $lag ms later, $used/100 s of CPU, peak $(peak "$follower") kB, reader $(peak "$(pgrep --parent "$follower")") kB" >&2
		same lines 100000 "$(grep -c 'burst\[.*burst line ' "$seen")"
		grep -o 'burst line [0-9]*' "$seen" | sort -c -u
		[ "$used" -lt 200 ] || fail "it took $used/100 s"
		[ "$lag" -lt 2000 ] || fail "the last line was seen $lag ms after the journal had it"
		[ "$(peak "$follower")" -lt 16384 ] || fail "it took $(peak "$follower") kB"
		unfollow
		machdeck logs -n 1 --grep "line 100000" web | grep -q 100000
		TIMEFORMAT='%R s, %U user, %S system'
		spent=$({ time machdeck logs -n 10000 web >/dev/null; } 2>&1)
		echo "FIGURES 10,000 lines: $spent" >&2
	END
}

keys_are_answered_while_a_burst_is_shown() {
	scene <<-'END'
		guest web
		echo 'seq -f "burst line %06.0f of 100000, as long as such lines mostly are" 100000 | systemd-cat -t burst' >/run/burst
		figures=$(LC_ALL=C.UTF-8 /lab/tools/ptydrive -s 80x24 machdeck <<-KEYS
			first web
			press Enter 2
			wait [2 Logs]
			rest 500
			sh nsenter --target $(leader web) --all systemd-run --quiet --pipe --wait sh </run/burst &
			wait burst line
			toggle key 30 ? : keys
			wait burst line 100000
			signal TERM
			ended left 2
			restored
		KEYS
		)
		echo "FIGURES $figures" >&2
		# The longest of 30 may have waited for other tests; a burst that is read to its end first holds up most of them.
		awk '{ ms[$1] = $2 } END { exit !("key_ms" in ms && ms["key_ms"] < 60 && ms["key_ms_max"] < 300) }' <<<"$figures" || fail "a key waited: $(xargs <<<"$figures")"
	END
}

a_truncated_journal_kills_only_its_reader() {
	scene <<-'END'
		guest web
		follow web
		first=$reader
		for i in 1 2 3; do
			: >"$(ls "$(journals web)"system.journal)"
			say web after truncation $i || true
			say web after truncation $i again
			want 30 seen "after truncation $i again"
		done
		want 10 seen 'log read error: '
		kill -0 "$follower"
		want 10 has_reader
		[ "$(has_reader)" != "$first" ] || fail "the reader is the same"
		same once 1 "$(grep -c 'said.*: after truncation 3 again' "$seen")"
		unfollow
	END
}

a_rotation_loses_and_repeats_nothing() {
	scene <<-'END'
		guest web
		follow web
		for i in $(seq 5); do
			by_the_guest web sh -c "seq -f 'turn $i line %03.0f' 200 | systemd-cat -t turn"
			within web logger "last of turn $i"
			within web sh -c "echo console $i >/dev/console; [ $((i % 2)) = 0 ] || echo >/dev/console"
			want 10 seen "console: console $i"
			want 10 seen "last of turn $i"
			within web journalctl --rotate
			journalctl --rotate
		done
		want 10 seen 'turn 5 line 200'
		within web journalctl --follow --lines=1 >/tmp/theirs &
		want 10 test -s /tmp/theirs
		within web journalctl --flush
		say web after it became persistent
		want 10 seen 'said.*: after it became'
		want 10 grep -q 'after it became' /tmp/theirs
		unfollow
		if grep -q 'last of turn 1' /tmp/theirs; then
			echo "this systemd repeats what is flushed to its own journalctl, too" # 255 does
			awk '!told[$0]++' "$seen" >/tmp/once; mv /tmp/once "$seen"
		fi
		same console 5 "$(grep -c 'console: console' "$seen")"
		same last 5 "$(grep -c 'last of turn' "$seen")"
		same lines 1000 "$(grep -c 'turn\[.*turn . line' "$seen")"
		grep -o 'turn . line ...' "$seen" | sort -c -u
	END
}

a_killed_reader_goes_on_exactly_where_it_was() {
	scene <<-'END'
		guest web
		follow web
		by_the_guest web sh -c 'seq -f "burst line %05.0f" 20000 | systemd-cat -t burst' &
		want 10 seen 'burst\[.*burst line '
		for i in 1 2 3; do
			want 10 eval 'kill -KILL $(has_reader)'
			want 10 seen "Killed); it is read on in"
		done
		wait $!
		want 30 seen 'burst line 20000'
		same lines 20000 "$(grep -c 'burst\[.*burst line ' "$seen")"
		grep -o 'burst\[.*burst line [0-9]*' "$seen" | sort -c -u
		unfollow
	END
}

a_machine_is_read_on_when_it_starts_again() {
	scene <<-'END'
		guest web
		follow web
		machdeck stop web
		want 10 seen 'Stopped container@web.service'
		machdeck start web
		want 10 seen 'systemd\[1\]: Startup finished'
		say web in its second life
		want 10 seen 'said.*: in its second life'
		same once 1 "$(grep -c 'said\[.*\]: marker-of-the-start' "$seen")"
		unfollow
	END
}

the_tree_of_a_machine_that_ended_is_not_held() {
	scene <<-'END'
		guest web
		follow web
		within web journalctl --flush
		say web in its last moment
		machdeck stop web
		want 10 seen 'Stopped container@web.service'
		want 10 seen 'said.*: in its last moment'
		want 10 umount $ROOTS/web
		unfollow
	END
}

who_may_not_read_is_told_what_it_takes() {
	scene <<-'END'
		guest web
		as() { setpriv --reuid=65534 --regid=65534 "$@"; }
		journal=$(getent group systemd-journal | cut -d: -f3)
		exits 77 as --clear-groups machdeck logs web
		told 'that takes root, or the group systemd-journal'
		exits 0 as --groups "$journal" machdeck logs web
		told 'console: ' "the guest's own journal can not be read: run as root"
		within web journalctl --flush
		say web linked into the host
		exits 0 as --groups "$journal" machdeck logs web
		told 'said' 'linked into the host'
	END
}

the_reader_has_no_rights_left() {
	scene <<-'END'
		guest web
		follow web
		say web once more
		want 10 seen 'said.*once more'
		reader=$(has_reader)
		same uid 65534 "$(awk '$1 == "Uid:" { print $2 }' "/proc/$reader/status")"
		same groups '' "$(awk '$1 == "Groups:" { print $2 }' "/proc/$reader/status")"
		same capabilities 0000000000000000 "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$reader/status")"
		unfollow
	END
}

a_followed_machine_that_is_silent_costs_nothing() {
	scene <<-'END'
		guest web
		follow web
		want 10 has_reader
		within web journalctl --sync
		switches() { cat /proc/"$follower"/status /proc/"$(has_reader)"/status | awk '/ctxt_switches/ { n += $2 } END { print n }'; }
		calm() { local before; before=$(switches); sleep 2; [ "$(switches)" -le $((before + 2)) ]; }
		want 20 calm
		unfollow
	END
}

a_hostile_folder_shows_nothing_of_the_host() {
	scene <<-'END'
		guest web
		logger a secret of the host
		journalctl --sync
		host=/var/log/journal/$(cat /etc/machine-id)
		[ -e "$host" ] || host=/run/log/journal/$(cat /etc/machine-id)
		inside=$(journals web)
		ln -s "$host/system.journal" "$inside/link.journal"
		ln -s "../../../../../../../../../..$host/system.journal" "$inside/relative.journal"
		ln -s "$host" "${inside%/*/}/ffffffffffffffffffffffffffffffff"
		mkfifo "$inside/fifo.journal"
		mkdir "$inside/folder.journal"
		head -c 100000 /dev/urandom >"$inside/noise.journal"
		head -c 1000000 "$inside/system.journal" >"$inside/half.journal"
		for i in $(seq 300); do : >"$inside/many-$i.journal"; done
		say web all the same
		exits 0 machdeck logs -n 1000 web
		told 'all the same'
		[[ $said != *secret* ]] || fail "it shows the host's journal"
		follow web
		say web is followed
		want 10 seen 'said.*: is followed'
		unfollow
	END
}

hostile_lines_reach_no_terminal() {
	scene <<-'END'
		guest web
		printf '\033]52;c;aGk=\007evil \033[2J \302\233 \342\200\256rtl \001\377 end\n' >$ROOTS/web/evil
		within web sh -c 'cat /evil >/dev/console; systemd-cat -t evil cat /evil; head -c 100000 /dev/zero | tr "\0" a | systemd-cat -t long'
		want 10 sh -c 'machdeck logs -n 1 --grep "evil .*end" web | grep -q evil'
		exits 0 machdeck logs -n 500 web
		told 'evil' '<U+202E>rtl' '\x01\xff end'
		! LC_ALL=C grep -q '[^[:print:][:space:]]' < <(sed 's/…//g; s/░//g' <<<"$said") || fail "something of it gets through"
		same longest yes "$(awk 'length($0) > 4300 { print "no" } END { print "yes" }' <<<"$said" | head -n 1)"
	END
}

run_cases "$@"
