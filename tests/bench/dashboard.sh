#!/bin/bash
# dashboard.sh [SECONDS [PART...]] - what the dashboard costs, with 12 running machines (the parts measure, tabs, hidden), 100
# and 1,000 registered ones (hundred, thousand); htop beside it (htop_beside).
#
# The 12 are busybox guests with a veth each, three of them at work; the others are processes that machined was told of
# (CreateMachine), so it has a scope and a file for each. Idle figures are of SECONDS (30). Prints "FIGURE VALUE <= BUDGET"
# (tests/lab/budgets.sh) and fails when a budget is exceeded. 1,000 bring systemd to its knees here and there: it is given
# time to come to rest.
. "$(dirname "$0")/../lab/budgets.sh"
seconds=${1:-30}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- measure tabs hidden htop_beside hundred thousand
results=$(mktemp)
trap 'rm -f "$results"' EXIT

budget_host
twelve_machines

measure() { # FIGURES of the 12
	echo "12_first_data_ms $(first_frame 9 m07 machdeck)"
	drive 80x24 machdeck <<-END | figures 12
	first m07
	rest 4000
	idle idle $seconds
	memory mem
	END
	drive 80x24 machdeck <<-END | figures 80x24
	first m07
	rest 2500
	key cursor 40 j j j j j k k k k k
	press ?
	key escape 1 Esc
	END
	drive 200x50 machdeck <<-END | figures 200x50
	first m07
	rest 2500
	key cursor 40 j j j j j k k k k k
	END
	drive 80x24 machdeck <<-'END'
	first m07
	rest 500
	event conf newcomer	echo PRIVATE_NETWORK=1 >/etc/containers/.new; mv /etc/containers/.new /etc/containers/newcomer.conf
	sh rm /etc/containers/newcomer.conf
	rest 500
	event stop 1 stopped	systemctl stop container@m01
	rest 500
	event start 12 running	systemctl start container@m01
	END
}

# tabs - opening each, and what it costs to leave it open
tabs() {
	local tab other
	for tab in ${TABS:-1 2 3 4 5 6 7 8}; do
		other=$((tab == 1 ? 8 : 1))
		drive 80x24 machdeck <<-END
		first m07
		press Enter $other
		rest 1000
		key tab$tab 5 $tab $other
		press $tab
		rest 2500
		idle tab${tab}_idle $((seconds / 3))
		END
	done
}

# hidden - no statistics are on the screen, and no age
hidden() {
	on ui bash -c 'mkdir -p /etc/machdeck; echo "columns = name,state,address,ports" >/etc/machdeck/machdeck.conf'
	drive 80x24 machdeck --period=0 <<-END | in_all
	first m07
	rest 3000
	idle idle $seconds
	END
	on ui rm /etc/machdeck/machdeck.conf
}
in_all() {
	awk -v s="$seconds" '
		/_per_s/ { print ($1 ~ /wakeups/ ? "hidden_idle_wakeups" : "hidden_idle_bytes"), $2 * s }
		/children/ { print "hidden_" $1, $2 }'
}

htop_beside() {
	on ui sh -c 'command -v htop' >/dev/null || return 0
	for size in 80x24 200x50; do
		drive $size htop <<-END | figures htop_$size
		first Help
		rest 2000
		idle idle $seconds
		key cursor 40 Down Down Down Up Up Up
		memory mem
		END
	done
}

many() { # N
	registered "$1"
	on ui systemctl is-system-running --wait >/dev/null || true
	echo "$1_first_data_ms $(first_frame 5 fake machdeck)"
	drive 80x24 machdeck <<-END | figures "$1"
	first fake
	rest 4000
	idle idle $seconds
	memory mem
	END
}

hundred() { many 100; }
thousand() { many 1000; }

for part; do "$part"; done | tee "$results" | grep --line-buffered . >/dev/stderr
judge <"$results"
