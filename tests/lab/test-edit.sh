#!/bin/bash
# Confs changed by set, unset, edit and undo: nothing else changes, nobody's change is lost, no text is ever torn
# (cases 109 to 126 of the threat model).

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario edit --unfiltered

a_changed_key_is_one_hunk() { # 118, 119, 120
	inside <<-'END'
		mkdir -p /var/lib/containers/web
		cat >$CONFS/web.conf <<'CONF'
		# the shop
		PRIVATE_NETWORK=1

		LOCAL_ADDRESS=10.9.0.2 
		UNKNOWN_KEY='kept as it is'
		HOST_ADDRESS="10.9.0.1"
		CONF
		chmod 0640 $CONFS/web.conf; chown 0:12 $CONFS/web.conf
		setfattr -n user.mine -v yes $CONFS/web.conf 2>/dev/null && attribute=1
		cp $CONFS/web.conf /tmp/old
		exits 0 machdeck set --dry-run web HOST_ADDRESS=10.9.0.7
		told '-HOST_ADDRESS="10.9.0.1"' '+HOST_ADDRESS=10.9.0.7' 'its plan'
		cmp /tmp/old $CONFS/web.conf
		exits 0 machdeck set web HOST_ADDRESS=10.9.0.7
		same hunks 1 "$(diff -U0 /tmp/old $CONFS/web.conf | grep -c '^@@')"
		same mode '640 0 12' "$(stat -c '%a %u %g' $CONFS/web.conf)"
		[ -z "${attribute:-}" ] || same attribute yes "$(getfattr --only-values -n user.mine $CONFS/web.conf)"
		same got 10.9.0.7 "$(machdeck get web HOST_ADDRESS)"
		same unknown 'kept as it is' "$(machdeck get web UNKNOWN_KEY)"
		exits 0 machdeck set web 'EXTRA_NSPAWN_FLAGS=--bind="/srv/a b" --setenv=X=$y#;`z`'
		same value '--bind="/srv/a b" --setenv=X=$y#;`z`' "$(machdeck get web EXTRA_NSPAWN_FLAGS)"
		exits 0 machdeck unset web EXTRA_NSPAWN_FLAGS
		exits 0 machdeck undo web
		same value '--bind="/srv/a b" --setenv=X=$y#;`z`' "$(machdeck get web EXTRA_NSPAWN_FLAGS)"
		exits 0 machdeck undo web
		exits 0 machdeck undo web
		cmp /tmp/old $CONFS/web.conf
		exits 1 machdeck undo web
		told 'nothing to undo'
		exits 1 machdeck get web NOT_THERE
	END
}

each_kind_of_value_is_read_back_as_it_was_typed_by_systemd_too() { # 118
	inside <<-'END'
		mkdir -p $ROOTS/web; conf web PRIVATE_NETWORK=1
		values=('a\b\\c\' "it's" '"quoted"' '# no comment' 'a;b' '$HOME ${HOME} `id` $(id)' ' blanks at both ends  ' 'é 日本 → 👋' "$(printf 'x%.0s' {1..4096})" '%n %% =')
		keys=(); for i in "${!values[@]}"; do keys+=("V$i=${values[i]}"); done
		exits 0 machdeck set web "${keys[@]}"
		for i in "${!values[@]}"; do
			same "V$i" "${values[i]}" "$(machdeck get web V$i)"
			same "V$i, by systemd" "${values[i]}" "$(systemd-run --quiet --pipe --wait -p EnvironmentFile=$CONFS/web.conf sh -c "printf %s \"\$V$i\"" | tr -d '\r')"
		done
		exits 65 machdeck set web $'V0=a\nb'
		exits 65 machdeck set web $'V0=a\rb'
		exits 65 machdeck set web $'V0=\xff'
		same V0 "${values[0]}" "$(machdeck get web V0)"
	END
}

