#!/bin/bash
# nixos-container create and update: every flag, what is built by which words, and what a failure leaves (behaviours C.3).

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario compat-build
on compat-build ln -sf machdeck /usr/bin/nixos-container

making+='
nc() { nixos-container "$@" 2>/run/stderr; }
# keys NAME - what its conf says, without what is empty.
keys() { grep -v "=\"\"$" $CONFS/$1.conf | sort | xargs; }
'

a_new_one_has_the_conf_and_says_what_the_tool_says() {
	script <<-'END'
		fake_nix
		umask 077
		exits 0 nixos-container create web
		umask 022
		same said "host IP is 10.233.1.1, container IP is 10.233.1.2" "$said"
		same conf "HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2 PRIVATE_NETWORK=1 PRIVATE_USERS=no" "$(keys web)"
		same modes "755 755 644" "$(stat -c %a /nix/var/nix/profiles/per-container/web $ROOTS/web $CONFS/web.conf | xargs)"
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

run_cases "$@"
