#!/bin/bash
# netmap.sh [ROUNDS] - what the map of the network costs, in a namespace of its own with 1,000 veths, 5,000 addresses and
# 5,000 routes (and what the kernel adds of its own).
#
# The first dump: at most 30 ms of wall time (the best run, which others disturbed least) and a third of `ip -s -j addr;
# ip -j route` (medians, in turn in the same run). A single change: at most 0.2 ms of processor time, the loop's wake-up with it. A burst of 2,000: ends in the right
# picture, which is compared with one read anew, and idle within 1 s. SLACK=N allows N times as much, where others
# work on the same processors.
set -euo pipefail
TOP=$(dirname -- "$(dirname -- "$(dirname -- "$(realpath -- "$0")")")")
MAPPER=${MAPPER:-${B:-$TOP/build}/tests/tools/netmapper}
if [ -z "${IN_NETNS:-}" ]; then
	IN_NETNS=1 exec unshare --net --mount -- "$0" "$@"
fi
rounds=${1:-15} slack=${SLACK:-1} failed=0
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

now() { echo "${EPOCHREALTIME/./}"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# within WHAT GOT LIMIT UNIT
within() {
	local verdict=ok
	(($2 <= $3 * slack)) || { verdict='not ok' failed=1; }
	echo "$verdict $1: $2 $4 (limit $3)"
}

each() { # COUNT FORMAT - FORMAT with %i, %p (i in three digits), %a (i / 250), %b (i % 250 + 1)
	local i line pad
	for ((i = 0; i < $1; i++)); do
		printf -v pad %03d "$i"
		line=${2//%i/$i} line=${line//%p/$pad} line=${line//%a/$((i / 250))}
		echo "${line//%b/$((i % 250 + 1))}"
	done
}

sysctl -qw net.ipv6.conf.default.accept_dad=0 # so that it is quiet at once
{
	each 500 'link add v%i type veth peer name w%i'
	each 500 'link set v%i up'
	each 500 'link set w%i up'
	for ((k = 1; k <= 10; k++)); do each 500 "addr add 10.%a.%b.$k/32 dev v%i"; done
	for ((k = 1; k <= 10; k++)); do each 500 "route add 10.1%a.%b.$k/32 dev w%i"; done
} | ip -batch -

# ---- the first dump

for ((r = 0; r < rounds; r++)); do
	read -r links addresses routes took _ < <("$MAPPER" read 1)
	echo "$took" >>"$T/ours"
	start=$(now)
	ip -s -j addr >/dev/null
	ip -j route >/dev/null
	echo $(($(now) - start)) >>"$T/theirs"
done
ours=$(median <"$T/ours") theirs=$(median <"$T/theirs")
echo "# $links links, $addresses addresses, $routes routes; ip: $theirs us"
within "first dump" "$(sort -n "$T/ours" | head -n 1)" 30000 us
within "first dump against ip" "$ours" $((theirs / 3)) us

# ---- single changes, one at a time

coproc M { "$MAPPER" follow; }
ask() {
	echo "$1" >&"${M[1]}"
	read -r answer <&"${M[0]}"
}
cpu() { # sets cpu to the processor time since the last one
	ask stat
	read -r _ _ _ _ _ _ _ _ _ _ _ cpu <<<"$answer"
}
right() { # WHAT - whether the last check found the right picture
	local verdict=ok
	[ "$answer" = same ] || verdict='not ok' failed=1
	echo "$verdict $1 ends in the right picture: $answer"
}

for change in "an address:addr add 10.77.0.%b/32 dev v7" "an address that goes:addr del 10.77.0.%b/32 dev v7" \
	"a link that changes:link set v9 mtu 4%p" "a route:route add 10.99.0.%b/32 dev v9" "a link that goes down:link set w%i down"; do
	each 200 "${change#*:}" >"$T/batch"
	cpu
	while read -r line; do
		# shellcheck disable=SC2086
		ip $line
	done <"$T/batch"
	cpu
	within "${change%%:*}" $((cpu / 200)) 200 "us of processor time"
	ask check
	right "${change%%:*}"
done

# ---- a burst

{
	each 1000 'addr add 10.78.%a.%b/32 dev v300'
	each 250 'link set v301 mtu 4%p'
	each 250 'route add 10.79.%a.%b/32 dev v302'
	each 500 'addr del 10.78.%a.%b/32 dev v300'
} >"$T/burst"
cpu
start=$(now)
ip -force -batch "$T/burst" 2>/dev/null || true
ended=$(now)
ask check
settled=$(now)
echo "# $(wc -l <"$T/burst") changes in $((ended - start)) us"
right "a burst"
within "idle after it" $((settled - ended)) 1000000 us
cpu
sleep 1 # what is measured is that nothing happens
cpu
within "a second of idleness" "$cpu" 500 "us of processor time"
echo exit >&"${M[1]}"
exit "$failed"
