#!/bin/bash
# list.sh [ROUNDS] - what a look at all machines costs: machdeck list against machinectl list.
#
# 100, then 300 running containers with a veth and an address each, in one host. The runs are made in turn; the times
# hold the process's start and end. With 300 the bus takes no more connections of root: it has a limit of 256, which is
# raised here only while they are started. Fails when machdeck takes more than 1/10 of machinectl's time at 100
# (medians), or does not list 300.
. "$(dirname "$0")/../lab/lib.sh"
rounds=${1:-15}
lab_host h

# grow FROM TO - start containers cFROM to cTO: busybox, a veth, an address. The unit stands in for container@.service
# so that the guests need no tree of their own; what a list reads of them is the same.
grow() {
	on h bash -euo pipefail -s "$1" "$2" <<-'END'
	tree=/lab/guests/tree
	mkdir -p $tree/{usr/bin,usr/lib,etc,proc,sys,dev,run,tmp,var,root} /run/systemd/system /etc/containers
	[ -e $tree/usr/bin/busybox ] || cp /usr/bin/busybox $tree/usr/bin/
	ln -sfn usr/bin $tree/bin
	: >$tree/etc/os-release
	cat >$tree/usr/bin/init <<-'INIT'
	#!/bin/busybox sh
	trap 'exit 0' TERM
	busybox ip addr add "$ADDRESS/32" dev host0
	busybox ip link set dev host0 up
	busybox sleep 100000 & wait
	INIT
	chmod 0755 $tree/usr/bin/init
	cat >/run/systemd/system/container@.service <<-UNIT
	[Service]
	Type=notify
	KillMode=mixed
	Slice=machine.slice
	Delegate=yes
	EnvironmentFile=/etc/containers/%i.conf
	ExecStart=systemd-nspawn --quiet --keep-unit --machine=%i --directory=$tree --read-only \
		--network-veth --kill-signal=SIGTERM --link-journal=no --setenv=ADDRESS=\${LOCAL_ADDRESS} /usr/bin/init
	UNIT
	systemctl daemon-reload
	units=()
	for ((i = $1; i <= $2; i++)); do
		printf 'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.1.0.1\nLOCAL_ADDRESS=10.%d.%d.2\n' $((2 + i / 250)) $((i % 250)) \
			>/etc/containers/c$i.conf
		units+=(container@c$i)
	done
	systemctl start "${units[@]}"
	END
}

# bus_limit N|default - how many connections root may have to the bus, each running systemd-nspawn has one
bus_limit() {
	on h bash -euo pipefail -s "$1" <<-'END'
	conf=/etc/dbus-1/system.d/bench.conf
	rm -f $conf
	[ "$1" = default ] ||
		echo "<busconfig><limit name='max_connections_per_user'>$1</limit></busconfig>" >$conf
	systemctl reload dbus 2>/dev/null || true # it saw the change itself, and refuses us already
	END
}

# measure - two medians in microseconds: machdeck's, machinectl's; "-" for one that fails
measure() {
	on h bash -s "$rounds" <<-'END'
	median() { [ -s "$1" ] && sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }' || echo -; }
	once() { # FILE CMD...
		local began=${EPOCHREALTIME/./}
		"${@:2}" >/dev/null 2>&1 && echo $((${EPOCHREALTIME/./} - began)) >>"$1"
	}
	rm -f /tmp/ours /tmp/theirs
	for ((i = 0; i < $1; i++)); do
		once /tmp/ours machdeck list
		once /tmp/theirs machinectl list
	done
	median /tmp/ours
	median /tmp/theirs
	END
}

seen() { on h machdeck list | grep -c ' running  10\.'; }
all_seen() { [ "$(seen)" -eq "$1" ]; }

rc=0
for n in 100 300; do
	bus_limit 512
	grow $((n == 100 ? 1 : 101)) $n
	bus_limit default
	want 20 all_seen $n
	seen=$(seen)
	mapfile -t medians < <(measure)
	awk -v n=$n -v seen="$seen" -v o="${medians[0]}" -v t="${medians[1]}" -v rounds="$rounds" 'BEGIN {
		printf "%d containers, medians of %d: machdeck list %.1f ms (%d seen running with an address), ", n, rounds, o / 1000, seen
		if (t == "-")
			print "machinectl list fails"
		else
			printf "machinectl list %.1f ms: 1/%.1f\n", t / 1000, t / o
		exit seen != n || (n == 100 && o * 10 > t)
	}' || rc=1
done
exit $rc
