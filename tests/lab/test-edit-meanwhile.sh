#!/bin/bash
# A conf while others are at it: at the worst moment, by two at once, when it goes, when its machine starts, when who edits is
# killed (cases 111, 112, 114 to 117, 121, 123 of the threat model).

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
file_system ext4 32M
file_system xfs 320M
file_system btrfs 128M
scenario meanwhile --unfiltered --bind "$T/ext4:/fs/ext4" --bind "$T/xfs:/fs/xfs" --bind "$T/btrfs:/fs/btrfs" --bind "$T:/images"

# editor WORDS - /tmp/ed does that to the file it is given.
editor='editor() { printf "#!/bin/sh\n%s\n" "$*" >/tmp/ed; chmod +x /tmp/ed; }
	rm -rf /var/lib/machdeck /tmp/ed; mkdir -p $ROOTS/web'

a_saved_text_is_on_the_disk_before_it_counts() { # 112
	inside <<-END
		$editor
		conf web PRIVATE_NETWORK=1
		exits 0 strace -qq -f -y -o /tmp/calls -e trace=write,fsync,fdatasync,renameat2,syncfs machdeck set web AUTO_START=1
		grep -n "\$CONFS" /tmp/calls | grep -E 'fsync|renameat2' >/tmp/order
		cat /tmp/order
		same 'the text, the exchange, the folder' 'fsync renameat2 fsync' \
			"\$(grep -oE 'fsync|renameat2' /tmp/order | head -3 | xargs)"
	END
}

# power_cut KIND [OPTION of mount] - the disk of the moment in which a conf was said to be saved. What was not written to it
# is lost, as the file beside shows.
power_cut() {
	local found
	has "$1"
	inside <<-END
		$editor
		mount --bind /fs/$1 \$CONFS
		conf web PRIVATE_NETWORK=1
		sync -f \$CONFS
		echo unsaved >\$CONFS/beside
		exits 0 machdeck set web AUTO_START=1
		printf '%8192s' late >>\$CONFS/beside
		cp --sparse=always /images/$1.img /images/cut.img
		umount \$CONFS
	END
	mkdir -p "$T/cut"
	mount -n -o "loop${2:+,$2}" "$T/cut.img" "$T/cut" || skip "this kernel can not mount a copy of a $1 that is mounted"
	found=$(cat "$T/cut/web.conf") && ! grep -q late "$T/cut/beside"
	umount "$T/cut"
	same "the conf after the cut" $'PRIVATE_NETWORK=1\nAUTO_START=1' "$found"
}
a_saved_conf_survives_a_power_cut_on_ext4() { power_cut ext4; } # 112
a_saved_conf_survives_a_power_cut_on_xfs() { power_cut xfs nouuid; }
a_saved_conf_survives_a_power_cut_on_btrfs() { power_cut btrfs; }

# attributes FILE [set] - an ACL, a label and an attribute of a user; or what there is of them.
attributes() {
	python3 - "$@" <<-'END'
		import os, struct, sys
		nobody = 0xffffffff
		entries = ((1, 6, nobody), (2, 4, 1000), (4, 4, nobody), (16, 4, nobody), (32, 0, nobody))
		wanted = {'system.posix_acl_access': struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries),
		          'security.selinux': b'system_u:object_r:etc_t:s0\0', 'user.mine': b'yes'}
		for name, value in wanted.items():
		    if len(sys.argv) > 2:
		        os.setxattr(sys.argv[1], name, value)
		    assert os.getxattr(sys.argv[1], name) == value, name
	END
}

what_hangs_on_a_conf_stays_on_it() { # 120
	has ext4
	echo PRIVATE_NETWORK=1 >"$T/ext4/web.conf"
	chown 0:34 "$T/ext4/web.conf"
	attributes "$T/ext4/web.conf" set
	inside <<-'END'
		mount --bind /fs/ext4 $CONFS; mkdir -p $ROOTS/web
		exits 0 machdeck set web AUTO_START=1
		umount $CONFS
	END
	same conf $'PRIVATE_NETWORK=1\nAUTO_START=1' "$(cat "$T/ext4/web.conf")"
	same 'mode and owner' '640 0 34' "$(stat -c '%a %u %g' "$T/ext4/web.conf")"
	attributes "$T/ext4/web.conf"
}

