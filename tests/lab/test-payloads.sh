#!/bin/bash
# Trees whose init is not systemd.

. "$(dirname -- "$0")/lib.sh"
. "$LAB_DIR/scenario.sh"
scenario payloads

# busybox_tree NAME - a system of busybox alone; what its init does is in its /out.
busybox_tree() {
	local tree=$ROOTS/$1 i
	mkdir -p "$tree"/{usr,bin,sbin,etc}
	cp /bin/busybox "$tree/bin/busybox"
	for i in sh sleep echo reboot poweroff; do ln -s busybox "$tree/bin/$i"; done
	ln -s ../bin/busybox "$tree/sbin/init"
	printf '%s\n' '::sysinit:/bin/sh -c "echo booted >>/out"' '::respawn:/bin/sleep 1000' \
		'::shutdown:/bin/sh -c "echo shut down >>/out"' >"$tree/etc/inittab"
	conf "$1" PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.0.1 LOCAL_ADDRESS=10.9.0.2
}

with_trees() { inside <<<"$(declare -f busybox_tree); $(cat)"; }

an_init_of_busybox_is_ready_and_shuts_down_when_asked_to() {
	with_trees <<-'END'
		busybox_tree bb
		timeout 20 machdeck start bb
		ping -c 1 -W 1 10.9.0.2
		timeout 20 machdeck stop bb
		same "what it did" "booted shut down" "$(paste -sd ' ' $ROOTS/bb/out)"
		same state inactive "$(state bb)"
		nothing_left bb
	END
}

it_reboots_and_powers_off_from_inside() {
	with_trees <<-'END'
		busybox_tree bb
		machdeck start bb
		first=$(property bb InvocationID)
		machdeck run bb -- reboot || true # it may be killed by what it asked for
		rebooted() { [ "$(property bb InvocationID)" != "$first" ] && [ "$(state bb)" = active ]; }
		want 10 rebooted
		machdeck run bb -- poweroff || true
		is_down() { [ "$(state bb)" = inactive ]; }
		want 10 is_down
		same "the last word" "shut down" "$(tail -n 1 $ROOTS/bb/out)"
	END
}

one_that_insists_on_being_the_first_process_is_it() {
	with_trees <<-'END'
		busybox_tree bb
		mv $ROOTS/bb/bin/busybox $ROOTS/bb/bin/busybox.real
		printf '#!/bin/busybox.real sh\n[ $$ = 1 ] || exit 127\nexec /bin/busybox.real init\n' >$ROOTS/bb/bin/busybox
		chmod 0755 $ROOTS/bb/bin/busybox
		timeout 20 machdeck start bb
		same "PID 1" busybox.real "$(cat /proc/"$(leader bb)"/comm)"
		machdeck terminate bb
	END
}

run_cases "$@"
