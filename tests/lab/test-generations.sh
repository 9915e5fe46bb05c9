#!/bin/bash
# machdeck update, generations, rollback: the systems that Nix builds for a container.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario generations

# with_generations - as fake_nix, and nix-env counts as the real one does.
making+='
with_generations() {
	fake_nix
	sed -i "s,ln -sfn \"\${set:-\$built}\" \"\$profile\",as_next," /usr/local/bin/nix-env
	sed -i "1r /dev/stdin" /usr/local/bin/nix-env <<-"TOOL"
		as_next() {
			local n=1
			while [ -h "$profile-$n-link" ]; do n=$((n + 1)); done
			ln -s "${set:-$built}" "$profile-$n-link"
			ln -sfn "system-$n-link" "$profile"
		}
		if [ "$3" = --switch-generation ]; then
			echo "nix-env $*" >>/run/nix-argv
			exec ln -sfn "system-$4-link" "$2"
		fi
	TOOL
}
generations() { machdeck generations $1 | awk "{ print \$1 (/\*/ ? \"*\" : \"\"), \$NF }" | xargs; }
'

a_container_is_updated_and_rolled_back() {
	script <<-'END'
		with_generations
		nix_system new
		profile=/nix/var/nix/profiles/per-container/up
		exits 0 machdeck create up --config 'services.a.enable = true;' --private-users no
		same generations "1* /nix/store/box" "$(generations up)"
		exits 0 machdeck start up
		want 20 serves box "http://$(machdeck show-ip up)/"
		next_system new
		rm /run/nix-argv
		exits 0 machdeck update --dry-run up --nixos-path /src/nixos
		told "nix-env -p $profile/system -I nixos-config=$ROOTS/up/etc/nixos/configuration.nix -f /src/nixos --set -A system"
		[ ! -e /run/nix-argv ] || fail "it ran $(cat /run/nix-argv)"
		same generations "1* /nix/store/box" "$(generations up)"
		exits 0 machdeck update up --nixos-path /src/nixos
		told "up: updated, generation 2" "machdeck reload up"
		same argv "nix-env -p $profile/system -I nixos-config=$ROOTS/up/etc/nixos/configuration.nix -f /src/nixos --set -A system" "$(cat /run/nix-argv)"
		same generations "1 /nix/store/box 2* /nix/store/new" "$(generations up)"
		same json '{"machine":"up","n":[[1,false,"/nix/store/box"],[2,true,"/nix/store/new"]],"schema":1}' \
			"$(machdeck generations --json up | jq -c '{schema, machine, n: [.generations[] | [.generation, .current, .system]]}')"
		machdeck generations --json up | jq -e '.generations[0].made | fromdate > 1600000000' >/dev/null
		exits 0 machdeck reload up
		same check client_new "$(machdeck run up -- cat /etc/check)"
		# Back, by nix-env.
		exits 0 machdeck rollback --dry-run up
		told "up would go back to generation 1"
		same generations "1 /nix/store/box 2* /nix/store/new" "$(generations up)"
		rm /run/nix-argv
		exits 0 machdeck rollback up
		told "up: generation 1" "machdeck reload up"
		same argv "nix-env -p $profile/system --switch-generation 1" "$(cat /run/nix-argv)"
		same generations "1* /nix/store/box 2 /nix/store/new" "$(generations up)"
		same check client_new "$(machdeck run up -- cat /etc/check)"
		exits 0 machdeck reload up
		same check client_box "$(machdeck run up -- cat /etc/check)"
		exits 66 machdeck rollback up
		told "no generation before the current one"
		exits 66 machdeck rollback up 7
		told "up has no generation 7"
		for wrong in 0 -- 1x 01 4294967296; do
			[ $wrong = -- ] || exits 64 machdeck rollback up $wrong
		done
		# A failure changes nothing, and says why.
		exits 1 machdeck update up --config broken --nixos-path /broken
		told "cannot update up" "error: undefined variable"
		same generations "1* /nix/store/box 2 /nix/store/new" "$(generations up)"
		grep -q services.a.enable $ROOTS/up/etc/nixos/configuration.nix
		exits 64 machdeck update up --config x --flake y
		told "one of them"
		exits 66 machdeck update up --config-file /nowhere
		exits 66 machdeck update nosuch
		exits 66 machdeck generations nosuch
		# The other sources.
		echo '{ services.c.enable = true; }' >/run/c.nix
		exits 0 machdeck update up --config-file /run/c.nix
		grep -qF /run/c.nix /run/nix-config
		exits 0 machdeck update up --config 'services.d.enable = true;'
		grep -qF services.d.enable /run/nix-config
		exits 0 machdeck update up --flake /src/flake#web
		grep -q 'flake#nixosConfigurations."web"' /run/nix-argv
		same generations "1 /nix/store/box 2 /nix/store/new 3 /nix/store/new 4 /nix/store/new 5* /nix/store/new" "$(generations up)"
		exits 0 machdeck destroy --yes up
		# One with users of its own: root in there may own what is on the disk, where those are mapped.
		file=$ROOTS/own/etc/nixos/configuration.nix
		exits 0 machdeck create own --config 'services.f.enable = true;'
		exits 0 machdeck update own
		grep -qF services.f.enable /run/nix-config && grep -qF 'nixos-config=/run/machdeck/.nix.own ' /run/nix-argv
		[ ! -e /run/machdeck/.nix.own ] || fail "the copy is left"
		echo '{ environment.etc.x.text = builtins.readFile "/etc/shadow"; }' >$file
		exits 72 machdeck update own
		told "$file is not the one that was given on the host" "--config-file"
		exits 1 machdeck update own --config broken --nixos-path /broken
		exits 72 machdeck update own
		exits 0 machdeck update own --config 'services.g.enable = true;'
		grep -qF services.g.enable $file
		exits 0 machdeck rename own mine
		exits 0 machdeck clone mine like
		for name in mine like; do
			rm /run/nix-config
			exits 0 machdeck update $name
			grep -qF services.g.enable /run/nix-config
		done
		rm $ROOTS/like/etc/nixos/configuration.nix; ln -s /etc/shadow $ROOTS/like/etc/nixos/configuration.nix
		exits 66 machdeck update like
		machdeck destroy --yes mine; machdeck destroy --yes like
		[ ! -e $ROOTS/.snapshots ] || fail "a configuration is left"
		no_nix
	END
}