what_a_start_would_refuse_is_not_saved() {
	inside <<-'END'
		mkdir -p /var/lib/containers/{web,db}
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.0.1 LOCAL_ADDRESS=10.9.0.2 HOST_PORT=tcp:8080:80
		conf db PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.1.1 LOCAL_ADDRESS=10.9.1.2
		cp $CONFS/db.conf /tmp/old
		exits 65 machdeck set db LOCAL_ADDRESS=10.9.1.2/24
		exits 65 machdeck set db HOST_PORT=99999
		told 'HOST_PORT'
		exits 65 machdeck set db HOST_PORT=8080
		told web
		exits 65 machdeck set db $'HOST_PORT=1\n2'
		exits 64 machdeck set db 'NO KEY=1'
		exits 64 machdeck set db HOST_PORT
		exits 66 machdeck set nosuch A=b
		cmp /tmp/old $CONFS/db.conf
	END
}

what_is_declared_elsewhere_is_refused_before_anything_is_typed() { # 116, 124
	inside <<-'END'
		mkdir -p /store /var/lib/containers/declared
		echo PRIVATE_NETWORK=1 >/store/declared.conf
		ln -sf /store/declared.conf $CONFS/declared.conf
		printf '#!/bin/sh\ntouch /tmp/opened\n' >/tmp/opens; chmod +x /tmp/opens
		exits 78 env EDITOR=/tmp/opens machdeck edit declared
		told /store/declared.conf
		not test -e /tmp/opened
		for size in 80x24 60x15 40x10; do # and the dashboard says where
			printf '%s\n' "size $size" 'wait declared' 'key e' 'wait /store/decl' show >/tmp/script
			exits 0 machdeck --script /tmp/script
		done
		exits 78 machdeck set declared A=b
		told /store/declared.conf
		same text PRIVATE_NETWORK=1 "$(cat /store/declared.conf)"
		rm $CONFS/declared.conf
		conf mine PRIVATE_NETWORK=1; mkdir -p /var/lib/containers/mine
		for verb in 'set mine AUTO_START=1' 'edit mine' 'unset mine PRIVATE_NETWORK' 'undo mine'; do
			exits 77 setpriv --reuid=65534 --regid=65534 --clear-groups env EDITOR=/tmp/opens machdeck $verb
			told 'only root may'
		done
		not test -e /tmp/opened
		printf '%s\n' 'wait mine' 'key e' 'wait read-only: ' 'key E' 'wait read-only: ' show >/tmp/script
		exits 0 setpriv --reuid=65534 --regid=65534 --clear-groups env EDITOR=/tmp/opens machdeck --script /tmp/script
		[[ $said != *AUTO_START* ]] || fail "$said"
	END
}

