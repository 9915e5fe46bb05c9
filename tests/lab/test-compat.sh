#!/bin/bash
# The command line of nixos-container: its verbs, their flags, output and statuses (behaviours C).

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario compat
on compat ln -sf machdeck /usr/bin/nixos-container

making+='
nc() { nixos-container "$@" 2>/run/stderr; }
# keys NAME - what its conf says, without what is empty.
keys() { grep -v "=\"\"$" $CONFS/$1.conf | sort | xargs; }
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
		exits 7 nixos-container run old -- sh -c 'exit 7'
		same root-login $'0' "$(echo id -u | nc root-login old)"
		leader=$(machinectl show -p Leader --value old)
		nc restart old
		[ "$leader" != "$(machinectl show -p Leader --value old)" ] || fail "it was not restarted"
		same terminate '' "$(nc terminate old)"
		same down down "$(nc status old)"
		nc start old
		same stop '' "$(nc stop old)"
		same down down "$(nc status old)"
		exits 66 nixos-container run old -- true
		exits 66 nixos-container root-login old
		exits 66 script --quiet --return --command 'nixos-container login old' /dev/null
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
		export TERM=xterm-256color
		tmux new-session -d -s s -x 100 -y 30 'nixos-container login login; echo status=$?; exec sleep 1000'
		shows() { tmux capture-pane -p -t s | grep -q -- "$1"; }
		want 20 shows 'login login:'
		tmux send-keys -t s 'C-]' 'C-]' 'C-]'
		want 20 shows 'status=0'
		tmux kill-server
	END
}

a_new_one_has_the_conf_and_says_what_the_tool_says() {
	script <<-'END'
		fake_nix
		exits 0 nixos-container create web
		same said "host IP is 10.233.1.1, container IP is 10.233.1.2" "$said"
		same conf "HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2 PRIVATE_NETWORK=1 PRIVATE_USERS=no" "$(keys web)"
		same mode 755 "$(stat -c %a /nix/var/nix/profiles/per-container/web)"
		same parent 700 "$(stat -c %a /nix/var/nix/profiles/per-container)"
		same down down "$(nc status web)"
		exits 75 nixos-container create web
		told "there is a container web already"
		same unique web-0 "$(nc create --ensure-unique-name web)"
		same stderr "host IP is 10.233.2.1, container IP is 10.233.2.2" "$(cat /run/stderr)"
		same unique web-1 "$(nc create web --ensure-unique-name)"
		mkdir -p $ROOTS/other
		same unique other-0 "$(nc create other --ensure-unique-name)"
		# Flags come before or after, and the last of two counts.
		exits 0 nixos-container --auto-start create --bridge br9 flags --port 1:2 --port=tcp:8080:80,udp:53:53 --signal TERM
		same conf "AUTO_START=1 HOST_ADDRESS=10.233.5.1 HOST_BRIDGE=br9 HOST_PORT=tcp:8080:80,udp:53:53 LOCAL_ADDRESS=10.233.5.2 PRIVATE_NETWORK=1 PRIVATE_USERS=no" "$(keys flags)"
		exits 0 nixos-container create --host-address 10.9.0.1 --local-address 10.9.0.2 chosen
		same said "host IP is 10.9.0.1, container IP is 10.9.0.2" "$said"
		same ip 10.9.0.2 "$(nc show-ip chosen)"
		exits 64 nixos-container create half --host-address 10.9.0.3
		told "--local-address is required"
		exits 64 nixos-container create half --local-address 10.9.0.3
		exits 65 nixos-container create twice --host-address 10.9.0.1 --local-address 10.9.0.2
		told "address 10.9.0.2 is container chosen's too"
		exits 65 nixos-container create bad --port none
		same list "chosen flags other-0 web web-0 web-1" "$(nc list | xargs)"
		for i in $(nc list); do exits 0 nixos-container destroy $i; done
		same list "" "$(nc list)"
		no_nix; no_leftovers
	END
}

