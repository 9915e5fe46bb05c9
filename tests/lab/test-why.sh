#!/bin/bash
# The why-line: each failure is made for real, and list and status name its cause, in a sentence and in a word.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario why --unfiltered

helpers=$(cat <<-'END'
	field() { machdeck list --json | jq -r --arg name "$1" ".machines[] | select(.name == \$name) | $2"; }
	# why NAME CAUSE WORDS... - within 6 s list and status tell that cause, with each of the words.
	why() {
		local name=$1 cause=$2 words
		want 10 eval '[ "$(field '"$name"' .cause)" = '"$cause"' ]'
		said=$(machdeck list | grep -A 1 "^$name ")
		told "[$cause]" "${@:3}"
		said=$(machdeck status "$name" || true)
		told "[$cause]" "${@:3}"
		same 'JSON of status' "$cause" "$(machdeck status --json "$name" | jq -r .cause)"
	}
	# oomd_kills NAME - as systemd-oomd does it: all in the cgroup is killed, and a count on it tells so.
	oomd_kills() {
		perl -e 'use Config; my %set = (x86_64 => 188, aarch64 => 5); my ($arch) = $Config{archname} =~ /^(\w+?)-/;
			exit 77 unless $set{$arch}; my ($name, $value) = ("user.oomd_ooms", "1");
			syscall($set{$arch}, $ARGV[0], $name, $value, 1, 0) == 0 or die "setxattr: $!\n"' \
			/sys/fs/cgroup"$(property "$1" ControlGroup)"
		systemctl kill --signal=KILL container@"$1"
	}
END
)
scene() { inside <<<"$helpers"$'\n'"$(cat)"; }

a_line_of_the_conf_that_is_bad_is_named() {
	scene <<-'END'
		conf broken PRIVATE_NETWORK=1 'HOST_BRIDGE="br0'
		why broken bad-conf /etc/containers/broken.conf:2:
	END
}

a_tree_that_is_not_there_is_named() {
	scene <<-'END'
		mkdir -p $ROOTS
		conf gone PRIVATE_NETWORK=1
		not machdeck start gone
		why gone missing-tree $ROOTS/gone
	END
}

what_the_host_s_side_fails_at_is_named_however_much_the_guest_says_after_it() {
	scene <<-'END'
		web clash
		conf clash PRIVATE_NETWORK=1 HOST_ADDRESS=10.60.0.1 LOCAL_ADDRESS=10.60.0.2
		drop_in clash Restart=no
		ip link add d0 type bridge
		ip link set d0 up
		ip route add 10.60.0.2/32 dev d0
		exits 1 machdeck start clash
		told "cannot add the route to 10.60.0.2 on ve-clash: that route is on d0 already"
		why clash unit-step "cannot add the route to 10.60.0.2 on ve-clash: that route is on d0 already"
		nothing_left clash
	END
}

the_source_of_a_bind_mount_that_is_missing_is_named() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 EXTRA_NSPAWN_FLAGS=--bind=/no/such/dir
		not machdeck start web
		why web missing-source /no/such/dir
	END
}

an_init_that_can_not_run_is_named() {
	scene <<-'END'
		lab-guest web --init - <<<'#!/no/such/interpreter'
		conf web PRIVATE_NETWORK=1
		not machdeck start web
		why web bad-payload /sbin/init INIT=
	END
}

who_has_the_port_already_is_named() {
	scene <<-'END'
		small db; conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=8080:80
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2 HOST_PORT=8080:80
		drop_in web Restart=no
		machdeck start db
		not machdeck start web
		why web port-clash tcp:8080 db
	END
}

who_has_the_name_already_is_named() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		systemd-run --quiet --unit=squatter.service --service-type=notify --property=KillMode=mixed --property=Delegate=yes \
			systemd-nspawn --quiet --keep-unit --machine=web --directory=$ROOTS/web --private-network /bin/busybox sleep 1000
		why web name-taken squatter.service
		systemctl stop squatter.service
	END
}

the_last_failure_of_too_many_is_told() {
	scene <<-'END'
		lab-guest web --init - <<-'INIT'
			#!/bin/sh
			echo the disk is on fire
			exit 3
		INIT
		conf web PRIVATE_NETWORK=1
		not machdeck start web
		why web start-limit 'given up after too many failures' 'status 3' 'the disk is on fire'
	END
}

a_guest_that_is_never_ready_is_told_with_its_limit() {
	scene <<-'END'
		lab-guest web
		service web hang.service <<-'UNIT'
			[Unit]
			Before=multi-user.target
			[Service]
			Type=oneshot
			ExecStart=/bin/busybox sleep 1000
		UNIT
		conf web PRIVATE_NETWORK=1 TIMEOUT_START_SEC=2
		drop_in web Restart=no
		not machdeck start web
		why web guest-timeout 'was not ready within 2 s' TIMEOUT_START_SEC=
	END
}

