#!/bin/bash
# Files in and out of running machines, what they are shown of the host, images and properties: judged by machinectl.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario transfer

files_go_into_a_machine_and_out_of_it() {
	inside <<-'END'
		small box; conf box PRIVATE_NETWORK=1
		exits 0 machdeck start box
		cd /tmp; mkdir -p d/e; echo hello >d/e/f
		exits 0 machdeck copy-to box d /srv/d
		told "box: " "/d is copied to /srv/d in it"
		same copied hello "$(machdeck run box -- cat /srv/d/e/f)"
		echo new >d/e/f
		exits 1 machdeck copy-to box d/e/f /srv/d/e/f
		told '--force replaces /srv/d/e/f'
		told 'box: cannot copy into it: '
		exits 0 machdeck copy-to --force box d/e/f /srv/d/e/f
		exits 0 machdeck copy-from box /srv/d/e/f back
		told "box: /srv/d/e/f in it is copied to "
		same back new "$(cat back)"
		exits 1 machdeck copy-from box /srv/nosuch x
		exits 64 machdeck copy-from box relative x
		told "'relative' is no absolute path"
		exits 64 machdeck copy-to box
		exits 66 machdeck copy-to nosuch /etc/hostname
		told 'nosuch: not running'
		machdeck run box -- ln -s /etc /srv/link
		echo mine >only
		exits 0 machdeck copy-to box /tmp/only /srv/link/only-in-the-guest
		not test -e /etc/only-in-the-guest
	END
}

a_folder_of_the_host_is_shown() {
	inside <<-'END'
		small box; conf box PRIVATE_NETWORK=1
		exits 0 machdeck start box
		mkdir -p /srv/shown; echo seen >/srv/shown/it
		exits 0 machdeck bind --read-only box /srv/shown /srv/made
		told "box: /srv/shown is bound to /srv/made in it, read-only"
		same shown seen "$(machdeck run box -- cat /srv/made/it)"
		not machdeck run box -- touch /srv/made/x
		exits 0 machdeck bind box /srv/shown
		machdeck run box -- touch /srv/shown/x
		test -e /srv/shown/x
		exits 64 machdeck bind --force box /srv/shown
	END
}

one_with_users_of_its_own_is_shown_it_too() {
	inside <<-'END'
		small box; conf box PRIVATE_NETWORK=1 PRIVATE_USERS=pick
		exits 0 machdeck start box
		mkdir -p /srv/shown; mount -t tmpfs shown /srv/shown; mkdir /srv/shown/deep; mount -t tmpfs deep /srv/shown/deep
		chmod 0777 /srv/shown/deep; echo seen >/srv/shown/it; echo deep >/srv/shown/deep/it
		exits 0 machdeck bind --dry-run --read-only box /srv/shown /made/ro
		same said "machdeck bind --read-only box /srv/shown /made/ro # machinectl refuses it for a machine with users of its own" "$said"
		not machdeck run box -- test -e /made
		exits 0 machdeck bind --read-only box /srv/shown /made/ro
		exits 0 machdeck bind --read-only box /srv/shown/it /made/file
		exits 0 machdeck bind box /srv/shown /made/rw
		same shown "seen deep seen seen" "$(machdeck run box -- cat /made/ro/it /made/ro/deep/it /made/rw/it /made/file | xargs)"
		same owner "65534 0" "$(machdeck run box -- stat -c %u /made/ro /made | xargs)"
		machdeck run box -- touch /made/rw/deep/x
		test -e /srv/shown/deep/x
		for tried in "touch /made/ro/deep/y" "mount -o remount,bind,rw /made/ro" "mount -o remount,bind,rw /made/ro/deep" "umount /made/ro/deep"; do
			not machdeck run box -- $tried
		done
		exits 66 machdeck bind box /srv/nosuch
		exits 1 machdeck bind box /srv/shown /etc/os-release
		machdeck run box -- ln -s /etc /srv/link
		exits 0 machdeck bind box /srv/shown/it /srv/link/only-in-the-guest
		not test -e /etc/only-in-the-guest
		! findmnt -nlo TARGET | grep -e /made -e "^/run/it" || fail "it is mounted on the host"
		if machdeck bind --idmap box /srv/shown /made/mine; then # tmpfs can since Linux 6.3
			same owner 0 "$(machdeck run box -- stat -c %u /made/mine)"
			machdeck run box -- touch /made/mine/x
			same owner 0 "$(stat -c %u /srv/shown/x)"
		fi
		machdeck stop box
		small same; conf same PRIVATE_NETWORK=1 PRIVATE_USERS=identity # which machinectl tries, and can not
		exits 0 machdeck start same
		exits 0 machdeck bind --read-only same /srv/shown /made/same
		same "shown to the same users" "seen 0" "$(machdeck run same -- cat /made/same/it) $(machdeck run same -- stat -c %u /made/same)"
		machdeck stop same
		umount /srv/shown/deep /srv/shown
	END
}

