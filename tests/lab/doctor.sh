# Sourced by tests/lab/test-doctor*.sh, after lib.sh and scenario.sh: what a scene of the port doctor can use.

doctor_helpers=$(cat <<-'END'
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	trap 'sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0; nft flush ruleset; systemctl start machdeck-net; clear_all' EXIT

	WEB='PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2'
	first() { machdeck doctor --json "${@:2}" "$1" | jq -r ".ports[0] | $FIRST"; }
	FIRST='(.findings | map(select(.broken)) | .[0] | if . then .step + " " + .cause else "-" end)'

	# sick NAME STEP CAUSE WORDS... - within 3 s that is the first broken link, its sentence has the words, status 1.
	sick() {
		want 10 eval "[ \"\$(first $1)\" = '$2 $3' ]" || { first "$1" >&2; exit 1; }
		exits 1 machdeck doctor "$1"
		told "[$3]" "${@:4}"
		same "cause of $1" "$3" "$(machdeck ports --json | jq -r ".ports[] | select(.machine == \"$1\") | .cause" | head -n 1)"
	}
	# well NAME - within 3 s nothing is broken, and the port serves.
	well() {
		want 10 eval "[ \"\$(first $1)\" = - ]"
		exits 0 machdeck doctor "$1"
		want 10 serves "$1" "http://${2:-10.1.0.1}:8080/"
	}
	notes() { # NAME CAUSE WORDS...
		want 10 eval "machdeck doctor --json $1 | jq -e '.ports[0].findings[] | select(.cause == \"$2\" and (.broken | not))'"
		exits 0 machdeck doctor "$1"
		told "${@:3}"
	}
	inside_of() { nsenter --target "$(leader "$1")" --net -- "${@:2}"; }
	# lan - a peer host, 192.168.1.1 and fd92::1, on the host's uplink 192.168.1.10, fd92::10
	lan() {
		ip netns add lan
		ip link add eth0 type veth peer name lan0 netns lan
		ip addr add 192.168.1.10/24 dev eth0; ip -6 addr add fd92::10/64 dev eth0 nodad; ip link set eth0 up
		ip -n lan addr add 192.168.1.1/24 dev lan0; ip -n lan -6 addr add fd92::1/64 dev lan0 nodad; ip -n lan link set lan0 up
		ip route add default via 192.168.1.1; ip -6 route add default via fd92::1
	}
	from_lan() { ip netns exec lan "$@"; }
	map() { nft "$1" element "${4:-ip}" io.systemd.nat map_port_ipport "{ $2 . 8080${3:+ : $3} }"; }
END
)
scene() { inside <<<"$doctor_helpers"$'\n'"$(cat)"; }
