# What a scenario's script can use in its host; see scenario.sh.

set -Eeuo pipefail
trap 'echo "line $LINENO: ${BASH_COMMAND%%$'"'\\n'"'*} failed with status $?" >&2' ERR
trap clear_all EXIT

CONFS=/etc/containers
ROOTS=/var/lib/containers
mkdir -p $CONFS
echo nameserver 192.0.2.53 >/etc/resolv.conf
from_now() { BEGIN=$EPOCHREALTIME; }
from_now # is what log_of shows

clear_all() {
	local link
	set +e
	systemctl stop 'container@*'
	systemctl reset-failed
	! rm /run/systemd/system/container@*.service.d/case.conf || systemctl daemon-reload
	umount $ROOTS/*
	rm -rf ${CONFS:?}/* $ROOTS/* /lab/guests/*
	[ ! -e /run/netns ] || ip -all netns delete
	for link in /sys/class/net/*; do
		[ "$link" = /sys/class/net/lo ] || ip link delete "${link##*/}"
	done
} >/dev/null 2>&1

# not CMD... - CMD must fail.
not() { ! "$@" >/dev/null 2>&1 || fail "should have failed: $*"; }

# exits STATUS CMD... - CMD must end with STATUS; what it printed is in $said.
exits() {
	local wanted=$1 rc=0
	shift
	said=$("$@" 2>&1) || rc=$?
	[ "$rc" = "$wanted" ] || fail "$* ended with $rc instead of $wanted: $said"
}

# told WORDS... - $said must hold each.
told() {
	local words
	for words; do
		[[ $said == *"$words"* ]] || fail "it says '$said', and nothing of '$words'"
	done
}

# logged NAME WORDS... - the log of its unit must hold each, soon: journald reads behind.
logged() {
	local words
	for words in "${@:2}"; do
		want 10 has_line "$1" "$words"
	done
}
has_line() { [[ $(log_of "$1") == *"$2"* ]]; }

# ---- containers

# conf NAME LINE...
conf() {
	printf '%s\n' "${@:2}" >$CONFS/"$1".conf
}

# exported NAME - sets export: what its systemd-nspawn mounts since 255, and leaves when it is killed. An older one's is made here.
exported() {
	export=/run/systemd/nspawn/unix-export/$1
	mkdir -p "$export"
	mountpoint -q "$export" || mount -t tmpfs export "$export"
}

# drop_in NAME LINE... - for the service of its unit, until the case ends; Restart=no: it does not try again.
drop_in() {
	local folder=/run/systemd/system/container@$1.service.d
	mkdir -p "$folder"
	printf '%s\n' '[Service]' "${@:2}" >"$folder/case.conf"
	systemctl daemon-reload
}

# service GUEST UNIT - started at the guest's boot; its text comes from stdin.
service() {
	local units=$ROOTS/$1/etc/systemd/system
	mkdir -p "$units/multi-user.target.wants"
	cat >"$units/$2"
	ln -sf "../$2" "$units/multi-user.target.wants/"
}

# web GUEST - a tree that serves its name on port 80 from the moment it is ready.
web() {
	lab-guest "$1"
	echo "$1" >$ROOTS/"$1"/srv/index.html
	service "$1" web.service <<-'END'
		[Service]
		Type=forking
		ExecStart=/bin/busybox httpd -p 80 -h /srv
	END
}

# small GUEST - the same in 100 ms: a tree without systemd.
small() {
	lab-guest "$1" --init - <<-'END'
		#!/bin/sh
		exec /bin/busybox httpd -f -p 80 -h /srv
	END
	echo "$1" >$ROOTS/"$1"/srv/index.html
}

property() { systemctl show "container@$1" --property "$2" --value; }
state() { property "$1" ActiveState; }
leader() { # as systemd-machined keeps it: to ask costs as much as a test's other steps
	local line
	while read -r line; do
		[[ $line != LEADER=* ]] || echo "${line#*=}"
	done <"/run/systemd/machines/$1"
}
log_of() { journalctl --quiet --output=cat --since="@$BEGIN" --unit "container@$1.service"; }

# within NAME CMD... - in the container's namespaces.
within() { nsenter --target "$(leader "$1")" --mount --uts --ipc --net --pid --cgroup -- "${@:2}"; }

# by_the_guest NAME CMD... - as a unit of the guest's systemd.
by_the_guest() { within "$1" systemd-run --quiet --pipe --wait "${@:2}"; }

# ---- what judges

fetch() { curl --silent --show-error --fail --max-time 2 --globoff "$@"; }
serves() { [ "$(fetch "$2")" = "$1" ]; } # NAME URL

# The addresses of a link or of all, but for the kernel's own: "10.0.0.1/32 fc00::1/128".
addresses() { ip -j addr show "$@" | jq -r '[.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" ")'; }
addresses_in() { within "$1" ip -j addr show "${@:2}" | jq -r '[.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" ")'; }

# Routes of a link that somebody added: "default via 10.0.0.1, 10.0.0.1".
route_words='[.[] | select(.protocol != "kernel") | .dst + (if .gateway then " via " + .gateway else "" end)] | sort | join(", ")'
routes() { { ip -j -4 route show "$@"; ip -j -6 route show "$@"; } | jq -rs "add | $route_words"; }
routes_in() { { within "$1" ip -j -4 route show "${@:2}"; within "$1" ip -j -6 route show "${@:2}"; } | jq -rs "add | $route_words"; }

# The forwards there are: "tcp 8080 10.0.0.2 80" a line.
forwards() {
	nft -j list ruleset | jq -r '
		.nftables[].map | select(.name == "map_port_ipport") | .elem // [] | .[] |
		"\(.[0].concat[0] | if . == 6 then "tcp" elif . == 17 then "udp" else . end) \(.[0].concat[1]) " +
		"\(.[1].concat[0]) \(.[1].concat[1])"' | sort
}

