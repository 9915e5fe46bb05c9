#!/bin/bash
# The port doctor: each fault is made for real, and named as the first broken link. Up to the guest's address; the rest is
# in test-doctor-way.sh.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario doctor --unfiltered

a_rule_that_is_not_there_is_told_with_its_cause() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		map delete tcp
		sick web rule rule-gone 'the kernel has no rule for tcp 8080 although web has its address, 10.1.0.2' 'machdeck restart web'
		nft flush ruleset
		sick web rule table-gone 'the table ip io.systemd.nat is gone: reloading the firewall (nft flush ruleset)'
		machdeck restart web
		well web
		nft flush chain ip io.systemd.nat prerouting
		sick web rule table-flushed 'the chains of the table ip io.systemd.nat are empty'
	END
}

a_rule_that_leads_elsewhere_is_told_with_where() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		map delete tcp; map add tcp '10.9.9.9 . 80'
		sick web rule dead-address 'tcp 8080 goes to 10.9.9.9:80, which nobody has'
		map delete tcp; map add tcp '10.1.0.2 . 81'
		sick web rule other-port 'the conf says port 80 inside, and the rule leads to 81'
		map delete tcp; map add tcp '10.1.0.2 . 80'
		well web
		machdeck stop web
		map add tcp '10.1.0.2 . 80'
		sick web rule left-over 'a rule was left behind by an unclean end: tcp 8080 goes to 10.1.0.2:80, where nobody is'
		rm /etc/containers/web.conf
		exits 1 machdeck doctor
		told '-: tcp 8080' '[left-over]' "nft delete element ip io.systemd.nat map_port_ipport '{ tcp . 8080 }'"
	END
}

who_has_the_port_is_named() {
	scene <<-'END'
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 HOST_PORT=8080:80
		small web; conf web $WEB
		machdeck start db web
		conf web $WEB HOST_PORT=8080:80
		sick web rule other-machine 'tcp 8080 goes to db (10.2.0.2:80), which had it first'
		notes db rival 'web wants tcp 8080, too, and takes the rule along when it stops'
		machdeck stop db
		sick web rule newer-conf 'it is in the conf, but web was started without it: machdeck restart web'
		machdeck restart web
		well web
		notes web rival 'db wants tcp 8080, too'
	END
}

a_loser_that_stops_takes_the_rule_along_and_is_named() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		small db; conf db $WEB LOCAL_ADDRESS=10.2.0.2 HOST_ADDRESS=10.2.0.1 HOST_PORT=8080:80
		machdeck start web
		systemd-run --quiet --unit=loser --property=KillMode=mixed --property=Delegate=yes systemd-nspawn --quiet --keep-unit --machine=db \
			--directory=$ROOTS/db --network-veth --port=tcp:8080:80 --kill-signal=SIGKILL \
			/bin/busybox sh -c 'ip link set host0 up; ip addr add 10.2.0.2/24 dev host0; exec sleep 1000'
		want 10 eval 'machinectl show db'
		want 10 eval '[ "$(addresses_in db)" = 10.2.0.2/24 ]'
		well web
		systemctl stop loser || true
		sick web rule loser-stopped 'the rule is gone: db, which wants the same port, took it along when it stopped'
	END
}

a_process_of_the_host_that_has_the_port_is_named_with_its_pid() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		well web
		busybox nc -l -p 8080 0.0.0.0 -e true 2>/dev/null & pid=$!
		busybox httpd -f -p 8080 -h /srv & pid=$!
		sick web declared host-listener "host port 8080 is taken by busybox (pid "
		kill %1 %2 2>/dev/null || true
		well web
		busybox httpd -f -p 127.0.0.1:8080 -h /srv & pid=$!
		notes web host-loopback "127.0.0.1:8080 on the host meets busybox (pid $pid" 'from loopback   no   127.0.0.1 is not translated by nspawn'
		kill $pid
	END
}

a_machine_that_does_not_run_is_told_with_its_reason() {
	scene <<-'END'
		lab-guest web --init - <<-'INIT'
			#!/bin/sh
			exit 3
		INIT
		conf web $WEB HOST_PORT=8080:80
		not machdeck start web
		want 10 eval '[ "$(state web)" = failed ]'
		sick web rule not-running 'web does not run, so nothing is forwarded: ' 'status 3'
	END
}

