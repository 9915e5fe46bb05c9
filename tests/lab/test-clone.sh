#!/bin/bash
# A second container like the first, another name, states of a root to go back to: on plain file systems, btrfs and XFS.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"

file_system btrfs 300M
file_system xfs 320M
mkdir -p -m 0700 "$T"/kept/roots "$T"/kept/confs
chmod 0755 "$T/kept/confs"
scenario clone --unfiltered --bind "$T/btrfs:/fs/btrfs" --bind "$T/xfs:/fs/xfs" --bind "$T/kept:/fs/kept"

making+='
# roots_on KIND - the roots are on that file system from now on.
roots_on() { mkdir -p $ROOTS; mount --bind /fs/$1 $ROOTS; }
no_roots() { umount $ROOTS; }
address() { sed -n "s/^LOCAL_ADDRESS=//p" $CONFS/$1.conf; }
'

from_making_to_removing_both_the_host_is_as_before() {
	script <<-'END'
		mini /src; echo one >/src/etc/hostname
		before=$(picture)
		machdeck create one --tree /src --host-port tcp:auto:80 --start
		want 10 serves mini http://10.233.1.1:8080/
		if machdeck help set >/dev/null 2>&1; then machdeck set one HOST_PORT=tcp:9090:80; else sed -i 's/^HOST_PORT=.*/HOST_PORT=tcp:9090:80/' $CONFS/one.conf; fi
		machdeck restart one
		want 10 serves mini http://10.233.1.1:9090/
		not fetch http://10.233.1.1:8080/
		echo 0123456789abcdef0123456789abcdef >$ROOTS/one/etc/machine-id
		exits 75 machdeck clone one two
		told "--live"
		exits 0 machdeck clone --live one two
		told "two: cloned (a full copy)"
		same state active "$(state one)"
		machdeck start two
		want 10 serves mini http://10.233.2.2/
		want 10 serves mini http://10.233.2.1:8080/
		want 10 serves mini http://10.233.1.1:9090/
		same "host name" two "$(cat $ROOTS/two/etc/hostname)"
		same "machine ID" "" "$(cat $ROOTS/two/etc/machine-id)"
		exits 0 machdeck check
		exits 75 machdeck rename two three
		told "it is running"
		machdeck stop two
		exits 75 machdeck rename two one
		exits 0 machdeck rename --dry-run two three
		told "write   $ROOTS/two/etc/hostname: three"
		exits 0 machdeck rename two three
		same said "two: renamed to three" "$said"
		[ ! -e $CONFS/two.conf ] && [ ! -e $ROOTS/two ] || fail "two is left"
		same "host name" three "$(cat $ROOTS/three/etc/hostname)"
		machdeck start three
		want 10 serves mini http://10.233.2.2/
		exits 66 machdeck status two
		machdeck destroy --yes one; machdeck destroy --yes three
		unchanged "$before"
		nothing_left one; nothing_left three; no_leftovers
	END
}

a_killed_live_clone_leaves_its_source_running() {
	script <<-'END'
		mini /src
		perl -e 'mkdir "/src/srv/d"; for (1..10000) { open my $f, ">", "/src/srv/d/$_" }'
		machdeck create a --tree /src --private-users no --start
		machdeck clone --live a b & pid=$!
		want 10 compgen -G "$ROOTS/.new-b-*/srv/d"
		same freezer frozen "$(property a FreezerState)"
		kill -KILL $pid; wait $pid || true
		[ ! -e $CONFS/b.conf ] || fail "it was too quick to be killed"
		thawed() { [ "$(property a FreezerState)" = running ]; }
		want 10 thawed
		want 10 serves mini http://10.233.1.2/
		exits 0 machdeck clone --live a c
		same freezer running "$(property a FreezerState)"
		no_leftovers
		machdeck destroy --yes a; machdeck destroy --yes c
		rm -r /src
	END
}

