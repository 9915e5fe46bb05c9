#!/bin/bash
# What can be asked of machines of every kind, judged by systemctl, machinectl and the kernel.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
tools=$(realpath "${B:-$TOP/build}")/tests/tools
scenario actions --unfiltered
on actions install -m 0755 /dev/stdin /usr/local/bin/actions <"$tools/actions"

nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'

# image NAME - a bootable tree in /var/lib/machines, of no conf of ours, though there is a folder of that name where ours are.
images='image() {
	lab-guest $1 >/dev/null
	mkdir -p /var/lib/machines/$1
	mount --bind $ROOTS/$1 /var/lib/machines/$1
	umount $ROOTS/$1
	mkdir -p /etc/systemd/nspawn
	printf "[Exec]\\nPrivateUsers=no\\n" >/etc/systemd/nspawn/$1.nspawn
}
no_images() {
	systemctl kill --signal=KILL "systemd-nspawn@*"; systemctl stop "systemd-nspawn@*"; systemctl reset-failed
	umount /var/lib/machines/*; rmdir /var/lib/machines/*
} >/dev/null 2>&1
trap "no_images; clear_all" EXIT'

kill_ends_what_hangs_while_it_is_tidied_up() {
	inside <<-'END'
		small stuck; conf stuck PRIVATE_NETWORK=1
		drop_in stuck ExecStopPost='/bin/sleep 100'
		machdeck start stuck
		began=${EPOCHREALTIME/./}
		exits 0 machdeck kill stuck
		told 'stuck: killed'
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 20000000 ] || fail "it took $took us"
		same state inactive "$(state stuck)"
		want 10 not machinectl show stuck
		want 10 not pgrep -f '^sleep 100$'
		exits 66 machdeck kill nosuch
	END
}

a_frozen_machine_stands_still_and_can_be_stopped() {
	inside <<-'END'
		small cold; conf cold PRIVATE_NETWORK=1 HOST_ADDRESS=10.7.0.1 LOCAL_ADDRESS=10.7.0.2
		machdeck start cold
		if ! systemctl freeze container@cold; then
			exits 1 machdeck freeze cold
			told 'cannot freeze container@cold.service: ' freez
			exit 0
		fi
		systemctl thaw container@cold
		exits 0 machdeck freeze cold
		told 'cold: frozen'
		grep -q 'frozen 1' /sys/fs/cgroup$(property cold ControlGroup)/cgroup.events
		exits 0 machdeck list
		told 'cold  frozen'
		same 'as JSON' 'running true' "$(machdeck list --json | jq -r '.machines[] | select(.name == "cold") | "\(.state) \(.frozen)"')"
		same 'in one line' '1m 1=  cold:frozen' "$(machdeck status --line)"
		exits 0 machdeck status cold
		told 'machdeck thaw cold'
		not fetch http://10.7.0.2/
		exits 0 machdeck thaw cold
		want 10 serves cold http://10.7.0.2/
		exits 0 machdeck freeze cold
		exits 0 machdeck kill cold
		same state inactive "$(state cold)"
	END
}

autostart_is_one_line_of_the_conf_and_a_want_of_systemd() {
	inside <<-'END'
		small boots; conf boots '# mine' PRIVATE_NETWORK=1
		chmod 0640 $CONFS/boots.conf
		wants() { ls /run/systemd/generator*/*.wants/container@boots.service; }
		not wants
		exits 0 machdeck enable boots
		told 'boots: enabled'
		same conf '# mine PRIVATE_NETWORK=1 AUTO_START=1' "$(tr '\n' ' ' <$CONFS/boots.conf | sed 's/ $//')"
		same mode 640 "$(stat -c %a $CONFS/boots.conf)"
		wants || fail 'no want was made'
		same 'what systemd knows' yes "$(systemctl show machines.target -p Wants --value | grep -qw container@boots.service && echo yes)"
		exits 0 machdeck enable boots
		exits 0 machdeck disable boots
		same conf '# mine PRIVATE_NETWORK=1' "$(tr '\n' ' ' <$CONFS/boots.conf | sed 's/ $//')"
		not wants
		mkdir -p /store
		mv $CONFS/boots.conf /store/boots.conf
		ln -s /store/boots.conf $CONFS/boots.conf
		exits 78 machdeck enable boots
		told 'declared elsewhere'
		rm -r /store
		exits 66 machdeck enable nosuch
	END
}

