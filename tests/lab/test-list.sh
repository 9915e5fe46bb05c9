#!/bin/bash
# list, status and show-ip: what people and programs are told of machines, held against what systemd and the kernel say.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario list --unfiltered

# row NAME - its line of the list, columns parted by one space; field NAME FILTER - of its JSON.
helpers=$(cat <<-'END'
	row() { machdeck list | awk -v name="$1" '$1 == name { NF -= 2; print }'; }
	field() { machdeck list --json | jq -r --arg name "$1" ".machines[] | select(.name == \$name) | $2"; }
	about() { { machdeck status --json "$1" || [ $? -eq 3 ]; } | jq -r "$2"; }
	printable() { ! "$@" 2>&1 | LC_ALL=C grep -q '[^[:print:]]'; }
	by_hand() { # NAME UNIT - a machine that no conf describes
		mkdir -p $ROOTS/"$1"
		mountpoint -q $ROOTS/"$1" || small "$1"
		systemd-run --quiet --unit="$2" --service-type=notify --property=KillMode=mixed --property=Delegate=yes \
			systemd-nspawn --quiet --keep-unit --machine="$1" --directory=$ROOTS/"$1" --private-network /bin/busybox sleep 1000
	}
END
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

every_machine_is_listed_once_by_name() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 LOCAL_ADDRESS6=fd00::2 HOST_PORT=8080:80
		conf idle PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.2.0.2
		conf broken 'HOST_BRIDGE="br0'
		mkdir -p /var/lib/machines/image
		by_hand extra extra.service
		small shared
		conf shared COPY_RESOLV_CONF=0
		exits 0 machdeck start web shared
		same "the host's addresses are the host's" 'shared running - -' "$(row shared | cut -d' ' -f1-4)"
		same names 'broken extra idle image shared web' "$(machdeck list --json | jq -r '[.machines[].name] | join(" ")')"
		same 'running row' 'web running 10.1.0.2,fd00::2 tcp:8080:80' "$(row web | cut -d' ' -f1-4)"
		same 'stopped row' 'idle stopped 10.2.0.2 - -' "$(row idle)"
		same 'image row' 'image stopped - - -' "$(row image)"
		same 'by hand' running "$(field extra .state)"
		same 'its unit' extra.service "$(field extra .unit)"
		exits 0 machdeck list
		told 'its conf can not be used: /etc/containers/broken.conf:1:'
		same leader "$(machinectl show web --property Leader --value)" "$(field web .leader)"
		same unit "$(machinectl show web --property Unit --value)" "$(field web .unit)"
		same addresses "$(addresses_in web)" "$(field web '.addresses | map(if contains(":") then . + "/128" else . + "/32" end) | join(" ")')"
		systemctl stop extra.service
		rm -r /var/lib/machines/image
	END
}

status_ends_with_0_3_or_66() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		exits 3 machdeck status web
		told 'web: stopped' '/etc/containers/web.conf' '10.1.0.2, as configured'
		machdeck start web
		exits 0 machdeck status web
		told 'web: running for ' "leader $(leader web)" '10.1.0.2, seen in it' 've-web is up' 'as it was started'
		exits 66 machdeck status nobody
		exits 64 machdeck status ../web
		exits 64 machdeck status
		exits 64 machdeck list web
	END
}

a_hung_machined_delays_nothing() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		machined=$(systemctl show systemd-machined --property MainPID --value)
		trap 'kill -CONT $machined; clear_all' EXIT
		kill -STOP "$machined"
		began=${EPOCHREALTIME/./}
		same row 'web running 10.1.0.2 -' "$(row web | cut -d' ' -f1-4)"
		exits 0 machdeck status web
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 1000000 ] || fail "it took $took us"
	END
}

without_a_bus_root_is_told_all_and_others_what_runs() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		conf idle PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.3
		machdeck start web
		trap 'systemctl start dbus.socket dbus systemd-machined; clear_all' EXIT
		systemctl stop dbus.socket dbus
		same row 'web running 10.1.0.2 -' "$(row web | cut -d' ' -f1-4)"
		same idle stopped "$(field idle .state)"
		exits 0 machdeck status web
		same stale null "$(machdeck list --json | jq -r .stale)"
		exits 0 setpriv --reuid=65534 --regid=65534 --clear-groups machdeck list
		told 'idle  unknown' 'web   running' 'cannot connect to systemd'
	END
}

show_ip_prints_one_address_alone() {
	scene <<-'END'
		conf four LOCAL_ADDRESS=10.1.0.2/24 HOST_BRIDGE=br0 PRIVATE_NETWORK=1 LOCAL_ADDRESS6=fd00::2
		conf swapped LOCAL_ADDRESS=fd00::3 PRIVATE_NETWORK=1
		conf six LOCAL_ADDRESS6=fd00::4/64 PRIVATE_NETWORK=1 HOST_BRIDGE=br0
		conf none PRIVATE_NETWORK=1
		same four 10.1.0.2 "$(machdeck show-ip four)"
		same swapped fd00::3 "$(machdeck show-ip swapped)"
		same six fd00::4 "$(machdeck show-ip six)"
		exits 1 machdeck show-ip none
		exits 66 machdeck show-ip nobody
		by_hand seen seen.service
		within seen ip address add 10.9.0.9/24 dev lo
		same seen 10.9.0.9 "$(machdeck show-ip seen)"
		systemctl stop seen.service
	END
}

