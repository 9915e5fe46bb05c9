#!/bin/bash
# The port doctor: who listens, and the way to it; and no false alarm.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario way --unfiltered

who_listens_elsewhere_is_named_with_the_place() {
	scene <<-'END'
		lab-guest web --init - <<-'INIT'
			#!/bin/sh
			ip addr add 10.1.0.9/32 dev eth0
			/bin/busybox httpd -p 127.0.0.1:80
			/bin/busybox httpd -p 10.1.0.9:81
			/bin/busybox httpd -p '[fd01::2]:82'
			/bin/busybox httpd -p 83 -h /srv
			exec sleep 1000
		INIT
		echo web >$ROOTS/web/srv/index.html
		conf web $WEB HOST_ADDRESS6=fd01::1 LOCAL_ADDRESS6=fd01::2 HOST_PORT=8080:83,8081:80,8082:81,8083:82,8084:90,udp:8085:83
		machdeck start web
		want 10 serves web http://10.1.0.1:8080/
		at() { machdeck doctor --json web | jq -r ".ports[] | select(.host == $1) | .cause // \"-\""; }
		list() { for port in 8080 8081 8082 8083 8084 8085; do printf '%s ' "$(at $port)"; done; }
		want 10 eval '[ "$(list)" = "- loopback-only other-address other-family no-listener other-protocol " ]'
		exits 1 machdeck doctor web
		told 'guest listens on 127.0.0.1:80 only: busybox (pid ' 'must listen on 10.1.0.2, or on all addresses' \
			'guest listens on 10.1.0.9:81, and the rule leads to 10.1.0.2' 'guest listens on [fd01::2]:82, on IPv6 only' \
			'nothing listens on 90 in web, which listens on 8' 'nothing listens on udp 83 in web; busybox (pid' \
			'is HOST_PORT=tcp:8085:83 meant?'
		exits 0 machdeck ports
		told 'guest listens on 127.0.0.1:80 only'
	END
}

a_unit_that_failed_inside_is_named_with_its_cure() {
	scene <<-'END'
		lab-guest web
		service web nginx.service <<-'UNIT'
			[Service]
			ExecStart=/bin/sh -c 'test -e /run/fixed && exec busybox httpd -f -p 443'
		UNIT
		conf web $WEB HOST_PORT=8080:443
		machdeck start web
		sick web listener unit-failed 'nothing listens on 443 in web; nginx.service is failed: start it'
		within web touch /run/fixed
		machdeck run web -- systemctl start nginx.service
		want 10 eval '[ "$(first web)" = - ]'
		exits 0 machdeck doctor web
		told ', nginx.service)'
	END
}

a_way_that_is_closed_is_named() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		sysctl -qw net.ipv4.ip_forward=0
		sick web connects no-forwarding 'net.ipv4.ip_forward is 0: only the host itself reaches web' 'from the host   yes'
		serves web http://10.1.0.1:8080/
		sysctl -qw net.ipv4.ip_forward=1
		inside_of web ip route del default
		sick web connects no-default-route 'no default route in the guest: web answers only who is on its link'
		inside_of web ip route add default via 10.1.0.1
		well web
		ip route del 10.1.0.2
		sick web connects no-host-route 'the host has no route to 10.1.0.2 (ip route replace 10.1.0.2 dev ve-web)'
		ip link add other type veth peer name rehto; ip addr add 10.1.0.99/24 dev other; ip link set other up
		sick web connects no-host-route "the host's route to 10.1.0.2 goes by other, which is not web's link"
		ip link del other
		ip route add 10.1.0.2 dev ve-web
		well web
		inside_of web sh -c 'ip link add far type veth peer name raf; ip link set far up; ip link set raf up
			ip addr add 10.77.0.2/24 dev far; ip route replace default via 10.77.0.1 dev far
			sysctl -qw net.ipv4.conf.eth0.rp_filter=1'
		sick web connects rp-filter 'rp_filter is 1 on eth0 in web, and its route back goes by another link'
	END
}

what_the_host_lost_or_can_not_reach_is_named() {
	scene <<-'END'
		lan
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		systemctl stop machdeck-net
		ip addr del 10.1.0.1/32 dev ve-web
		sick web connects host-address-lost "10.1.0.1 is configured for the host's end, ve-web, and is not there: answers find no way"
		mkdir -p /run/NetworkManager/devices
		printf '[device]\nmanaged=true\n' >/run/NetworkManager/devices/$(ip -j link show ve-web | jq '.[].ifindex')
		sick web connects host-address-lost 'which NetworkManager manages'
		rm -r /run/NetworkManager
		machdeck stop web
		lab-guest web2 --init - <<-'INIT'
			#!/bin/sh
			ip link set mv-eth0 up; ip addr add 192.168.1.20/24 dev mv-eth0; ip route add default via 192.168.1.1
			exec /bin/busybox httpd -f -p 80 -h /srv
		INIT
		conf web2 PRIVATE_NETWORK=1 MACVLANS=eth0 HOST_PORT=8080:80
		machdeck start web2
		sick web2 connects macvlan 'mv-eth0 in web2 is a macvlan, and the host never talks to its own macvlans'
		not curl --silent --max-time 1 http://192.168.1.10:8080/
	END
}

