#!/bin/bash
# machdeck mend: what was taken away of a running machine's network comes back by one action, and a connection works again.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/doctor.sh"
scenario mend --unfiltered

mend_helpers=$(cat <<-'END'
	NET="PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS6=fc00::1 LOCAL_ADDRESS6=fc00::2"
	began() { property "$1" ActiveEnterTimestampMonotonic; }
	# mends NAME WORDS... - it is previewed with these words, changes nothing then, is mended by one action, and is well.
	mends() {
		local name=$1 before=$(state_of) start=$(began "$1")
		exits 0 machdeck mend --dry-run "$name"
		told "${@:2}"
		same "the preview changes" "$before" "$(state_of)"
		exits 0 machdeck mend "$name"
		told '# mended'
		exits 0 machdeck mend "$name"
		told "# $name: nothing is missing"
		same "it was restarted" "$start" "$(began "$name")"
	}
	state_of() { addresses; routes; ip -j link | jq -c '.[] | [.ifname, .master]'; nft -a list ruleset; }
	well_all() { want 10 serves web http://10.1.0.1:8080/; want 10 serves web 'http://[fc00::1]:8080/'; }
	macs() { ip -j link show "$1" | jq -r '.[].address'; }
END
)
mending() { inside <<<"$doctor_helpers"$'\n'"$mend_helpers"$'\n'"$(cat)"; }

what_is_whole_has_nothing_to_mend() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80 MASQUERADE=1
		machdeck start web
		well_all
		before=$(state_of)
		exits 0 machdeck mend web
		told '# web: nothing is missing'
		exits 0 machdeck mend --orphans
		told '# nothing is left'
		same state "$before" "$(state_of)"
		machdeck mend --json --dry-run web | jq -e '.schema == 1 and .name == "web" and (.steps | length) == 0 and .cannot == [] and (.done | not)'
	END
}

addresses_and_routes_taken_away_on_both_sides_come_back() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		machdeck start web
		well_all
		addresses=$(addresses); routes=$(routes)
		ip addr flush dev ve-web; ip -6 addr del fc00::1/128 dev ve-web 2>/dev/null || true; ip route del 10.1.0.2 dev ve-web 2>/dev/null || true
		not serves web http://10.1.0.2/
		mends web 'ip addr add 10.1.0.1 dev ve-web' 'ip route add 10.1.0.2 dev ve-web'
		same addresses "$addresses" "$(addresses)"
		same routes "$routes" "$(routes)"
		well_all
		inside_of web ip addr del 10.1.0.2/32 dev eth0
		inside_of web ip route del default 2>/dev/null || true
		mends web 'nsenter -t' 'ip addr add 10.1.0.2 dev eth0' 'ip route add default via 10.1.0.1'
		well_all
		logged web 'mend: nsenter' 'ip addr add 10.1.0.2 dev eth0'
	END
}

a_link_that_went_down_and_up_has_its_routes_again() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		machdeck start web
		well_all
		ip link set ve-web down; ip link set ve-web up
		mends web 'ip route add 10.1.0.2 dev ve-web'
		well_all
		ip link set ve-web down
		mends web 'ip link set dev ve-web up'
		well_all
		inside_of web ip link set eth0 down
		mends web 'ip link set dev eth0 up'
		well_all
	END
}

a_bridge_that_was_deleted_and_made_anew_gets_its_port_back() {
	mending <<-'END'
		bridge() { ip link add br0 type bridge; ip addr add 10.3.0.1/24 dev br0; ip link set br0 up; }
		bridge; small web; conf web PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.3.0.2/24
		machdeck start web
		want 10 serves web http://10.3.0.2/
		systemctl stop machdeck-net # it would do it by itself
		ip link del br0
		exits 1 machdeck mend web
		told 'there is no bridge br0'
		bridge
		same master none "$(master vb-web)"
		not serves web http://10.3.0.2/
		mends web 'ip link set dev vb-web master br0 up'
		same master br0 "$(master vb-web)"
		want 10 serves web http://10.3.0.2/
	END
}

forwards_deleted_flushed_or_taken_along_by_a_loser_come_back() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80 MASQUERADE=1
		machdeck start web
		well_all
		rules=$(nft list ruleset)
		map delete tcp
		mends web "nft add element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.1.0.2 . 80 }'"
		well_all
		nft flush chain ip io.systemd.nat prerouting; nft flush chain ip io.systemd.nat output
		mends web 'the rules that lead to the forward of tcp 8080 are gone'
		well_all
		nft delete table ip io.systemd.nat
		mends web 'nft add element ip io.systemd.nat'
		well_all
		nft flush ruleset
		mends web 'nft add element ip6 io.systemd.nat' 'nft add table ip machdeck'
		well_all
		same ruleset "$(sort <<<"$rules")" "$(nft list ruleset | sort)"
		map delete tcp; map add tcp '10.9.9.9 . 80'
		mends web 'goes to 10.9.9.9:80, which is nobody' 'nft delete element ip io.systemd.nat'
		well_all
		# the loser's stop takes the rule along
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2
		systemd-run --quiet --unit=loser --property=KillMode=mixed --property=Delegate=yes systemd-nspawn --quiet --keep-unit --machine=db \
			--directory=$ROOTS/db --network-veth --port=tcp:8080:80 --kill-signal=SIGKILL \
			/bin/busybox sh -c 'ip link set host0 up; ip addr add 10.2.0.2/24 dev host0; exec sleep 1000'
		want 10 eval '[ "$(addresses_in db)" = 10.2.0.2/24 ]'
		systemctl stop loser || true
		want 10 eval '! forwards | grep -q 10.1.0.2'
		mends web 'the forward of tcp 8080 is gone'
		well_all
	END
}

