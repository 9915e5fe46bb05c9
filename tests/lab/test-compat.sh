#!/bin/bash
# The command line of nixos-container: its verbs, their flags, output and statuses (behaviours C).

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario compat
on compat ln -sf machdeck /usr/bin/nixos-container

making+='
nc() { nixos-container "$@" 2>/run/stderr; }
'

a_container_is_driven_by_the_verbs_of_nixos_container() {
	script <<-'END'
		small old; conf old PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		same list old "$(nc list)"
		same down down "$(nc status old)"
		same start '' "$(nc start old)"
		same up up "$(nc status old)"
		same active active "$(state old)"
		same ip 10.233.1.2 "$(nc show-ip old)"
		same run "it's a b" "$(nc run old -- echo "it's" 'a b')"
		same run "a b" "$(nc run old echo a b)"
		same run "--help -- a" "$(nc run -- old echo --help -- a)"
		same run "a --signal" "$(nc run old echo a -- --signal)"
		exits 7 nixos-container run old -- sh -c 'exit 7'
		same root-login $'0' "$(echo id -u | nc root-login old)"
		leader=$(machinectl show -p Leader --value old)
		nc restart old
		[ "$leader" != "$(machinectl show -p Leader --value old)" ] || fail "it was not restarted"
		same terminate '' "$(nc terminate old)"
		want 10 eval '[ "$(nc status old)" = down ]'
		want 10 eval 'rc=0; nixos-container terminate old 2>/dev/null || rc=$?; [ $rc = 66 ]'
		nc start old
		same stop '' "$(nc stop old)"
		same down down "$(nc status old)"
		exits 66 nixos-container run old -- true
		exits 66 nixos-container root-login old
		exits 66 script --quiet --return --command 'nixos-container login old' /dev/null
	END
}

an_address_is_printed_without_its_mask_and_of_either_family() {
	script <<-'END'
		conf one PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS=10.0.0.2/24 LOCAL_ADDRESS6=fc00::2/64
		conf two PRIVATE_NETWORK=1 HOST_BRIDGE=br0 LOCAL_ADDRESS6=FC00::3/64
		conf three PRIVATE_NETWORK=1 LOCAL_ADDRESS=fc00::4
		conf four PRIVATE_NETWORK=1
		same addresses "10.0.0.2 fc00::3 fc00::4" "$(nc show-ip one) $(nc show-ip two) $(nc show-ip three)"
		exits 1 nixos-container show-ip four
		same said "nixos-container: cannot get IP address" "$said"
		echo 'unqualified-search-registries = []' >$CONFS/registries.conf; echo '[engine]' >$CONFS/containers.conf
		mkdir -p /etc/nixos-containers; echo PRIVATE_NETWORK=1 >/etc/nixos-containers/five.conf
		same list "five four one three two" "$(nc list | xargs)"
		same list "five four one three two" "$(setpriv --reuid=65534 --regid=65534 --clear-groups nixos-container list | xargs)"
		exits 64 nixos-container list one
		rm -r /etc/nixos-containers
	END
}

what_is_not_there_is_gone() {
	script <<-'END'
		exits 66 nixos-container status nosuch
		same gone gone "$(nixos-container status nosuch 2>/dev/null)"
		for verb in start stop restart update terminate login root-login run show-ip show-host-key; do
			exits 66 nixos-container $verb nosuch
			same "what $verb says" "nixos-container: container 'nosuch' does not exist" "$said"
		done
		exits 0 nixos-container destroy nosuch
		same "what destroy says" '' "$said"
		exits 64 nixos-container start 'a_b'
		told "invalid container name 'a_b'"
		exits 64 nixos-container start
		told 'no container name specified'
		exits 64 nixos-container
		told 'no action specified'
		exits 64 nixos-container dance
		told "unknown action 'dance'"
		exits 1 nixos-container --no-such-option list
		exits 1 nixos-container list --option one
		exits 0 nixos-container --help
		told Usage: 'nixos-container create' '--ensure-unique-name'
		same list '' "$(nixos-container list)"
	END
}

a_login_console_is_that_of_the_guest() {
	script <<-'END'
		web login; conf login PRIVATE_NETWORK=1
		nixos-container start login
		opens 'nixos-container login login'
		wait_for 'login login:'
		tmux send-keys -t s 'C-]' 'C-]' 'C-]'
		wait_for 'status=0'
	END
}

