#!/bin/bash
# Removing a container: all of it, nothing else, whatever its tree does meanwhile and wherever it is killed.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"

tools=$(realpath "${B:-$TOP/build}")/tests/tools
scenario destroy --unfiltered
making+='
tree() { mkdir -p $ROOTS/$1/{etc,usr/bin,var/lib}; echo x >$ROOTS/$1/etc/file; conf $1 PRIVATE_NETWORK=1; }
'
on destroy install -m 0755 /dev/stdin /usr/local/bin/racer <"$tools/racer"

what_runs_is_stopped_and_the_host_is_as_before() {
	script <<-'END'
		systemctl daemon-reload
		before=$(picture)
		small run
		conf run PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8080:80 AUTO_START=1
		systemctl daemon-reload
		machdeck start run
		want 10 serves run http://10.1.0.2/
		exits 75 machdeck destroy --yes --no-stop --detach run
		told "it is running (machdeck stop run)"
		exits 75 machdeck destroy --yes run
		told "still mounted: $ROOTS/run"
		[ -e $CONFS/run.conf ] && machdeck start run
		exits 0 machdeck destroy --yes --detach run
		same said "run: destroyed" "$said"
		unchanged "$before"
		nothing_left run
		exits 66 machdeck destroy --yes run
	END
}

nothing_is_asked_without_a_terminal_and_dry_runs_do_nothing() {
	script <<-'END'
		tree one
		before=$(picture)
		exits 64 machdeck destroy one
		told "--yes or --name one"
		exits 64 machdeck destroy --name two one
		exits 0 machdeck destroy --dry-run one
		told "delete  $ROOTS/one" "delete  $CONFS/one.conf"
		unchanged "$before"
		exits 0 machdeck destroy --name one one
		[ ! -e $ROOTS/one ]
	END
}

what_is_bound_into_a_root_survives_its_end() {
	script <<-'END'
		sentinel
		tree two
		mkdir -p $ROOTS/two/very/important/data
		mount --bind $ROOTS/two $ROOTS/two
		mount --bind /sentinel $ROOTS/two/very/important/data
		exits 75 machdeck destroy --yes two
		told "still mounted: $ROOTS/two/very/important/data"
		exits 0 machdeck destroy --yes --detach two
		same precious precious "$(cat /sentinel/file)"
		[ ! -e $ROOTS/two ] || fail "the root is there"
		not findmnt /sentinel
	END
}

shared_mounts_of_the_host_are_not_taken_along() {
	script <<-'END'
		tree shared
		mkdir -p /peer $ROOTS/shared/dev
		mount -t tmpfs none /peer && mount --make-shared /peer && mkdir /peer/sub && mount -t tmpfs none /peer/sub
		mount --rbind /peer $ROOTS/shared/dev
		exits 0 machdeck destroy --yes --detach shared
		mountpoint -q /peer/sub || fail "/peer/sub was unmounted"
		umount -R /peer
	END
}

a_race_with_the_tree_changes_nothing_outside() {
	script <<-'END'
		sentinel
		mkdir -p /hold
		before=$(find /sentinel -printf '%p %y %m %i %s %T@ %C@\n' | sort)
		for round in {1..25}; do
			tree race
			mkdir -p $ROOTS/race/var/d/lib
			touch $ROOTS/race/var/d/lib/{a,b,c,file}
			ln -s /sentinel $ROOTS/race/var/l
			racer $ROOTS/race/var/d $ROOTS/race/var/l 2>/dev/null &
			racer1=$!
			ln -s /sentinel $ROOTS/race/l
			racer $ROOTS/race/etc $ROOTS/race/l 2>/dev/null &
			racer2=$!
			rc=0
			machdeck destroy --yes race || rc=$?
			kill $racer1 $racer2 2>/dev/null || true
			[ $rc = 0 ] || [ $rc = 75 ] || fail "round $round ended with $rc"
			[ $rc = 0 ] || machdeck destroy --yes race
			[ ! -e $ROOTS/race ] || fail "the root is there"
		done
		same "the sentinel" "$before" "$(find /sentinel -printf '%p %y %m %i %s %T@ %C@\n' | sort)"
	END
}