a_clone_has_its_own_place_on_a_bridge_and_what_it_is_told() {
	script <<-'END'
		mini /src
		machdeck create a --tree /src --host-bridge br0 --local-address 192.168.0.100/24 --host-address 192.168.0.1 --auto-start --local-mac-address 02:00:00:00:00:01
		exits 0 machdeck clone --dry-run a b
		told "LOCAL_ADDRESS=192.168.0.101/24" "HOST_ADDRESS=192.168.0.1" "AUTO_START=1" \
			"# LOCAL_ADDRESS: 192.168.0.100/24 becomes 192.168.0.101/24" "# root: a full copy of $ROOTS/a" "# LOCAL_MAC_ADDRESS: 02:00:00:00:00:01 is left out"
		[[ $said != *$'\n'LOCAL_MAC* ]] || fail "two have one MAC: $said"
		[ ! -e $CONFS/b.conf ]
		exits 0 machdeck clone a b --auto-start=0 --local-address 192.168.0.7/24
		same address 192.168.0.7/24 "$(address b)"
		not grep AUTO_START $CONFS/b.conf
		machdeck create v --tree /src --extra-veths vx,localAddress=10.4.0.2
		exits 65 machdeck clone v w --extra-veths vy,localAddress=10.4.0.2
		told "address 10.4.0.2 is container v's too"
		exits 0 machdeck clone v w
		same link vx1,localAddress=10.4.0.3 "$(machdeck get w EXTRA_VETHS)"
		exits 66 machdeck clone nobody x
		for i in a b v w; do machdeck destroy --yes $i; done
		no_leftovers
	END
}

a_rename_that_was_killed_goes_on_and_the_hosts_follow() {
	script <<-'END'
		mini /src
		machdeck create a --tree /src
		printf '127.0.0.1 localhost\n' >/etc/hosts; exits 0 machdeck hosts --write
		told '/etc/hosts: written'
		exits 0 machdeck hosts --write
		told '/etc/hosts: has all lines already'
		exits 0 machdeck rename --dry-run a b
		told "rename  $CONFS/a.conf" "rename  $ROOTS/a"
		[ -e $CONFS/a.conf ]
		ln $CONFS/a.conf $CONFS/b.conf; mv $ROOTS/a $ROOTS/b
		exits 0 machdeck rename a b
		[ ! -e $CONFS/a.conf ] && [ -e $CONFS/b.conf ] && [ -e $ROOTS/b/usr ]
		grep -qx '10.233.1.2 b.containers' /etc/hosts && not grep a.containers /etc/hosts
		ln -s b.conf $CONFS/dec.conf
		exits 78 machdeck rename dec c
		rm $CONFS/dec.conf
		machdeck destroy --yes b
		not grep containers /etc/hosts
	END
}

a_rename_is_killed_at_every_step_and_always_goes_on() {
	script <<-'END'
		mini /src
		machdeck create a --tree /src
		for call in linkat renameat2 unlinkat fsync; do
			for n in 1 2 3; do
				rc=0
				strace -o /dev/null -f -e trace=$call -e inject=$call:signal=KILL:when=$n machdeck rename a b >/dev/null 2>&1 || rc=$?
				[ -e $CONFS/a.conf ] || [ -e $CONFS/b.conf ] || fail "$call $n: there is no conf"
				for i in a b; do
					[ ! -e $ROOTS/$i ] || [ -e $CONFS/$i.conf ] || fail "$call $n: $i is a root without a conf"
				done
				[ ! -e $CONFS/a.conf ] || exits 0 machdeck rename a b
				[ -e $ROOTS/b/usr ] && [ ! -e $ROOTS/a ] && [ ! -e $CONFS/a.conf ] || fail "$call $n: it is not renamed"
				machdeck rename b a >/dev/null
			done
		done
		machdeck destroy --yes a
	END
}