# A group of btrfs has a limit that holds for root, too, and needs no tools inside.
a_quota_that_is_used_up_keeps_the_old_text_what_was_typed_and_the_dashboard() { # 111
	local confs=$T/btrfs/confs
	has btrfs
	btrfs quota enable "$T/btrfs" && btrfs subvolume create "$confs" >/dev/null || skip "this kernel's btrfs has no quotas"
	echo PRIVATE_NETWORK=1 >"$confs/web.conf"
	sync -f "$confs"
	btrfs qgroup limit 16k "$confs"
	inside <<-END
		$editor
		mount --bind /fs/btrfs/confs \$CONFS
		exits 1 touch \$CONFS/beside
		told 'Disk quota exceeded'
		exits 73 machdeck set web AUTO_START=1
		told 'Disk quota exceeded'
		editor 'echo AUTO_START=1 >>"\$1"'
		exits 73 env EDITOR=/tmp/ed machdeck edit web </dev/null
		told 'Disk quota exceeded' 'what you typed is kept'
		grep -q AUTO_START=1 /var/lib/machdeck/drafts/web
		rm -r /var/lib/machdeck/drafts
		printf '%s\n' 'wait web' 'key e' 'wait AUTO_START' 'key Enter' 'type 1' 'key Enter' 'key S' 'wait +AUTO_START=1' 'rest 300' 'key Enter' \
			'wait not saved: ' 'wait (it is as it was): Disk quota' 'wait web: conf, changed' 'key j j' 'key S' \
			'wait +AUTO_START=1' show >/tmp/script
		exits 0 machdeck --script /tmp/script
		want 10 grep -q AUTO_START=1 /var/lib/machdeck/drafts/web
		same left web.conf "\$(ls -A \$CONFS)"
		same conf PRIVATE_NETWORK=1 "\$(cat \$CONFS/web.conf)"
		umount \$CONFS
	END
	btrfs quota disable "$T/btrfs"
	inside <<-END
		mount --bind /fs/btrfs/confs \$CONFS; mkdir -p \$ROOTS/web
		printf '%s\n' 'wait web' 'key e' 'wait is back: S saves' 'key S' 'wait +AUTO_START=1' 'rest 300' 'key Enter' 'wait saved' >/tmp/script
		exits 0 machdeck --script /tmp/script
		same conf 'PRIVATE_NETWORK=1 AUTO_START=1' "\$(xargs <\$CONFS/web.conf)"
		rm \$CONFS/web.conf; umount \$CONFS
	END
}

a_change_between_look_and_exchange_is_seen() { # 114: of another key both are kept, of the same one nothing is saved
	inside <<-END
		$editor
		saves_while() { # STATUS SED
			conf web PRIVATE_NETWORK=1 A=1 B=1
			strace -qq -f -o /tmp/calls -e trace=renameat2 -e inject=renameat2:delay_enter=3000000 machdeck set web A=2 >/tmp/said 2>&1 & saving=\$!
			want 30 eval 'ls -A \$CONFS | grep -q "^[.]"'
			sed -i "\$2" \$CONFS/web.conf
			rc=0; wait \$saving || rc=\$?
			cat /tmp/said
			same "status after \$2" "\$1" \$rc
			same left web.conf "\$(ls -A \$CONFS)"
		}
		saves_while 0 s/B=1/B=2/
		grep -q 'meanwhile are kept' /tmp/said
		same both 'A=2 B=2' "\$(grep -E '^[AB]=' \$CONFS/web.conf | xargs)"
		saves_while 75 s/A=1/A=3/
		grep -q 'A was changed meanwhile' /tmp/said
		same theirs 'A=3 B=1' "\$(grep -E '^[AB]=' \$CONFS/web.conf | xargs)"
	END
}

two_who_edit_are_told_of_each_other() { # 115
	inside <<-END
		$editor
		conf web PRIVATE_NETWORK=1
		editor 'echo \$\$ >/tmp/open; exec sleep 60'
		EDITOR=/tmp/ed machdeck edit web >/dev/null 2>&1 & holder=\$!
		want 10 test -s /tmp/open
		exits 75 machdeck edit web
		told 'by another process since ' ': PID ' 'machdeck edit web'
		kill -9 \$holder; wait \$holder || true
		exits 0 machdeck set web AUTO_START=1
		kill \$(cat /tmp/open)
	END
}

a_conf_that_goes_or_turns_into_a_link_is_not_written_through() { # 116
	inside <<-END
		$editor
		conf web PRIVATE_NETWORK=1
		editor 'echo AUTO_START=1 >>"\$1"; rm /etc/containers/web.conf'
		exits 75 env EDITOR=/tmp/ed machdeck edit web </dev/null
		told 'web.conf was removed since it was read' 'what you typed is kept in /var/lib/machdeck/drafts/web;'
		not test -e \$CONFS/web.conf
		grep -q AUTO_START=1 /var/lib/machdeck/drafts/web
		rm -rf /var/lib/machdeck; conf web PRIVATE_NETWORK=1
		printf '/root/saved-as\n' | script -qec 'env EDITOR=/tmp/ed machdeck edit web' /dev/null >/tmp/said 2>&1 || true
		grep -q 'another file' /tmp/said
		same 'saved as' 'PRIVATE_NETWORK=1 AUTO_START=1' "\$(xargs </root/saved-as)"
		not test -e \$CONFS/web.conf
		rm -rf /var/lib/machdeck
		conf web PRIVATE_NETWORK=1; echo PRIVATE_NETWORK=1 >/root/elsewhere
		editor 'echo AUTO_START=1 >>"\$1"; ln -sf /root/elsewhere /etc/containers/web.conf'
		exits 75 env EDITOR=/tmp/ed machdeck edit web </dev/null
		told 'web.conf was replaced by a link since it was read'
		same elsewhere PRIVATE_NETWORK=1 "\$(cat /root/elsewhere)"
		grep -q AUTO_START=1 /var/lib/machdeck/drafts/web
	END
}

