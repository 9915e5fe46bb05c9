#!/bin/bash
# Forwarded ports from where people use them: tcp and udp, IPv4 and IPv6, of machines that start at once, from a peer host,
# from the host's own addresses and from another machine; and the doctor says the same of each.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario forwards --unfiltered

forward_helpers=$(cat <<-'END'
	# both NAME N - a machine that answers with its name on tcp 80 and udp 53, forwarded at 808N and 530N
	both() {
		lab-guest "$1" --init - <<-'INIT'
			#!/bin/sh
			/bin/busybox httpd -p 80 -h /srv
			exec perl -MSocket=:all -e '
				socket(S, AF_INET6, SOCK_DGRAM, 17); setsockopt(S, IPPROTO_IPV6, IPV6_V6ONLY, 0);
				bind(S, sockaddr_in6(53, inet_pton(AF_INET6, "::"))) or die;
				open(N, "<", "/srv/index.html"); $name = <N>;
				while (defined($from = recv(S, $text, 999, 0))) { send(S, $name, 0, $from) }'
		INIT
		echo "$1" >$ROOTS/"$1"/srv/index.html
		conf "$1" PRIVATE_NETWORK=1 HOST_ADDRESS=10.$2.0.1 LOCAL_ADDRESS=10.$2.0.2 HOST_ADDRESS6=fd0$2::1 LOCAL_ADDRESS6=fd0$2::2 \
			HOST_PORT="tcp:808$2:80,udp:530$2:53"
	}
	# asks_tcp, asks_udp ADDRESS PORT - prints the name that answers
	asks_tcp() { local at=$1; [[ $at != *:* ]] || at="[$at]"; curl --silent --fail --globoff --max-time 2 "http://$at:$2/"; }
	asks_udp() { timeout 2 bash -c 'exec 3<>/dev/udp/$0/$1; echo ? >&3; head -n 1 <&3' "$1" "$2"; }
	export -f asks_tcp asks_udp
	answers() { [ "$("${@:2}")" = "$1" ] || { echo "$1 does not answer"; return 1; } }
	# all_answer FROM ADDRESS... - both machines answer by each protocol at each address; FROM is a command's start
	all_answer() {
		local from=$1 at n
		for at in "${@:2}"; do
			for n in 1 2; do
				want 10 answers m$n $from bash -c "asks_tcp $at 808$n"
				want 10 answers m$n $from bash -c "asks_udp $at 530$n"
			done
		done
	}
	is_up() { want 10 serves m$1 http://10.$1.0.2/ && want 10 eval "[ \"\$(asks_udp 10.$1.0.2 53)\" = m$1 ]"; }
	from_of() { machdeck doctor --json | jq -r "[.ports[].from.$1.state] | unique | join(\" \")"; }
END
)
scene() { inside <<<"$doctor_helpers"$'\n'"$forward_helpers"$'\n'"$(cat)"; }

each_way_in_answers_for_each_protocol_and_family() {
	scene <<-'END'
		lan; both m1 1; both m2 2; small m3; conf m3 PRIVATE_NETWORK=1 HOST_ADDRESS=10.3.0.1 LOCAL_ADDRESS=10.3.0.2 \
			HOST_ADDRESS6=fd03::1 LOCAL_ADDRESS6=fd03::2
		machdeck start m1 m2 m3
		is_up 1; is_up 2
		ip -n lan route add 10.0.0.0/8 via 192.168.1.10; ip -n lan -6 route add fd00::/8 via fd92::10
		all_answer 'ip netns exec lan' 192.168.1.10 10.1.0.1 fd92::10 fd01::1
		all_answer env 192.168.1.10 10.1.0.1 10.2.0.1 fd92::10 fd01::1
		all_answer "nsenter --target $(leader m3) --net --" 192.168.1.10 10.3.0.1 fd92::10 fd03::1
		exits 0 machdeck doctor --probe
		same states good "$(machdeck doctor --json | jq -r '[.ports[].state] | unique | join(" ")')"
		same lan good "$(from_of lan)"; same host good "$(from_of host)"; same machine good "$(from_of machine)"
		same 'lan address' 192.168.1.10:8081 "$(machdeck doctor --json m1 | jq -r '.ports[0].from.lan.text')"
		for row in 'm1 +tcp 8081 +80 +good +10.1.0.2:80 \[fd01::2\]:80 +\[::\]:80: busybox .*  lan host machine +/etc/containers/m1.conf:6' \
			'm2 +udp 5302 +53 +good +10.2.0.2:53 \[fd02::2\]:53 +\[::\]:53: perl .*  lan host machine +/etc/containers/m2.conf:6'; do
			machdeck ports | grep -qE "^$row\$" || fail "no row like $row in $(machdeck ports)"
		done
		same forwards "$(forwards)" "$(machdeck ports --json | jq -r '.ports[] | . as $p | .targets[] |
			capture("^\\[?(?<a>[^\\]]+?)\\]?:(?<p>[0-9]+)$") | "\($p.protocol) \($p.host) \(.a) \(.p)"' | sort)"
	END
}

loopback_never_answers_and_that_is_told() {
	scene <<-'END'
		lan; both m1 1
		machdeck start m1
		is_up 1
		not asks_tcp 127.0.0.1 8081
		not asks_tcp ::1 8081
		same loopback broken "$(from_of loopback)"
		exits 0 machdeck doctor m1
		told 'from loopback   no   127.0.0.1 is not translated by nspawn: use 192.168.1.10'
		not ss --no-header --listening --tcp '( sport = 8081 )' '|' grep -q .
	END
}

machines_that_start_at_once_all_get_their_ports() {
	scene <<-'END'
		lan; both m1 1; both m2 2
		for round in 1 2 3; do
			machdeck start m1 m2
			is_up 1; is_up 2
			all_answer 'ip netns exec lan' 192.168.1.10 fd92::10
			same "forwards" 8 "$(forwards | wc -l)"
			exits 0 machdeck doctor
			machdeck stop m1 m2
			same "forwards left" "" "$(forwards)"
		done
	END
}

what_others_can_not_reach_the_host_can() {
	scene <<-'END'
		lan; both m1 1; both m2 2
		machdeck start m1 m2
		is_up 1; is_up 2
		sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
		all_answer env 192.168.1.10 fd92::10
		not from_lan bash -c 'asks_tcp 192.168.1.10 8081'
		exits 1 machdeck doctor
		same lan broken "$(from_of lan)"; same host good "$(from_of host)"
		sysctl -qw net.ipv4.ip_forward=1
		exits 1 machdeck doctor
		told 'net.ipv6.conf.all.forwarding is 0: only the host itself reaches m1'
		same "answer" m1 "$(from_lan bash -c 'asks_tcp 192.168.1.10 8081')"
		not from_lan bash -c 'asks_tcp fd92::10 8081'
	END
}

run_cases "$@"
