#!/bin/bash
# The lab leaves nothing behind, however it ends.
#
# Each case runs in a sandbox with process, mount and network namespaces, /tmp and /run of its own, so that all it can
# leave there is seen, whatever else this machine does meanwhile. Only cgroups are the machine's: /machdeck-lab/NAME.

. "$(dirname -- "$0")/lib.sh"

# sandbox - the case's script comes from stdin; it must leave the sandbox as it was.
sandbox() {
	IMAGE=$("$LAB" image)
	export -f leftovers want fail is_clean
	LAB=/mnt/lab HERE=$LAB_DIR IMAGE=$IMAGE NAME=left-$BASHPID SCRIPT=$(cat) \
		unshare --mount --propagation private --pid --net --fork --mount-proc --kill-child -- bash -c '
		set -euo pipefail
		trap "echo \"\$BASH_COMMAND failed\"" ERR
		mount -n --bind "$HERE" /mnt # which may be below /tmp
		mount -n -t tmpfs run /run
		mount -t tmpfs tmp /tmp
		rmdir /run/mount
		touch /tmp/began
		leftovers >/tmp/before
		eval "$SCRIPT"
		want 10 is_clean
	' || exit
}

# leftovers - all a host could leave: mounts, processes, namespaces, links, folders, cgroups, changes to the image.
leftovers() {
	sort /proc/self/mounts
	ps -A -o comm= --no-headers --sort comm | grep -v -x -e ps -e grep -e diff -e bash || true
	lsns --noheadings --output TYPE,NS | sort -u
	ip -o link | sort
	ls -A /run /var/lib/machines /var/lib/containers /run/systemd/nspawn 2>/dev/null || true
	ls -A /tmp | grep -v -x -e before -e after -e changes -e began || true
	find "$(findmnt -nf -t cgroup2 -o TARGET)" -path "*$NAME*" 2>/dev/null || true
	find "$IMAGE" -newer /tmp/began
}

is_clean() {
	leftovers >/tmp/after
	diff /tmp/before /tmp/after >/tmp/changes || { grep '^[<>]' /tmp/changes | tr '\n' ' ' && return 1; }
	rm /tmp/after /tmp/changes
}

a_host_taken_down_leaves_nothing_behind() {
	sandbox <<-'END'
		"$LAB" up $NAME
		"$LAB" guest $NAME web
		"$LAB" run $NAME -- systemd-run --quiet -p Type=notify -p Delegate=yes systemd-nspawn --quiet --keep-unit \
			--notify-ready=yes -D /var/lib/containers/web -M web --network-veth --port=8080:80 --boot
		"$LAB" run $NAME -- machinectl show web -p Class
		"$LAB" run $NAME -- ip netns add extra
		"$LAB" run $NAME -- sleep 1000 &
		"$LAB" down $NAME
		is_clean || fail "something is left when 'lab down' returns: $(is_clean)"
	END
}

a_killed_owner_leaves_no_host_behind() {
	sandbox <<-'END'
		sleep 1000 &
		"$LAB" up $NAME --owner $!
		kill -KILL $!
	END
}

an_owner_that_is_a_zombie_has_ended() {
	sandbox <<-'END'
		mkfifo /tmp/until
		bash -c 'cat /tmp/until & echo $! >/tmp/zombie; exec tail --pid='$$' -f /dev/null' &
		want 10 test -s /tmp/zombie
		"$LAB" up $NAME --owner $(cat /tmp/zombie)
		: >/tmp/until
		want 10 grep -q "State:.Z" /proc/$(cat /tmp/zombie)/status
		want 10 eval '! pgrep -f "lab keep $NAME"'
		kill $!
		wait $! || true
		rm /tmp/zombie /tmp/until
	END
}

a_killed_keeper_leaves_nothing_behind() {
	sandbox <<-'END'
		"$LAB" up $NAME
		kill -KILL $(pgrep -o -f "lab keep $NAME")
	END
}

a_killed_janitor_leaves_nothing_behind() {
	sandbox <<-'END'
		"$LAB" up $NAME
		kill -KILL $(pgrep -n -f "lab keep $NAME")
	END
}

what_a_killed_keeper_and_janitor_leave_is_cleared_by_the_next_host() {
	sandbox <<-'END'
		"$LAB" up $NAME
		kill -KILL $(pgrep -f "lab keep $NAME")
		want 10 eval '! pgrep systemd'
		"$LAB" up $NAME-next
		"$LAB" down $NAME-next
	END
}

a_host_that_powers_itself_off_leaves_nothing_behind() {
	sandbox <<-'END'
		"$LAB" up $NAME
		"$LAB" run $NAME -- systemctl poweroff || true
	END
}

a_boot_killed_at_any_moment_leaves_nothing_behind() {
	local after also
	for also in true 'pkill -KILL -f "lab up"' 'pkill -KILL -o -f "lab keep"'; do
		for after in 0.02 0.05 0.08 0.11 0.15 0.20 0.30; do
			sandbox <<-END
				bash -c '"\$LAB" up \$NAME --owner \$\$; sleep 1000' &
				owner=\$!
				sleep $after
				kill -KILL \$owner
				$also || true
				wait \$owner || true
			END
		done
	done
}

a_second_host_of_that_name_is_refused() {
	sandbox <<-'END'
		"$LAB" up $NAME
		! "$LAB" up $NAME 2>/tmp/why || fail "it came up twice"
		grep -q "$NAME is up already" /tmp/why
		rm /tmp/why
		"$LAB" down $NAME
	END
}

run_cases "$@"