an_editor_is_led_back_to_the_line() {
	inside <<-'END'
		mkdir -p /var/lib/containers/web; conf web PRIVATE_NETWORK=1
		printf '#!/bin/sh\necho HOST_PORT=bad >>"$1"\n' >/tmp/bad; chmod +x /tmp/bad
		exits 65 env EDITOR=/tmp/bad machdeck edit web </dev/null
		told 'web.conf:2:' 'what you typed is kept'
		same conf PRIVATE_NETWORK=1 "$(cat $CONFS/web.conf)"
		exits 0 env EDITOR=true machdeck edit web </dev/null
		told 'stays kept'
		exits 1 env EDITOR=/nowhere machdeck edit web </dev/null
		told 'no editor /nowhere'
		[[ $said != *'you typed'* ]] || fail "$said"
		grep -q HOST_PORT=bad /var/lib/machdeck/drafts/web
		printf '#!/bin/sh\necho AUTO_START=worse >>"$1"\n' >/tmp/worse; chmod +x /tmp/worse
		exits 65 env EDITOR=/tmp/worse machdeck edit web </dev/null
		told 'before that is kept in /var/lib/machdeck/drafts/web:earlier' 'what you typed is kept'
		grep -q HOST_PORT=bad /var/lib/machdeck/drafts/web:earlier; grep -q worse /var/lib/machdeck/drafts/web
		mv /var/lib/machdeck/drafts/web:earlier /var/lib/machdeck/drafts/web
		printf '#!/bin/sh\nsed -i "s/bad/8080/" "$1"\n' >/tmp/good; chmod +x /tmp/good
		printf 'y\n' | script -qec 'env EDITOR=/tmp/good machdeck edit web' /dev/null >/tmp/said 2>&1
		grep -q 'Go on with it' /tmp/said
		same port 8080 "$(machdeck get web HOST_PORT)"
		exits 0 env EDITOR=true machdeck edit web
		told 'nothing to change'
		printf '#!/bin/sh\necho "$@" >>/tmp/arguments\ncase $1 in +3) sed -i s/bad2/1/ "$2" ;; *) echo AUTO_START=bad2 >>"$1" ;; esac\n' >/tmp/twice
		chmod +x /tmp/twice
		printf 'y\n' | script -qec 'env VISUAL=/tmp/worse SYSTEMD_EDITOR=/tmp/twice machdeck edit web' /dev/null >/tmp/said 2>&1
		same 'the editor was told' "/run/machdeck/.edit/web.conf +3 /run/machdeck/.edit/web.conf" "$(xargs </tmp/arguments)"
		same start 1 "$(machdeck get web AUTO_START)"
		same left '' "$(find /run/machdeck/.edit /var/lib/machdeck/drafts -type f)"
	END
}

a_change_made_meanwhile_is_kept() { # 113
	inside <<-'END'
		mkdir -p /var/lib/containers/web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.0.1 LOCAL_ADDRESS=10.9.0.2
		printf '#!/bin/sh\nsed -i s/10.9.0.1/10.9.0.5/ "$1"; sed -i s/10.9.0.2/10.9.0.6/ %s\n' $CONFS/web.conf >/tmp/both
		chmod +x /tmp/both
		exits 0 env EDITOR=/tmp/both machdeck edit web
		told 'meanwhile are kept'
		same both '10.9.0.5 10.9.0.6' "$(machdeck get web HOST_ADDRESS) $(machdeck get web LOCAL_ADDRESS)"
		printf '#!/bin/sh\nsed -i s/10.9.0.5/10.9.0.4/ "$1"; sed -i "1i# by bob" %s\n' $CONFS/web.conf >/tmp/both
		exits 0 env EDITOR=/tmp/both machdeck edit web
		same 'a comment of another one' '# by bob PRIVATE_NETWORK=1 HOST_ADDRESS=10.9.0.4 LOCAL_ADDRESS=10.9.0.6' "$(xargs -d'\n' <$CONFS/web.conf)"
		sed -i 's/10.9.0.4/10.9.0.5/; 1d' $CONFS/web.conf
		printf '#!/bin/sh\nsed -i s/10.9.0.5/10.9.0.8/ "$1"; sed -i s/10.9.0.5/10.9.0.9/ %s\n' $CONFS/web.conf >/tmp/both
		exits 75 env EDITOR=/tmp/both machdeck edit web </dev/null
		told 'HOST_ADDRESS was changed meanwhile' 'HOST_ADDRESS: it was 10.9.0.5, it is now 10.9.0.9, you typed 10.9.0.8' \
			'what you typed is kept in /var/lib/machdeck/drafts/web;'
		same theirs 10.9.0.9 "$(machdeck get web HOST_ADDRESS)"
		grep -q 10.9.0.8 /var/lib/machdeck/drafts/web
		for answer in '' theirs yours; do
			rm -f /var/lib/machdeck/drafts/web
			sed -i s/^HOST_ADDRESS=.*/HOST_ADDRESS=10.9.0.5/ $CONFS/web.conf
			rc=0; printf '%s\n' "$answer" | script -qec 'env EDITOR=/tmp/both machdeck edit web' /dev/null >/tmp/said 2>&1 || rc=$?
			grep -q 'you typed 10.9.0.8' /tmp/said || fail "$(cat /tmp/said)"
			case $answer in yours) now=10.9.0.8 ended=0 ;; theirs) now=10.9.0.9 ended=0 ;; *) now=10.9.0.9 ended=75 ;; esac
			same "after '$answer'" "$ended $now" "$rc $(machdeck get web HOST_ADDRESS)"
			[ -n "$answer" ] || same "kept, mode" 600 "$(stat -c %a /var/lib/machdeck/drafts/web)"
		done
	END
}