one_that_is_destroyed_is_ended_first_and_what_is_bound_survives() {
	script <<-'END'
		sentinel
		small old; conf old PRIVATE_NETWORK=1
		nixos-container start old
		exits 0 nixos-container destroy old
		same said '' "$said"
		nothing_left old
		[ ! -e $ROOTS/old ] && [ ! -e $CONFS/old.conf ] || fail "it is there"
		mkdir -p $ROOTS/two/{usr,var/empty,deep/data}; conf two PRIVATE_NETWORK=1
		chattr +i $ROOTS/two/var/empty 2>/dev/null || true
		mount --bind $ROOTS/two $ROOTS/two
		mount --bind /sentinel $ROOTS/two/deep/data
		exits 0 nixos-container destroy two
		same precious precious "$(cat /sentinel/file)"
		[ ! -e $ROOTS/two ] || fail "the root is there"
		# Declared ones, and who may not.
		conf dec PRIVATE_NETWORK=1; mv $CONFS/dec.conf /run/dec; ln -s /run/dec $CONFS/dec.conf
		exits 78 nixos-container destroy dec
		told "cannot destroy declarative container (remove it from your configuration.nix instead): "
		rm $CONFS/dec.conf
		conf dec PRIVATE_NETWORK=1
		mount --bind $CONFS $CONFS && mount -o remount,ro,bind $CONFS
		exits 73 nixos-container destroy dec
		told "cannot destroy declarative container"
		umount $CONFS
		exits 77 setpriv --reuid=65534 --regid=65534 --clear-groups nixos-container destroy dec
		told "takes root"
		[[ $said != *declarative* ]] || fail "a missing right is called something else: $said"
	END
}

# AT-IMP, as the reference's own test has it, with its tool's verbs.
two_of_one_name_live_and_end_as_the_reference_wants() {
	script <<-'END'
		fake_nix
		# 1: two of one name
		for i in 1 2; do
			nixos-container create foo --ensure-unique-name >/run/name$i 2>/run/said$i
			same lines 1 "$(wc -l </run/name$i)"
			grep -qx "host IP is 10.233.$i.1, container IP is 10.233.$i.2" /run/said$i || fail "it says $(cat /run/said$i)"
		done
		id1=$(cat /run/name1) id2=$(cat /run/name2)
		[ "$id1" != "$id2" ] || fail "both are called $id1"
		# 2: a root that is a mount point
		mv $ROOTS/$id2 /moved; mkdir $ROOTS/$id2
		mount --bind /moved $ROOTS/$id1
		same addresses "10.233.1.2 10.233.2.2" "$(nc show-ip $id1) $(nc show-ip $id2)"
		# 3: and mounts in it
		mkdir -p /nested-bindmount; echo important >/nested-bindmount/dummy
		for id in $id1 $id2; do
			mkdir -p $ROOTS/$id/very/important/data
			mount --bind /nested-bindmount $ROOTS/$id/very/important/data
		done
		# 4: it runs
		exits 0 nixos-container start $id1
		same uname Linux "$(nc run $id1 -- uname)"
		# 5: and reaches the daemon of the host
		perl -MIO::Socket::UNIX -e '
			unlink $ARGV[0]; my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die; chmod 0666, $ARGV[0];
			while (my $c = $l->accept) { while (<$c>) { last if /^\r?\n$/ }
				print $c "HTTP/1.0 200 OK\r\n\r\nby the daemon\n"; close $c }' /nix/var/nix/daemon-socket/socket & daemon=$!
		want 10 test -S /nix/var/nix/daemon-socket/socket
		answers() { [ "$(nc run $id1 -- curl --silent --unix-socket /nix/var/nix/daemon-socket/socket http://x/)" = "by the daemon" ]; }
		want 10 answers
		# 6: again
		exits 0 nixos-container stop $id1
		exits 0 nixos-container start $id1
		# 7: a stop as soon as the guest says something
		exits 0 nixos-container stop $id1
		from_now
		sed -i "2a echo first stage line; i=0; while [ \$i -lt 400 ]; do sleep 0.05; i=\$((i + 1)); done" /nix/store/box/init
		nixos-container start $id1 >/dev/null 2>&1 & starting=$!
		want 20 has_line $id1 'first stage line'
		exits 0 nixos-container stop $id1
		wait $starting || true
		sed -i 3d /nix/store/box/init
		want 10 has_line $id1 'exited successfully'
		not systemctl is-failed container@$id1
		exits 0 nixos-container start $id1
		# 8: a stop without systemd-machined
		from_now
		systemctl stop systemd-machined
		exits 0 nixos-container stop $id1
		systemctl start systemd-machined
		want 10 has_line $id1 'has been shut down'
		exits 0 nixos-container start $id1
		# 10: what was bound survives, what was bound to does not
		exits 0 nixos-container destroy $id1
		exits 0 nixos-container destroy $id2
		same dummy important "$(cat /nested-bindmount/dummy)"
		[ ! -e $ROOTS/$id1 ] && [ ! -e $ROOTS/$id2 ] || fail "a root is left"
		kill $daemon; umount /moved/very/important/data 2>/dev/null || true # where the mount went along, by propagation
		rm -rf /moved /nested-bindmount; no_nix
	END
}