a_failure_is_forgiven() {
	inside <<-'END'
		small sick; conf sick PRIVATE_NETWORK=1 INIT=/sbin/nosuch
		exits 1 machdeck start sick
		machdeck stop sick || true
		systemctl start container@sick || true
		want 20 eval '[ "$(state sick)" = failed ]'
		exits 0 machdeck forgive sick
		told 'sick: forgiven'
		same state inactive "$(state sick)"
	END
}

a_hanging_start_is_cancelled_and_stopped() {
	inside <<-'END'
		web slow; conf slow PRIVATE_NETWORK=1
		service slow wait.service <<-'UNIT'
			[Service]
			Type=oneshot
			ExecStart=/bin/sleep 1000
		UNIT
		exits 1 actions cancel start 1500 slow
		told 'slow: the start was cancelled; it is stopped'
		same state inactive "$(state slow)"
		nothing_left slow
		small fast; conf fast PRIVATE_NETWORK=1
		exits 0 actions cancel start 5000 fast
		same state active "$(state fast)"
	END
}

a_stop_that_is_cancelled_goes_on() {
	inside <<-'END'
		lab-guest deaf --init - <<-'INIT'
			#!/bin/sh
			trap '' TERM INT
			while :; do sleep 1; done
		INIT
		conf deaf PRIVATE_NETWORK=1
		machdeck start deaf
		exits 1 actions cancel stop 500 deaf
		told 'deaf: the stop was cancelled; what it had begun goes on by itself'
		same state deactivating "$(state deaf)"
		exits 0 machdeck kill deaf
		same state inactive "$(state deaf)"
	END
}

an_image_is_started_and_all_else() {
	inside <<-END
		$images
		image img
		unit() { systemctl show systemd-nspawn@img --property "\$1" --value; }
		exits 0 machdeck start img
		told 'img: started'
		same state active "\$(unit ActiveState)"
		exits 0 machdeck restart img
		exits 1 machdeck reload img
		told 'cannot reload img: it can not be reloaded: systemd-nspawn@ knows no reload'
		exits 0 machdeck enable img
		same enabled enabled "\$(systemctl is-enabled systemd-nspawn@img)"
		exits 0 machdeck disable img
		same enabled disabled "\$(systemctl is-enabled systemd-nspawn@img || true)"
		exits 0 machdeck stop img
		same state inactive "\$(unit ActiveState)"
		want 10 not machinectl show img # it forgets the name behind
		exits 0 machdeck start img
		exported img
		exits 0 machdeck terminate img
		same state inactive "\$(unit ActiveState)"
		want 10 not machinectl show img
		not mountpoint -q \$export
		exits 0 machdeck start img
		exported img
		exits 0 machdeck kill img
		same state inactive "\$(unit ActiveState)"
		want 10 not machinectl show img
		not mountpoint -q \$export
		exits 66 machdeck start nosuch
	END
}

a_virtual_machine_is_ended_by_systemd_machined_alone() {
	inside <<-'END'
		vm() {
			systemd-run --quiet --scope --unit=machine-qemu-$1.scope --slice=machine.slice sleep 1000 &
			want 10 systemctl is-active machine-qemu-$1.scope
			busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
				RegisterMachine sayssus $1 0 libvirt-qemu vm $! '' >/dev/null
		}
		vm win
		exits 1 machdeck stop win
		told 'cannot stop win: it is a virtual machine: use the tool that started it'
		exits 0 machdeck logs --json win
		[[ $said != *'"from":"guest"'* ]] || fail "the host's journal is no guest's: $said"
		exits 1 machdeck freeze win
		exits 0 machdeck terminate win
		want 10 not machinectl show win
		vm win2
		exits 0 machdeck kill win2
		told 'win2: killed'
		want 10 not machinectl show win2
		want 10 not systemctl is-active machine-qemu-win2.scope
	END
}

