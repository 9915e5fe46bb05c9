#!/bin/bash
# counts.sh - runs in the host: starts the container once under strace, and prints how many processes of ours that takes
# and how many sends change each side of the network. Looking is no change.

set -euo pipefail
trace=$(mktemp)
systemctl start machdeck-net
rm -f /run/machdeck/.starts.bench # as in rounds.sh
watcher=$(systemctl show -p MainPID --value machdeck-net)
strace -f -qq -s 64 -e trace=execve,clone,clone3,sendto,sendmsg -o "$trace" -p 1 -p "$watcher" &
tracer=$!
until grep -q '^TracerPid:.[1-9]' "/proc/$watcher/status"; do sleep 0.01; done
systemctl start container@bench
kill "$tracer"
wait "$tracer" || true
systemctl stop container@bench

# Several messages in one send are a batch; alone, a message is told by its type.
awk -v watcher="$watcher" '
	/execve\("/ {
		is_ours[$1] = /execve\("([^"]*\/machdeck(-unit)?|\/run\/machdeck\/init)"/
		side[$1] = is_ours[$1] ? (/machdeck\/init"/ ? "guest" : "host") : ""
		if (is_ours[$1]) processes[$1]
	}
	/clone3?\(/ && is_ours[$1] && $NF ~ /^[0-9]+$/ { processes[$NF]; side[$NF] = "host" }
	/send(to|msg)\(.*(\[\[\{nlmsg_len|RTM_(NEW|DEL|SET))/ { sends[$1 == watcher ? "host" : side[$1]]++ }
	END {
		printf "processes of ours: %d\n", length(processes)
		printf "sends of the host%ss side: %d\nsends of the guest%ss side: %d\n", "\047", sends["host"], "\047", sends["guest"]
	}' "$trace"
rm "$trace"