a_killed_removal_is_told_and_finished() {
	script <<-'END'
		tree big
		tree other
		perl -e 'for (1..100000) { open my $f, ">", "$ARGV[0]/f$_" }' $ROOTS/big/var/lib
		machdeck destroy --yes big &
		pid=$!
		want 10 compgen -G "$ROOTS/.trash-big-*"
		kill -9 $pid
		wait $pid || true
		compgen -G "$ROOTS/.trash-big-*" >/dev/null || fail "it was too quick to be killed"
		exits 0 machdeck list
		told "big was not destroyed to the end (machdeck destroy big)"
		[ -e $CONFS/big.conf ] || fail "the conf went first"
		exits 0 machdeck destroy --yes big
		not compgen -G "$ROOTS/.trash-*"
		[ ! -e $CONFS/big.conf ] && [ -e $ROOTS/other/etc/file ]
	END
}

killed_at_every_step_it_is_finished_by_the_next_call() {
	script <<-'END'
		sentinel
		for call in renameat2 openat2 unlinkat fsync; do
			for n in 1 2 3 5 8; do
				tree step; mkdir -p $ROOTS/step/a/b/c; touch $ROOTS/step/a/{1,2,3} $ROOTS/step/a/b/{1,2,3}
				ln -s /sentinel $ROOTS/step/a/out
				strace -o /dev/null -f -e trace=$call -e inject=$call:signal=KILL:when=$n machdeck destroy --yes step >/dev/null 2>&1 || true
				[ ! -e $ROOTS/step ] || [ -e $CONFS/step.conf ] || fail "$call $n: a root without a conf"
				exits 0 machdeck list
				rc=0; machdeck destroy --yes step >/dev/null 2>&1 || rc=$?
				[ $rc = 0 ] || [ $rc = 66 ] || fail "$call $n: the second call ended with $rc"
				[ ! -e $ROOTS/step ] && [ ! -e $CONFS/step.conf ] && no_leftovers
			done
		done
		same sentinel "precious precious" "$(cat /sentinel/file /sentinel/lib/file | xargs)"
	END
}

declared_and_foreign_ones_are_refused() {
	script <<-'END'
		tree dec
		mv $CONFS/dec.conf /etc/dec-of-store
		ln -s /etc/dec-of-store $CONFS/dec.conf
		exits 78 machdeck destroy --yes dec
		told "declared elsewhere" "in /etc/dec-of-store"
		rm $CONFS/dec.conf
		conf dec PRIVATE_NETWORK=1
		mount --bind $CONFS $CONFS && mount -o remount,ro,bind $CONFS
		exits 73 machdeck destroy --yes dec
		told "on a read-only file system"
		umount $CONFS
		[ -e $ROOTS/dec/etc/file ] || fail "its root is gone"
		mkdir -p /var/lib/containers/storage
		exits 64 machdeck destroy --yes storage
		told "podman's"
		[ -d /var/lib/containers/storage ]
		mkdir $ROOTS/cache; touch $ROOTS/cache/blob-info-cache-v1.sqlite
		exits 64 machdeck destroy --yes cache
		told "no container's root" "podman"
		exits 64 machdeck destroy --dry-run cache
		exits 64 machdeck rename cache mine
		[ -e $ROOTS/cache/blob-info-cache-v1.sqlite ] || fail "podman's cache is gone"
		rm -r $ROOTS/cache
	END
}

a_tree_that_somebody_runs_by_hand_is_busy() {
	script <<-'END'
		lab-guest hand
		conf hand PRIVATE_NETWORK=1
		systemd-run --quiet --unit=byhand systemd-nspawn --quiet --register=no --keep-unit -D $ROOTS/hand --private-network sleep 60
		want 10 pgrep -x sleep
		exits 75 machdeck destroy --yes --no-stop hand
		systemctl is-active --quiet byhand
		systemctl kill --signal=KILL byhand
	END
}

run_cases "$@"
