#!/bin/bash
# --dry-run: every verb that changes something says what it would do, ends with 0 and changes nothing.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario dryrun

# All that a verb could have changed: files, units and their processes, links.
state='
	look() {
		{ find /etc/containers /etc/systemd /etc/hosts /var/lib/containers/down /var/lib/machines /var/lib/machdeck /run/systemd/generator* /run/systemd/nspawn \
			-printf "%p %s %T@ %i\n" 2>/dev/null || true; } | sort
		for unit in up down; do systemctl show container@$unit -p ActiveState,MainPID,InvocationID,MemoryMax,FreezerState; done
		ip -o link; ip -o address
	}
	dry() {
		look >/tmp/before
		exits 0 "$@"
		look >/tmp/after
		diff /tmp/before /tmp/after || fail "$* changed something"
		tried="$tried $1 $2"
	}
	tried=
'

no_verb_changes_anything() {
	inside <<-END
		$state
		small up; conf up PRIVATE_NETWORK=1 HOST_ADDRESS=10.7.0.1 LOCAL_ADDRESS=10.7.0.2
		small down; conf down PRIVATE_NETWORK=1
		exits 0 machdeck start up
		want 10 eval 'ip addr show dev ve-up | grep -q fe80 && ! ip addr | grep -q tentative' # or it changes by itself
		exits 0 machdeck set up HOST_ADDRESS=10.7.0.9
		echo hello >/tmp/file
		dry machdeck start --dry-run down
		told 'down would be started' 'systemctl start' 'container@down.service' systemd-nspawn
		dry machdeck start --dry-run up
		told 'start would change nothing: it is running already'
		for verb in stop restart terminate kill freeze; do
			dry machdeck \$verb --dry-run up
			told 'up would be'
		done
		dry machdeck reload --dry-run up
		told 'systemctl reload' 'changes while it runs'
		dry machdeck thaw --dry-run up
		dry machdeck enable --dry-run down
		told '+AUTO_START=1'
		dry machdeck forgive --dry-run down
		dry machdeck mend --dry-run up
		dry machdeck limit --dry-run up MemoryMax=1G
		dry machdeck limit --dry-run --runtime up MemoryMax=1G
		told 'until it stops'
		dry machdeck copy-to --dry-run up /tmp/file /root/file
		told 'machinectl copy-to up /tmp/file /root/file'
		dry machdeck copy-from --dry-run up /etc/hostname /tmp/copied
		not test -e /tmp/copied
		dry machdeck bind --dry-run --read-only up /tmp/file /mnt
		told 'machinectl bind up'
		dry machdeck hosts --dry-run
		told '+10.7.0.2'
		dry machdeck snapshot --dry-run --copy down
		dry machdeck set --dry-run down MASQUERADE=0
		dry machdeck unset --dry-run up HOST_ADDRESS
		told 'up: a reload would apply it'
		dry machdeck set --dry-run up HOST_ADDRESS=10.7.0.1
		told 'up: nothing else to do'
		dry machdeck undo --dry-run up
		told '+HOST_ADDRESS=10.7.0.1'
		dry env EDITOR=true machdeck edit --dry-run up
		dry machdeck rename --dry-run down other
		dry machdeck clone --dry-run down second
		exits 0 machdeck set down AUTO_START=0; dry machdeck destroy --dry-run down
		told /var/lib/machdeck/history/down
		exits 66 machdeck stop --dry-run nosuch
		exits 78 bash -c 'ln -s /elsewhere /etc/containers/link.conf; machdeck set --dry-run link A=b'
	END
}

run_cases "$@"