a_ghost_is_dropped_and_nothing_that_lives() {
	inside <<-'END'
		small lost; conf lost PRIVATE_NETWORK=1
		machdeck start lost
		exits 1 machdeck drop lost
		told 'cannot drop lost: it is not a ghost: its first process runs'
		machdeck stop lost
		systemd-run --quiet --unit=lost.service sh -c 'sleep 1000 & echo $! >/run/lost; wait; sleep 1000'
		want 10 test -s /run/lost
		busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
			RegisterMachine sayssus lost 0 test container "$(cat /run/lost)" '' >/dev/null
		kill "$(cat /run/lost)"
		want 10 eval '[ "$(machdeck list --json | jq -r ".machines[] | select(.name == \"lost\").state")" = ghost ]'
		machinectl show lost >/dev/null
		exits 0 machdeck drop lost
		told 'lost: dropped'
		want 10 not machinectl show lost
		systemctl stop lost.service
	END
}

a_shell_is_left_by_exit_and_by_its_key() {
	inside <<-'END'
		web sh; conf sh PRIVATE_NETWORK=1
		machdeck start sh
		opens 'machdeck shell sh'
		wait_for 'entered as root'
		types 'echo at-$((40+2)) $(cat /proc/sys/kernel/hostname); tty'
		wait_for 'at-42 sh'
		wait_for '/dev/pts/'
		types 'exit 7'
		wait_for 'status=7'
		opens 'machdeck shell sh'
		wait_for 'entered as root'
		types 'trap "" HUP; sleep 1000'
		tmux send-keys -t s 'C-]' 'C-]' 'C-]'
		wait_for 'status='
		exits 64 machdeck shell sh
		told 'needs a terminal'
		exits 66 script --quiet --return --command 'machdeck shell nosuch' /dev/null
	END
}

a_login_console_is_the_guest_s_own() {
	inside <<-'END'
		web login; conf login PRIVATE_NETWORK=1
		machdeck start login
		opens 'machdeck login login'
		wait_for 'a login console'
		wait_for 'login: '
		tmux send-keys -t s 'C-]' 'C-]' 'C-]'
		wait_for 'status=0'
		small bare; conf bare PRIVATE_NETWORK=1
		machdeck start bare
		opens 'machdeck login bare'
		wait_for 'its login program'
	END
}

one_command_runs_in_five_machines_and_one_that_hangs_holds_up_nobody() {
	inside <<-'END'
		for i in a b c d e; do small $i; conf $i PRIVATE_NETWORK=1; done
		machdeck start a b c d e
		began=${EPOCHREALTIME/./}
		exits 0 actions everywhere 5 '[ "$(cat /srv/index.html)" != c ] || exec sleep 100; cat /srv/index.html; exit 3' a b c d e nosuch
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 30000000 ] || fail "it took $took us"
		told 'a 3 2 ' 'b 3 2 ' 'd 3 2 ' 'e 3 2 ' 'c -110 0 c: it did not end within 5 s' 'nosuch -5 0 nosuch: not running'
		want 10 not pgrep -f '^sleep 100$'
		exits 0 actions everywhere 5 'head -c 100000 /dev/zero' a
		told 'a 0 65536 '
	END
}

somebody_without_rights_is_told_each_action() {
	inside <<-END
		web own; conf own PRIVATE_NETWORK=1
		machdeck start own
		for verb in stop kill terminate freeze thaw forgive; do
			exits 77 $nobody machdeck \$verb own
			told org.freedesktop.systemd1.manage-units
		done
		exits 77 $nobody machdeck enable own
		told '/etc/containers'
		same state active "\$(state own)"
		opens '$nobody machdeck shell own'
		wait_for 'org.freedesktop.machine1.shell'
		wait_for 'status=77'
		opens '$nobody machdeck login own'
		wait_for 'org.freedesktop.machine1.login'
		exits 0 $nobody actions everywhere 3 true own
		told 'own -5 0 own: cannot open a shell: not authorised (org.freedesktop.machine1.shell)'
	END
}

# ---- read-only