links() { ip -j link | jq -r '[.[].ifname] | sort | join(" ")'; }
master() { ip -j link show "$1" | jq -r '.[].master // "none"'; }
is_up() { ip -j link show "$1" | jq -e '.[].operstate == "UP"'; }
is_up_in() { within "$1" ip -j link show "$2" | jq -e '.[].operstate == "UP"'; }

# nothing_left NAME - no trace of a container that is down.
nothing_left() {
	[ ! -e "/run/machdeck/$1" ] || fail "/run/machdeck/$1 is left"
	want 10 not machinectl show "$1" # machined and the kernel tidy up behind
	want 10 no_links_of_ours
	same "forwards left" "" "$(forwards)"
}

no_links_of_ours() { [[ " $(links) " != *" "v[eb]-* ]] || fail "links are left: $(links)"; }

# ---- a terminal, at which somebody sits

opens() { tmux kill-server 2>/dev/null || true; until tmux new-session -d -s s -x 100 -y 30 "$1; echo status=\$?; exec sleep 1000" 2>/dev/null; do sleep 0.02; done; }
types() { tmux send-keys -l -t s "$1"; tmux send-keys -t s Enter; }
shows() { tmux capture-pane -p -t s | grep -qE -- "$1"; }
wait_for() { want 10 shows "$1" || { tmux capture-pane -p -t s; exit 1; }; }

# ---- machdeck --linear: `line WORDS` types, `tells PATTERN` waits until it said that since the last line

lines=/tmp/lines
begin_talk() {
	rm -f /tmp/typed; mkfifo /tmp/typed
	TERM=dumb machdeck --linear "$@" </tmp/typed >$lines 2>&1 & talk=$!
	exec 9>/tmp/typed
	told_before=0; tells "^machine> "
}
fresh() { tail -c +$((told_before + 1)) $lines; }
has() { fresh | grep -E -- "${1/#^/'^([a-z A-Z_]+> )?'}" >/dev/null; } # a note may have come before it, and a prompt after that
tells() { want 10 has "$1"; }
line() { told_before=$(stat -c %s $lines); echo "$*" >&9; }
# offers NAME PATTERN - asks for the machine, and whether that is told of it: what was done a moment ago may not be known yet.
offers() {
	line "$1"
	for _ in {1..20}; do
		! has "$2" || return 0
		sleep 0.05
	done
	line b
	return 1
}
end_talk() { line q; exec 9>&-; wait $talk; }

# ---- containers of NixOS: the store has a Debian, which stage 2 makes the guest's system

# nix_store - what the module binds into its containers.
nix_store() {
	mkdir -p /nix/store/tree /nix/var/nix/db /nix/var/nix/daemon-socket
	mountpoint -q /nix/store/tree ||
		mount -t overlay -o lowerdir=/lab/image/guest:/lab/image/root tree /nix/store/tree
}

# nix_system NAME - /nix/store/NAME, a system whose /etc/check says client_NAME.
nix_system() {
	local system=/nix/store/$1
	nix_store
	mkdir -p "$system/bin" "$system/units"
	echo x86_64-linux >"$system/system"
	sed "s,@system@,$system,g" >"$system/init" <<-'END'
		#!/nix/store/tree/bin/busybox sh
		# Stage 2: from the store and an almost empty root to systemd.
		echo "<<< stage 2 of @system@ >>>"
		mkdir -p /usr /srv
		mount -o bind /nix/store/tree/usr /usr
		for i in bin sbin lib lib64; do ln -sfn "usr/$i" "/$i"; done
		PATH=/usr/sbin:/usr/bin
		/usr/bin/cp -an /nix/store/tree/etc/. /etc/ # by its path: the one of busybox skips a folder that is there
		[ -e /etc/machine-id ] || : >/etc/machine-id
		mkdir -p /var/log /var/tmp /etc/systemd/system/multi-user.target.wants
		cp @system@/units/* /etc/systemd/system/
		for i in @system@/units/*; do ln -sf "../${i##*/}" /etc/systemd/system/multi-user.target.wants/; done
		echo "client_$(basename @system@)" >/etc/check
		exec /lib/systemd/systemd "$@"
	END
	sed "s,@system@,$system,g" >"$system/bin/switch-to-configuration" <<-'END'
		#!/bin/bash
		# As the one of NixOS: what is new is started, what is gone is stopped.
		set -e
		[ "$1" = test ]
		for i in /etc/systemd/system/multi-user.target.wants/nix-*; do
			[ ! -e "$i" ] || [ -e "@system@/units/${i##*/}" ] || { systemctl stop "${i##*/}" && rm "$i"; }
		done
		cp @system@/units/* /etc/systemd/system/
		systemctl daemon-reload
		for i in @system@/units/nix-*; do
			ln -sf "../${i##*/}" /etc/systemd/system/multi-user.target.wants/
			systemctl start "${i##*/}"
		done
		echo "client_$(basename @system@)" >/etc/check
		[ ! -e @system@/bin/fail ] || exit 4
	END
	chmod 0755 "$system/init" "$system/bin/switch-to-configuration"
	nix_unit "$1" nix-web.service <<-END
		[Service]
		Type=forking
		ExecStartPre=/bin/sh -c 'echo $1 >/srv/index.html'
		ExecStart=/bin/busybox httpd -p 80 -h /srv
	END
}

# nix_unit SYSTEM UNIT - its text comes from stdin.
nix_unit() { cat >"/nix/store/$1/units/$2"; }
