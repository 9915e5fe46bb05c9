#!/bin/bash
# start.sh [ROUNDS] - what a start costs beyond systemd-nspawn's own: ours against the reference module's shell way.
#
# One container with IPv4 and IPv6, a forwarded port and two extra veths on one host, started three ways in turn:
#   bare   systemd-nspawn with the same argv, nothing before or after
#   shell  the same unit with scripts that take the module's steps (shell-start)
#   ours   container@.service
# The time is systemd's own, from the start job's begin to active. Fails when (ours - bare) is more than 10 % of
# (shell - bare), by medians.
. "$(dirname "$0")/../lab/lib.sh"
rounds=${1:-15}
lab_host h --bind "$(realpath "$(dirname "$0")"):/bench"

on h <<'END'
lab-guest bench
mkdir -p /etc/containers /run/systemd/system
echo nameserver 192.0.2.53 >/etc/resolv.conf
cat >/etc/containers/bench.conf <<'CONF'
PRIVATE_NETWORK=1
HOST_ADDRESS=10.50.1.1
LOCAL_ADDRESS=10.50.1.2
HOST_ADDRESS6=fd50::1
LOCAL_ADDRESS6=fd50::2
HOST_PORT=tcp:8080:80
EXTRA_VETHS="vx1,hostAddress=10.51.1.1,localAddress=10.51.1.2 vx2,hostAddress=10.52.1.1,localAddress=10.52.1.2"
CONF
common='Type=notify
Restart=no
KillMode=mixed
Slice=machine.slice
Delegate=yes
DevicePolicy=closed
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1'
mkdir -p /run/machdeck/bare/guest
install -m 0555 /usr/libexec/machdeck/machdeck-init /run/machdeck/bare/guest/init
machdeck plan --json bench 2>/dev/null | jq -r '.init' >/dev/null
machdeck plan bench 2>/dev/null | sed -n "s,^printf.*,&,p" | sed 's,/run/machdeck/bench/,/run/machdeck/bare/,' | bash
cat >/run/systemd/system/bare.service <<UNIT
[Service]
$common
ExecStart=$(machdeck plan --json bench 2>/dev/null | jq -r '.argv[0] = "/usr/bin/systemd-nspawn" | [.argv[] | @sh] | join(" ")' |
	sed 's,/run/machdeck/bench/,/run/machdeck/bare/,')
UNIT
cat >/run/systemd/system/shell.service <<UNIT
[Service]
$common
Environment=INSTANCE=bench root=/var/lib/containers/bench
Environment="VETHS=vx1 vx2" V1_HOST=10.51.1.1 V1_LOCAL=10.51.1.2 V2_HOST=10.52.1.1 V2_LOCAL=10.52.1.2
EnvironmentFile=-/etc/containers/bench.conf
ExecStartPre=/bench/shell-start prestart
ExecStart=/bench/shell-start start
ExecStartPost=/bench/shell-start poststart
UNIT
systemctl daemon-reload
END

# milliseconds from the start's begin to active
start_once() {
	on h <<END
systemctl start $1
systemctl show -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic --value $1 | tr '\n' ' '
systemctl stop $1
END
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

declare -A times
for way in ${WAYS:-bare shell container@bench}; do start_once $way >/dev/null; done
for ((i = 0; i < rounds; i++)); do
	for way in ${WAYS:-bare shell container@bench}; do
		read -r begin end _ <<<"$(start_once $way | tr ' ' '\n' | grep -v '^$' | sort -n | tr '\n' ' ')"
		times[$way]+="$(((end - begin) / 10))"$'\n'
	done
done
bare=$(printf %s "${times[bare]}" | median)
shell=$(printf %s "${times[shell]}" | median)
ours=$(printf %s "${times[container@bench]}" | median)
awk -v b="$bare" -v s="$shell" -v o="$ours" -v n="$rounds" 'BEGIN {
	printf "start, medians of %d: bare %.1f ms, shell +%.1f ms, ours +%.1f ms = %.1f %% of the shell way\n",
		n, b / 100, (s - b) / 100, (o - b) / 100, 100 * (o - b) / (s - b)
	exit (o - b) > 0.1 * (s - b)
}'