status_says_when_the_conf_changed_since_the_start() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		same before false "$(about web .conf.changed)"
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.3
		same after true "$(about web .conf.changed)"
		exits 0 machdeck status web
		told 'changed since the start' '10.1.0.3 is configured, and is not there'
		[[ $said != *'restart needed'* ]] || fail "$said"
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2 TMPFS=/mnt
		exits 0 machdeck status web
		told 'restart needed: TMPFS: runs with none, configured is /mnt'
	END
}

a_reload_is_no_new_start() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		began=$(about web .since) listed=$(field web .since)
		sleep 1.1
		systemctl reload container@web
		same status "$began" "$(about web .since)"
		same list "$listed" "$(field web .since)"
	END
}

status_names_what_is_missing_on_the_host() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=8080:80
		machdeck start web
		same 'all holds' true "$(about web '[.hostSide[].holds] | all')"
		want 10 serves web http://10.1.0.2
		same 'forward' '10.1.0.2 true' "$(about web '.forwards[] | "\(.to) \(.own)"')"
		ip route delete 10.1.0.2 dev ve-web
		nft flush map ip io.systemd.nat map_port_ipport
		exits 0 machdeck status web
		told 'missing on the host: ip route add 10.1.0.2 dev ve-web' 'NOT forwarded'
	END
}

status_says_why_a_start_failed_and_what_helps() {
	scene <<-'END'
		small bridge; conf bridge PRIVATE_NETWORK=1 HOST_BRIDGE=br9
		not machdeck start bridge
		exits 3 machdeck status bridge
		told br9 'log '
		[[ $(field bridge .state) = @(failed|restarting) ]]
		conf gone PRIVATE_NETWORK=1 INIT=/no/such/init
		mkdir -p $ROOTS/gone/usr $ROOTS/gone/etc
		not machdeck start gone
		exits 3 machdeck status gone
		told /no/such/init
		lab-guest sick --init - <<-'INIT'
			#!/bin/sh
			echo the disk is on fire
			exit 3
		INIT
		conf sick PRIVATE_NETWORK=1
		not machdeck start sick
		want 10 eval '[ "$(field sick .state)" = failed ]'
		exits 3 machdeck status sick
		told 'given up after too many failures' 'the disk is on fire'
	END
}

a_guest_that_is_never_ready_is_told_with_the_limit() {
	scene <<-'END'
		lab-guest slow
		service slow hang.service <<-'UNIT'
			[Unit]
			Before=multi-user.target
			[Service]
			Type=oneshot
			ExecStart=/bin/busybox sleep 1000
		UNIT
		conf slow PRIVATE_NETWORK=1 TIMEOUT_START_SEC=2
		drop_in slow Restart=no # while it is tried again there is no reason to tell
		not machdeck start slow
		want 10 eval '[[ $(field slow .reason) = *"was not ready within 2 s"*TIMEOUT_START_SEC=* ]]'
	END
}

a_killed_nspawn_is_told() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		drop_in web Restart=no
		machdeck start web
		kill -KILL "$(property web MainPID)"
		want 10 eval '[ "$(field web .state)" = failed ]'
		said=$(field web .reason)
		told 'killed by SIGKILL'
	END
}

who_took_a_containers_name_is_named() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		by_hand web squatter.service
		same state running "$(field web .state)"
		said=$(field web .reason)
		told 'its name is taken: squatter.service'
		systemctl stop squatter.service
	END
}

a_registration_whose_machine_died_is_a_ghost() {
	scene <<-'END'
		systemd-run --quiet --unit=lost.service sh -c 'sleep 1000 & echo $! >/run/lost; wait; sleep 1000'
		want 10 test -s /run/lost
		machined() { busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager "$@"; }
		machined RegisterMachine sayssus lost 0 test container "$(cat /run/lost)" ''
		same alive running "$(field lost .state)"
		kill "$(cat /run/lost)"
		want 10 eval '[ "$(field lost .state)" = ghost ]'
		said=$(field lost .reason)
		told "its leader $(cat /run/lost) is dead"
		machined UnregisterMachine s lost
		systemctl stop lost.service
	END
}

hostile_words_of_a_guest_are_shown_harmless() {
	scene <<-'END'
		lab-guest evil --init - <<-'INIT'
			#!/bin/sh
			printf 'NAME=evil\033[31m\n' >/etc/os-release
			printf '\033]0;title\007 \342\200\256 \033[31mred \377\r\bover\n'
			exit 9
		INIT
		conf evil PRIVATE_NETWORK=1
		machdeck start evil || true # it may be gone before or after it counts as started
		want 10 eval '[ "$(field evil .state)" = failed ]'
		printable machdeck list || fail 'list lets a control character through'
		printable machdeck status evil || fail 'status lets a control character through'
		same 'has a log' true "$(about evil '.log | length > 0')"
		exits 3 machdeck status evil
		told '\x1b]0;title' '<U+202E>'
	END
}

a_truncated_journal_costs_the_log_only() {
	scene <<-'END'
		conf gone PRIVATE_NETWORK=1
		mkdir -p $ROOTS/gone/usr
		not machdeck start gone
		journalctl --sync
		for file in /run/log/journal/*/*.journal /var/log/journal/*/*.journal; do
			[ ! -e "$file" ] || truncate --size=100 "$file"
		done
		exits 3 machdeck status gone
		told 'gone: '
		rm -rf /run/log/journal/*/*.journal /var/log/journal/*/*.journal
		systemctl restart systemd-journald
	END
}

users_see_the_machines_too() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
		exits 0 as_user machdeck list
		told 'web ' running 10.1.0.2
		exits 0 as_user machdeck status web
		told 'web: running' '10.1.0.2, as configured'
		exits 0 as_user machdeck show-ip web
	END
}

run_cases "$@"
