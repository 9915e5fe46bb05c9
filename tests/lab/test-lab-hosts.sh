#!/bin/bash
# What a test may expect of the lab's hosts and guests.

. "$(dirname -- "$0")/lib.sh"

boot() { # HOST GUEST [OPTION of systemd-nspawn]... - as a unit of the host, to READY
	on "$1" systemd-run --quiet --unit="$2" -p Type=notify -p KillMode=mixed -p Delegate=yes \
		systemd-nspawn --quiet --keep-unit --notify-ready=yes --directory="/var/lib/containers/$2" --machine="$2" \
		--network-veth "${@:3}" --boot
}

bare() { # HOST [OPTION]... - without machdeck
	STAGE=$T/bare
	mkdir -p "$STAGE/usr/bin"
	install -m 0755 /dev/null "$STAGE/usr/bin/machdeck"
	lab_host "$@"
}

a_command_keeps_its_stdin_output_and_exit_status() {
	bare web
	same output "3 IN" "$(echo in | on web tr a-z A-Z | sed 's/^/3 /')"
	local rc=0
	on web bash -c 'exit 42' || rc=$?
	same status 42 "$rc"
	same environment "HOME LANG PATH TERM" "$(SECRET=1 on web env | cut -d= -f1 | sort | xargs)"
}

a_script_ends_with_its_first_error() {
	bare web
	same output before "$(on web <<<'echo before; false; echo after' || true)"
}

a_host_has_machined_logind_journald_and_nftables() {
	bare web
	on web <<-'END'
		test "$(systemctl is-system-running)" = running
		loginctl list-sessions
		machinectl list
		nft add table ip t
		journalctl --quiet --unit=systemd-logind.service | grep -q .
		busctl call org.freedesktop.PolicyKit1 /org/freedesktop/PolicyKit1/Authority org.freedesktop.DBus.Peer Ping
		test "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs
		test -c /dev/net/tun
	END
}

an_install_tree_appears_in_the_host() {
	STAGE=$T/staged
	mkdir -p "$STAGE/usr/bin" "$STAGE/usr/lib/systemd/system"
	printf '#!/bin/sh\necho staged\n' >"$STAGE/usr/bin/machdeck"
	chmod 0755 "$STAGE/usr/bin/machdeck"
	printf '[Service]\nExecStart=/bin/true\n' >"$STAGE/usr/lib/systemd/system/staged.service"
	lab_host web
	same machdeck staged "$(on web machdeck)"
	on web systemctl start staged.service
	on web rm /usr/bin/machdeck
	[ -e "$STAGE/usr/bin/machdeck" ] || fail "the host wrote into the install tree"
}

a_guest_is_made_at_once_and_boots_within_seconds() {
	local began ready
	bare web
	began=${EPOCHREALTIME/./}
	on web lab-guest one
	ready=${EPOCHREALTIME/./}
	((ready - began < 5000000)) || fail "making it took $(((ready - began) / 1000)) ms"
	boot web one
	began=${EPOCHREALTIME/./}
	((began - ready < 20000000)) || fail "booting it took $(((began - ready) / 1000)) ms"
	same leader systemd "$(on web bash -c 'cat /proc/$(machinectl show one -p Leader --value)/comm')"
	same hostname one "$(on web cat /var/lib/containers/one/etc/hostname)"
}

guests_run_with_user_namespaces_tun_and_macvlan() {
	bare web
	on web lab-guest users
	boot web users --private-users=pick --bind=/dev/net/tun
	on web lab-guest lan
	on web ip link add nic0 type veth peer name nic1
	boot web lan --network-macvlan=nic0
	same running "lan users" "$(on web machinectl list --no-legend | awk '{ print $1 }' | sort | xargs)"
}

a_guest_may_have_an_init_of_its_own() {
	bare web
	on web lab-guest plain --init - <<<'#!/bin/sh
		echo "$(cat /etc/hostname) was here" >/witness'
	on web systemd-nspawn --quiet --keep-unit --register=no --directory=/var/lib/containers/plain /sbin/init
	same witness "plain was here" "$(on web cat /var/lib/containers/plain/witness)"
}

several_hosts_run_at_once_and_see_nothing_of_each_other() {
	bare one
	lab_host two
	on one ip link add only-one type bridge
	on one ip link show only-one
	! on two ip link show only-one || fail "one's link is in two"
	same hosts 2 "$("$LAB" list | grep -c -e "^${HOSTS[one]}\s" -e "^${HOSTS[two]}\s")"
}

a_terminal_in_a_host_passes_keys_size_and_exit_status() {
	bare web
	local rc=0 out
	out=$(script --quiet --return --command "stty rows 17 cols 71; '$LAB' shell ${HOSTS[web]} -- sh -c 'stty size; tty; exit 9'" \
		/dev/null </dev/null) || rc=$?
	same status 9 "$rc"
	[[ $out == *"17 71"*"/dev/pts/"* ]] || fail "not a terminal of that size: $out"
}

# Also the proof that it works below systemd as PID 1, and where only cgroup v2 is mounted: a host is such a machine.
a_host_boots_within_a_host() {
	bare outer --bind "$LAB_DIR:/lab/bin" --bind "$(dirname "$("$LAB" image)"):/var/cache/machdeck-lab" \
		--bind /etc/apt:/etc/apt
	on outer <<-'END'
		/lab/bin/lab up inner --owner $$
		/lab/bin/lab run inner -- systemctl is-system-running
		/lab/bin/lab guest inner web
		/lab/bin/lab run inner -- systemd-run --quiet -p Type=notify -p Delegate=yes systemd-nspawn --quiet \
			--keep-unit --notify-ready=yes -D /var/lib/containers/web -M web --network-veth --boot
		/lab/bin/lab down inner
		test ! -e /sys/fs/cgroup/machdeck-lab
	END
}

# as_nobody PROGRAM ARGS... - of a copy of this folder, since nobody may be kept out of the checkout.
as_nobody() {
	[ -d "$T/lab" ] || cp -r "$LAB_DIR" "$T/lab"
	setpriv --reuid 65534 --clear-groups "$T/lab/$1" "${@:2}"
}

without_root_it_says_what_to_type() {
	local out rc=0
	out=$(as_nobody lab up web) || rc=$?
	same status 77 "$rc"
	same words "SKIP: the lab needs root; type: sudo $T/lab/lab up web" "$out"
}

where_no_lab_can_run_its_tests_are_counted_as_skipped() {
	local out
	out=$(as_nobody run test-lab-hosts)
	[[ $out == *"SKIP: no lab test was run: the lab needs root"* ]] || fail "said: $out"
	same "last line" "0 passed, 0 failed, $(cases | wc -l) skipped" "$(tail -n 1 <<<"$out")"
}

run_cases "$@"