a_reader_has_no_rights_and_can_do_nothing() {
	inside <<-'END'
		small calm; conf calm PRIVATE_NETWORK=1
		machdeck start calm
		install -m 0666 /dev/null /tmp/mine
		strace -f -o /tmp/trace actions read-only calm >/tmp/said &
		want 10 grep -q 'take root' /tmp/said
		said=$(cat /tmp/said)
		pid=$(pgrep -x actions)
		same 'its status' '65534 0000000000000000 0000000000000000 0000000000000000 1 2' "$(awk '
			/^Uid:/ { printf "%s ", $2 } /^Cap(Prm|Eff|Bnd):/ { printf "%s ", $2 } /^NoNewPrivs:/ { printf "%s ", $2 } /^Seccomp:/ { printf "%s", $2 }
			' /proc/$pid/status)"
		same 'its groups' "$(getent group systemd-journal | cut -d: -f3)" "$(awk '/^Groups:/ { print $2 }' /proc/$pid/status)"
		for verb in start stop restart reload terminate kill freeze thaw enable disable forgive drop; do
			told "cannot $verb calm: read-only: it was started to look only (--read-only)"
		done
		[[ $said != *DONE* ]] || fail "$said"
		told 'execute: Operation not permitted' 'internet: Address family not supported' 'unshare: Operation not permitted' \
			'addresses inside of containers and port forwards take root (CAP_NET_ADMIN)'
		kill $pid
		same state active "$(state calm)"
		[ -e /tmp/mine ] && [ ! -e /tmp/read-only ]
		# no connection to systemd or to the bus was made before, or at all
		not grep -E 'connect\(.*(dbus|systemd/private)|RTM_(NEW|DEL)' /tmp/trace
	END
}

a_read_only_dashboard_of_root_shows_and_changes_nothing() {
	inside <<-'END'
		small calm; conf calm PRIVATE_NETWORK=1
		machdeck start calm
		opens 'strace -f -e trace=%file,%process,%network,kill,setresuid -s 4096 -o /tmp/trace machdeck --read-only'
		wait_for '^.. ?calm +running|calm .*running'
		pid=$(pgrep -x machdeck -P "$(pgrep -x strace)")
		same 'its status' '65534 0000000000000000 1 2' "$(awk '
			/^(Uid|CapEff|NoNewPrivs):/ { printf "%s ", $2 } /^Seccomp:/ { printf "%s", $2 }' /proc/$pid/status)"
		for key in s x R r S T K D y Y Enter L l e a f F t u : Escape Tab Tab Tab Escape; do tmux send-keys -t s "$key"; done
		tmux send-keys -t s Escape Escape
		want 10 shows calm
		kill -0 $pid
		same state active "$(state calm)"
		kill $pid
		wait_for 'status='
		drop=$(grep -n 'setresuid(65534' /tmp/trace | head -n 1 | cut -d: -f1)
		[ "$drop" ] || fail 'it never dropped its rights'
		head -n "$drop" /tmp/trace | grep -E 'connect\(.*(dbus|systemd/private)' && fail 'it was connected before the drop'
		said=$(tail -n +"$drop" /tmp/trace | grep -vE ' = -1 |/dev/(null|tty)' |
			grep -E 'O_(WRONLY|RDWR|CREAT)|execve|RTM_(NEW|DEL)|(Start|Stop|Kill|Restart|Reload|Freeze|Thaw)Unit|ResetFailed|UnregisterM|TerminateM' || true)
		same 'what it changed' '' "$(grep -v 'nlmsg_type=RTM_NEW.*recv' <<<"$said" | grep -v recv || true)"
	END
}

a_user_learns_whether_he_may_manage_units() {
	inside <<-END
		exits 0 actions may
		same root '0 ' "\$said"
		exits 0 $nobody actions may
		told '1 you are not root, and polkit does not let you org.freedesktop.systemd1.manage-units without a password'
		rule() {
			mkdir -p /etc/polkit-1/rules.d
			printf 'polkit.addRule(function(a, s) { if (a.id == "org.freedesktop.systemd1.manage-units") return "%s"; });\n' \$1 \
				>/etc/polkit-1/rules.d/10-test.rules
			systemctl restart polkit
		}
		rule no
		want 10 eval '$nobody actions may | grep -q "^2.*polkit does not let you"'
		rule yes
		want 10 eval '$nobody actions may | grep -q ^0'
		rm /etc/polkit-1/rules.d/10-test.rules
		systemctl mask --runtime --now polkit
		exits 0 $nobody actions may
		told '2 you are not root, and polkit'
		systemctl unmask --runtime polkit
	END
}

run_cases "$@"
