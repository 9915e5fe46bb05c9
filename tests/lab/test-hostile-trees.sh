#!/bin/bash
# A container's tree is hostile, and so may its conf and our caller be: whatever they hold, nothing outside the tree
# changes and the refusal says why. The numbers are those of the threat model's cases.

LAB_TIMEOUT=240
. "$(dirname -- "$0")/lib.sh"

tools=$(realpath "${B:-$TOP/build}")/tests/tools
tree=/var/lib/containers/web

lab_host trees
for tool in racer recorder; do
	on trees install -m 0755 /dev/stdin "/usr/local/bin/$tool" <"$tools/$tool"
done
on trees <<-'END'
	mkdir -p /etc/containers /sentinel/lib
	echo precious >/sentinel/file
	mkfifo /sentinel/fifo
	echo nameserver 192.0.2.53 >/etc/resolv.conf
	truncate --size=1M /disk
END

# fresh [LINE]... - the container web: a tree with nothing in it, a conf of these lines.
fresh() {
	on trees <<-END
		! mountpoint -q $tree || umount $tree
		rm -rf $tree $tree.nspawn /etc/containers/web.conf
		mkdir -p $tree/usr
	END
	printf '%s\n' "$@" | on trees tee /etc/containers/web.conf >/dev/null
}

snapshot() {
	on trees <<<'find /etc /sentinel -printf "%p %y %m %U:%G %i %s %T@ %C@ %l\n" | sort
		find /sentinel -type f -exec sha256sum {} + | sort'
}

