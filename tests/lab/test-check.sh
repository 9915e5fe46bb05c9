#!/bin/bash
# What does not fit the host: named by check, each as the kernel has it; with --root nothing of the host is looked at.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario check

what_fits_this_host_is_not_spoken_of() {
	inside <<-'END'
		ip link add br7 type bridge; ip link set br7 up; ip addr add 10.7.0.1/24 dev br7
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 MASQUERADE=1
		small db; conf db PRIVATE_NETWORK=1 HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24
		for i in 1 2; do # stopped, and running
			exits 0 machdeck check
			same 'what it says' '2 containers: no mistakes found' "$said"
			exits 0 machdeck start web db
		done
	END
}

bridges_and_links_are_looked_for() {
	inside <<-'END'
		ip link add d7 type veth peer d8; ip link add br8 type bridge
		conf a PRIVATE_NETWORK=1 HOST_BRIDGE=br9
		conf b PRIVATE_NETWORK=1 HOST_BRIDGE=d7
		conf c MACVLANS=eth9 'EXTRA_VETHS="br8"'
		exits 0 machdeck check
		told 'a: HOST_BRIDGE: there is no bridge br9 on this host' 'b: HOST_BRIDGE: d7 is no bridge, but of the kind veth'
		told 'c: MACVLANS: there is no link eth9 on this host' 'c: EXTRA_VETHS: the host has a link br8 already'
		exits 0 machdeck set c HOST_BRIDGE=nosuch # said when it is saved, too, and of what is new alone
		told 'c: HOST_BRIDGE: there is no bridge nosuch on this host' 'c: saved'
		[[ $said != *MACVLANS:* ]] || fail "$said"
		conf d HOST_PORT=99999 'LOCAL_ADDRESS=10.300.0.1' AUTO_START=1 # each mistake, not only the first
		exits 65 machdeck check d
		told '/d.conf:1:' HOST_PORT '/d.conf:2:' LOCAL_ADDRESS
		same 'as JSON' 2 "$(machdeck check --json d | jq '.findings | map(select(.fatal)) | length')"
		rm $CONFS/d.conf
		exits 0 machdeck unset c HOST_BRIDGE
		mkdir -p /tmp/other/etc; cp -r /etc/containers /tmp/other/etc/
		exits 0 machdeck check --root /tmp/other
		same 'what it says of another root' '3 containers: no mistakes found' "$said"
		rm -r /tmp/other
	END
}