without_nix_a_rollback_switches_the_link() {
	script <<-'END'
		with_generations
		nix_system new
		folder=/nix/var/nix/profiles/per-container/one
		exits 0 machdeck create one --config '' --private-users no
		next_system new
		exits 0 machdeck update one
		told "one: updated, generation 2"
		[[ $said != *reload* ]] || fail "it is down: $said"
		rm /usr/local/bin/nix-env /usr/local/bin/nix
		exits 66 machdeck update one
		told "nix-env is not on this host (install Nix)"
		exits 0 machdeck rollback one
		told "one: generation 1"
		same link system-1-link "$(readlink $folder/system)"
		same folder "system system-1-link system-2-link" "$(ls -A $folder | xargs)"
		exits 0 machdeck start one
		want 20 serves box "http://$(machdeck show-ip one)/"
		exits 0 machdeck rollback one 2
		exits 0 machdeck reload one
		same check client_new "$(machdeck run one -- cat /etc/check)"
		exits 0 machdeck stop one
		# What was collected, or can be anybody's, is not gone back to.
		ln -sfn /nix/store/gone $folder/system-1-link
		exits 66 machdeck rollback one
		told "/nix/store/gone, which is not there any more"
		chmod 0777 $folder
		exits 78 machdeck rollback one
		told "$folder"
		chmod 0755 $folder
		exits 0 machdeck set one SYSTEM_PATH=/nix/store/box
		exits 64 machdeck rollback one 2
		told "SYSTEM_PATH="
		exits 64 machdeck update one
		exits 0 machdeck destroy --yes one
		no_nix
	END
}

run_cases "$@"
