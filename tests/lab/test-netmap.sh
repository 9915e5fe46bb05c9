#!/bin/bash
# The map of the network, judged by iproute2 and nft: what is there, what changes, and what is hostile.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario netmap --unfiltered --bind "${B:-$TOP/build}/tests/tools:/lab/tools"

helpers=$(
	cat <<-'EOF'
	map() { machdeck links --json; }
	# of SPACE FILTER - of the map's space of a machine, "" the host's
	of() { map | jq -r --arg m "$1" '.spaces[] | select((.machine // "") == $m) | '"$2"; }
	link() { of "$1" ".links[] | select(.name == \"$2\") | $3"; } # MACHINE NAME FILTER
	# as_ip MACHINE CMD... - the machine's links, addresses and routes are as ip tells, which CMD runs there
	as_ip() {
		same "links of '$1'" "$("${@:2}" ip -j link | jq -r '.[] | "\(.ifindex) \(.ifname) \(.mtu)"' | sort)" \
			"$(of "$1" '.links[] | "\(.index) \(.name) \(.mtu)"' | sort)"
		same "addresses of '$1'" "$("${@:2}" ip -j addr | jq -r '.[] | .ifindex as $i | .addr_info[] | "\($i) \(.local)/\(.prefixlen) \(.scope)"' | sort)" \
			"$(of "$1" '.links[] | .index as $i | .addresses[] | "\($i) \(.address) \(.scope)"' | sort)"
		same "routes of '$1'" "$({ "${@:2}" ip -j route; "${@:2}" ip -j -6 route; } | jq -rs 'add | .[] | select(.type != "multicast") |
			"\(.dst | sub("/(32|128)$"; "")) \(.gateway) \(.metric // 0)"' | sort)" \
			"$(of "$1" '.routes[] | "\(.to | if test("/0$") then "default" else sub("/(32|128)$"; "") end) \(.via) \(.metric)"' | sort)"
	}
	follow() { # the engine keeps a picture in /run/picture
		rm -f /run/picture
		/lab/tools/netmapper machines /run/picture &
		mapper=$!
		trap 'kill $mapper; clear_all' EXIT
		want 10 grep -q resyncs /run/picture
	}
	shows() { grep -qE -- "$1" /run/picture; }
	not_shown() { ! shows "$1"; }
	# no COMMAND - it fails
	no() { ! "$@"; }
	EOF
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

the_map_is_what_ip_and_nft_tell_of_host_and_machines() {
	scene <<-'EOF'
		small one; small two
		conf one PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS6=fc00:1::1 LOCAL_ADDRESS6=fc00:1::2 HOST_PORT=tcp:8080:80
		ip link add br7 type bridge && ip addr add 10.7.0.1/24 dev br7 && ip link set br7 up
		ip link add foreign0 type veth peer name foreign1 && ip link set foreign0 master br7 up
		ip link set foreign1 up
		conf two PRIVATE_NETWORK=1 HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24
		machdeck start one two
		want 10 sh -c '! ip -j addr | grep -q tentative'
		want 10 sh -c "! nsenter -t $(leader one) -n ip -j addr | grep -q tentative"
		want 10 sh -c "! nsenter -t $(leader two) -n ip -j addr | grep -q tentative"
		as_ip ''
		as_ip one within one
		as_ip two within two
		same "the other end" 'one eth0' "$(link '' ve-one '.otherEnd | "\(.machine) \(.name)"')"
		same "and back" 'null ve-one' "$(link one eth0 '.otherEnd | "\(.machine) \(.name)"')"
		same "ports" "foreign0 null, vb-two two" \
			"$(of '' '(.links[] | select(.name == "br7").index) as $b | [.links[] | select(.master == $b) | "\(.name) \(.machine)"] | sort | join(", ")')"
		same forwards 'tcp 8080 10.1.0.2 80 one, tcp 8080 fc00:1::2 80 one' \
			"$(map | jq -r '[.forwards[] | "\(.protocol) \(.port) \(.to) \(.toPort) \(.machine)"] | join(", ")')"
		same flaws '' "$(of '' '.links[].flaw // empty')"
		said=$(machdeck links)
		grep -qE '^  ve-one: veth up.*, 10.1.0.1/32.* <-> one eth0: veth up.*, 10.1.0.2/32' <<<"$said" || fail "$said"
		grep -qE '^    foreign0: veth up.*, foreign <-> foreign1' <<<"$said" || fail "$said"
		grep -qE '^  tcp 8080 -> 10.1.0.2:80' <<<"$said" || fail "$said"
		ip link del br7; ip link del foreign0
	EOF
}

all_kinds_of_links_are_found_at_their_other_end() {
	scene <<-'EOF'
		small many
		ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up
		ip link add moved0 type veth peer name moved1
		conf many PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2 INTERFACES=moved0 MACVLANS=up0 EXTRA_VETHS='"vx1,hostAddress=10.3.0.1,localAddress=10.3.0.2"'
		machdeck start many
		same moved 'null moved1' "$(link many moved0 '.otherEnd | "\(.machine) \(.name)"')"
		same "and from the host" 'many moved0' "$(link '' moved1 '.otherEnd | "\(.machine) \(.name)"')"
		same macvlan 'null up0' "$(link many mv-up0 '.parent | "\(.machine) \(.name)"')"
		same "extra veth" 'many vx1' "$(link '' vx1 '.otherEnd | "\(.machine) \(.name)"')"
		# renamed at both ends: still a pair, still whose it is
		within many ip link set eth0 down
		within many ip link set eth0 name lan9
		within many ip link set lan9 up
		ip link set ve-many down && ip link set ve-many name elsewhere9 && ip link set elsewhere9 up
		same renamed 'many lan9' "$(link '' elsewhere9 '.otherEnd | "\(.machine) \(.name)"')"
		ip link set elsewhere9 down && ip link set elsewhere9 name ve-many && ip link set ve-many up
		machdeck stop many
		ip link del up0; ip link del moved1 2>/dev/null || true
	EOF
}

a_long_name_is_shown_in_full_and_each_has_its_own_link() {
	scene <<-'EOF'
		small averyveryverylongname; small averyveryverylongother
		conf averyveryverylongname PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		conf averyveryverylongother PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.3
		machdeck start averyveryverylongname averyveryverylongother
		for m in averyveryverylongname averyveryverylongother; do
			same altname "ve-$m" "$(of '' ".links[] | select(.machine == \"$m\") | .altnames[0]")"
		done
		same flaws '' "$(of '' '.links[].flaw // empty')"
		machdeck links | grep -q '(ve-averyveryverylongname)'
	EOF
}

what_is_not_as_it_should_be_is_named() {
	scene <<-'EOF'
		small web; small db
		ip link add br9 type bridge && ip link set br9 up
		conf web PRIVATE_NETWORK=1 HOST_BRIDGE=br9 LOCAL_ADDRESS=10.9.0.2/24
		conf db PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		same well '' "$(of '' '.links[].flaw // empty')"
		systemctl stop machdeck-net # which would take it back to a bridge that is made anew
		trap 'systemctl start machdeck-net; clear_all' EXIT
		ip link del br9
		same "bridge gone" lost-bridge "$(link '' vb-web .flaw)"
		ip link add br9 type bridge && ip link set br9 up
		same "bridge made anew" lost-bridge "$(link '' vb-web .flaw)"
		said=$(machdeck links)
		grep -qE 'vb-web.*lost-bridge: it is to be a port of br9' <<<"$said" || fail "$said"
		ip link set vb-web master br9
		same "mended" null "$(link '' vb-web .flaw)"
		ip link add ve-db type bridge
		same squatter squatter "$(link '' ve-db .flaw)"
		said=$(machdeck links)
		grep -qE 've-db.*squatter: it is in the way of db' <<<"$said" || fail "$said"
		ip link del ve-db
		ip link add ve-ghost type veth peer name nobody0
		same orphan orphan "$(link '' ve-ghost .flaw)"
		ip link del ve-ghost
		ip link del br9
	EOF
}

a_change_on_either_side_is_seen_within_a_second() {
	scene <<-'EOF'
		small web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8081:80
		machdeck start web
		follow
		want 10 shows '^address .* 10.1.0.2/32'
		want 10 shows "^listener 'web' tcp .* 80 process (busybox|httpd)"
		want 1 shows '^to 8081 10.1.0.2'
		# inside: an address, a route, a link's name, its state
		within web ip addr add 10.55.0.2/24 dev eth0
		want 1 shows '^address .* 10.55.0.2/24'
		within web ip route add 10.66.0.0/16 via 10.55.0.1
		want 1 shows '^route 10.66.0.0/16 10.55.0.1'
		within web ip link set eth0 mtu 1300
		want 1 shows '^link .* eth0 veth .* mtu 1300'
		within web ip link set eth0 down
		want 1 shows '^link .* eth0 veth up 0'
		want 1 shows '^link .* ve-web veth up 1 carrier 0'
		want 1 not_shown '^route 10.66.0.0/16'
		within web ip link set eth0 name lan0
		want 1 shows '^link .* lan0 veth'
		# on the host: an address, the rules
		ip addr del 10.1.0.1/32 dev ve-web
		want 1 not_shown '^address .* 10.1.0.1/32'
		nft flush ruleset
		want 1 not_shown '^to 8081'
		# listeners have no event: a tick
		within web busybox httpd -p 81
		kill -USR1 $mapper
		want 1 shows "^listener 'web' tcp .* 81 process"
		# and it holds nothing of the guest: it can stop, and its link goes
		machdeck stop web
		want 1 not_shown ' ve-web '
		want 1 not_shown "^space 'web'"
	EOF
}

a_dead_namespace_is_not_held() {
	scene <<-'EOF'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		follow
		want 10 shows '^address .* 10.1.0.2/32'
		old=$(of '' '.links[] | select(.machine == "web").index')
		for i in $(seq 20); do kill -USR1 $mapper; done
		systemctl kill --signal=KILL container@web # what systemd-nspawn would have taken away is left to the kernel
		same_index() { ip -j link | jq -e ".[] | select(.ifindex == $old and .ifname == \"ve-web\")" >/dev/null; }
		want 10 no same_index
		want 10 no shows "^link $old ve-web"
	EOF
}

case_64_lost_events_are_made_up_by_one_reading_and_it_is_idle_again() {
	scene <<-'EOF'
		follow
		kill -STOP $mapper
		for i in $(seq 200); do
			echo "link add o$i type veth peer name p$i"
			echo "link set o$i up"
			for k in $(seq 80); do echo "link set o$i mtu $((1300 + k))"; done
		done | ip -batch -
		began=${EPOCHREALTIME/./}
		kill -CONT $mapper
		want 10 shows ' p200 veth'
		want 10 shows '^resyncs [1-9]'
		alike() { [ "$(ip -j link | jq -r '.[] | "\(.ifindex) \(.ifname) \(.mtu)"' | sort)" = "$(sed -nE 's/^link ([0-9]+) (\S+) .* mtu ([0-9]+) .*/\1 \2 \3/p' /run/picture | sort)" ]; }
		want 10 alike
		took=$((${EPOCHREALTIME/./} - began))
		[ $took -lt 3000000 ] || fail "it took $took us"
		ticks() { cut -d' ' -f14,15 /proc/$mapper/stat; }
		quiet() { local a; a=$(ticks); sleep 0.3; [ "$a" = "$(ticks)" ]; } # that nothing happens takes a while to see
		want 10 quiet
		for i in $(seq 200); do echo "link del o$i"; done | ip -batch -
		want 10 alike
	EOF
}

hostile_names_are_shown_safely_and_never_acted_on() {
	scene <<-'EOF'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		esc=$'\e[31mx' bad=$'bad\xff\xfename' long=$(printf 'L%.0s' $(seq 127)) percent='%n%s%x'
		ip link add name h0 type veth peer name h1
		ip link set h0 up
		for name in "$esc" "$bad" 'dollar$(id)' "$percent"; do
			ip link property add dev h0 altname "$name" 2>/dev/null || echo "# the kernel refuses an alternative name"
		done
		ip link property add dev h0 altname "$long"
		ip link set h1 name "$esc"2
		# inside, too, by who has the rights there
		within web ip link set eth0 down
		within web ip link set eth0 name "$bad"
		within web ip link set "$bad" up
		for format in '' --json; do
			machdeck links $format >/run/said
			no grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' /run/said || fail "control bytes: $(cat -v /run/said)"
			iconv -f UTF-8 -t UTF-8 /run/said >/dev/null || fail "no UTF-8: $(cat -v /run/said)"
			grep -qF 'x1b[31mx2' /run/said || fail "the name is not shown: $(cat -v /run/said)"
			grep -qF 'xff' /run/said || fail "the name of the guest's is not shown: $(cat -v /run/said)"
			grep -qF "$long" /run/said || fail "127 bytes are not shown: $(cat -v /run/said)"
		done
		jq -e .schema /run/said >/dev/null
		ip link del h0
		machdeck stop web
		nothing_left web
	EOF
}

a_user_sees_the_hosts_side_and_which_right_shows_more() {
	scene <<-'EOF'
		small web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
		said=$(as machdeck links 2>&1)
		grep -qE 'not seen: .*CAP_NET_ADMIN' <<<"$said" || fail "$said"
		grep -qE 've-web: veth up.*, 10.1.0.1/32.* <-> web' <<<"$said" || fail "$said"
		grep -qE 'its links and addresses take root \(CAP_NET_ADMIN\)' <<<"$said" || fail "$said"
		as machdeck links --json >/run/said
		jq -e '.limits | length > 0' /run/said >/dev/null
		same "nothing is guessed" '[] true' "$(jq -r '.spaces[] | select(.machine == "web") | "\(.links) \(.noLinks != null)"' /run/said)"
		same "no flaw is made up" '' "$(jq -r '.spaces[0].links[].flaw // empty' /run/said)"
	EOF
}

looking_writes_nothing_into_the_network() {
	scene <<-'EOF'
		small web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8082:80
		machdeck start web
		ip monitor link address route rule nexthop >/run/ip 2>&1 & monitors=$!
		nft monitor >/run/nft 2>&1 & monitors+=" $!"
		trap 'kill $monitors; clear_all' EXIT
		# what they are sure to tell, so that it is known that they listen
		heard() { ip link set lo mtu 65535; ip link set lo mtu 65536; grep -q lo: /run/ip; }
		want 10 heard
		rules() { nft add table ip probe; nft delete table ip probe; grep -q probe /run/nft; }
		want 10 rules
		settled() { local a; a=$(cat /run/ip /run/nft | wc -c); sleep 0.3; [ "$a" = "$(cat /run/ip /run/nft | wc -c)" ]; }
		want 10 settled
		before=$(cat /run/ip /run/nft | wc -c)
		machdeck links >/dev/null
		machdeck links --json >/dev/null
		setpriv --reuid=65534 --regid=65534 --clear-groups machdeck links >/dev/null 2>&1
		rm -f /run/picture # what an earlier one left tells nothing of this one
		/lab/tools/netmapper machines /run/picture & mapper=$!
		want 10 grep -q resyncs /run/picture
		listeners() { kill -USR1 $mapper; grep -q '^listener' /run/picture; } # the machine may not be known at once
		want 10 listeners
		kill $mapper
		printf 'key Enter 3\nkey H\nkey O\n' >/run/script
		chmod 644 /run/script
		machdeck --read-only --script /run/script >/run/said 2>&1 || fail "$(cat /run/said)"
		want 10 settled
		same "what ip and nft monitor told" "$before" "$(cat /run/ip /run/nft | wc -c)"
		ip addr add 10.99.0.1/32 dev lo
		want 10 grep -q 10.99.0.1 /run/ip
		ip addr del 10.99.0.1/32 dev lo
	EOF
}

what_the_map_costs_stays_in_its_budget() {
	local said
	said=$(SLACK=3 "$TOP/tests/bench/netmap.sh" 5) || fail "$(grep ^not <<<"$said")"
	echo "$said"
}

run_cases "$@"