a_long_name_is_no_hindrance() {
	scene <<-'END'
		long=averyverylongname
		small $long; conf $long $WEB HOST_PORT=8080:80
		machdeck start $long
		well $long
		ip link set ve-$long down
		sick $long address host-link-down "ve-$long, is down (ip link set ve-$long up)"
		ip link set ve-$long up; ip route replace 10.1.0.2 dev ve-$long
		well $long
	END
}

a_firewall_that_drops_is_named_with_its_chain() {
	scene <<-'END'
		lan
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
		nft add rule ip filter FORWARD iifname docker0 accept
		not from_lan curl --silent --max-time 1 http://192.168.1.10:8080/
		sick web connects host-firewall "the host's firewall drops what is forwarded to web: chain FORWARD of table ip filter (policy drop)"
		nft add rule ip filter FORWARD ip daddr 10.1.0.2 accept
		sick web connects host-firewall
		nft add rule ip filter FORWARD ct state established,related accept
		well web
		same "answer" web "$(from_lan curl --silent --max-time 2 http://192.168.1.10:8080/)"
		nft 'add table inet own; add chain inet own in { type filter hook input priority 0; }'
		notes web two-firewalls 'iptables and nft are both used'
		nft insert rule ip filter FORWARD meta length gt 9999 drop
		notes web host-firewall 'may drop what is forwarded: chain FORWARD of table ip filter'
		nft delete table ip filter; nft delete table inet own
		inside_of web nft 'add table inet g; add chain inet g input { type filter hook input priority 0; policy drop; }; add rule inet g input tcp dport { 22, 443 } accept'
		sick web connects guest-firewall "web's own firewall drops it: chain input of table inet g (policy drop); accept tcp dport 80 inside"
		inside_of web nft add rule inet g input tcp dport '{ 80, 8000-8080 }' accept
		well web
		same "answer" web "$(from_lan curl --silent --max-time 2 http://192.168.1.10:8080/)"
	END
}

an_attempt_tells_what_nothing_else_does() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		exits 0 machdeck doctor --probe web
		told 'connects  good     10.1.0.1:8080 answered in'
		inside_of web nft 'add table inet g; 
			add chain inet g input { type filter hook input priority 0; }; add rule inet g input tcp dport 80 meta length gt 9 reject with tcp reset'
		exits 0 machdeck doctor web
		told "web's own firewall may drop it: chain input of table inet g"
		exits 1 machdeck doctor --probe web
		told 'a connection to 10.1.0.1:8080 was refused' '[refused]'
		inside_of web nft 'flush chain inet g input; add rule inet g input tcp dport 80 meta length gt 9 drop'
		exits 1 machdeck doctor --probe web
		told 'a connection to 10.1.0.1:8080 was not answered within ' '; 10.1.0.2:80 does not answer either' '[no-answer]'
		inside_of web nft flush ruleset
		nft 'add table inet g; add chain inet g out { type filter hook output priority -150; }; add rule inet g out tcp dport 8080 drop'
		want 10 eval '{ machdeck doctor --probe web || true; } | grep "a connection to 10.1.0.1:8080 was not answered.*; past the forward, 10.1.0.2:80 answers"'
	END
}

a_datagram_tells_by_a_refusal_and_by_an_answer() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=udp:8085:53
		machdeck start web
		server() { # what it says to who asks; nothing: it stays silent
			nsenter --target "$(leader web)" --net -- perl -MSocket -e '
				socket(S, PF_INET, SOCK_DGRAM, 0); bind(S, sockaddr_in(53, INADDR_ANY)) or die;
				while (defined($from = recv(S, $text, 999, 0))) { send(S, $ARGV[0], 0, $from) if @ARGV }' "$@" & server=$!
		}
		server
		want 10 machdeck doctor web
		exits 0 machdeck doctor --probe web
		told 'connects  good     10.1.0.1:8085: nobody refused it in ' ', and more udp does not tell'
		kill $server; wait $server || :; server here
		want 10 eval 'machdeck doctor --probe web | grep "connects  good     10.1.0.1:8085 answered in"'
		inside_of web nft 'add table inet g; add chain inet g input { type filter hook input priority 0; }; add rule inet g input udp dport 53 meta length gt 9 reject'
		exits 1 machdeck doctor --probe web
		told 'a datagram to 10.1.0.1:8085 was refused' '; 10.1.0.2:53 refuses it, too' '[refused]'
		kill $server
		want 10 eval '{ machdeck doctor --probe web || true; } | grep "nothing listens on udp 53 in web"'
	END
}