images_and_properties_are_those_of_machinectl() {
	inside <<-'END'
		mkdir -p /var/lib/machines/tree
		exits 0 machdeck images
		told tree directory
		same images "$(busctl -j call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager ListImages |
			jq -c '[.data[0][] | select(.[0] | startswith(".") | not) | [.[0], .[1], .[2]]] | sort')" \
			"$(machdeck images --json | jq -c '[.images[] | [.name, .type, .readOnly]] | sort')"
		small box; conf box PRIVATE_NETWORK=1
		exits 0 machdeck start box
		exits 0 machdeck show box
		for key in Class Service Unit Leader Id RootDirectory; do
			value=$(machinectl show -p $key --value box)
			grep -qxF "$key=$value" <<<"$said" || fail "$key: $value is not in: $said"
		done
		same json "$(machinectl show -p Id --value box)" "$(machdeck show --json box | jq -r .id)"
		exits 66 machdeck show nosuch
		rmdir /var/lib/machines/tree
	END
}

# An image of systemd-nspawn@, and a machine that somebody started at a terminal.
machines_of_any_origin_are_served_as_machinectl_serves_them() {
	script <<-'END'
		mkdir -p /var/lib/machines /etc/systemd/nspawn /srv/shown /tmp/work; cd /tmp/work
		for tree in /var/lib/machines/img /srv/tree; do mini $tree; echo ID=mini >$tree/etc/os-release; done
		printf '[Exec]\nPrivateUsers=no\n[Network]\nVirtualEthernet=no\nPrivate=yes\n' >/etc/systemd/nspawn/img.nspawn
		exits 0 machdeck start img
		systemd-nspawn --quiet -M bare -D /srv/tree --private-network --boot </dev/null >/dev/null 2>&1 & bare=$!
		want 10 machinectl show bare
		want 10 machdeck run bare -- busybox test -d /srv
		same units "systemd-nspawn@img.service machine-bare.scope" "$(machinectl show -p Unit --value img) $(machinectl show -p Unit --value bare)"
		mkdir -p d/e; echo seen >/srv/shown/it
		inside_of() { machdeck run $1 -- busybox "${@:2}"; }
		for m in img bare; do
			echo hello >d/e/f
			exits 0 machdeck copy-to $m d /srv/d
			same "what $m got" hello "$(inside_of $m cat /srv/d/e/f)"
			echo new >d/e/f
			exits 1 machdeck copy-to $m d/e/f /srv/d/e/f
			exits 0 machdeck copy-to --force $m d/e/f /srv/d/e/f
			exits 0 machdeck copy-from $m /srv/d/e/f back-$m
			same "what $m gave" new "$(cat back-$m)"
			exits 0 machdeck bind $m /srv/shown /srv/made
			same "what $m is shown" seen "$(inside_of $m cat /srv/made/it)"
			inside_of $m touch /srv/made/by-$m
			exits 0 machdeck bind --read-only $m /srv/shown /srv/kept
			not inside_of $m touch /srv/kept/x
			test -e /srv/shown/by-$m
			exits 0 machdeck show $m
			for key in Class Service Unit Leader Id RootDirectory State; do
				grep -qxF "$key=$(machinectl show -p $key --value $m)" <<<"$said" || fail "$m: $key is not as machinectl says in: $said"
			done
			same "as JSON" "$(machinectl show -p Id --value $m)" "$(machdeck show --json $m | jq -r .id)"
		done
		exits 0 machdeck images
		told img directory
		exits 0 machdeck enable img
		same enabled enabled "$(systemctl is-enabled systemd-nspawn@img)"
		exits 0 machdeck disable img
		same enabled disabled "$(systemctl is-enabled systemd-nspawn@img || true)"
		for verb in enable disable; do
			exits 1 machdeck $verb bare
			told "cannot $verb bare"
		done
		exits 0 machdeck terminate bare
		wait $bare || true
		exits 0 machdeck terminate img
		rm -r /var/lib/machines/img /srv/tree /etc/systemd/nspawn/img.nspawn /srv/shown /tmp/work
	END
}

run_cases "$@"
