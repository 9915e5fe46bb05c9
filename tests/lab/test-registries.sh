#!/bin/bash
# What the module virtualisation.containers writes, by import on a real host: registries, policy and subordinate ids, all
# or nothing, beside the ranges of others and the tools that change them.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario registries

# In the host: a document of those users, the files as one text, and whether a line of theirs overlaps another.
HELPERS='
	export PATH=$PATH:/usr/sbin:/sbin
	document() { # USER... - beside a container
		printf "{\"containers\": {\"web\": {}}, \"virtualisation\": {\"containers\": {\"enable\": true, \"users\": [%s]}}}" \
			"$(printf "\"%s\"," "$@" | sed "s/,\$//")"
	}
	FILES="/etc/subuid /etc/subgid $CONFS/web.conf $CONFS/registries.conf $CONFS/policy.json"
	files() {
		local file
		for file in $FILES; do stat -c "%n %a %u %g" $file 2>/dev/null && cat $file || true; done
		ls -A $CONFS; ls -A /etc | grep -v "^.pwd.lock\$" | grep -E "^\.|sub[ug]id"
	}
	overlaps() { # FILE
		sort -t: -k2n "$1" | awk -F: "\$2 < end { print \"$1: \" \$0 } { end = \$2 + \$3 }"
	}
	sound() {
		same overlaps "" "$(overlaps /etc/subuid; overlaps /etc/subgid)"
	}
	document alice bob >/tmp/two.json
	printf "mail:100000:65536\n# of somebody\nalice:700000:65536\n" >/etc/subuid
	printf "mail:100000:65536\ngroups:231072:1" >/etc/subgid
	chmod 640 /etc/subgid
	[ -e /tmp/passwd ] || cp /etc/passwd /tmp/passwd
'

what_engines_read_is_written_and_is_no_container() { # PM-1 to PM-5, BUG-21
	inside <<-END
		$HELPERS
		echo '{"virtualisation": {"containers": {"users": ["alice"]}}}' >/tmp/off.json
		files >/tmp/before
		exits 0 machdeck import /tmp/off.json
		told 'not enabled'
		files | cmp - /tmp/before
		exits 0 machdeck import --dry-run /tmp/two.json
		told '+bob:165536:65536' '+alice:700000:65536' '+registries = ["docker.io", "quay.io"]'
		files | cmp - /tmp/before
		exits 0 machdeck import /tmp/two.json
		same registries '[registries] [registries.block] registries = []  [registries.insecure] registries = []  [registries.search] registries = ["docker.io", "quay.io"]' \
			"\$(tr '\n' ' ' <\$CONFS/registries.conf | sed 's/ \$//')"
		jq -e '.default == [{"type": "insecureAcceptAnything"}]' \$CONFS/policy.json
		same list web "\$(machdeck list --json | jq -r '.machines[].name' | grep -vx .host | tr '\n' ' ' | sed 's/ \$//')"
		exits 0 machdeck import --registries v2 /tmp/two.json
		same v2 'unqualified-search-registries = ["docker.io", "quay.io"]' "\$(cat \$CONFS/registries.conf)"
	END
}

ranges_of_others_stay_and_a_second_run_is_identity() { # PM-4, BUG-22
	inside <<-END
		$HELPERS
		exits 0 machdeck import /tmp/two.json
		same uids 'mail:100000:65536,# of somebody,alice:700000:65536,bob:165536:65536,' "\$(tr '\n' , </etc/subuid)"
		same gids 'mail:100000:65536,groups:231072:1,alice:700000:65536,bob:165536:65536,' "\$(tr '\n' , </etc/subgid)"
		same mode 640 "\$(stat -c %a /etc/subgid)"
		stat -c '%n %i %y' \$FILES >/tmp/first
		exits 0 machdeck import /tmp/two.json
		stat -c '%n %i %y' \$FILES | cmp - /tmp/first
		machdeck export --virtualisation >/tmp/out.json
		exits 0 machdeck import /tmp/out.json
		stat -c '%n %i %y' \$FILES | cmp - /tmp/first
		cp /etc/subuid /tmp/uids
		document carol bob dave >/tmp/other.json
		exits 0 machdeck import /tmp/other.json
		cmp <(head -n 4 /etc/subuid) /tmp/uids
		same new 'carol:296608:65536,dave:362144:65536,' "\$(tail -n +5 /etc/subuid | tr '\n' ,)"
		sound
	END
}

what_is_declared_elsewhere_keeps_all_as_it_was() {
	inside <<-END
		$HELPERS
		mkdir -p /store; echo declared >/store/policy.json; ln -s /store/policy.json \$CONFS/policy.json
		files >/tmp/before
		exits 78 machdeck import /tmp/two.json
		told /store/policy.json
		files | cmp - /tmp/before
		same declared declared "\$(cat /store/policy.json)"
	END
}