one_that_was_stopped_is_not_broken() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		exits 0 machdeck doctor web
		told 'idle' 'web is stopped, so nothing is forwarded (machdeck start web)'
		ip netns add held
		ip link add ve-web type veth peer name host0 netns held
		sick web address link-held 've-web is still there though web does not run: something holds its old network namespace'
		machdeck start web
		well web
	END
}

ports_without_a_network_of_its_own_are_told() {
	scene <<-'END'
		small web; conf web
		machdeck start web
		conf web HOST_PORT=8080:80
		sick web declared shared-network "web shares the host's network, so nothing is forwarded" PRIVATE_NETWORK=1
	END
}

a_link_that_leads_nowhere_is_named() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		ip link set ve-web down
		sick web address host-link-down "the host's end of its link, ve-web, is down (ip link set ve-web up)"
		ip link set ve-web up; ip route replace 10.1.0.2 dev ve-web
		well web
		inside_of web ip link set eth0 down
		sick web address guest-link-down 'eth0 is down in web (machdeck run web -- ip link set eth0 up)'
	END
}

a_bridge_that_was_made_anew_is_named() {
	scene <<-'END'
		bridge() { ip link add br0 type bridge; ip addr add 10.5.0.1/24 dev br0; ip link set br0 up; }
		bridge
		small web; conf web PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.2/24 HOST_ADDRESS=10.5.0.1 HOST_PORT=8080:80
		machdeck start web
		well web 10.5.0.1
		systemctl stop machdeck-net # which would mend it
		ip link del br0
		sick web address bridge-lost 'the host has no bridge br0, which vb-web is to be a port of'
		bridge
		sick web address bridge-lost 'vb-web is no port of br0: the bridge was made anew since, or somebody took it out (machdeck mend web: ip link set vb-web master br0)'
		ip link set vb-web master br0
		well web 10.5.0.1
	END
}

an_address_that_is_missing_is_told() {
	scene <<-'END'
		small web; conf web $WEB HOST_PORT=8080:80
		machdeck start web
		inside_of web ip addr del 10.1.0.2/32 dev eth0
		sick web address address-lost '10.1.0.2 is configured, and web does not have it: it was removed inside'
		machdeck stop web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 HOST_PORT=8080:80
		machdeck start web
		sick web address no-address 'web has no address, and without one there is no rule: set LOCAL_ADDRESS='
	END
}

ipv6_that_waits_for_its_address_is_told() {
	scene <<-'END'
		ip link add br0 type bridge; ip addr add 10.5.0.1/24 dev br0; ip link set br0 up
		ip -6 addr add fd05::1/64 dev br0 nodad
		small web; conf web PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.5.0.2/24 HOST_ADDRESS=10.5.0.1 \
			LOCAL_ADDRESS6=fd05::2/64 HOST_ADDRESS6=fd05::1 HOST_PORT=8080:80
		machdeck start web
		well web 10.5.0.1
		inside_of web ip -6 addr del fd05::2/64 dev eth0
		sick web address address-lost 'IPv6 waits for an address: fd05::2 is configured'
		inside_of web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
		sick web address ipv6-off 'fd05::2 is configured, and net.ipv6.conf.eth0.disable_ipv6 is 1 in web'
		inside_of web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
		exits 0 machdeck mend web
		well web 10.5.0.1
		inside_of web ip -6 addr del fd05::2/64 dev eth0
		ip -6 addr add fd05::2/64 dev br0 nodad
		inside_of web ip -6 addr add fd05::2/64 dev eth0
		sick web address address-twice 'somebody else on its link has fd05::2'
		ip -6 addr del fd05::2/64 dev br0
		inside_of web ip -6 addr del fd05::2/64 dev eth0
		inside_of web sysctl -qw net.ipv6.conf.eth0.dad_transmits=60
		inside_of web ip -6 addr add fd05::2/64 dev eth0
		want 10 eval '[ "$(first web)" = "address address-waits" ]'
		sick web address address-waits 'IPv6 waits for its address: fd05::2 is tentative'
	END
}

run_cases "$@"
