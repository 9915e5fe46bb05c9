#!/bin/bash
# rounds.sh FIRST LAST WAY... - runs in the host: starts and stops each way once a round, in an order that turns.
# Prints "ROUND WAY MICROSECONDS", the time being systemd's own, from the start job's begin to active.

set -euo pipefail
first=$1 last=$2
shift 2
ways=("$@")

# No link of the container before is left: the kernel takes a network namespace down behind our back, under the lock
# that all links share.
is_quiet() { ! ls /sys/class/net | grep -qE '^(v[eb]-|vx)'; }

# What is ours runs for us alone: the others start on a host without it.
set_scene() {
	case $1 in
	container@*)
		systemctl start machdeck-net
		rm -f "/run/machdeck/.starts.${1#container@}" # what counts starts in a row asks systemd at the fifth
		;;
	*) systemctl stop machdeck-net ;;
	esac
	for ((i = 0; i < 500; i++)); do ! is_quiet || break; sleep 0.01; done
}

start_once() {
	local begin end
	set_scene "$1"
	systemctl start "$1"
	{ read -r begin; read -r end; } < <(systemctl show -p InactiveExitTimestampMonotonic "$1" --value
		systemctl show -p ActiveEnterTimestampMonotonic "$1" --value)
	systemctl stop "$1"
	echo "$((end - begin))"
}

for ((round = first; round <= last; round++)); do
	for ((k = 0; k < ${#ways[@]}; k++)); do
		way=${ways[(k + round) % ${#ways[@]}]}
		echo "$round $way $(start_once "$way")"
	done
done