what_a_killed_machine_left_goes_and_nothing_else() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 HOST_PORT=9090:80 MASQUERADE=1
		machdeck start web
		mac=$(macs ve-web)
		machdeck start db
		machdeck stop web
		# as an unclean end leaves it: the link is held by its old namespace, the forward and the way out stay
		ip netns add held
		ip link add ve-web address "$mac" type veth peer name host0 netns held
		map add tcp '10.1.0.2 . 80'
		nft add element ip machdeck addresses '{ 10.1.0.2 comment "web" }'
		# not ours: another address, another kind, another name
		ip link add ve-mine type veth peer name host1 netns held
		ip link add ve-other type bridge
		ip link add veth9 type veth peer name host9 netns held
		ours=$(forwards | grep 9090)
		exits 1 machdeck mend --orphans --dry-run
		told "ip link del dev ve-web" 'made it for web, which does not run' 'tcp 8080 goes to 10.1.0.2:80, which nobody has' 'the way out of web' 've-mine or vb-mine is not what systemd-nspawn made'
		[[ $(links) = *ve-web* ]]
		exits 1 machdeck mend --orphans
		same links 'lo ve-db ve-mine ve-other veth9' "$(links | sed 's/ip6tnl0 //; s/sit0 //; s/tunl0 //')"
		same forwards "$ours" "$(forwards)"
		same 'ways out' '10.2.0.2' "$(nft -j list set ip machdeck addresses | jq -r '.nftables[].set // empty | .elem[].elem.val')"
		want 10 serves db http://10.2.0.1:9090/
		machdeck start web
		want 10 serves web http://10.1.0.1:8080/
	END
}

what_can_not_be_mended_is_told_with_what_helps() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		machdeck start web
		ip link del ve-web
		exits 1 machdeck mend web
		told 'there is no link ve-web: machdeck restart web'
		machdeck stop web
		exits 1 machdeck mend web
		told 'web is not running: start it'
		exits 66 machdeck mend nobody
		exits 64 machdeck mend
		exits 64 machdeck mend --orphans web
	END
}

the_dashboard_shows_the_commands_first_and_keeps_them_in_its_log() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		machdeck start web
		well_all
		ip route del 10.1.0.2 dev ve-web; map delete tcp
		before=$(state_of)
		printf 'size 160x40\nwait web\nkey M\nwait ip route add 10.1.0.2 dev ve-web\nwait nft add element\nkey n\n' >/tmp/script
		machdeck --script /tmp/script
		same state "$before" "$(state_of)"
		printf 'size 160x40\nwait web\nkey M\nwait is missing\n' >/tmp/script
		not machdeck --read-only --script /tmp/script
		same state "$before" "$(state_of)"
		printf 'size 160x40\nwait web\nkey M\nwait ip route add 10.1.0.2 dev ve-web\nkey y\nwait web: mended\nkey @\nwait ip route add 10.1.0.2 dev ve-web\nwait machdeck mend web\n' >/tmp/script
		machdeck --script /tmp/script
		well_all
		printf 'size 160x40\nwait web\nkey M\nwait so there is nothing to mend\n' >/tmp/script
		machdeck --script /tmp/script
		ip route del 10.1.0.2 dev ve-web; map delete tcp # and a reload does it, too
		exits 0 machdeck reload web
		well_all
		exits 0 machdeck mend web
		told 'nothing is missing'
		rm -f /tmp/script
	END
}

nobody_without_the_right_changes_anything() {
	mending <<-'END'
		small web; conf web $NET HOST_PORT=8080:80
		machdeck start web
		well_all
		ip route del 10.1.0.2 dev ve-web; map delete tcp
		before=$(state_of)
		(ip monitor all >/tmp/ip.seen) & ip=$!
		(nft monitor >/tmp/nft.seen) & nft=$!
		want 10 eval 'nft add table ip probe; nft delete table ip probe; grep -q probe /tmp/nft.seen'
		want 10 eval 'ip link add probe type bridge 2>/dev/null; ip link del probe 2>/dev/null; grep -q probe /tmp/ip.seen'
		: >/tmp/ip.seen; : >/tmp/nft.seen
		exits 77 setpriv --reuid=nobody --regid=nogroup --clear-groups machdeck mend web
		told 'takes root'
		exits 1 setpriv --reuid=nobody --regid=nogroup --clear-groups machdeck mend --dry-run web
		told 'can not be seen'
		exits 0 machdeck mend --dry-run web
		exits 0 machdeck mend --dry-run --orphans
		printf 'size 160x40\nwait web\nkey M\nwait read-only\nkey H\nwait ve-web\n' >/tmp/script
		machdeck --read-only --script /tmp/script
		rm -f /tmp/script
		same state "$before" "$(state_of)"
		sleep 0.2
		same 'ip monitor' '' "$(grep -v -e '^\[NSID\]' -e '^nsid' /tmp/ip.seen || true)"
		same 'nft monitor' '' "$(cat /tmp/nft.seen)"
		kill $(pgrep -P $ip) $(pgrep -P $nft) 2>/dev/null || true
		mends web 'ip route add 10.1.0.2 dev ve-web'
		well_all
	END
}

run_cases "$@"
