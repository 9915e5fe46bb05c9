#!/bin/bash
# Containers made by a command, as the reference's own test has them (behaviours D, AT-IMP and AT-BINDREQ), by our verbs.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario imperative

# AT-IMP 1 to 8, 10; a stop as soon as a guest says something, and what the journal says of both stops: test-scenarios-life.
from_a_unique_name_to_a_root_that_was_a_mount_point() {
	script <<-'END'
		lab-guest src
		# 1: two of one name
		for i in 1 2; do
			machdeck create foo --ensure-unique-name --tree $ROOTS/src --private-users no \
				--extra-nspawn-flags --bind-ro=/run/daemon.sock >/run/name$i 2>/run/said$i
			same lines 1 "$(wc -l </run/name$i)"
			grep -qx "host IP is 10.233.$i.1, container IP is 10.233.$i.2" /run/said$i || fail "it says $(cat /run/said$i)"
		done
		id1=$(cat /run/name1) id2=$(cat /run/name2)
		same names "foo foo-0" "$id1 $id2"
		# 2: a root that is a mount point
		mv $ROOTS/$id2 /moved; mkdir $ROOTS/$id2
		mount --bind /moved $ROOTS/$id1
		same addresses "10.233.1.2 10.233.2.2" "$(machdeck show-ip $id1) $(machdeck show-ip $id2)"
		# 3: and mounts in it
		mkdir -p /nested-bindmount; echo important >/nested-bindmount/dummy
		for id in $id1 $id2; do
			mkdir -p $ROOTS/$id/very/important/data
			mount --bind /nested-bindmount $ROOTS/$id/very/important/data
		done
		# 4, 5: it runs, and reaches a service of the host by its socket
		perl -MIO::Socket::UNIX -e '
			unlink "/run/daemon.sock";
			my $l = IO::Socket::UNIX->new(Local => "/run/daemon.sock", Listen => 5) or die; chmod 0666, "/run/daemon.sock";
			while (my $c = $l->accept) { while (<$c>) { last if /^\r?\n$/ }
				print $c "HTTP/1.0 200 OK\r\n\r\nby the daemon\n"; close $c }' & daemon=$!
		want 10 test -S /run/daemon.sock
		exits 0 machdeck start $id1
		same uname Linux "$(machdeck run $id1 -- uname)"
		same answer "by the daemon" "$(machdeck run $id1 -- curl --silent --unix-socket /run/daemon.sock http://x/)"
		# 6
		exits 0 machdeck stop $id1
		exits 0 machdeck start $id1
		exits 0 machdeck stop $id1
		# 7: a stop while it boots
		machdeck start $id1 >/dev/null 2>&1 & starting=$!
		want 10 machinectl show $id1
		exits 0 machdeck stop $id1
		wait $starting || true
		not systemctl is-failed container@$id1
		exits 0 machdeck start $id1
		# 8: a stop without systemd-machined
		systemctl stop systemd-machined
		exits 0 machdeck stop $id1
		systemctl start systemd-machined
		exits 0 machdeck start $id1
		# 10: what was bound survives, what was bound to does not
		exits 0 machdeck destroy --yes --detach $id1
		exits 0 machdeck destroy --yes --detach $id2
		same dummy important "$(cat /nested-bindmount/dummy)"
		[ ! -e $ROOTS/$id1 ] && [ ! -e $ROOTS/$id2 ] || fail "a root is left"
		[ -e /moved/usr ] || fail "what was mounted on the root was deleted"
		kill $daemon; umount /moved/very/important/data # where the mount went along, by propagation
		rm -r /moved /nested-bindmount
	END
}

# AT-IMP 9, 11
what_a_guest_makes_of_itself_and_its_end_while_it_runs() {
	script <<-'END'
		# 9
		lab-guest src
		machdeck create tmp --tree $ROOTS/src --private-users no
		echo 'd /foo 0755 root root -' >$ROOTS/tmp/etc/tmpfiles.d/foo.conf
		service tmp foo.service <<-'UNIT'
			[Unit]
			After=systemd-tmpfiles-setup.service
			[Service]
			Type=oneshot
			RemainAfterExit=yes
			ExecStart=/bin/ls -al /foo
		UNIT
		exits 0 machdeck start tmp
		want 10 eval '[ "$(machdeck run tmp -- systemctl is-active foo.service)" = active ]'
		exits 0 machdeck destroy --yes tmp
		nothing_left tmp
		[ ! -e $ROOTS/tmp ]
		# 11
		exits 66 machdeck create bad --tree /nowhere
		mkdir -p /empty
		exits 65 machdeck create bad --tree /empty
		[ ! -e $ROOTS/bad ] && [ ! -e $CONFS/bad.conf ] && no_leftovers
	END
}

# AT-BINDREQ
a_container_goes_down_with_the_mount_it_needs() {
	script <<-'END'
		mini /src
		mkdir -p /srv/data
		cat >/run/systemd/system/srv-data.mount <<-'UNIT'
			[Mount]
			What=tmpfs
			Where=/srv/data
			Type=tmpfs
		UNIT
		systemctl daemon-reload
		machdeck create req --tree /src --private-users no --extra-nspawn-flags --bind=/srv/data
		same before inactive "$(systemctl is-active srv-data.mount || true)"
		exits 0 machdeck start req
		same mount active "$(systemctl is-active srv-data.mount)"
		want 10 serves mini http://10.233.1.2/
		systemctl stop srv-data.mount
		want 10 eval '[ "$(state req)" = inactive ]'
		same mount inactive "$(systemctl is-active srv-data.mount || true)"
		machdeck destroy --yes req
		rm /run/systemd/system/srv-data.mount; systemctl daemon-reload
	END
}

run_cases "$@"