settings_that_others_changed_meanwhile_are_shown_and_asked_about() { # 113, 116
	inside <<-'END'
		mkdir -p /var/lib/machines/img/{etc,usr} /etc/systemd/nspawn; rm -rf /var/lib/machdeck/drafts
		settings=/etc/systemd/nspawn/img.nspawn
		printf '#!/bin/sh\nsed -i s/8080/8081/ "$1"; sed -i s/8080/8082/ %s\n' $settings >/tmp/both; chmod +x /tmp/both
		for answer in '' theirs yours; do
			rm -f /var/lib/machdeck/drafts/*; printf '[Network]\nPort=tcp:8080:80\n' >$settings
			rc=0; printf '%s\n' "$answer" | script -qec 'env EDITOR=/tmp/both machdeck edit img' /dev/null >/tmp/said 2>&1 || rc=$?
			for words in 'as others left it' '+Port=tcp:8082:80' 'as you typed it' '+Port=tcp:8081:80'; do grep -qF -- "$words" /tmp/said || fail "$(cat /tmp/said)"; done
			case $answer in yours) now=8081 ended=0 ;; theirs) now=8082 ended=0 ;; *) now=8082 ended=75 ;; esac
			same "after '$answer'" "$ended tcp:$now:80" "$rc $(machdeck get img Network.Port)"
			[ -n "$answer" ] || grep -q 8081 /var/lib/machdeck/drafts/img:nspawn
		done
		printf '#!/bin/sh\necho Zone=a >>"$1"; rm %s\n' $settings >/tmp/both
		printf '/root/settings-as\n' | script -qec 'env EDITOR=/tmp/both machdeck edit img' /dev/null >/tmp/said 2>&1 || true
		grep -q Zone=a /root/settings-as || fail "$(cat /tmp/said)"
		not test -e $settings
		rm -r /var/lib/machines/img /var/lib/machdeck/drafts
	END
}

two_who_set_and_one_who_uses_sed_lose_nothing() { # 125
	inside <<-'END'
		mkdir -p /var/lib/containers/web
		printf '# x\nPRIVATE_NETWORK=1\nA=0\nB=0\nC=0\n' >$CONFS/web.conf
		# What sed read a moment ago it writes back, an older value of our key with it: that is refused by name, and tried again.
		writer() {
			for ((i = 1; i <= 250; i++)); do
				until machdeck set web $1=$i >/tmp/said-$1 2>&1; do
					grep -q "$1 was changed meanwhile, to '" /tmp/said-$1 || { echo "$1 $i: $(cat /tmp/said-$1)" && break; }
				done
			done
		}
		writer A >/tmp/a & writer B >/tmp/b &
		for ((i = 1; i <= 40; i++)); do sed -i "s/^C=.*/C=$i/" $CONFS/web.conf; sleep 0.05; done
		wait
		[ ! -s /tmp/a ] && [ ! -s /tmp/b ] || fail "refused: $(cat /tmp/a /tmp/b)"
		machdeck get web >/tmp/got || fail "torn: $(cat $CONFS/web.conf)"
		cat /tmp/got
		grep -qx A=250 /tmp/got && grep -qx B=250 /tmp/got && grep -qx C=40 /tmp/got && grep -q '^# x' $CONFS/web.conf
		ls -A $CONFS | grep -v '^web.conf$' && fail 'something is left' || true
	END
}

