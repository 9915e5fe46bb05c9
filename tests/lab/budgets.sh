# Sourced by tests/bench/dashboard.sh and tests/lab/test-budgets.sh: what the dashboard may cost, and how it is measured.
# The figures are those of tests/tools/ptydrive.c.

. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib.sh"

PTYDRIVE=${B:-$TOP/build}/tests/tools/ptydrive
SLACK=${SLACK:-1} # a budget is multiplied by it

# Figure, budget, unit.
BUDGETS='
12_first_data_ms              50   ms
100_first_data_ms             100  ms
1000_first_data_ms            300  ms
12_idle_cpu_percent           0.1  %
12_idle_wakeups_per_s         0.6  /s
12_idle_bytes_per_s           400  B/s
12_idle_children              0    children
100_idle_cpu_percent          0.4  %
1000_idle_cpu_percent         3    %
hidden_idle_wakeups           0    in all
hidden_idle_bytes             0    B in all
hidden_idle_children          0    children
80x24_cursor_bytes            350  B
200x50_cursor_bytes           700  B
80x24_cursor_first_ms         5    ms
80x24_cursor_last_ms          5    ms
80x24_escape_last_ms          40   ms
tab1_first_ms                 5    ms
tab2_last_ms                  5    ms
tab3_last_ms                  5    ms
tab4_last_ms                  5    ms
tab5_last_ms                  5    ms
tab6_last_ms                  5    ms
tab7_last_ms                  5    ms
tab8_last_ms                  5    ms
tab1_idle_wakeups_per_s       1.2  /s
tab2_idle_wakeups_per_s       1.2  /s
tab3_idle_wakeups_per_s       1.2  /s
tab4_idle_wakeups_per_s       1.2  /s
tab5_idle_wakeups_per_s       1.2  /s
tab6_idle_wakeups_per_s       1.2  /s
tab7_idle_wakeups_per_s       1.2  /s
tab8_idle_wakeups_per_s       1.2  /s
conf_ms                       50   ms
start_ms                      50   ms
stop_ms                       50   ms
12_mem_rss_mb                 16   MB
100_mem_rss_mb                16   MB
'

# budget_host - a host "ui" with ptydrive, and htop where this machine has it
budget_host() {
	local binds=(--bind "$PTYDRIVE:/usr/local/bin/ptydrive") file
	[ -x "$PTYDRIVE" ] || fail "there is no $PTYDRIVE; type: make tests"
	if command -v htop >/dev/null; then
		for file in "$(command -v htop)" $(ldd "$(command -v htop)" | grep -o '/[^ ]*/libnl[^ ]*'); do
			binds+=(--bind "$(realpath "$file"):$file")
		done
	fi
	lab_host ui "${binds[@]}"
}

# twelve_machines - m01 to m12 run; three of them work a little, so that figures change
twelve_machines() {
	on ui <<-'END'
	mkdir -p /etc/containers
	for i in {01..12}; do
		printf 'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.7.%d.1\nLOCAL_ADDRESS=10.7.%d.2\n' $((10#$i)) $((10#$i)) >/etc/containers/m$i.conf
		work='exec sleep infinity'
		[ $((10#$i % 4)) -ne 0 ] || work="while :; do i=0; while [ \$i -lt ${i}00 ]; do i=\$((i + 1)); done; sleep 0.2; done"
		printf '#!/bin/sh\n%s\n' "$work" | lab-guest m$i --init -
	done
	systemctl daemon-reload
	systemctl start container@m{01..12}
	END
}

# registered N - until N machines are registered: processes in scopes of machined's making. It has a match on the bus for
# each, and the bus allows 512.
registered() {
	on ui bash -euo pipefail -s "$1" <<-'END'
	echo "<busconfig><limit name='max_match_rules_per_connection'>4096</limit></busconfig>" >/etc/dbus-1/system.d/bench.conf
	busctl call --quiet org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
	have=$(ls /run/systemd/machines | grep -vc :)
	for ((i = have + 1; i <= $1; i++)); do
		setsid sleep infinity </dev/null >/dev/null 2>&1 &
		busctl call --quiet org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
			CreateMachine 'sayssusa(sv)' "fake$i" 0 bench container $! '' 0
	done
	[ "$(ls /run/systemd/machines | grep -vc :)" -ge "$1" ]
	END
}

# drive SIZE PROGRAM... - with a script on stdin; the figures
drive() { on ui env LC_ALL=C.UTF-8 ptydrive -s "$@"; }

# first_frame TIMES PROGRAM... - the middle one of so many first frames with data
first_frame() {
	local i times=$1 text=$2
	shift 2
	for ((i = 0; i < times; i++)); do
		drive 80x24 "$@" <<<"first $text"
	done | awk '/^first_data_ms/ { print $2 }' | sort -n | sed -n "$(((times + 1) / 2))p"
}

# figures PREFIX - names of figures get a prefix
figures() { sed "s/^/$1_/"; }

# judge - reads figures; prints each that has a budget, with it. Fails when one is over.
judge() {
	awk -v slack="$SLACK" -v budgets="$BUDGETS" '
		BEGIN {
			n = split(budgets, lines, "\n")
			for (i = 1; i <= n; i++)
				if (split(lines[i], f, " ") >= 3) {
					budget[f[1]] = f[2]
					sub(/^[^ ]+ +[^ ]+ +/, "", lines[i])
					unit[f[1]] = lines[i]
				}
		}
		$1 in budget {
			over = $2 > budget[$1] * slack
			bad += over
			printf "%-28s %9.2f  <= %6.4g %-12s %s\n", $1, $2, budget[$1] * slack, unit[$1], over ? "FAILS" : "ok"
			next
		}
		/^htop/ { printf "%-28s %9.2f\n", $1, $2 }
		END { exit bad > 0 }'
}