what_is_typed_in_a_form_whose_conf_goes_can_be_written_elsewhere() { # 116
	inside <<-END
		rm -rf /var/lib/machdeck; mkdir -p \$ROOTS/{web,xdb}
		conf web PRIVATE_NETWORK=1; conf xdb PRIVATE_NETWORK=1
		printf '%s\n' 'wait 2 machines' 'key e' 'wait AUTO_START' 'key Enter' 'type 1' 'key Enter' 'wait changed' 'save /tmp/typed' \
			'wait 1 machine' 'key S' 'wait +AUTO_START=1' 'rest 300' 'key Enter' 'wait web.conf was removed since it was read' 'wait W writes it' \
			'key W' 'wait save to file' 'type /root/from-form' 'key Enter' 'wait written to /root/from-form' 'wait web: conf, changed' >/tmp/script
		rm -f /tmp/typed; machdeck --script /tmp/script >/tmp/said 2>&1 & editing=\$!
		want 10 test -s /tmp/typed
		rm \$CONFS/web.conf
		wait \$editing || fail "\$(cat /tmp/said)"
		same 'the file' 'PRIVATE_NETWORK=1 AUTO_START=1 600' "\$(xargs </root/from-form) \$(stat -c %a /root/from-form)"
		not test -e \$CONFS/web.conf
	END
}

a_machine_that_starts_meanwhile_is_left_running_and_told_about() { # 117
	inside <<-END
		$editor
		rmdir \$ROOTS/web; small web; conf web PRIVATE_NETWORK=1
		editor 'machdeck start web >/dev/null; systemctl show -P MainPID container@web >/tmp/pid; echo HOST_PORT=8080:80 >>"\$1"'
		exits 0 env EDITOR=/tmp/ed machdeck edit web
		told 'web: saved' 'web: restart needed'
		same pid "\$(cat /tmp/pid)" "\$(systemctl show -P MainPID container@web)"
		printf '%s\n' 'size 200x40' 'wait STALE' 'wait └ restart needed: HOST_PORT' 'key D' 'wait restart needed: R' >/tmp/script
		exits 0 machdeck --script /tmp/script
		for size in 80x24 60x15 40x10; do
			printf '%s\n' "size \$size" 'wait └ restart needed: HOST_PORT' >/tmp/script
			exits 0 machdeck --script /tmp/script
		done
		printf '%s\n' 'size 20x5' 'wait restart' >/tmp/script
		exits 0 machdeck --script /tmp/script
		exits 0 machdeck stop web
	END
}

what_was_typed_outlives_who_is_killed() { # 121
	inside <<-END
		$editor
		conf web PRIVATE_NETWORK=1
		for signal in HUP TERM KILL; do
			editor "echo TYPED_\$signal=1 >>\"\\\$1\"; kill -\$signal \\\$PPID; sleep 0.2"
			EDITOR=/tmp/ed machdeck edit web >/dev/null 2>&1 </dev/null || true
			same "modes after \$signal" 600 "\$(find /run/machdeck/.edit /var/lib/machdeck/drafts -type f -printf '%m\n' 2>/dev/null | sort -u)"
			editor true
			want 30 eval 'printf "y\n" | script -qec "env EDITOR=/tmp/ed machdeck edit web" /tmp/said >/dev/null 2>&1; grep -q TYPED_'\$signal' \$CONFS/web.conf'
			grep -q 'Go on with it' /tmp/said
		done
	END
}

a_disk_that_hangs_keeps_nobody_waiting() { # 123
	inside <<-END
		$editor
		conf web PRIVATE_NETWORK=1
		printf '%s\n' 'wait web' 'key e' 'wait AUTO_START' 'key Enter' 'key C-u' 'type 1' 'key Enter' 'key S' 'wait +AUTO_START=1' \
			'rest 300' 'key Enter' 'wait saving' 'key j' 'key k' 'save /tmp/meanwhile' 'key x' 'wait it is being saved' 'key S' 'key q' \
			'wait stop' 'key e' 'wait the last form is still being saved' 'wait web: saved' show >/tmp/script
		exits 0 strace -qq -f -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=6000000 machdeck --script /tmp/script
		grep -q saving /tmp/meanwhile
		same conf 1 "\$(machdeck get web AUTO_START)"
	END
}

run_cases "$@"