# sweep ACTION - a save for each system call that it makes, from the keeping of what was on, which then ends as ACTION
# says. What can be looked at without a process is: there are hundreds.
sweep='
	content() { IFS= read -r -d "" $1 <$2 || true; } # to the byte; a NUL would end it, and differ
	sweep() {
		local action=$1 call n rc fast= now said trace confs
		[[ $action = signal* ]] || fast="-f --seccomp-bpf" # with which strace 6.1 sends no signal
		put; strace -qq -o /tmp/calls machdeck set web HOST_ADDRESS=10.9.0.2 >/dev/null 2>&1 || fail "no save"
		while read -r call n; do # the name of each, and how many of that name there were
			put; rc=0
			strace -qq $fast -o /tmp/call -e trace=$call -e inject=$call:$action:when=$n machdeck set web HOST_ADDRESS=10.9.0.2 >/tmp/said 2>&1 || rc=$?
			content trace /tmp/call; content now $CONFS/web.conf; content said /tmp/said
			[[ $trace != *INJECTED* && $trace != *"killed by SIGKILL"* ]] || RUNS=$((RUNS + 1))
			if [ "$now" = "$new" ]; then :
			elif [ "$now" = "$before" ]; then
				[ $rc -ne 0 ] || fail "$action at $call $n: says saved, but is the old one"
				[[ $said != *saved* || $said = *"nothing was saved"* ]] || fail "$action at $call $n: $said"
			else
				fail "$action at $call $n: torn: $now"
			fi
			confs=($CONFS/*)
			same "confs listed" $CONFS/web.conf "${confs[*]}"
		done < <(awk -F "(" "/\"history\"/ { on = 1 } /exit_group/ { on = 0 } { seen[\$1]++ } on { print \$1, seen[\$1] }" /tmp/calls)
	}
	put() { printf %s "$before" >$CONFS/web.conf; }
	RUNS=0
	mkdir -p /var/lib/containers/web
	before=$(printf "# x\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.9.0.1\n.") before=${before%.}
	new=${before/.1/.2}
'

a_save_that_is_killed_at_any_call_leaves_old_or_new() { # 109
	inside <<-END
		$sweep
		sweep signal=KILL
		[ \$RUNS -gt 60 ] || fail "only \$RUNS calls were tried"
		put; exits 0 machdeck set web HOST_ADDRESS=10.9.0.2
		same left web.conf "\$(ls -A \$CONFS)"
	END
}

a_save_whose_calls_fail_is_never_said_to_be_saved() { # 110
	inside <<-END
		$sweep
		for error in ENOSPC EIO EDQUOT EROFS EINTR ENOMEM; do
			sweep error=\$error
		done
		[ \$RUNS -gt 360 ] || fail "only \$RUNS calls were tried"
	END
}

what_is_saved_and_not_confirmed_by_the_disk_is_told_as_such() { # 110
	inside <<-'END'
		mkdir -p /var/lib/containers/web; conf web PRIVATE_NETWORK=1
		folder_fails() { exits "$1" strace -qq -f -o /dev/null -P $CONFS -e trace=fsync -e inject=fsync:error=EIO "${@:2}"; }
		folder_fails 74 machdeck set web AUTO_START=1
		told 'saved, but not confirmed on disk'
		same conf 1 "$(machdeck get web AUTO_START)"
		printf '%s\n' 'wait web' 'key e' 'wait AUTO_START' 'key x' 'key S' 'wait -AUTO_START=1' 'rest 300' 'key Enter' \
			'wait web.conf: saved, but not confirmed on disk' show >/tmp/script
		folder_fails 0 machdeck --script /tmp/script
		[[ $said != *'not saved'* ]] || fail "$said"
		same conf PRIVATE_NETWORK=1 "$(cat $CONFS/web.conf)"
	END
}

a_full_file_system_keeps_the_old_text() { # 111
	inside <<-'END'
		mkdir -p /var/lib/containers/web
		printf '#!/bin/sh\necho AUTO_START=1 >>"$1"\n' >/tmp/adds; chmod +x /tmp/adds
		keeps_both() { # VERB...
			rm -rf /var/lib/machdeck/drafts
			for verb; do
				rc=0; said=$(EDITOR=/tmp/adds machdeck $verb 2>&1 </dev/null) || rc=$?
				same "status of $verb" 73 "${rc/74/73}"
				same text PRIVATE_NETWORK=1 "$(cat $CONFS/web.conf)"
			done
			same 'the text of the editor' 'PRIVATE_NETWORK=1 AUTO_START=1' "$(xargs </var/lib/machdeck/drafts/web)"
		}
		mount -t tmpfs -o size=64k,mode=755 tmpfs $CONFS
		conf web PRIVATE_NETWORK=1
		dd if=/dev/zero of=$CONFS/filler bs=4k 2>/dev/null || true
		keeps_both 'set web AUTO_START=1' 'edit web'
		rm $CONFS/filler
		echo "mount -o remount,ro $CONFS" >>/tmp/adds
		keeps_both 'edit web'
		exits 73 env EDITOR=/tmp/adds machdeck edit web # before anything is typed
		told read-only
		exits 73 machdeck set web AUTO_START=1
		sed -i '$d' /tmp/adds
		umount $CONFS
		mount -t tmpfs -o nr_inodes=3,mode=755 tmpfs $CONFS
		conf web PRIVATE_NETWORK=1; : >$CONFS/filler
		keeps_both 'set web AUTO_START=1' 'edit web'
		umount $CONFS
	END
}

limits_apply_at_once_for_good_or_until_it_stops() {
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1
		exits 0 machdeck start web
		limit() { systemctl show -P "$2" container@$1; }
		exits 0 machdeck limit web MemoryMax=512M TasksMax=300
		same conf '512M 300' "$(machdeck get web MEMORY_MAX) $(machdeck get web TASKS_MAX)"
		same memory 536870912 "$(limit web MemoryMax)"
		same tasks 300 "$(limit web TasksMax)"
		exits 0 machdeck limit --runtime web MemoryMax=256M CPUQuota=50%
		same memory '268435456 500ms' "$(limit web MemoryMax) $(limit web CPUQuotaPerSecUSec)"
		same conf 512M "$(machdeck get web MEMORY_MAX)"
		exits 0 machdeck stop web
		same memory '536870912 infinity' "$(limit web MemoryMax) $(limit web CPUQuotaPerSecUSec)"
		not test -e /run/systemd/system.control/container@web.service.d
		exits 0 machdeck limit web MemoryMax= TasksMax=
		same memory infinity "$(limit web MemoryMax)"
		exits 64 machdeck limit web MemoryMax=much
		told 'MemoryMax'
	END
}

an_export_is_imported_as_the_same_conf() { # 152
	inside <<-'END'
		printf '# the shop\nLOCAL_ADDRESS=10.9.0.2\nPRIVATE_NETWORK=1 \nMINE=x\nHOST_ADDRESS="10.9.0.1"\nEXTRA_VETHS="b,hostBridge=br0 a,hostBridge=br0"\n' >$CONFS/byhand.conf
		conf plain PRIVATE_NETWORK=1 HOST_PORT=80 TMPFS=/tmp
		cp -a $CONFS /tmp/confs
		machdeck export >/tmp/all.json
		exits 0 machdeck import /tmp/all.json
		told 'nothing to change'
		diff -r /tmp/confs $CONFS
		rm -r /tmp/confs $CONFS/*
		conf web PRIVATE_NETWORK=1 HOST_PORT=8080:80 'EXTRA_NSPAWN_FLAGS=--bind-ro=/srv:/mnt --setenv=A=B' MEMORY_MAX=1G AUTO_START=1
		machdeck export web >/tmp/web.json
		exits 0 machdeck import /tmp/web.json
		cp $CONFS/web.conf /tmp/first
		machdeck export >/tmp/again.json
		cmp /tmp/web.json /tmp/again.json
		exits 0 machdeck import /tmp/again.json
		cmp /tmp/first $CONFS/web.conf
	END
}

hostile_documents_cost_little_and_change_nothing() { # 151
	inside <<-'END'
		conf web PRIVATE_NETWORK=1
		before=$(find $CONFS -printf '%p %s %T@ %i\n')
		refused() { # STATUS DOCUMENT WORDS...
			exits "$1" timeout 10 systemd-run --quiet --pipe --wait -p MemoryMax=64M -p MemorySwapMax=0 machdeck import "$2"
			told "${@:3}"
			same "confs after $2" "$before" "$(find $CONFS -printf '%p %s %T@ %i\n')"
		}
		{ printf '{"containers": '; head -c 100M /dev/zero | tr '\0' ' '; printf '{}}'; } >/tmp/long
		perl -e 'print "{\"containers\":" x 10000' >/tmp/deep
		perl -e 'print "{\"containers\":{", (map { "\"c$_\":{}," } 1..60000), "\"web\":{\"extraFlags\":[\"--bind=/\",7]}}}"' >/tmp/wide
		echo '{"containers": {"web": {"autoStart": true}, "x": {"forwardPorts": [{"hostPort": 9223372036854775808}]}}}' >/tmp/port
		echo '{"containers": {"web": {"autoStart": true}, "x": {"extraFlags": ["--bind=/:/host"]}}}' >/tmp/unsafe
		refused 65 /tmp/long /tmp/long
		refused 65 /tmp/deep '/containers/containers/' 'nested deeper'
		refused 65 /tmp/wide '/containers/web/extraFlags/1'
		refused 65 /tmp/port '/containers/x/forwardPorts/0/hostPort: not JSON'
		refused 64 /tmp/unsafe '/containers/x: a bind mount of / gives it the host' '--yes'
		exits 0 machdeck import --yes /tmp/unsafe
		same flags --bind=/:/host "$(machdeck get x EXTRA_NSPAWN_FLAGS | xargs)"
		rm /tmp/long
	END
}

an_import_takes_effect_and_can_be_undone() {
	inside <<-'END'
		import() { printf '%s' "$1" >/tmp/doc.json; exits 0 machdeck import /tmp/doc.json; }
		small web; conf web PRIVATE_NETWORK=1
		exits 0 machdeck start web
		import '{"containers": {"web": {"privateNetwork": true, "macvlans": [], "enableTun": true, "timeoutStartSec": "3min", "autoStart": true}, "new": {}}}'
		told '/etc/containers/web.conf: changed' '/etc/containers/new.conf: made' 'web: restart needed'
		same 'what systemd knows' '3min machines.target' "$(systemctl show -P TimeoutStartUSec container@web) $(systemctl show -P WantedBy container@web)"
		exits 0 machdeck undo web
		same conf PRIVATE_NETWORK=1 "$(cat $CONFS/web.conf)"
		same history '' "$(machdeck history new)"
		exits 0 machdeck export web; echo "$said" >/tmp/doc.json
		exits 0 machdeck import /tmp/doc.json; exits 0 machdeck import /tmp/doc.json
		told 'nothing to change'
	END
}

the_dashboard_lends_its_terminal_to_the_editor() {
	inside <<-'END'
		mkdir -p /var/lib/containers/lent; conf lent PRIVATE_NETWORK=1
		printf '#!/bin/sh\necho AUTO_START=1 >>"$1"\n' >/tmp/ed; chmod +x /tmp/ed
		opens 'EDITOR=/tmp/ed machdeck'
		wait_for lent
		tmux send-keys -t s E
		wait_for 'lent: saved'
		tmux send-keys -t s Enter
		want 10 not shows 'Press Enter'
		same conf 1 "$(machdeck get lent AUTO_START)"
		tmux send-keys -t s q
		wait_for 'status=0'
	END
}

run_cases "$@"
