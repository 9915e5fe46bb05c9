#!/bin/bash
# MASQUERADE=1: a private machine's way out, beyond the host, and back.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario gateway

gateway_helpers=$(cat <<-'END'
	sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	NET="PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS6=fc00::1 LOCAL_ADDRESS6=fc00::2"
	beyond() { # what is beyond the host: a web server that knows no way to 10.1.0.2 or fc00::2
		lan
		mkdir -p /tmp/lan; echo lan >/tmp/lan/index.html
		from_lan busybox httpd -p 80 -h /tmp/lan
		from_lan busybox httpd -p '[fd92::1]:80' -h /tmp/lan 2>/dev/null || true
	}
	reaches() { [ "$(inside_of "$1" curl --silent --max-time 1 --globoff "http://$2/")" = lan ]; }
	sees() { # WHERE ADDRESS NAME PEER - who listens at ADDRESS sees NAME come from PEER
		$1 busybox httpd -f -vv -p 99 -h /tmp 2>/tmp/seen & pid=$!
		want 10 eval "$1 ss -Htln | grep -q :99"
		inside_of "$3" curl -s --max-time 1 "http://$2:99/" >/dev/null || true
		want 10 grep -qF "$4" /tmp/seen
		kill $pid
	}
	ours() { nft -j list ruleset | jq -r '[.nftables[].table | select(. and .name == "machdeck") | .family] | sort | join(" ")'; }
	others() { nft -a list ruleset | awk '/^table/ { ours = $3 == "machdeck" } !ours'; }
	foreign() {
		nft 'add table inet mine; add chain inet mine f { type filter hook forward priority 0; policy accept; }; add rule inet mine f counter comment "theirs"'
		nft 'add table ip nat; add chain ip nat p { type nat hook postrouting priority 100; }; add rule ip nat p ip saddr 172.16.0.0/12 masquerade'
	}
END
)
way() { inside <<<"$doctor_helpers"$'\n'"$gateway_helpers"$'\n'"$(cat)"; }

a_machine_with_a_way_out_reaches_beyond_the_host_by_both_families() {
	way <<-'END'
		beyond; small web; conf web $NET
		machdeck start web
		sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		not reaches web 192.168.1.1
		machdeck stop web
		sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
		conf web $NET MASQUERADE=1
		machdeck start web
		want 10 reaches web 192.168.1.1
		want 10 reaches web '[fd92::1]'
		exits 0 machdeck links
		told 'goes out masqueraded'
		machdeck links --json | jq -e '[.spaces[] | select(.masquerade) | .machine] == ["web"]' >/dev/null
		sees from_lan 192.168.1.1 web 192.168.1.10
		logged web 'net.ipv4.ip_forward was 0 and is 1 now' 'net.ipv6.conf.all.forwarding was 0 and is 1 now' 'accept_ra=2'
	END
}

nothing_of_it_is_left_and_nothing_of_others_is_touched() {
	way <<-'END'
		beyond; foreign; small web; conf web $NET MASQUERADE=1
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 MASQUERADE=1
		others >/tmp/before
		machdeck start web
		same tables 'ip ip6' "$(ours)"
		machdeck start db
		others | diff /tmp/before -
		machdeck stop web
		same tables ip "$(ours)"
		same elements '10.2.0.2 db' "$(nft -j list set ip machdeck addresses | jq -r '.nftables[].set // empty | .elem[].elem | "\(.val) \(.comment)"')"
		machdeck stop db
		same tables '' "$(ours)"
		nft -a list ruleset | diff /tmp/before -
		same forwarding 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
		rm -f /tmp/before
	END
}

after_an_unclean_end_nothing_of_it_is_left() {
	way <<-'END'
		beyond; foreign; small web; conf web $NET MASQUERADE=1
		others >/tmp/before
		machdeck start web
		same tables 'ip ip6' "$(ours)"
		systemctl kill --signal=KILL container@web
		want 10 eval '[ "$(state web)" != active ] || [ "$(property web NRestarts)" -gt 0 ]'
		machdeck stop web || true # it was killed
		want 10 eval '[ -z "$(ours)" ]'
		nft -a list ruleset | diff /tmp/before -
		# what no stop could take away, the next start does
		nft 'add table ip machdeck; add set ip machdeck addresses { type ipv4_addr; }; add element ip machdeck addresses { 10.77.0.2 comment "web" }'
		conf web $NET
		machdeck start web
		same tables '' "$(ours)"
		rm -f /tmp/before
	END
}

a_reload_switches_it_on_and_off() {
	way <<-'END'
		beyond; small web; conf web $NET
		machdeck start web
		not reaches web 192.168.1.1
		conf web $NET MASQUERADE=1
		machdeck reload web
		logged web 'its way out is changed'
		want 10 reaches web 192.168.1.1
		machdeck plan web --json | jq -e '.masquerade == ["10.1.0.2", "fc00::2"]' >/dev/null
		nft flush ruleset
		machdeck reload web
		want 10 reaches web '[fd92::1]'
		conf web $NET
		machdeck reload web
		same tables '' "$(ours)"
		not reaches web 192.168.1.1
		machdeck plan web --json | jq -e 'has("masquerade") | not' >/dev/null
	END
}

what_two_such_machines_say_to_each_other_bears_their_own_addresses() {
	way <<-'END'
		small web; conf web $NET MASQUERADE=1
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 MASQUERADE=1
		machdeck start web db
		sees 'inside_of db' 10.2.0.2 web 10.1.0.2
	END
}

run_cases "$@"
