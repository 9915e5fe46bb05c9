#!/bin/bash
# The tabs of the details, on a real systemd: what each says of a machine that is there, and that it stays true.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

lab_host tabs
on tabs <<'END'
mkdir -p /etc/containers
ip link add br0 type bridge
ip link set br0 up
cat >/etc/containers/web.conf <<CONF
PRIVATE_NETWORK=1
HOST_ADDRESS=10.231.136.1
LOCAL_ADDRESS=10.231.136.2
HOST_PORT=tcp:8080:80
EXTRA_VETHS="extra,hostBridge=br0"
NO_SUCH_KEY=1
CONF
echo PRIVATE_NETWORK=1 | tee /etc/containers/quick.conf >/etc/containers/broken.conf
lab-guest web
lab-guest quick --init - <<INIT
#!/bin/sh
exec sleep infinity
INIT
lab-guest broken --init - <<INIT
#!/bin/sh
echo "broken: /srv/data is missing, giving up" >&2
exit 7
INIT
mkdir -p /run/systemd/system/container@broken.service.d
printf '[Service]\nRestart=no\n' >/run/systemd/system/container@broken.service.d/once.conf
systemctl daemon-reload
machdeck start web quick
machdeck start broken || true

# screens MACHINE LINE... - what a script shows of that machine's details, which fill the screen
cat >/usr/local/bin/screens <<'SH'
#!/bin/bash
script=$(mktemp)
printf '%s\n' 'size 100x50' "wait $1" "type /$1" 'key Enter' 'key Enter' 'wait Overview' "${@:2}" >"$script"
chmod 644 "$script"
$AS machdeck --script "$script" || { echo "the script was:"; cat "$script"; }
SH
chmod +x /usr/local/bin/screens
END

# has WORDS... - $said must match each.
has() {
	local words
	for words; do
		grep -qE -- "$words" <<<"$said" || fail "nothing of '$words' in: $said"
	done
}

each_tab_tells_of_a_guest_with_a_port_and_two_links() {
	said=$(on tabs screens web 'wait ve-web >' show 'key 3' 'wait routes' show 'key 4' "wait KERNEL'S" show \
		'key 5' 'wait COMMAND' show 'key 6' 'wait not a key' show 'key 7' 'wait systemd-nspawn' show)
	has 'state +running for' 've-web > .*10\.231\.136\.2' 'bridge br0' 'ports +tcp 8080 > 80' \
		'unit +container@web\.service +leader [0-9]+' '  host +up +10\.231\.136\.1/32' \
		'inside +.*10\.231\.136\.2/32' 'inside +default via 10\.231\.136\.1' \
		'tcp 8080 +80 +NO +10\.231\.136\.2:80' 'nothing listens on 80 in web' '[0-9]+ +1 .* S .*(systemd|init)' \
		'> --port=tcp:8080:80' 'NO_SUCH_KEY=1 +not a key we know'
}

a_small_guest_has_its_process_and_no_port() {
	said=$(on tabs screens quick 'key 4' 'wait forwards no port' 'key 5' 'wait sleep infinity' show)
	has '[0-9]+ +[0-9]+ .* sleep infinity'
}

what_a_unit_says_of_itself_is_followed() {
	said=$(on tabs bash -s <<'END'
mkdir -p /run/systemd/system/container@quick.service.d
printf '[Service]\nNotifyAccess=all\n' >/run/systemd/system/container@quick.service.d/notify.conf
systemctl daemon-reload
machdeck restart quick
cgroup=$(systemctl show --property ControlGroup --value container@quick)
tells() { # TEXT - as a process of the unit
	bash -c 'for f in $(find /sys/fs/cgroup -path "*$1/*" -name cgroup.procs); do echo $$ >"$f" || true; done
		NOTIFY_SOCKET=/run/systemd/notify systemd-notify --status="$2"; sleep 0.2' - "$cgroup" "$1"
}
tells 'Container running: before'
rm -f /tmp/ready
{ for ((i = 0; i < 1500; i++)); do [ ! -e /tmp/ready ] || break; sleep 0.02; done; tells 'Container running: after that'; } &
screens quick 'wait it says' show 'save /tmp/ready' 'wait after that' show
END
	)
	has 'it says +before' 'it says +after that'
}

the_evidence_of_a_failed_machine_has_its_last_words() {
	said=$(on tabs screens broken 'key w' 'wait exit status' show)
	has 'because +.*7' 'exit status 7' 'broken: /srv/data is missing, giving up'
}

who_may_not_see_something_is_told_the_right_it_takes() {
	said=$(on tabs env AS='setpriv --reuid=65534 --regid=65534 --clear-groups' screens web \
		'key 3' 'wait takes root' show 'key 4' 'wait rules take root' show)
	has 'takes root \(CAP_NET_ADMIN\)' "the kernel's rules take root"
}

an_address_that_is_added_inside_is_shown_at_once() {
	said=$(on tabs <<-'END'
		rm -f /tmp/ready
		screens web 'key 3' 'wait routes' 'save /tmp/ready' 'wait 10.99.0.9/32' show >/tmp/said 2>&1 &
		for ((i = 0; i < 1500; i++)); do [ ! -e /tmp/ready ] || break; sleep 0.02; done
		nsenter -t "$(machinectl show -p Leader --value web)" -n ip address add 10.99.0.9/32 dev eth0
		wait
		cat /tmp/said
	END
	)
	has 'inside +.*10\.99\.0\.9/32'
}

events_tell_of_a_stop_and_a_start() {
	said=$(on tabs <<-'END'
		rm -f /tmp/ready
		screens quick 'key 8' 'wait [8 Events]' 'save /tmp/ready' 'wait state   stopped' 'wait state   running' \
			show >/tmp/said 2>&1 &
		for ((i = 0; i < 1500; i++)); do [ ! -e /tmp/ready ] || break; sleep 0.02; done
		machdeck restart quick
		wait
		cat /tmp/said
	END
	)
	has 'state +stopped' 'state +running'
}

run_cases "$@"
