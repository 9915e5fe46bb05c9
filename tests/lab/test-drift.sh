#!/bin/bash
# What differs between a conf, its start, and what is there: named with the cure, and gone when that was done.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario drift --unfiltered

what_was_taken_away_by_hand_is_seen() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8080:80
		exits 0 machdeck start web
		want 10 machdeck diff web
		exits 0 machdeck diff web
		told 'nothing to do'
		ip addr del 10.1.0.1/32 dev ve-web
		exits 1 machdeck diff web
		told 'on the host: 10.1.0.1 is not on ve-web' 'machdeck mend'
		exits 0 machdeck reload web
		exits 0 machdeck diff web
		ip link set ve-web down
		exits 1 machdeck diff web
		told 've-web is down'
		exits 0 machdeck reload web
		leader=$(machinectl show -p Leader --value web)
		nsenter -n -t $leader ip addr flush dev host0 2>/dev/null || nsenter -n -t $leader ip addr flush dev eth0
		exits 1 machdeck diff web
		told 'inside: 10.1.0.2 is not on' 'inside: no default route by 10.1.0.1'
		exits 0 machdeck reload web
		exits 0 machdeck diff web
		nft delete element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.1.0.2 . 80 }'
		exits 1 machdeck diff web
		told 'tcp:8080:80 is not forwarded to 10.1.0.2'
		same verdict mend "$(machdeck diff --json web | jq -r '.machines[0].verdict')"
	END
}

a_bridge_made_again_has_lost_its_port() {
	inside <<-'END'
		ip link add br7 type bridge; ip link set br7 up
		small db; conf db PRIVATE_NETWORK=1 HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24
		exits 0 machdeck start db
		exits 0 machdeck diff db
		ip link del br7
		exits 1 machdeck diff db
		told 'bridge br7 is not there'
		ip link add br7 type bridge; ip link set br7 up # machdeck-net puts it back by itself
		want 10 machdeck diff db
		ip link set vb-db nomaster
		exits 1 machdeck diff db
		told 'vb-db is no port of br7'
		exits 0 machdeck reload db
		exits 0 machdeck diff db
		ip link del br7
	END
}

an_edited_conf_tells_whether_reload_is_enough() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 3 machdeck diff web
		told 'does not run'
		exits 0 machdeck start web
		exits 0 machdeck set web LOCAL_ADDRESS=10.1.0.3
		told 'a reload applies it'
		exits 1 machdeck diff web
		told 'a reload is enough'
		exits 0 machdeck reload web
		exits 0 machdeck diff web
		exits 0 machdeck set web HOST_PORT=8081:80
		told 'web: restart needed' HOST_PORT
		exits 1 machdeck diff web
		told 'restart needed'
		exits 0 machdeck restart web
		want 10 machdeck diff web
		exits 66 machdeck diff nosuch
	END
}

# As test_drift judges them, here for real, each upon what the ones before it left.
what_a_verdict_says_is_done_and_nothing_differs_then() {
	inside <<-'END'
		ip link add br7 type bridge; ip link set br7 up; ip link add br8 type bridge; ip link set br8 up; mkdir -p /srv/d
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		follows() { # VERDICT VERB WORD...
			exits 0 machdeck "${@:2:1}" web "${@:3}"
			verdict=
			[[ $said != *'web: nothing else to do'* ]] || verdict=nothing
			[[ $said != *'web: a reload applies it'* ]] || verdict=reload
			[[ $said != *'web: restart needed'* ]] || verdict=restart
			same "what follows from ${*:2}" "$1" $verdict
			[ $verdict = nothing ] || exits 0 machdeck $verdict web
			want 10 machdeck diff web
		}
		follows nothing set AUTO_START=1 TIMEOUT_START_SEC=2min COPY_RESOLV_CONF=0
		follows nothing set MEMORY_MAX=512M CPU_QUOTA=50% TASKS_MAX=200 IO_WEIGHT=50
		follows nothing unset CPU_QUOTA
		follows reload set LOCAL_ADDRESS=10.1.0.3
		follows reload set HOST_ADDRESS=10.1.0.9
		follows reload set HOST_ADDRESS6=fc00::1 LOCAL_ADDRESS6=fc00::2
		follows reload set MASQUERADE=1
		follows reload unset MASQUERADE HOST_ADDRESS6 LOCAL_ADDRESS6
		follows reload set LOCAL_MAC_ADDRESS=02:00:00:00:00:01
		follows restart set HOST_PORT=tcp:8080:80 EXTRA_NSPAWN_FLAGS=--bind-ro=/srv/d
		follows restart set HOST_PORT=tcp:8081:80 EXTRA_NSPAWN_FLAGS=--setenv=A=B
		follows reload set LOCAL_ADDRESS=10.1.0.4
		follows nothing set HOST_PORT=8081:80
		follows restart set EXTRA_VETHS=vx1,hostAddress=10.2.0.1,localAddress=10.2.0.2 TMPFS=/scratch
		follows reload set EXTRA_VETHS=vx1,hostBridge=br7
		follows restart unset EXTRA_VETHS HOST_PORT LOCAL_MAC_ADDRESS
		follows restart set HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24 HOST_ADDRESS=10.7.0.1
		follows reload set HOST_BRIDGE=br8
		follows reload set LOCAL_ADDRESS=10.7.0.3/24
		follows restart set ADDITIONAL_CAPABILITIES=CAP_SYS_TIME ALLOWED_DEVICES=/dev/null:rw RELEASE=2020
		follows restart unset PRIVATE_NETWORK HOST_BRIDGE LOCAL_ADDRESS HOST_ADDRESS
		exits 0 machdeck stop web
		rm $CONFS/web.conf; systemctl daemon-reload
	END
}