snapshots_without_a_file_system_that_shares_are_full_copies() {
	script <<-'END'
		mini /src
		machdeck create a --tree /src
		exits 1 machdeck snapshot a
		told "can not share blocks" "machdeck snapshot --copy a"
		exits 1 machdeck update --snapshot a
		told "can not share blocks"
		exits 0 machdeck snapshots a # what it was made of is none
		same said "" "$said"
		echo changed >$ROOTS/a/srv/index.html
		exits 0 machdeck reset --dry-run a
		told "The root of a becomes what /src is now, of which it was made"
		exits 0 machdeck reset --yes a
		same page mini "$(cat $ROOTS/a/srv/index.html)"
		exits 0 machdeck snapshots --delete ${said##* } a
		mv /src /moved
		exits 66 machdeck reset --yes a
		told "/src: No such file"
		mv /moved /src
		exits 0 machdeck clone a twin # which began as a was then
		exits 66 machdeck reset --yes twin
		told 'machdeck snapshot --copy twin base'
		machdeck destroy --yes twin
		exits 0 machdeck snapshot --copy a base
		told "a: snapshot base (a full copy)"
		exits 75 machdeck snapshot --copy a base
		echo changed >$ROOTS/a/srv/index.html
		machdeck start a
		want 10 serves changed http://10.233.1.2/
		exits 75 machdeck reset --yes a
		machdeck stop a
		exits 64 machdeck reset a
		exits 0 machdeck reset --yes a
		told "a: reset; it was kept as before-reset-"
		kept=${said##* }
		machdeck start a
		want 10 serves mini http://10.233.1.2/
		machdeck stop a
		exits 0 machdeck restore --yes a "$kept"
		same page changed "$(cat $ROOTS/a/srv/index.html)"
		exits 0 machdeck snapshots a
		same snapshots 3 "$(machdeck snapshots --json a | jq '.snapshots | length')"
		same order '["base",true,true]' "$(machdeck snapshots --json a |
			jq -c '.snapshots | map(.name) | [.[0], (.[1] | startswith("before-reset-")), (.[2] | startswith("before-before-reset-"))]')"
		exits 64 machdeck restore --yes a ../../etc
		exits 66 machdeck restore --yes a nothing
		exits 0 machdeck snapshots --delete "$kept" a
		told "a: snapshot $kept is deleted"
		same snapshots 2 "$(machdeck snapshots --json a | jq '.snapshots | length')"
		exits 0 machdeck rename a b
		same snapshots 2 "$(machdeck snapshots --json b | jq '.snapshots | length')"
		machdeck destroy --yes b
		[ ! -e $ROOTS/.snapshots ] || fail "snapshots are left"
		tar -C /src -cf /src.tar .; cd /
		exits 0 machdeck create c --tarball src.tar
		echo changed >$ROOTS/c/srv/index.html
		exits 0 machdeck rename c d
		exits 0 machdeck reset --yes d
		same page mini "$(cat $ROOTS/d/srv/index.html)"
		machdeck destroy --yes d
		[ ! -e $ROOTS/.snapshots ] || fail "what it was made of is left"
	END
}

what_nix_makes_is_reset_to_nothing() {
	script <<-'END'
		nix_system box
		machdeck create n --system-path /nix/store/box --private-users no --start
		want 10 serves box http://10.233.1.2/
		echo mine >$ROOTS/n/srv/index.html
		machdeck stop n
		exits 0 machdeck reset --yes n
		[ ! -e $ROOTS/n/srv ] || fail "its state is there"
		machdeck start n
		want 10 serves box http://10.233.1.2/
		exits 0 machdeck clone --live n m --start
		want 10 serves box http://10.233.2.2/
		machdeck destroy --yes n; machdeck destroy --yes m
		umount /nix/store/tree; rm -r /nix
	END
}

an_overlay_takes_no_room_and_nothing_changes_below_it() {
	script <<-'END'
		mini /src; echo a >/src/etc/hostname
		mknod /src/dev/console c 5 1 # as debootstrap makes it; the unit may not make it anew
		mkdir -p $ROOTS; mount -t tmpfs -o mode=0700 roots $ROOTS
		machdeck create a --tree /src; machdeck snapshot --copy a base
		machdeck start a
		want 10 serves mini http://10.233.1.2/
		exits 75 machdeck clone --overlay a b-1
		told "it is running"
		machdeck stop a
		machdeck set a AUTO_START=1
		exits 0 machdeck clone --overlay --dry-run a b-1
		told "# root: an overlay over $ROOTS/a" "# a can not be started" "a is to start at boot (AUTO_START=1), which it can not"
		machdeck unset a AUTO_START
		not strace -o /dev/null -f -e trace=mount -e inject=mount:error=EINVAL machdeck clone --overlay a b-1
		[ ! -e $CONFS/b-1.conf ] && [ ! -e $ROOTS/b-1 ] && [ ! -e $ROOTS/.overlays ] || fail "a failure left something"
		exits 0 machdeck clone --overlay a b-1
		same said "b-1: cloned (an overlay over a)" "$said"
		same "host names" "b-1 a" "$(cat $ROOTS/b-1/etc/hostname) $(cat $ROOTS/a/etc/hostname)"
		same mode "700 root" "$(stat -c "%a %U" $ROOTS/.overlays/b-1)"
		umount $ROOTS/b-1
		machdeck start b-1
		want 10 serves mini http://10.233.2.2/
		same unit "$ROOTS/b-1 overlay" "$(systemctl show -P What -P Where "$(systemd-escape -p --suffix=mount $ROOTS/b-1)" | tr "\n" " " | sed "s/ $//")"
		exits 0 machdeck status b-1
		told "an overlay over that of a"
		exits 3 machdeck status a
		told "must not change: below the overlays of b-1"
		same "by JSON" '{"a":[null,["b-1"]],"b-1":["a",[]]} a a' "$(machdeck list --json | jq -c '.machines | map({(.name): [.overlayOver, .overlays]}) | add') $(machdeck status --json b-1 | jq -r .conf.overlayOver) $(machdeck show b-1 | sed -n s/^OverlayOver=//p)"
		echo changed >$ROOTS/b-1/srv/index.html
		want 10 serves changed http://10.233.2.2/
		same "page below" mini "$(cat $ROOTS/a/srv/index.html)"
		not machdeck start a
		want 10 eval "journalctl -u container@a | grep -q 'b-1 is an overlay over its root'"
		same "tried again by itself" "0 failed" "$(systemctl show -P ActiveState -P NRestarts container@a | xargs)"
		exits 75 machdeck destroy --yes a
		told "b-1 is an overlay over its root" "machdeck destroy b-1"
		exits 75 machdeck rename a c
		exits 75 machdeck reset --yes a
		told "cannot exchange the root of a: b-1 is an overlay"
		exits 75 machdeck rename b-1 d
		exits 64 machdeck clone --overlay b-1 d
		machdeck stop b-1
		exits 0 machdeck rename b-1 d
		same "what is there" "d changed" "$(cat $ROOTS/d/etc/hostname $ROOTS/d/srv/index.html | tr "\n" " " | sed "s/ $//")"
		exits 1 machdeck snapshot d
		told "--copy"
		exits 0 machdeck snapshot --copy d now
		told "d: snapshot now (a full copy)"
		same "page of the snapshot" changed "$(cat $ROOTS/.snapshots/d/now/srv/index.html)"
		exits 0 machdeck clone d full
		told "full: cloned (a full copy)"
		same "page of the copy" changed "$(cat $ROOTS/full/srv/index.html)"
		exits 0 machdeck destroy --yes d
		[ ! -e $ROOTS/.overlays ] && ! findmnt -nlo TARGET | grep "^$ROOTS/" || fail "an overlay is left"
		! compgen -G "/run/systemd/generator/*.mount" && ! compgen -G "/run/systemd/generator/*.wants/*.mount" || fail "its unit is left"
		nothing_left d
		exits 0 machdeck destroy --yes full
		exits 0 machdeck clone --overlay a e; echo changed >$ROOTS/e/srv/index.html
		machdeck start e
		exits 75 machdeck reset --yes e
		machdeck stop e
		exits 0 machdeck reset --yes e
		told "e: reset; it was kept as before-reset-"
		kept=${said##* }
		same "page, host name, machine ID" "mini e" "$(cat $ROOTS/e/srv/index.html $ROOTS/e/etc/hostname $ROOTS/e/etc/machine-id | xargs)"
		[ ! -e $ROOTS/e/dev/console ] && [ -c $ROOTS/a/dev/console ] || fail "a node that its unit may not make is seen"
		same "what it wrote" "changed e" "$(cat $ROOTS/.snapshots/e/$kept/srv/index.html) $(ls -A $ROOTS/.overlays | xargs)"
		exits 0 machdeck restore --dry-run e "$kept"
		told "It is no overlay over that of a any more."
		exits 0 machdeck restore --yes e "$kept"
		[ ! -e $ROOTS/.overlays ] && ! findmnt $ROOTS/e || fail "it is an overlay"
		machdeck start e; machdeck start a
		want 10 serves changed http://10.233.2.2/
		exits 0 machdeck destroy --yes e
		machdeck stop a
		machdeck start a
		want 10 serves mini http://10.233.1.2/
		machdeck destroy --yes a
		no_leftovers
		umount $ROOTS
	END
}

killed_at_any_step_an_overlay_is_whole_or_goes_with_the_next_call() {
	script <<-'END'
		mini /src; echo a >/src/etc/hostname
		mkdir -p $ROOTS; mount -t tmpfs -o mode=0700 roots $ROOTS
		machdeck create a --tree /src --private-users no
		echo 0123456789abcdef0123456789abcdef >$ROOTS/a/etc/machine-id
		# killed CALL N VERB... - by the Nth call of that kind; false: there were not so many.
		killed() { ! strace -o /dev/null -f -e trace=$1 -e inject=$1:signal=KILL:when=$2 machdeck "${@:3}" >/dev/null 2>&1; }
		nothing_but_a() {
			same left "a a" "$(ls -A $ROOTS $ROOTS/.snapshots | grep -x "[a-z].*" | xargs)"
			! findmnt -nlo TARGET | grep "^$ROOTS/" || fail "still mounted"
		}
		for step in mkdirat:1 symlinkat:1 fsmount:1 renameat2:2 mount:1; do
			killed ${step/:/ } clone --overlay a b || fail "$step: it was not killed"
			if [ -e $CONFS/b.conf ]; then # systemd was not told
				exits 0 machdeck start b
				want 10 serves mini http://10.233.2.2/
				same "host name and machine ID" b "$(cat $ROOTS/b/etc/hostname $ROOTS/b/etc/machine-id)"
				exits 0 machdeck destroy --yes b
			else
				exits 0 machdeck rename --dry-run a x
			fi
			exits 0 machdeck clone --overlay a c
			exits 0 machdeck destroy --yes c
			nothing_but_a
		done
		for step in umount2:1 linkat:1 mount:1; do
			exits 0 machdeck clone --overlay a b; echo changed >$ROOTS/b/srv/index.html
			killed ${step/:/ } rename b c || fail "$step: it was not killed"
			[ ! -e $CONFS/b.conf ] || exits 0 machdeck rename b c
			exits 0 machdeck start c
			same "what is there" "c changed c" "$(cat $ROOTS/c/etc/hostname $ROOTS/c/srv/index.html | xargs) $(ls $ROOTS/.overlays)"
			exits 0 machdeck destroy --yes c
			nothing_but_a
		done
		for step in fsmount:1 renameat2:2 mount:1 restore; do
			exits 0 machdeck clone --overlay a b; echo changed >$ROOTS/b/srv/index.html
			way="reset --yes b" page=mini
			[ $step != restore ] || { exits 0 machdeck snapshot --copy b last; echo later >$ROOTS/b/srv/index.html; way="restore --yes b last" page=changed; }
			at=${step/restore/renameat2:2}
			killed ${at/:/ } $way || fail "$step: it was not killed"
			[ $step != restore ] || not machdeck start b # by the mount's unit it would be what it was
			exits 0 machdeck $way
			exits 0 machdeck start b
			same "$step: what is there" "b $page" "$(cat $ROOTS/b/etc/hostname $ROOTS/b/srv/index.html | xargs)"
			exits 0 machdeck destroy --yes b
			nothing_but_a
		done
		for step in umount2:1 unlinkat:1 openat2:4; do
			exits 0 machdeck clone --overlay a b; echo changed >$ROOTS/b/srv/index.html
			killed ${step/:/ } destroy --yes b || fail "$step: it was not killed"
			[ $step != openat2:4 ] || { exits 78 machdeck start b; logged b "was not destroyed or restored to the end (machdeck destroy b"; }
			[ ! -e $CONFS/b.conf ] || exits 0 machdeck destroy --yes b
			exits 66 machdeck status b
			nothing_but_a
		done
		machdeck destroy --yes a
		umount $ROOTS
	END
}

when_the_host_starts_again_an_overlay_is_there_again() {
	script <<-'END'
		mini /src
		mkdir -p $ROOTS; mount --bind /fs/kept/roots $ROOTS; mount --bind /fs/kept/confs $CONFS
		machdeck create a --tree /src
		machdeck clone --overlay a b --auto-start; machdeck clone --overlay a c
		echo changed >$ROOTS/b/srv/index.html
		umount $ROOTS/b $ROOTS/c $ROOTS $CONFS
	END
	lab_host again --bind "$T/kept/roots:/var/lib/containers" --bind "$T/kept/confs:/etc/containers" --bind "$LAB_DIR:/lab/tests"
	SCENE=again
	script <<-'END'
		want 10 serves changed http://10.233.2.2/
		same "mounted by systemd" "active active" "$(systemctl show -P ActiveState var-lib-containers-b.mount var-lib-containers-c.mount | xargs)"
		machdeck start c
		want 10 serves mini http://10.233.3.2/
		exits 75 machdeck destroy --yes a
		told "b and c are overlays over its root, which must not change below them"
		machdeck destroy --yes b; machdeck destroy --yes c
		machdeck start a
		want 10 serves mini http://10.233.1.2/
		machdeck destroy --yes a
		no_leftovers
	END
}

on_btrfs_all_copies_are_snapshots() {
	has btrfs
	script <<-'END'
		mini /src
		roots_on btrfs
		machdeck create a --tree /src --private-users no
		same inode 256 "$(stat -c %i $ROOTS/a)"
		echo first >$ROOTS/a/etc/x
		exits 0 machdeck reset --yes a
		[ ! -e $ROOTS/a/etc/x ] || fail "it is not as it was made"
		machdeck start a
		exits 0 machdeck clone --dry-run a b
		told "# root: a btrfs snapshot of $ROOTS/a"
		exits 0 machdeck clone a b
		told "b: cloned (a btrfs snapshot)"
		exits 0 machdeck snapshot a now
		told "a: snapshot now (a btrfs snapshot)"
		not touch $ROOTS/.snapshots/a/now/etc/x
		machdeck stop a
		echo changed >$ROOTS/a/srv/index.html
		exits 0 machdeck restore --yes a now
		same page mini "$(cat $ROOTS/a/srv/index.html)"
		touch $ROOTS/a/etc/x
		machdeck start a; machdeck start b
		want 10 serves mini http://10.233.1.2/
		want 10 serves mini http://10.233.2.2/
		exits 3 machdeck run --snapshot a -- /bin/sh -c 'echo ran >/srv/index.html; exit 3'
		told "a: snapshot before-run-"
		kept=$(machdeck snapshots --json a | jq -r '.snapshots[].name | select(startswith("before-run-"))')
		want 10 serves ran http://10.233.1.2/
		exits 64 machdeck copy-from --snapshot a /etc/x
		exits 66 machdeck run --snapshot nobody -- /bin/true
		machdeck stop a
		exits 0 machdeck restore --yes a "$kept"
		same "page as it was" mini "$(cat $ROOTS/a/srv/index.html)"
		machdeck destroy --yes a; machdeck destroy --yes b
		[ ! -e $ROOTS/.snapshots ] || fail "snapshots are left"
		# A subvolume in it, as systemd-tmpfiles makes one of /srv, one in that, and one that is read-only with another one in it.
		btrfs_do() { perl -MFcntl=:DEFAULT -e 'sysopen(D, $ARGV[0], O_RDONLY | O_DIRECTORY) or die "$!"; ioctl(D, hex($ARGV[1]), pack($ARGV[2], $ARGV[3], $ARGV[4])) or die "$!"' "$@"; }
		subvolume() { btrfs_do $1 5000940e "q a4088" 0 $2; }
		read_only() { btrfs_do $1 4008941a Q 2; }
		machdeck create a --tree /src --private-users no
		for at in "" /lib /lib/deep/er; do
			mkdir -p $ROOTS/a/var$at; subvolume $ROOTS/a/var$at own; echo "of$at" >$ROOTS/a/var$at/own/it
		done
		subvolume $ROOTS/a/var/own inner; echo inner >$ROOTS/a/var/own/inner/it
		read_only $ROOTS/a/var/own
		what() { cat $1/var/own/it $1/var/own/inner/it $1/var/lib/own/it $1/var/lib/deep/er/own/it | xargs; }
		exits 0 machdeck clone a b
		told "b: cloned (a btrfs snapshot)"
		exits 0 machdeck snapshot a all
		same "what the copies have" "of inner of/lib of/lib/deep/er of inner of/lib of/lib/deep/er" "$(what $ROOTS/b) $(what $ROOTS/.snapshots/a/all)"
		echo other >$ROOTS/b/var/own/it
		not touch $ROOTS/.snapshots/a/all/x && not touch $ROOTS/.snapshots/a/all/var/own/inner/x
		echo later >$ROOTS/a/var/lib/own/it
		exits 0 machdeck restore --yes a all
		same "what it has again" "of inner of/lib of/lib/deep/er" "$(what $ROOTS/a)"
		exits 0 machdeck destroy --yes a; exits 0 machdeck destroy --yes b
		[ ! -e $ROOTS/.snapshots ] || fail "snapshots are left"
		no_leftovers
		no_roots
	END
}

on_xfs_all_copies_share_their_blocks() {
	has xfs
	script <<-'END'
		mini /src
		roots_on xfs
		machdeck create a --tree /src --private-users no
		echo changed >$ROOTS/a/srv/index.html
		exits 0 machdeck reset --yes a
		same "page as it began" mini "$(cat $ROOTS/a/srv/index.html)"
		dd if=/dev/urandom of=$ROOTS/a/var/lib/big bs=1M count=60 status=none; sync -f $ROOTS
		free() { sync -f $ROOTS; df --output=avail -k $ROOTS | tail -n 1; }
		had=$(free)
		exits 0 machdeck clone --dry-run a b
		told "# root: a copy that shares blocks of $ROOTS/a"
		exits 0 machdeck clone a b
		told "b: cloned (a copy that shares blocks)"
		exits 0 machdeck snapshot a
		told "(a copy that shares blocks)"
		[ $((had - $(free))) -lt 20000 ] || fail "two copies of 60 MB took $((had - $(free))) KB"
		cmp $ROOTS/a/var/lib/big $ROOTS/b/var/lib/big
		machdeck destroy --yes a; machdeck destroy --yes b
		no_leftovers
		no_roots
	END
}

run_cases "$@"