a_masked_unit_is_told_with_its_cure() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		systemctl mask --runtime container@web
		why web masked 'systemctl unmask container@web'
		systemctl unmask --runtime container@web
		same cured null "$(field web .cause)"
	END
}

a_machined_that_hangs_is_named() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		drop_in web Restart=no
		systemctl start systemd-machined
		machined=$(systemctl show systemd-machined --property MainPID --value)
		trap 'kill -CONT $machined; clear_all' EXIT
		kill -STOP "$machined"
		machdeck start web || true
		why web machined-hung systemd-machined
	END
}

a_full_disk_is_named() {
	scene <<-'END'
		mkdir -p $ROOTS/web
		mount -t tmpfs -o size=64k,mode=0755 full $ROOTS/web
		mkdir -p $ROOTS/web/usr $ROOTS/web/etc
		dd if=/dev/zero of=$ROOTS/web/fill bs=4k 2>/dev/null || true
		conf web PRIVATE_NETWORK=1 INIT=/bin/true
		drop_in web Restart=no
		not machdeck start web
		why web disk-full 'No space left on device' 'free some space'
	END
}

a_unit_that_failed_in_the_guest_is_named() {
	scene <<-'END'
		lab-guest web; conf web PRIVATE_NETWORK=1
		service web sick.service <<-'UNIT'
			[Service]
			ExecStart=/bin/false
		UNIT
		machdeck start web
		why web guest-unit '1 unit failed inside: sick.service'
		same state running "$(field web .state)"
		same names '["sick.service"]' "$(field web '.failedInside | tojson')"
	END
}

a_dependency_that_failed_is_named() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1 AUTO_START=1
		printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' >/run/systemd/system/broken.service
		drop_in web Restart=no '[Unit]' Requires=broken.service After=broken.service
		not machdeck start web
		why web dependency broken.service
		rm /run/systemd/system/broken.service
	END
}

a_step_of_ours_that_failed_in_the_guest_is_told_in_its_words() {
	scene <<-'END'
		small web
		conf web PRIVATE_NETWORK=1 LOCAL_ADDRESS=10.1.0.2 HOST_ADDRESS=10.1.0.1 EXTRA_NSPAWN_FLAGS=--drop-capability=CAP_NET_ADMIN
		drop_in web Restart=no
		not machdeck start web
		why web guest-step "its guest's side: "
	END
}

a_signal_that_killed_it_is_named() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		drop_in web Restart=no
		machdeck start web
		kill -SEGV "$(property web MainPID)"
		why web killed SIGSEGV
	END
}

# Where the lab's cgroup has no memory controller, nothing can be hungry in it: there systemd-oomd's mark on the unit's
# cgroup, by which systemd itself knows of such a kill, is set by hand.
want_of_memory_is_told_with_its_victim() {
	scene <<-'END'
		if ! grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
			small web; conf web PRIVATE_NETWORK=1
			drop_in web Restart=no OOMPolicy=stop
			machdeck start web
			oomd_kills web
			want 10 eval '[ "$(property web Result)" = oom-kill ]'
			why web oom-kill 'out of memory: systemd-oomd killed'
			exit 0
		fi
		lab-guest web --init - <<-'INIT'
			#!/bin/sh
			exec tail /dev/zero
		INIT
		conf web PRIVATE_NETWORK=1
		drop_in web Restart=no MemoryMax=30M MemorySwapMax=0 OOMPolicy=stop
		machdeck start web || true
		why web oom-kill 'out of memory'
	END
}

what_systemd_oomd_killed_is_told_in_the_list_and_on_the_screen() {
	scene <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		drop_in web Restart=no
		machdeck start web
		oomd_kills web
		why web oom-kill 'out of memory: systemd-oomd killed' oomctl
		printf 'size 120x24\nwait web\nwait systemd-oomd killed\n' >/tmp/script
		machdeck --script /tmp/script
	END
}

a_ghost_is_told() {
	scene <<-'END'
		systemd-run --quiet --unit=lost.service sh -c 'sleep 1000 & echo $! >/run/lost; wait; sleep 1000'
		want 10 test -s /run/lost
		machined() { busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager "$@"; }
		machined RegisterMachine sayssus lost 0 test container "$(cat /run/lost)" ''
		kill "$(cat /run/lost)"
		why lost ghost "leader $(cat /run/lost) is dead"
		machined UnregisterMachine s lost
		systemctl stop lost.service
	END
}

run_cases "$@"