# prepared STATUS WORDS - the preparation of web ends with that status and one printable line with those words, and
# nothing outside the tree has changed.
prepared() {
	local before after out rc=0
	before=$(snapshot)
	out=$(on trees machdeck unit prepare web 2>&1) || rc=$?
	after=$(snapshot)
	[ "$before" = "$after" ] || fail "outside the tree: $(diff <(echo "$before") <(echo "$after"))"
	same "status ($out)" "$1" "$rc"
	[[ $out = *"$2"* ]] || fail "'$2' is not in '$out'"
	out=$(tail -n 1 <<<"$out") # warnings come first
	[ "$1" -eq 0 ] || [[ $out =~ ^'machdeck: web: prepare: '[[:print:]]+$ && ${#out} -le 300 ]] ||
		fail "not one line, printable and not too long: $out"
	same "temporary files" "" "$(on trees find "$tree" -name '.#*')"
}

# in_tree - a script from stdin, run in the tree.
in_tree() { { echo "cd $tree"; cat; } | on trees; }

a_sound_tree_is_furnished() {
	fresh
	prepared 0 ""
	same "what is in it" "./etc ./etc/machine-id ./etc/os-release ./etc/resolv.conf ./root ./usr ./var ./var/lib ./var/lib/private" \
		"$(in_tree <<<'find . -mindepth 1 | sort | xargs')"
	on trees cmp /etc/resolv.conf "$tree/etc/resolv.conf"
}

case_27_etc_as_a_link_to_a_host_folder() {
	fresh
	in_tree <<<'ln -s /sentinel etc'
	prepared 72 "etc in $tree is a symlink that leads to no directory inside the root"
}

case_28_etc_as_a_link_of_any_other_kind() {
	local to
	for to in ../../../../../../etc /proc/self/root/etc /proc/1/root/etc etc; do
		fresh
		in_tree <<<"ln -s $to etc"
		prepared 72 etc
	done
}

case_29_etc_as_a_link_inside_the_tree() {
	fresh
	in_tree <<<'mkdir usr/etc; ln -s /usr/etc etc'
	prepared 0 ""
	on trees cmp /etc/resolv.conf "$tree/usr/etc/resolv.conf"
}

case_30_the_other_folders_as_links_to_the_host() {
	fresh
	in_tree <<<'ln -s /sentinel var'
	prepared 72 "var in"
	fresh
	in_tree <<<'mkdir var; ln -s /sentinel/lib var/lib'
	prepared 72 "var/lib in"
	fresh
	in_tree <<<'ln -s /sentinel root'
	prepared 72 "root in"
}

case_31_etc_as_anything_but_a_folder() {
	local make
	for make in 'touch etc' 'mkfifo etc' 'mknod etc c 1 5' 'mknod etc b 7 0'; do
		fresh
		in_tree <<<"$make"
		prepared 72 "is not a directory"
	done
}

case_32_os_release_as_a_link_to_the_host() {
	fresh
	in_tree <<<'mkdir etc; ln -s /sentinel/new etc/os-release; ln -s /sentinel/file etc/machine-id'
	prepared 0 ""
}

case_33_and_34_resolv_conf_as_what_it_should_not_be() {
	local make
	for make in 'ln -s /sentinel/file' 'ln -s /sentinel' 'ln -s /sentinel/fifo' mkfifo; do
		fresh
		in_tree <<<"mkdir etc; $make etc/resolv.conf"
		prepared 0 ""
		on trees cmp /etc/resolv.conf "$tree/etc/resolv.conf"
	done
}

case_34_a_device_is_never_opened() {
	fresh
	in_tree <<<'mkdir etc; mknod etc/resolv.conf b 7 0; mknod etc/os-release c 1 5'
	on trees strace -f -o /run/trace machdeck unit prepare web
	on trees cmp /etc/resolv.conf "$tree/etc/resolv.conf"
	[ "$(on trees cat /run/trace | grep -cE 'open(at|at2)?\(.*"etc"')" -ge 1 ] || fail "the trace shows no work in etc"
	! on trees cat /run/trace | grep -E 'open[a-z0-9]*\([^,]*, "([^"]*/)?(resolv.conf|os-release)"' | grep -v '"/etc/resolv.conf"' |
		grep -v O_EXCL || fail "it was opened"
}

case_35_resolv_conf_as_a_folder() {
	fresh
	in_tree <<<'mkdir -p etc/resolv.conf/full'
	prepared 72 "etc/resolv.conf in $tree is a directory"
	same "what is in it" full "$(on trees ls "$tree/etc/resolv.conf")"
}

case_36_resolv_conf_with_a_second_name() {
	fresh
	in_tree <<<'mkdir etc; echo mine >other; ln other etc/resolv.conf'
	prepared 0 ""
	same other mine "$(on trees cat "$tree/other")"
}

# flags N FILE - sets its inode flags, as chattr would.
flags() {
	on trees perl -e 'my $n = pack("L", $ARGV[0]); open(my $f, "<", $ARGV[1]) or die; ioctl($f, 0x40086602, $n) or die $!' "$@"
}

case_37_the_immutable_flag() {
	fresh
	in_tree <<<'mkdir etc; echo old >etc/resolv.conf'
	flags 16 "$tree/etc" || skip "this file system has no such flag"
	prepared 73 "etc in $tree is immutable (chattr -i $tree/etc)"
	flags 0 "$tree/etc"
	flags 16 "$tree/etc/resolv.conf"
	prepared 73 "etc/resolv.conf in $tree is immutable"
	flags 0 "$tree/etc/resolv.conf"
	prepared 0 ""
}

case_38_a_tree_with_shifted_users() {
	fresh
	in_tree <<<'chown -R 655360:655360 .; chmod 0500 .'
	same status 0 "$(on trees systemd-run --quiet --wait --pipe -p UMask=0077 machdeck unit prepare web && echo $?)"
	same owners "655360:655360 755 655360:655360 700 655360:655360 644" \
		"$(in_tree <<<'stat -c "%u:%g %a" etc root etc/resolv.conf | xargs')"
}

case_39_a_race_changes_nothing_outside() {
	local before after out
	fresh
	in_tree <<<'mkdir etc; ln -s /sentinel away'
	before=$(snapshot)
	out=$(on trees <<-END
		racer $tree/etc $tree/away &
		trap 'kill \$! 2>/dev/null' EXIT
		declare -A seen=()
		for i in {1..5000}; do
			rc=0
			/usr/libexec/machdeck/machdeck-unit prepare web 2>/dev/null || rc=\$?
			seen[\$rc]=\$((\${seen[\$rc]:-0} + 1))
		done
		kill -0 \$!
		echo "\${!seen[*]}: \${seen[*]}"
	END
	)
	after=$(snapshot)
	[ "$before" = "$after" ] || fail "outside the tree: $(diff <(echo "$before") <(echo "$after"))"
	[[ $out =~ ^(0|72|0' '72|72' '0): ]] || fail "statuses $out"
	echo "statuses and how often: $out"
}

case_40_what_is_above_the_tree() {
	fresh
	on trees <<-'END'
		mv /var/lib/containers /containers
		ln -s /containers /var/lib/containers
	END
	prepared 0 ""
	on trees chown -h daemon /var/lib/containers
	prepared 78 "the link containers is uid 1's, not root's"
	on trees bash -c 'rm /var/lib/containers; mv /containers /var/lib/containers; chmod 0777 /var/lib/containers'
	prepared 78 "mode 0777"
	on trees chmod 0755 /var/lib/containers
	on trees chown daemon "$tree"
	prepared 72 "uid 1 with mode 0755"
}

case_41_the_root_itself_as_a_link() {
	fresh
	on trees bash -c "rm -r $tree; ln -s / $tree"
	prepared 72 "$tree is not a folder"
	on trees rm "$tree"
	prepared 66 "$tree is missing"
}

case_42_a_tree_that_can_not_be_written() {
	fresh
	on trees mount -t tmpfs -o size=16k,mode=0755 none "$tree"
	prepared 0 ""
	in_tree <<<'echo old >etc/resolv.conf; head -c 1M /dev/zero >filler 2>/dev/null || true'
	prepared 73 "No space left"
	same "the old file" old "$(on trees cat "$tree/etc/resolv.conf")"
	on trees mount -o remount,ro "$tree"
	prepared 73 "Read-only"
}

case_43_a_unit_that_blocks_openat2() {
	local rc=0 out
	fresh
	out=$(on trees systemd-run --quiet --wait --pipe -p RestrictSUIDSGID=yes machdeck unit prepare web 2>&1) || rc=$?
	same status 78 "$rc"
	[[ $out = *"RestrictSUIDSGID="* ]] || fail "$out"
	same "what is in it" usr "$(on trees ls "$tree")"
}

case_44_names_that_no_terminal_should_see() {
	fresh
	in_tree <<<$'ln -s $\'a\\n\\e[31mb\' etc; touch $\'x\\n\\e]0;y\''
	prepared 72 etc
}

case_45_the_hosts_own_resolv_conf() {
	fresh
	on trees mv /etc/resolv.conf /etc/resolv.conf.away
	prepared 73 "/etc/resolv.conf is missing"
	fresh PRIVATE_NETWORK=1
	prepared 0 "/etc/resolv.conf is missing"
	on trees truncate --size=10M /etc/resolv.conf
	prepared 65 "larger than 65536"
	on trees ln -sf resolv.conf.away /etc/resolv.conf
	prepared 0 ""
	on trees cmp /etc/resolv.conf.away "$tree/etc/resolv.conf"
	on trees mv /etc/resolv.conf.away /etc/resolv.conf
}

case_46_a_tree_that_somebody_runs() {
	fresh
	on trees bash -c "rm -r $tree; lab-guest web"
	on trees systemd-run --quiet --unit=byhand systemd-nspawn --quiet --register=no --keep-unit -D "$tree" --private-network sleep 60
	want 10 on trees pgrep -x sleep
	prepared 75 "$tree is busy"
	on trees systemctl is-active --quiet byhand
	on trees systemctl kill --signal=KILL byhand
	want 10 on trees bash -c '! pgrep -x sleep'
	prepared 0 ""
}

case_47_settings_beside_the_tree() {
	fresh
	printf '[Exec]\nEphemeral=yes\n' | on trees tee "$tree.nspawn" >/dev/null
	prepared 78 "$tree.nspawn would be obeyed"
}

# ---- what systemd-nspawn is given

# recorded - web is started with the recorder in place of systemd-nspawn; $record is what it saw. A script on stdin
# starts it; without one it is plain.
recorded() {
	on trees <<-END
		install -m 0755 /usr/local/bin/recorder /run/nspawn
		mount --bind /run/nspawn /usr/bin/systemd-nspawn
		trap 'umount /usr/bin/systemd-nspawn' EXIT
		$1
	END
	record=$(on trees cat /run/recorded)
}

about() { sed -n "s/^$1 //p" <<<"$record"; }

case_49_argv_is_the_plan() {
	fresh PRIVATE_NETWORK=1 HOST_ADDRESS=10.0.0.1 LOCAL_ADDRESS=10.0.0.2 HOST_PORT=tcp:8080:80 \
		"EXTRA_NSPAWN_FLAGS=\"--setenv=A=* '--bind=/sentinel:/with a space'\""
	recorded 'machdeck unit start web'
	same argv "$(on trees machdeck plan --json web | jq -r '.argv[]')" "$(about arg)"
	same program /usr/bin/systemd-nspawn "$(about exe)"
	! grep -qP '^arg .*[\x00-\x1f\x7f]' <<<"$record"
}

case_51_nothing_but_three_descriptors_is_passed_on() {
	fresh
	recorded '
		for i in {10..209}; do eval "exec $i</etc/shadow"; done
		exec 210</
		machdeck unit start web'
	same descriptors "0 1 2" "$(about fd | sort -n | xargs)"
}

case_52_the_environment_is_made_from_nothing() {
	fresh PATH=/evil LD_PRELOAD=/x.so INSTANCE=victim root=/
	recorded 'env -i PATH="$PATH" NOTIFY_SOCKET=/run/n INVOCATION_ID=1 LD_LIBRARY_PATH=/x SYSTEMD_LOG_LEVEL=debug \
		SYSTEMD_NSPAWN_LOCK=0 IFS=x HOME=/x LANG=tr_TR BASH_ENV=/x TERM=vt52 machdeck unit start web'
	same names "INVOCATION_ID LANG NOTIFY_SOCKET PATH SYSTEMD_NSPAWN_UNIFIED_HIERARCHY" \
		"$(about env | cut -d= -f1 | sort | xargs)"
	same PATH /usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin "$(about env | sed -n 's/^PATH=//p')"
}

case_53_the_callers_folder_and_umask_do_not_matter() {
	fresh
	recorded "umask 0777; mkdir -p /run/gone; cd /run/gone; rmdir /run/gone; machdeck unit start web"
	same cwd / "$(about cwd)"
	same umask 0022 "$(about umask)"
	recorded "cd $tree; machdeck unit start web"
	same cwd / "$(about cwd)"
}

case_54_the_init_of_a_container_is_a_copy() {
	fresh
	recorded 'machdeck unit start web'
	on trees cmp /usr/libexec/machdeck/machdeck-init /run/machdeck/web/guest/init
	same mode 555 "$(on trees stat -c %a /run/machdeck/web/guest/init)"
	on trees bash -c 'echo evil >/run/machdeck/web/guest/init'
	recorded 'machdeck unit start web'
	on trees cmp /usr/libexec/machdeck/machdeck-init /run/machdeck/web/guest/init
}

case_55_a_systemd_nspawn_that_is_none() {
	local rc=0 out
	fresh
	on trees install -m 0755 /dev/stdin /run/nspawn <<<$'\x7fELF'
	out=$(on trees bash -c 'mount --bind /run/nspawn /usr/bin/systemd-nspawn; machdeck unit start web; rc=$?
		umount /usr/bin/systemd-nspawn; exit $rc' 2>&1) || rc=$?
	same "status ($out)" 78 "$rc"
	[[ $out = *"machdeck: web: start: /usr/bin/systemd-nspawn can not be executed: "* ]] || fail "$out"
}

# ---- names and confs, before anything is touched

case_2_an_instance_that_is_no_name_touches_nothing() {
	local before unit
	fresh
	before=$(snapshot; on trees find /var/lib/containers | sort)
	for unit in 'container@...service' 'container@..service' 'container@a:b.service' 'container@..-..-etc.service'; do
		on trees systemctl start "$unit" 2>/dev/null && fail "$unit started"
		same "$unit" 64 "$(on trees systemctl show "$unit" --property ExecMainStatus --value)"
	done
	same "all" "$before" "$(snapshot; on trees find /var/lib/containers | sort)"
}

confs_that_are_not_safe_start_nothing() {
	local line make status words
	while IFS='|' read -r make status words; do
		fresh PRIVATE_NETWORK=1
		on trees bash -c "cd /etc/containers; $make"
		prepared "$status" "$words"
		on trees chmod 0755 /etc/containers
	done <<-'END'
		chmod 0666 web.conf|78|mode 0666
		chown daemon web.conf|78|uid 1's
		chmod 0777 .|78|the folder containers
		ln -sf /etc/shadow web.conf|65|web.conf:1:1: there is no
		ln -sf nothing web.conf|66|leads nowhere
		rm web.conf; ln -s web.conf web.conf|66|leads nowhere
		rm web.conf; mkfifo web.conf|65|not a regular file
		rm web.conf; mkdir web.conf|65|not a regular file
		ln -sf /dev/zero web.conf|65|not a regular file
		truncate -s 1G web.conf|65|larger than
		printf 'A=\377\n' >web.conf|65|web.conf:1
	END
}

run_cases "$@"