what_systemd_has_of_its_unit_is_compared() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 MEMORY_MAX=512M TIMEOUT_START_SEC=2min
		exits 0 machdeck start web
		want 10 machdeck diff web
		printf 'size 200x40\nwait  ok\nsave /tmp/before\nwait LIVE\nkey D\nwait MemoryMax: somebody set another one live\nsave /tmp/seen\nkey Esc\nwait  ok\n' >/tmp/script
		rm -f /tmp/before /tmp/seen
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		want 10 test -s /tmp/before
		systemctl set-property --runtime container@web MemoryMax=100M
		exits 1 machdeck diff web
		told 'somebody set something live' 'MemoryMax: somebody set another one live, until it stops' 104857600 'nothing is wrong'
		same 'as JSON' 'live directive 512M 104857600' "$({ machdeck diff --json web || :; } | jq -r '.machines[0] | [.verdict, (.differences[0] | .what, .configured, .seen)] | join(" ")')"
		want 10 test -s /tmp/seen
		systemctl revert container@web
		want 10 machdeck diff web
		exits 0 machdeck limit --runtime web TasksMax=77 # which no conf says
		exits 1 machdeck diff web
		told 'TasksMax: somebody set one live, until it stops' 77
		systemctl revert container@web
		want 10 machdeck diff web
		wait $script || fail "$(grep -v '^~' /tmp/said | head -30)"
		sed -i 's/512M/256M/; s/2min/3min/' $CONFS/web.conf # and systemd has not heard of it
		want 10 eval '! machdeck diff web >/tmp/diff'
		grep -q 'systemctl daemon-reload' /tmp/diff && grep -q 'MemoryMax: systemd has not read the unit anew' /tmp/diff && grep -q TimeoutStartSec /tmp/diff || fail "$(cat /tmp/diff)"
		systemctl daemon-reload
		want 10 machdeck diff web
		rm $CONFS/web.conf /tmp/before; systemctl daemon-reload
	END
}

watch_tells_when_it_comes_and_when_it_goes() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		machdeck watch >/tmp/lines & watch=$!
		has() { grep -q -- "$1" /tmp/lines; }
		want 10 has '^watching'
		sleep 2.5 # the first comparison is what later ones are news against
		ip addr del 10.1.0.1/32 dev ve-web
		want 10 has 'web: stale, machdeck mend puts it back: .*10.1.0.1.* is not on ve-web'
		exits 0 machdeck mend web
		want 10 has 'web: it runs as it is configured again$'
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=8080:80
		want 10 has 'web: stale, restart needed: HOST_PORT'
		: >/tmp/lines
		exits 0 machdeck restart web # and nothing is said of what a start has not done yet
		want 10 has 'web: running'
		want 10 has 'web: it runs as it is configured again$'
		same 'lines on what differs' 0 "$(grep -c stale /tmp/lines)"
		kill $watch
	END
}

the_dashboard_shows_it_within_a_second() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		printf 'size 200x40\nwait  ok\nsave /tmp/before\nwait STALE\nkey D\nwait is not on ve-web\nkey Esc\nwait  ok\n' >/tmp/script
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		want 10 test -s /tmp/before
		ip addr del 10.1.0.1/32 dev ve-web
		began=${EPOCHREALTIME/./}
		sleep 0.9
		machdeck reload web >/dev/null
		wait $script || fail "$(cat /tmp/said)"
		[ $((${EPOCHREALTIME/./} - began)) -lt 3000000 ] || fail "it took $((${EPOCHREALTIME/./} - began)) us"
	END
}

