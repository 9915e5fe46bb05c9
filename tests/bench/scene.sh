#!/bin/bash
# scene.sh - runs in the host: the container bench, and the units that start it in start.sh's other ways.

set -euo pipefail
lab-guest bench
mkdir -p /etc/containers /run/systemd/system
[ "${GUEST:-}" != bare ] || printf '[Unit]\nDescription=Nothing\nDefaultDependencies=no\n' \
	>/var/lib/containers/bench/etc/systemd/system/default.target
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

# What the module's script binds, and a stage 2 that is not there: it leads to the guest's systemd.
mkdir -p /nix/store/system /nix/var/nix/db /nix/var/nix/daemon-socket
cp /bench/module-start /nix/store/
echo x86_64-linux >/nix/store/system/system
echo 'exec /sbin/init' >/nix/store/system/init

# unit NAME - with what all have in common, and the lines from stdin
unit() {
	cat - <(echo '[Service]
Type=notify
Restart=no
KillMode=mixed
Slice=machine.slice
Delegate=yes
DevicePolicy=closed
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1') \
		>"/run/systemd/system/$1.service"
}

# What is started so often here is no sign of trouble.
mkdir -p /run/systemd/system/service.d
printf '[Unit]\nStartLimitIntervalSec=0\n' >/run/systemd/system/service.d/often.conf

mkdir -p /run/bench/guest
install -m 0555 /usr/libexec/machdeck/machdeck-init /run/bench/guest/init
machdeck plan bench 2>/dev/null | sed -n 's,/run/machdeck/bench/,/run/bench/,; /^printf/p' | bash
argv=$(machdeck plan --json bench 2>/dev/null |
	jq -r '.argv[0] = "/usr/bin/systemd-nspawn" | [.argv[] | @sh] | join(" ")' |
	sed 's,/run/machdeck/bench/,/run/bench/,')
unit bare <<UNIT
[Service]
ExecStart=$argv
UNIT
unit post <<UNIT
[Service]
ExecStart=$argv
ExecStartPost=/bin/true
UNIT
unit shell <<UNIT
[Service]
Environment=INSTANCE=bench root=/var/lib/containers/bench
Environment="VETHS=vx1 vx2" V1_HOST=10.51.1.1 V1_LOCAL=10.51.1.2 V2_HOST=10.52.1.1 V2_LOCAL=10.52.1.2
EnvironmentFile=-/etc/containers/bench.conf
ExecStartPre=/bench/shell-start prestart
ExecStart=/bench/shell-start start
ExecStartPost=/bench/shell-start poststart
UNIT
unit module <<UNIT
[Service]
Environment=INSTANCE=bench root=/var/lib/containers/bench SYSTEM_PATH=/nix/store/system
EnvironmentFile=-/etc/containers/bench.conf
ExecStartPre=/bench/module-start prestart
ExecStart=/bench/module-start start
ExecStartPost=/bench/module-start poststart
UNIT
systemctl daemon-reload