what_nobody_asked_for_is_worth_a_note() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		inside_of web ip -6 addr add fd09::2/128 dev eth0 nodad
		notes web ipv6-open 'it is open over IPv6, too, to [fd09::2]:80, which no conf asks for'
		inside_of web ip addr add 10.1.0.1/32 dev lo
		nft add element ip io.systemd.nat map_port_ipport '{ tcp . 9999 : 10.1.0.2 . 80 }'
		want 10 eval 'machdeck doctor web | grep -q "tcp 9999: good"'
		exits 0 machdeck doctor web
		told '[not-declared]'
	END
}

a_port_of_a_nspawn_file_is_told_with_its_place() {
	scene <<-'END'
		small web; conf web $WEB
		mkdir -p /etc/systemd/nspawn
		printf '[Network]\n# the web\nPort=tcp:8080:80\n' >/etc/systemd/nspawn/web.nspawn
		machdeck start web
		well web
		told 'declared  good     /etc/systemd/nspawn/web.nspawn:3'
		rm -r /etc/systemd/nspawn
		notes web not-declared 'neither its conf nor a .nspawn file says so'
	END
}

who_has_no_rights_is_told_what_is_not_seen() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
		exits 0 as machdeck doctor web
		told 'rule      unknown' "the kernel's rules take root (CAP_NET_ADMIN) to see" 'what is inside takes root to see' 'machdeck: not seen: '
		exits 0 as machdeck ports
		want 10 eval 'as machdeck ports | grep -qE "^web +tcp 8080 +80 +unknown +- +- +- +-?"'
		want 10 eval 'ip addr show dev ve-web | grep -q fe80 && ! ip addr | grep -q tentative' # or there is news
		nft monitor >/tmp/nft & one=$!
		ip monitor all >/tmp/ip & two=$!
		want 10 test -d /proc/$one -a -d /proc/$two
		machdeck doctor >/dev/null; machdeck doctor --probe web >/dev/null; machdeck ports >/dev/null
		kill $one $two
		[ ! -s /tmp/nft ] || fail "it wrote: $(cat /tmp/nft)"
		same 'ip monitor' '' "$(grep -v -e '^\[NEIGH\]' -e '^\[NSID\]' -e '^nsid' /tmp/ip || true)"
	END
}

# The image has none of it: this machine's own, in the network of a host of its own, whose tables would stay.
what_only_iptables_legacy_shows_is_told() {
	local leader
	command -v iptables-legacy >/dev/null || skip "this machine has no iptables-legacy"
	scenario legacy
	leader=$("$LAB" list | awk -v name="${HOSTS[legacy]}" '$1 == name { print $2 }')
	nsenter --target "$leader" --net iptables-legacy -t nat -A PREROUTING -p tcp --dport 9999 -j ACCEPT ||
		skip "this kernel has no ip_tables"
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		notes web two-firewalls 'iptables and nft are both used: iptables-legacy has the tables nat, which nft does not show'
		exits 0 machdeck links
		told 'iptables-legacy'
	END
}

no_word_can_be_misused() {
	scene <<-'END'
		exits 0 machdeck doctor
		same "nothing" "no port is forwarded" "$said"
		exits 66 machdeck doctor nobody
		exits 64 machdeck doctor a b
		exits 64 machdeck doctor --speed
		exits 64 machdeck ports web
		same "document" '{"limits":null,"ports":[],"reach":null,"schema":1,"stale":null}' "$(machdeck ports --json | jq -c .)"
	END
}

the_readme_has_what_is_really_printed() {
	scene > "$T/printed" <<-'END'
		lan
		echo nameserver 192.168.1.1 >/etc/resolv.conf
		lab-guest web
		service web nginx.service <<-'UNIT'
			[Service]
			ExecStart=/bin/false
		UNIT
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.231.136.1 LOCAL_ADDRESS=10.231.136.2 HOST_PORT=tcp:8443:443 MASQUERADE=1
		machdeck start web >/dev/null
		sick web listener unit-failed
		machdeck doctor web || true
	END
	sed -n '/^<!-- doctor/,/^<!-- end/p' "$TOP/README.md" | sed '1,3d' | head -n -2 | diff - "$T/printed"
}

# Ten machines, each started five times; those of systemd among them.
fifty_starts_that_are_well_raise_no_alarm() {
	scene <<-'END'
		for i in 1 2 3 4 5 6 7 8 9 10; do
			if [ $i -le 2 ]; then web m$i; else small m$i; fi
			conf m$i PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.$i.1 LOCAL_ADDRESS=10.9.$i.2 HOST_ADDRESS6=fd09:$i::1 \
				LOCAL_ADDRESS6=fd09:$i::2 HOST_PORT=$((9000 + i)):80
		done
		all_serve() { for i in 1 2 3 4 5 6 7 8 9 10; do serves m$i http://10.9.$i.1:$((9000 + i))/ || return; done; }
		for round in 1 2 3 4 5; do
			machdeck start m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 >/dev/null
			want 10 all_serve
			exits 0 machdeck doctor
			[[ $said != *BROKEN* ]] || fail "round $round: $said"
			same "what is good" 10 "$(machdeck ports --json | jq '[.ports[] | select(.state == "good")] | length')"
			machdeck stop m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 >/dev/null
		done
	END
}

run_cases "$@"