# Each of the changes, while the dashboard runs: shown within a second, the verdict right, mended by one action.
each_change_is_shown_within_a_second_and_mended() {
	inside <<-'END'
		printf 'size 200x40\nwait  ok\nsave /tmp/before\nwait STALE\nsave /tmp/after\nkey D\nwait what differs\nsave /tmp/shown\n' >/tmp/script
		shown() { # VERDICT SENTENCE CMD... - what CMD changes
			local script began took
			rm -f /tmp/before /tmp/after /tmp/shown
			machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
			want 10 test -s /tmp/before
			began=${EPOCHREALTIME/./}
			"${@:3}"
			wait $script || fail "${*:3}: $(cat /tmp/said)"
			took=$(($(date +%s%6N -r /tmp/after) - began))
			[ $took -lt 1000000 ] || fail "${*:3}: shown after $took us"
			grep -qF -- "$2" /tmp/shown || fail "$(grep -v "^~" /tmp/shown | head -20)"
			said=$(machdeck diff --json web) && fail "diff says nothing of ${*:3}"
			same verdict "$1" "$(jq -r '.machines[0].verdict' <<<"$said")"
		}
		well() {
			want 10 machdeck diff web
			want 10 serves web http://10.1.0.2/
		}
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8080:80
		exits 0 machdeck start web; well
		pid=$(leader web)

		shown mend '10.1.0.1 is not on ve-web' ip addr del 10.1.0.1/32 dev ve-web
		exits 0 machdeck mend web; well
		shown mend 'tcp:8080:80 is not forwarded to 10.1.0.2' nft delete element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.1.0.2 . 80 }'
		exits 0 machdeck mend web; well
		shown mend 've-web is down' ip link set ve-web down
		exits 0 machdeck mend web; well
		flap() { ip link set ve-web down; ip link set ve-web up; } # its routes are gone
		shown mend '10.1.0.2' flap
		exits 0 machdeck mend web; well
		same 'no restart' $pid "$(leader web)"
		shown mend '10.1.0.2 is not on eth0' nsenter -n -t $pid ip addr flush dev eth0
		exits 0 machdeck mend web; well
		shown reload 'ip route add default via 10.1.0.9' conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.9 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8080:80
		exits 0 machdeck reload web; well
		same 'no restart' $pid "$(leader web)"
		shown restart 'HOST_PORT' conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.9 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8081:80
		exits 0 machdeck restart web; well
	END
}

a_tape_tells_it_too() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		exits 0 machdeck set web MASQUERADE=1
		conf xodd PRIVATE_NETWORK=1 HOST_BRIDGE=nobr LOCAL_ADDRESS=10.8.0.2/24 # likely a mistake: that, too
		printf 'size 200x40\nwait CHECK\nwait STALE\nkey g\nkey Enter\nwait a reload is enough\n' >/tmp/script
		rm -f /tmp/web.tape
		exits 0 machdeck --record /tmp/web.tape --script /tmp/script
		grep -q '"drift": *"reload"' /tmp/web.tape || fail "$(tail -3 /tmp/web.tape)"
		grep -q '"lints": *\["xodd: HOST_BRIDGE: there is no bridge nobr' /tmp/web.tape || fail "$(tail -3 /tmp/web.tape)"
		printf 'size 200x40\nstep 1000\nwait STALE\nwait CHECK\n' >/tmp/script
		exits 0 machdeck --replay /tmp/web.tape --script /tmp/script
	END
}

a_bridge_deleted_is_shown_within_a_second() {
	inside <<-'END'
		ip link add br7 type bridge; ip link set br7 up; ip addr add 10.7.0.1/24 dev br7
		small db; conf db PRIVATE_NETWORK=1 HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24
		exits 0 machdeck start db
		want 10 machdeck diff db
		rm -f /tmp/before /tmp/after
		printf 'size 200x40\nwait  ok\nsave /tmp/before\nwait STALE\nsave /tmp/after\nwait  ok\n' >/tmp/script
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		want 10 test -s /tmp/before
		began=${EPOCHREALTIME/./}
		ip link del br7
		want 10 test -s /tmp/after
		took=$(($(date +%s%6N -r /tmp/after) - began))
		[ $took -lt 1000000 ] || fail "shown after $took us"
		ip link add br7 type bridge; ip link set br7 up; ip addr add 10.7.0.1/24 dev br7
		wait $script || fail "$(cat /tmp/said)" # the port came back, and it says ok again
		exits 0 machdeck diff db
		want 10 serves db http://10.7.0.2/
		ip link del br7
	END
}

run_cases "$@"