# AT-IMP 9 and 11
a_guest_with_folders_of_its_own_ends_while_it_runs() {
	script <<-'END'
		fake_nix
		nix_unit box nix-foo.service <<-'UNIT'
			[Unit]
			After=systemd-tmpfiles-setup.service
			[Service]
			Type=oneshot
			RemainAfterExit=yes
			ExecStart=/bin/ls -al /foo
		UNIT
		exits 0 nixos-container create tmp
		mkdir -p $ROOTS/tmp/etc/tmpfiles.d; echo 'd /foo 0755 root root -' >$ROOTS/tmp/etc/tmpfiles.d/foo.conf
		exits 0 nixos-container start tmp
		is_active() { [ "$(nixos-container run tmp -- systemctl is-active nix-foo.service)" = active ]; }
		want 20 is_active
		exits 0 nixos-container destroy tmp
		nothing_left tmp
		[ ! -e $ROOTS/tmp ]
		exits 1 nixos-container create bad --config 'broken' --nixos-path /broken
		[ ! -e $ROOTS/bad ] && [ ! -e $CONFS/bad.conf ] && [ ! -e /nix/var/nix/profiles/per-container/bad ] && no_leftovers
		no_nix
	END
}

# Case 148 of the threat model.
a_host_key_is_read_inside_of_the_tree_alone() {
	script <<-'END'
		small keys; conf keys PRIVATE_NETWORK=1
		exits 1 nixos-container show-host-key keys
		same output '' "$said"
		keys=$ROOTS/keys/etc/ssh key=$ROOTS/keys/etc/ssh/ssh_host_ed25519_key.pub
		mkdir -p $keys
		echo 'ecdsa-sha2-nistp256 AAAAE2VjZHNh root@keys' >$keys/ssh_host_ecdsa_key.pub
		exits 0 nixos-container show-host-key keys
		same key 'ecdsa-sha2-nistp256 AAAAE2VjZHNh root@keys' "$said"
		printf 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 root@keys\nmore\n' >$key
		exits 0 nixos-container show-host-key keys
		same key 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 root@keys' "$said"
		is_refused() { # STATUS - and nothing of what is foreign is shown, at once
			rc=0; timeout 10 nixos-container show-host-key keys >/run/said 2>&1 || rc=$?
			same "status of $1" "$2" $rc
			not grep -qE 'secret|root:|\x1b' /run/said
			grep -q 'ssh_host_ed25519_key.pub' /run/said || fail "it says $(cat /run/said)"
		}
		echo 'secret' >/run/secret
		ln -sf /run/secret $key; is_refused "a link to a file of the host" 66
		ln -sf /etc/shadow $key; echo 'root:secret:1::' >$ROOTS/keys/etc/shadow; is_refused "a link to shadow" 72
		ln -sf ../../../../../../../../run/secret $key; is_refused "a link up" 66
		rm $key; mkfifo $key; is_refused "a FIFO" 72
		rm $key; mkdir $key; is_refused "a folder" 72
		rmdir $key; truncate -s 1G $key; is_refused "a gigabyte" 72
		rm $key; printf 'ssh-ed25519 AAAA \x1b]0;secret\x07\n' >$key; is_refused "a comment that types" 72
		printf 'ssh-ed25519 AAAA \xe2\x80\xaesecret\n' >$key; is_refused "a comment that hides" 72
	END
}

run_cases "$@"