a_new_one_is_built_as_the_tool_builds_it() {
	script <<-'END'
		fake_nix
		nix_system new
		echo '{ services.nginx.enable = true; }' >'/run/my config.nix'
		argv() { sed -E "s,$ROOTS/.new-[a-z]*-[0-9a-f]*,ROOT,g" /run/nix-argv; rm /run/nix-argv; }
		profiles=/nix/var/nix/profiles/per-container
		exits 0 nixos-container create plain
		same argv "nix-env -p $profiles/plain/system -I nixos-config=ROOT/etc/nixos/configuration.nix -f <nixpkgs/nixos> --set -A system" "$(argv)"
		grep -q 'boot.isContainer = true;' /run/nix-config && grep -q 'hostName = mkDefault "plain";' /run/nix-config
		grep -q 'boot.isContainer = true;' $ROOTS/plain/etc/nixos/configuration.nix || fail "the configuration is not kept"
		exits 0 nixos-container create config --config 'services.sshd.enable = true;' --nixos-path /src/nixos --option cores 2 --impure --log-format raw
		same argv "nix-env -p $profiles/config/system -I nixos-config=ROOT/etc/nixos/configuration.nix -f /src/nixos --set -A system --option cores 2 --impure --log-format raw" "$(argv)"
		grep -q 'services.sshd.enable = true;' /run/nix-config
		cd /run
		exits 0 nixos-container create file --config-file 'my config.nix'
		grep -qF 'imports = [ (/. + "/run/my config.nix") ];' /run/nix-config || fail "$(cat /run/nix-config)"
		rm /run/nix-argv
		exits 0 nixos-container create flake --flake '/src/flake#web' --override-input nixpkgs /src/nixpkgs
		same argv "nix --extra-experimental-features nix-command flakes build --out-link ROOT/.result --override-input nixpkgs /src/nixpkgs -- /src/flake#nixosConfigurations.\"web\".config.system.build.toplevel
		nix-env -p $profiles/flake/system --set /nix/store/box" "$(argv)"
		same flake '/src/flake#web' "$(machdeck get flake FLAKE)"
		exits 0 nixos-container create path --system-path /nix/store/new
		same argv "nix-env -p $profiles/path/system --set /nix/store/new" "$(argv)"
		exits 0 nixos-container start path
		want 20 serves new "http://$(nc show-ip path)/"
		for i in $(nc list); do exits 0 nixos-container destroy $i; done
		same profiles "" "$(ls $profiles)"
		before=$(picture)
		exits 1 nixos-container create no --config broken --nixos-path /broken
		told "nix-env ended with status 1: error: undefined variable"
		exits 1 nixos-container create no --flake /broken
		exits 66 nixos-container create no --config-file /nowhere
		exits 64 nixos-container create no --config x --config-file /nowhere
		told "mutually incompatible"
		unchanged "$before"
		no_nix
	END
}