addresses_ports_and_names_are_looked_for() {
	inside <<-'END'
		has_listener() { [ -n "$(ss -Hltn "sport = :$1")" ]; }
		ip link add d7 type veth peer d8; ip link set d7 up; ip link set d8 up; ip addr add 10.9.0.1/24 dev d7
		echo 1 >/proc/sys/net/ipv4/ip_forward
		conf a PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.9.0.1
		conf b PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.9.0.7 HOST_PORT=tcp:7070:80
		busybox httpd -f -p 7070 -h /tmp & httpd=$!
		want 10 has_listener 7070
		touch /etc/hosts; cp /etc/hosts /tmp/hosts; echo 192.0.2.1 b.containers >>/etc/hosts
		exits 0 machdeck check
		told 'a: LOCAL_ADDRESS: 10.9.0.1 is an address of the host itself'
		told 'b: LOCAL_ADDRESS: 10.9.0.7 lies in 10.9.0.0/24, which this host reaches over d7'
		told 'listens on host port tcp/7070' 'b: its name: /etc/hosts says that b.containers is 192.0.2.1'
		same 'as JSON' false "$(machdeck check --json b | jq '[.findings[].fatal] | any')"
		cp /tmp/hosts /etc/hosts

		# The dashboard, too: with the next change of something.
		rm $CONFS/*; conf c PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.77.0.2 HOST_PORT=tcp:7070:80
		rm -f /tmp/seen /tmp/after
		printf 'size 200x40\nwait CHECK\nkey Enter\nwait listens on host port tcp/7070\nsave /tmp/seen\nwait  ok\nsave /tmp/after\n' >/tmp/script
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		want 10 test -s /tmp/seen
		kill $httpd; want 10 eval '! has_listener 7070'
		conf d AUTO_START=0
		wait $script || fail "$(cat /tmp/said)"
		grep -qE -- '- c +stopped .* ok ' /tmp/after || fail "$(grep -v '^~' /tmp/after | sed -n 1,20p)"
	END
}

a_name_that_a_server_sends_elsewhere_is_told_to_who_asks() {
	inside <<-'END'
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2
		conf db PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.3
		touch /etc/resolv.conf; cp /etc/resolv.conf /tmp/resolv.conf
		printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf
		# web is 192.0.2.9, db is what it is configured to be, nobody else is there; when told to be silent, it answers nobody
		cat >/tmp/dns.pl <<-'P'
			use Socket;
			my %is = ("web" => "192.0.2.9", "db" => "10.1.0.3");
			socket(my $s, PF_INET, SOCK_DGRAM, 0) or die;
			bind($s, sockaddr_in(53, INADDR_LOOPBACK)) or die;
			while (defined(my $who = recv($s, my $q, 512, 0))) {
				open(my $log, ">>", "/tmp/asked"); print $log "$q\n"; close $log;
				next if -e "/tmp/silent";
				my ($name) = substr($q, 12) =~ /^(.*?\0)/s;
				my $type = unpack("n", substr($q, 12 + length $name));
				my $known = $is{substr($name, 1, -1)};
				my $a = $known && $type == 1;
				send($s, substr($q, 0, 2) . pack("n5", $known ? 0x8180 : 0x8183, 1, $a ? 1 : 0, 0, 0) . $name . pack("n2", $type, 1) .
					($a ? pack("n3 N n", 0xc00c, 1, 1, 60, 4) . inet_aton($known) : ""), 0, $who);
			}
		P
		perl /tmp/dns.pl & server=$!
		listens() { [ -n "$(ss -Huln 'sport = :53')" ]; }
		want 10 listens
		exits 0 machdeck check
		same 'what it says' '2 containers: no mistakes found' "$said"
		[ ! -e /tmp/asked ] || fail "the server was asked: $(cat -v /tmp/asked)"
		exits 0 machdeck check --resolve
		told 'web: its name: who looks for web on this host is sent to 192.0.2.9, which is not its address'
		[[ $said != *'db: its name'* ]] || fail "$said"
		printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n' >/etc/resolv.conf; touch /tmp/silent # it has a deadline, and says what it does not know
		exits 0 timeout 30 machdeck check --resolve
		told 'where all names lead is not known: the name service did not end in time'
		kill $server; rm /tmp/silent; cp /tmp/resolv.conf /etc/resolv.conf
	END
}

forwarding_and_filters_are_looked_at() {
	inside <<-'END'
		ip link add d7 type veth peer d8; ip link set d7 up; ip link set d8 up; ip addr add 10.9.0.1/24 dev d7; ip route add default via 10.9.0.2
		conf a PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8080:80
		echo 0 >/proc/sys/net/ipv4/ip_forward
		exits 0 machdeck check
		told 'a: HOST_PORT: net.ipv4.ip_forward is 0'
		echo 1 >/proc/sys/net/ipv4/ip_forward
		exits 0 machdeck check
		same 'what it says' '1 container: no mistakes found' "$said"
		nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
		exits 0 machdeck check
		told 'a: HOST_PORT: what is passed on is dropped by' FORWARD
		nft add rule ip filter FORWARD tcp dport 80 accept
		exits 0 machdeck check
		same 'what it says' '1 container: no mistakes found' "$said"
		nft delete table ip filter
	END
}

two_that_are_in_each_others_way_are_told() {
	inside <<-'END'
		ip link add br7 type bridge; ip link set br7 up
		conf longname-3276 PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		conf longname-3947 PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.3
		exits 65 machdeck check
		told 'is called ve-longnameRVRB, too'
		rm $CONFS/*
		conf a PRIVATE_NETWORK=1 HOST_BRIDGE=br7 LOCAL_ADDRESS=10.7.0.2/24
		conf b PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.7.0.3
		exits 0 machdeck check
		told 'are networks that overlap, on different links'
	END
}

the_config_tab_tells_it_too() {
	inside <<-'END'
		conf a PRIVATE_NETWORK=1 HOST_BRIDGE=br9
		printf 'size 120x40\nwait a\nkey 6\nwait there is no bridge br9 on this host\nsave /tmp/without\nwait br9 is no bridge\n' >/tmp/script
		rm -f /tmp/without
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		want 10 test -s /tmp/without
		ip link add br9 type veth peer d9 # and it is looked at again
		wait $script || fail "$(grep -v '^~' /tmp/said | head -20)"
	END
}

the_list_tells_it_as_it_happens() {
	inside <<-'END'
		ip link add br9 type bridge
		echo 1 >/proc/sys/net/ipv4/ip_forward; touch /etc/hosts; cp /etc/hosts /tmp/hosts
		conf a PRIVATE_NETWORK=1 HOST_BRIDGE=br9 LOCAL_ADDRESS=10.7.0.2/24 HOST_PORT=tcp:8080:80
		# the bridge goes and comes; a name is given away; a port is taken twice, and told in the row
		cat >/tmp/script <<-'S'
			size 160x30
			wait  ok
			save /tmp/1
			wait CHECK
			key Enter
			wait there is no bridge br9
			key Esc
			save /tmp/2
			wait  ok
			save /tmp/3
			wait CHECK
			key Enter
			wait /etc/hosts says that a is 192.0.2.7
			key Esc
			save /tmp/4
			wait BAD
			wait host port tcp/8080 is forwarded to container z too
		S
		rm -f /tmp/[1-5]
		machdeck --script /tmp/script >/tmp/said 2>&1 & script=$!
		next() { want 10 test -s /tmp/$1 || fail "$(grep -v '^~' /tmp/said | head -40)"; }
		next 1; ip link del br9
		next 2; ip link add br9 type bridge
		next 3; echo 192.0.2.7 a >>/etc/hosts
		next 4; conf z PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS=10.1.0.1 HOST_PORT=tcp:8080:80
		wait $script || fail "$(grep -v '^~' /tmp/said | head -40)"
		cp /tmp/hosts /etc/hosts
	END
}

run_cases "$@"