a_full_or_read_only_file_keeps_all_as_it_was() {
	inside <<-END
		$HELPERS
		files >/tmp/before
		mount --bind /etc/subgid /etc/subgid # the last one: all others have their places by then
		rc=0; machdeck import /tmp/two.json >/tmp/said 2>&1 || rc=\$?
		umount /etc/subgid
		[ \$rc -ne 0 ] || fail "a file that can not be replaced is said to be"
		grep -q /etc/subgid /tmp/said
		files | cmp - /tmp/before
		mount -t tmpfs -o size=16k,mode=755 tmpfs \$CONFS
		dd if=/dev/zero of=\$CONFS/filler bs=4k 2>/dev/null || true
		files >/tmp/full
		rc=0; machdeck import /tmp/two.json >/tmp/said 2>&1 || rc=\$?
		files >/tmp/after
		rm \$CONFS/filler; mount -o remount,ro \$CONFS
		exits 73 machdeck import /tmp/two.json
		umount \$CONFS
		same status 73 "\$rc"
		cmp /tmp/after /tmp/full
		files | cmp - /tmp/before
	END
}

each_call_that_fails_keeps_all_as_it_was() {
	inside <<-END
		$HELPERS
		put() { rm -rf \$CONFS/*; cp -p /tmp/subuid /tmp/subgid /etc; }
		cp -p /etc/subuid /etc/subgid /tmp
		files >/tmp/before
		machdeck import /tmp/two.json; files >/tmp/after
		runs=0
		for call in renameat2:EIO renameat2:EROFS write:ENOSPC fsync:EIO fchown:EPERM fchmod:EPERM; do
			put; strace -qq -o /tmp/calls -e trace=\${call%:*} machdeck import /tmp/two.json
			last=\$(grep -c "^\${call%:*}(" /tmp/calls || true)
			for ((n = 1; n <= last; n++)); do
				put; rc=0
				strace -qq -f --seccomp-bpf -o /dev/null -e trace=\${call%:*} -e inject=\${call%:*}:error=\${call#*:}:when=\$n \
					machdeck import /tmp/two.json >/tmp/said 2>&1 || rc=\$?
				runs=\$((runs + 1))
				files >/tmp/now
				if cmp -s /tmp/now /tmp/before; then
					[ \$rc -ne 0 ] || fail "\$call \$n: nothing is written, and it says so to nobody"
				else # all is in its place, but the disk did not confirm it; or it does not matter
					cmp /tmp/now /tmp/after || fail "\$call \$n: torn: \$(diff /tmp/before /tmp/now)"
				fi
			done
		done
		[ \$runs -gt 20 ] || fail "only \$runs calls were tried"
	END
}

one_that_is_killed_leaves_whole_files_and_the_next_goes_on() {
	inside <<-END
		$HELPERS
		cp -p /etc/subuid /etc/subgid /tmp
		machdeck import /tmp/two.json; for file in \$FILES; do cp -p \$file /tmp/new-\${file##*/}; done
		for ((n = 1; n <= 5; n++)); do
			rm -rf \$CONFS/*; cp -p /tmp/subuid /tmp/subgid /etc
			not strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=\$n machdeck import /tmp/two.json
			for file in /etc/subuid /etc/subgid; do
				cmp -s \$file /tmp/\${file##*/} || cmp \$file /tmp/new-\${file##*/}
			done
			exits 0 machdeck import /tmp/two.json
			for file in \$FILES; do cmp \$file /tmp/new-\${file##*/}; done
			same 'what is left' '' "\$(find /etc -name '.#*' | xargs)"
		done
	END
}

those_who_make_users_meanwhile_lose_nothing() {
	inside <<-END
		$HELPERS
		command -v useradd >/dev/null || { echo 'useradd is missing'; exit 77; }
		: >/etc/subuid; : >/etc/subgid
		for ((n = 1; n <= 8; n++)); do useradd -M guest\$n || echo "guest\$n" >>/tmp/refused; done 2>/tmp/useradd &
		users=()
		for ((n = 1; n <= 8; n++)); do
			users+=(mine\$n); document "\${users[@]}" >/tmp/many.json
			exits 0 machdeck import /tmp/many.json
		done
		wait
		[ ! -e /tmp/refused ] || fail "\$(cat /tmp/useradd)"
		for file in /etc/subuid /etc/subgid; do
			same "lines of \$file" 16 "\$(grep -cE '^(guest|mine)[1-8]:[0-9]+:65536\$' \$file)"
		done
		sound
		cp /tmp/passwd /etc/passwd
	END
}

who_holds_the_lock_is_waited_for() {
	inside <<-END
		$HELPERS
		mkfifo /tmp/go
		perl -e '
			use Fcntl; open F, ">>", "/etc/.pwd.lock" or die; # as lckpwdf() takes it
			my \$lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
			fcntl(F, F_SETLK, \$lock) or die "\$!";
			open L, ">", "/tmp/locked"; close L; open G, "<", "/tmp/go"; <G>;
			open S, ">>", "/etc/subuid"; print S "late:165536:65536\n"; close S' &
		want 10 test -e /tmp/locked
		machdeck import /tmp/two.json & importing=\$!
		waits() { ls -l /proc/\$importing/fd | grep -q pwd.lock; }
		want 10 waits
		same "while it is held" '' "\$(grep bob /etc/subuid || true)"
		echo >/tmp/go
		wait \$importing
		grep -qx late:165536:65536 /etc/subuid
		grep -q ^bob: /etc/subuid
		sound
		rm -f /tmp/go /tmp/locked
	END
}

run_cases "$@"