an_update_is_built_as_the_tool_builds_it_and_what_runs_reloads() {
	script <<-'END'
		fake_nix
		nix_system new
		nix_unit new nix-b.service <<-'UNIT'
			[Service]
			ExecStart=/bin/sleep 1000
		UNIT
		profile=/nix/var/nix/profiles/per-container/up/system file=$ROOTS/up/etc/nixos/configuration.nix
		exits 0 nixos-container create up --config 'services.a.enable = true;'
		rm /run/nix-argv
		next_system new
		exits 0 nixos-container update up --log-format raw
		same said '' "$said"
		same argv "nix-env -p $profile -I nixos-config=$file -f <nixpkgs/nixos> --set -A system --log-format raw" "$(cat /run/nix-argv)"
		grep -q services.a.enable $file
		same system /nix/store/new "$(readlink $profile)"
		# It runs: it is switched, and not restarted.
		next_system box
		exits 0 nixos-container update up --config 'services.b.enable = true;' --nixos-path /src/nixos
		grep -q services.b.enable /run/nix-config && not grep -q services.a.enable $file
		exits 0 nixos-container start up
		want 20 serves box http://10.233.1.2/
		leader=$(leader up)
		next_system new
		echo '{ services.c.enable = true; }' >/run/c.nix
		exits 0 nixos-container update up --config-file /run/c.nix
		same said 'reloading container...' "$said"
		grep -qF '/run/c.nix' $file
		same check client_new "$(nc run up -- cat /etc/check)"
		same unit active "$(nc run up -- systemctl is-active nix-b.service)"
		same leader "$leader" "$(leader up)"
		# A failure leaves all as it was.
		before=$(cat $file)
		exits 1 nixos-container update up --config broken --nixos-path /broken
		told "nix-env ended with status 1: error: undefined variable"
		same configuration "$before" "$(cat $file)"
		same system /nix/store/new "$(readlink $profile)"
		touch /nix/store/box/bin/fail; next_system box
		exits 1 nixos-container update up
		told "reloading container..." "exit status 4"
		rm /nix/store/box/bin/fail
		# What a guest could have written is not read by Nix.
		chown 1000 $file
		exits 72 nixos-container update up
		told "$file is not root's alone"
		rm $file; ln -s /etc/shadow $file
		exits 72 nixos-container update up
		told "$file is a link"
		exits 0 nixos-container update up --config 'services.d.enable = true;'
		[ ! -h $file ] && grep -q services.d.enable $file
		rm $file
		exits 66 nixos-container update up
		told "there is no $file"
		# Where the root is a guest's of its own users, Nix gets a copy.
		nc stop up; chown -R 655360:655360 $ROOTS/up; rm /run/nix-argv
		exits 0 nixos-container update up --config 'services.e.enable = true;'
		same owner 655360 "$(stat -c %u $file)"
		grep -q services.e.enable $file && grep -q services.e.enable /run/nix-config
		not grep -qF $file /run/nix-argv
		[ -z "$(ls -A /run/machdeck | grep -E 'nix|result' || true)" ] || fail "left: $(ls -A /run/machdeck)"
		# A flake that is recorded, and one that is given.
		exits 0 nixos-container create fl --flake /src/flake#web
		rm /run/nix-argv
		next_system new
		exits 0 nixos-container update fl --impure
		grep -qE '^nix .* build --out-link [^ ]+ --impure -- /src/flake#nixosConfigurations."web".config.system.build.toplevel$' /run/nix-argv || fail "$(cat /run/nix-argv)"
		same system /nix/store/new "$(readlink /nix/var/nix/profiles/per-container/fl/system)"
		exits 0 nixos-container update fl --flake /src/other
		grep -q 'other#nixosConfigurations."container"' /run/nix-argv
		machdeck set fl FLAKE= SYSTEM_PATH=/nix/store/box >/dev/null
		exits 64 nixos-container update fl
		told "SYSTEM_PATH="
		exits 66 nixos-container update nosuch
		nc destroy up; nc destroy fl
		no_nix
	END
}

without_nix_a_system_and_a_root_that_are_there_become_containers() {
	script <<-'END'
		exits 66 nixos-container create none
		told "nix-env is not on this host (install Nix)"
		nix_system box
		exits 0 nixos-container create sys --system-path /nix/store/box
		same path /nix/store/box "$(machdeck get sys SYSTEM_PATH)"
		exits 0 nixos-container start sys
		want 20 serves box http://10.233.1.2/
		exits 0 nixos-container destroy sys
		umount /nix/store/tree; rm -r /nix
		mini $ROOTS/tree
		exits 0 nixos-container create tree
		exits 0 nixos-container start tree
		want 20 serves mini http://10.233.1.2/
		exits 0 nixos-container destroy tree
		[ ! -e $ROOTS/tree ] && no_leftovers
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
		same answer "by the daemon" "$(nc run $id1 -- curl --silent --unix-socket /nix/var/nix/daemon-socket/socket http://x/)"
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
