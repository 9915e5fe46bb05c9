#!/bin/bash
# What a machine reaches, by what is read and, when asked, by trying; judged by ping and a name server in a peer namespace.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario reach

reach_helpers=$(cat <<-'END'
	reach() { machdeck doctor --json "${@:2}" web | jq -r ".reach.$1 | .state + \" \" + (.cause // \"-\")"; }
	# reaches TARGET STATE CAUSE WORDS... - within 3 s that is told, with the words
	reaches() {
		want 10 eval "[ \"\$(reach $1)\" = '$2 $3' ]" || { reach "$1" >&2; exit 1; }
		said=$(machdeck doctor --json web | jq -r ".reach.$1.text")
		told "${@:4}"
	}
	pings() { inside_of web ping -c 1 -W 1 "$1"; }
	# name_server - in the peer namespace: sends back what it is asked
	name_server() {
		ip netns exec lan perl -MSocket=:all -e '
			socket(S, AF_INET, SOCK_DGRAM, 17); bind(S, sockaddr_in(53, INADDR_ANY)) or die;
			while (defined($from = recv(S, $text, 999, 0))) { send(S, $text, 0, $from) }' &
		server=$!
	}
END
)
scene() { inside <<<"$doctor_helpers"$'\n'"$reach_helpers"$'\n'"$(cat)"; }

what_is_reached_is_named_and_answers() {
	scene <<-'END'
		lan
		echo nameserver 192.168.1.1 >/etc/resolv.conf
		small web; conf web $WEB
		machdeck start web
		reaches host good - 10.1.0.1
		reaches neighbours idle - 'it is on no bridge'
		reaches gateway good - '10.1.0.1, the host'
		reaches names unknown no-masquerade 'its address 10.1.0.2 is private and not masqueraded'
		name_server
		same tried 'broken no-answer' "$(reach names --probe)"
		nft 'add table ip gate; add chain ip gate post { type nat hook postrouting priority 100; }; add rule ip gate post ip saddr 10.1.0.2 masquerade'
		reaches names good - 192.168.1.1
		want 10 eval '[ "$(reach names --probe)" = "good -" ]'
		same 'host tried' 'good -' "$(reach host --probe)"
		pings 10.1.0.1; pings 192.168.1.1
		kill $server
	END
}

what_is_not_reached_is_told_with_its_cause() {
	scene <<-'END'
		lan
		echo nameserver 192.168.1.1 >/etc/resolv.conf
		small web; conf web $WEB
		machdeck start web
		pings 10.1.0.1
		ip route del 10.1.0.2
		reaches host broken no-route-back 'the host has no route back to 10.1.0.2 over ve-web'
		not pings 10.1.0.1
		ip route add 10.1.0.2 dev ve-web
		nft 'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }'
		reaches host broken host-firewall 'chain in of table inet f (policy drop)'
		not pings 10.1.0.1
		nft delete table inet f
		sysctl -qw net.ipv4.ip_forward=0
		reaches names broken no-forwarding '192.168.1.1 is beyond the host, where net.ipv4.ip_forward is 0'
		sysctl -qw net.ipv4.ip_forward=1
		ip route del default
		reaches names broken host-no-default-route 'the host itself has no default route'
		inside_of web ip route del default
		reaches gateway broken no-default-route 'no default route in the guest'
		reaches names broken no-route 'web has no route to its name server 192.168.1.1'
		inside_of web ip route del 10.1.0.1
		reaches host broken no-route 'web has no route to 10.1.0.1'
		ip addr del 10.1.0.1/32 dev ve-web
		reaches host broken no-host-address 'the host has no address on ve-web'
		ip link set ve-web down
		reaches host broken host-link-down 've-web, is down'
		ip link set ve-web up
		inside_of web ip link set eth0 down
		reaches host broken guest-link-down 'eth0 is down in web'
		inside_of web ip addr flush dev eth0
		reaches host broken no-address 'web has no address'
	END
}

neighbours_on_a_bridge_are_named() {
	scene <<-'END'
		ip link add br0 type bridge; ip addr add 10.5.0.1/24 dev br0; ip link set br0 up
		small web; conf web PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.2/24 HOST_ADDRESS=10.5.0.1
		machdeck start web
		reaches neighbours idle - 'nobody else is on br0'
		small db; conf db PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.3/24
		machdeck start db
		reaches neighbours good - 'db on br0'
		pings 10.5.0.3
		same tried 'good -' "$(reach neighbours --probe)"
		inside_of db ip addr flush dev eth0
		inside_of db ip addr add 10.6.0.3/24 dev eth0
		reaches neighbours broken other-network 'nobody of db on br0 is in the network of its 10.5.0.2'
	END
}

a_name_server_that_is_nobody_is_told() {
	scene <<-'END'
		echo nameserver 127.0.0.53 >/etc/resolv.conf
		small web; conf web $WEB
		machdeck start web
		reaches names broken loopback-name-server 'its resolv.conf names 127.0.0.53, and nobody listens there in web'
		echo nameserver 10.1.0.1 >/etc/resolv.conf
		machdeck restart web
		reaches names broken no-listener 'nobody listens on port 53 of its name server 10.1.0.1, the host'
		rm $ROOTS/web/etc/resolv.conf
		reaches names broken no-name-server 'no DNS file in the guest: it has no /etc/resolv.conf'
	END
}

the_dashboard_shows_it_below_the_ports() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		machdeck start web
		printf '%s\n' 'size 100x30' 'wait web' 'key d' 'wait web reaches' 'wait the host' 'wait it is on no bridge' 'wait gateway' show >/tmp/script
		exits 0 machdeck --script /tmp/script
		told 'web forwards no port' 'web reaches' neighbours 'it is on no bridge' gateway
		inside_of web ip route del default
		printf '%s\n' 'size 100x30' 'wait web' 'key d' 'wait no default route in the guest' show >/tmp/script
		exits 0 machdeck --script /tmp/script
	END
}

run_cases "$@"
