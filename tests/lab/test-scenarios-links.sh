#!/bin/bash
# Containers with a link of their own: addresses of both families, names, forwards.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario links

a_container_answers_as_soon_as_its_start_returns() {
	inside <<-'END'
		web webserver
		conf webserver PRIVATE_NETWORK=1 HOST_ADDRESS=10.231.136.1 LOCAL_ADDRESS=10.231.136.2
		machdeck list | grep -q '^webserver '
		machdeck start webserver
		same page webserver "$(fetch "http://$(machdeck show-ip webserver)/")"
		machdeck stop webserver
		not fetch http://10.231.136.2/
		nothing_left webserver
	END
}

both_ends_have_exactly_the_addresses_and_routes_that_are_configured() {
	inside <<-'END'
		small both
		conf both PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS6=fc00:1::1 LOCAL_ADDRESS6=fc00:1::2
		machdeck start both
		same host "10.1.0.1/32 fc00:1::1/128" "$(addresses ve-both)"
		same guest "10.1.0.2/32 fc00:1::2/128" "$(addresses_in both eth0)"
		same "host's routes" "10.1.0.2, fc00:1::2" "$(routes dev ve-both)"
		same "guest's routes" "10.1.0.1, default via 10.1.0.1, default via fc00:1::1, fc00:1::1" "$(routes_in both dev eth0)"
		same "guest's links" "eth0 lo" "$(within both ip -j link | jq -r '[.[].ifname] | sort | join(" ")')"
		is_up ve-both
		is_up_in both eth0
	END
}

an_ipv4_container_answers_pings_and_requests() {
	inside <<-'END'
		web webserver4
		conf webserver4 PRIVATE_NETWORK=1 HOST_ADDRESS=10.231.136.1 LOCAL_ADDRESS=10.231.136.2
		machdeck start webserver4
		same show-ip 10.231.136.2 "$(machdeck show-ip webserver4)"
		want 10 ping -n -c 1 -W 1 10.231.136.2
		same page webserver4 "$(fetch http://10.231.136.2/)"
		machdeck stop webserver4
		not fetch http://10.231.136.2/
	END
}

ipv6_addresses_work_in_the_fields_of_ipv4() {
	inside <<-'END'
		web webserver6
		conf webserver6 PRIVATE_NETWORK=1 HOST_ADDRESS=fc00::2 LOCAL_ADDRESS=fc00::1
		machdeck start webserver6
		same show-ip fc00::1 "$(machdeck show-ip webserver6)"
		want 10 ping -n -c 1 -W 1 fc00::1
		want 10 serves webserver6 'http://[fc00::1]/'
		same "guest's routes" "default via fc00::2, fc00::2" "$(routes_in webserver6 dev eth0)"
		machdeck stop webserver6
		not fetch 'http://[fc00::1]/'
	END
}

ipv6_addresses_work_in_their_own_fields() {
	inside <<-'END'
		web webserver6
		conf webserver6 PRIVATE_NETWORK=1 HOST_ADDRESS6=fc00::2 LOCAL_ADDRESS6=fc00::1
		machdeck start webserver6
		same show-ip fc00::1 "$(machdeck show-ip webserver6)"
		want 10 ping -n -c 1 -W 1 fc00::1
		want 10 serves webserver6 'http://[fc00::1]/'
		machdeck stop webserver6
		not fetch 'http://[fc00::1]/'
	END
}

# AT-NAMES; the short names are those that systemd-nspawn computes.
long_names_get_their_links_short_names_and_their_network() {
	inside <<-'END'
		i=0
		for name in first second really-long-name really-long-long-name-2; do
			i=$((i + 1))
			small $name
			conf $name PRIVATE_NETWORK=1 HOST_ADDRESS=192.168.$i.1 LOCAL_ADDRESS=192.168.$i.100
		done
		machdeck start first second really-long-name really-long-long-name-2
		i=0
		for link in ve-first ve-second ve-really-l3QgY ve-really-lFYWO; do
			i=$((i + 1))
			same $link 192.168.$i.1/32 "$(addresses $link)"
			want 10 ping -n -c 1 -W 1 192.168.$i.100
		done
		same "alternative name" ve-really-long-name "$(ip -j link show ve-really-l3QgY | jq -r '.[].altnames[0]')"
		machdeck stop first second really-long-name really-long-long-name-2
		nothing_left really-long-name
	END
}

names_of_containers_resolve_from_the_hosts_file() {
	inside <<-'END'
		ip link add br0 type bridge
		ip addr add 10.11.0.254/24 dev br0
		ip link set br0 up
		small simple
		small netmask
		conf simple AUTO_START=1 PRIVATE_NETWORK=1 HOST_ADDRESS=10.10.0.254 LOCAL_ADDRESS=10.10.0.1
		conf netmask AUTO_START=1 PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.11.0.1/24
		systemctl daemon-reload
		systemctl start machines.target
		machdeck hosts --write
		want 10 ping -n -c 1 -W 1 simple.containers
		want 10 ping -n -c 1 -W 1 netmask.containers
		same line 10.11.0.1 "$(getent ahostsv4 netmask.containers | awk 'NR == 1 { print $1 }')"
	END
}

a_forwarded_port_reaches_its_container() {
	inside <<-'END'
		web webserver
		conf webserver PRIVATE_NETWORK=1 HOST_ADDRESS=192.168.0.1 LOCAL_ADDRESS=192.168.0.100 HOST_PORT=tcp:10080:80
		machdeck start webserver
		want 10 serves webserver http://192.168.0.1:10080/
		same forwards "tcp 10080 192.168.0.100 80" "$(forwards)"
		machdeck stop webserver
		not fetch http://192.168.0.1:10080/
		nothing_left webserver
	END
}

a_forward_answers_other_machines_and_udp_but_not_localhost() {
	inside <<-'END'
		web far
		cat >$ROOTS/far/srv/echo <<-'PERL'
			use IO::Socket::INET;
			$s = IO::Socket::INET->new(LocalPort => 53, Proto => "udp");
			$s->send("echo $m") while $s->recv($m, 99);
		PERL
		service far udp.service <<<$'[Service]\nExecStart=/usr/bin/perl /srv/echo'
		conf far PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 HOST_PORT=tcp:10080:80,udp:10053:53
		ip netns add peer
		ip link add lan type veth peer name eth0 netns peer
		ip addr add 192.0.2.1/24 dev lan
		ip link set lan up
		ip -n peer addr add 192.0.2.2/24 dev eth0
		ip -n peer link set eth0 up
		sysctl -qw net.ipv4.ip_forward=1
		machdeck start far
		want 10 ip netns exec peer curl -sf --max-time 1 http://192.0.2.1:10080/
		want 10 perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "10.2.0.1:10053", Proto => "udp");
			$s->send("hi"); alarm 1; $s->recv($m, 99); $m eq "echo hi" or die'
		not fetch http://127.0.0.1:10080/
		sysctl -qw net.ipv4.ip_forward=0
	END
}

two_containers_started_at_once_both_get_their_forwards() {
	inside <<-'END'
		for i in 1 2; do
			small w$i
			conf w$i PRIVATE_NETWORK=1 HOST_ADDRESS=10.3.$i.1 LOCAL_ADDRESS=10.3.$i.2 HOST_PORT=tcp:1008$i:80
		done
		machdeck start w1 w2
		want 10 serves w1 http://10.3.1.1:10081/
		want 10 serves w2 http://10.3.2.1:10082/
		machdeck stop w1
		same forwards "tcp 10082 10.3.2.2 80" "$(forwards)"
	END
}

run_cases "$@"
