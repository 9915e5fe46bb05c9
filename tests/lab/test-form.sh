#!/bin/bash
# A conf edited in the dashboard, by keys and by lines alone: judged as it is typed, previewed, saved, and the verdict; and
# the questions it asks.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario form --unfiltered

# keys LINE... - a script of the dashboard on web's row; what it showed last is in $said
helper='keys() { printf "%s\\n" "size ${SIZE:-80x24}" "wait web" "key e" "wait AUTO_START" "$@" show >/tmp/script
	exits 0 machdeck --script /tmp/script; }'

a_form_saves_one_key_and_says_what_follows() {
	inside <<-END
		$helper
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		to_local='key j j j j j j j j j j'
		keys "\$to_local" 'key Enter' 'key C-u' 'type 10.1.0.9' 'key Enter' 'key S' 'wait +LOCAL_ADDRESS=10.1.0.9' 'key G' \
			'wait then a reload would apply it' 'rest 300' 'key Enter' 'wait a reload applies it'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.9' "\$(xargs <\$CONFS/web.conf)"
		exits 0 machdeck set web LOCAL_ADDRESS=10.1.0.9
		told 'nothing to change'
		SIZE=40x10 keys "\$to_local" 'key Enter' 'key C-u' 'type 10.1.0.' "wait '10.1.0.': not" 'key Esc' 'key q'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.9' "\$(xargs <\$CONFS/web.conf)"
	END
}

what_does_not_fit_the_host_is_said_before_it_is_saved() {
	inside <<-END
		$helper
		ip link add d7 type veth peer d8; ip addr add 10.9.0.1/24 dev d7
		mkdir -p \$ROOTS/web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		SIZE=120x30 keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.9.0.1' 'key Enter' 'key S' 'wait +LOCAL_ADDRESS=10.9.0.1' \
			'wait 10.9.0.1 is an address of the host itself' 'key Esc' 'key Q'
		conf xdb PRIVATE_NETWORK=1 HOST_BRIDGE=br9 LOCAL_ADDRESS=10.3.0.2/24 # as it is typed, then before it is saved
		SIZE=160x30 keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.3.0.9' 'key Enter' \
			"wait 10.3.0.9 and container xdb's 10.3.0.2/24 are networks that overlap" 'key S' 'wait +LOCAL_ADDRESS=10.3.0.9' \
			'wait are networks that overlap' 'key Esc' 'key Q'
		exits 0 machdeck set web LOCAL_ADDRESS=10.3.0.9
		told 'are networks that overlap, on different links'
		exits 0 machdeck set web EXTRA_NSPAWN_FLAGS=--bind=/srv/none
		told '/srv/none, which is to be bound, is not there'
		keys 'key Enter' 'type 1' 'key Enter' 'key $(printf 'j %.0s' {1..35}) j' 'key Enter' 'type --bind=/srv/nor' \
			'wait /srv/nor, which is to be' 'key Enter' 'wait bind-ro' 'wait /srv/nor, which is to be' 'key S' 'wait nor' 'rest 300' 'key Enter' 'wait web: saved' 'wait is not there'
		exits 0 machdeck set web AUTO_START=0 # it is told of what is changed
		[[ \$said != *overlap* ]] || fail "\$said"
	END
}

a_conflict_with_another_machine_is_said_and_not_saved() { # 122, too: leaving asks, and stays
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web \$ROOTS/xdb
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		conf xdb PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2
		keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.2.0.2' 'wait xdb' 'key C-u' 'type 10.1.0.3' 'wait its address on' \
			'key C-u' 'type 10.2.0.2' 'key Enter' 'wait xdb' 'key S' 'rest 300' 'key q' \
			'wait S saves, Q leaves' 'key Q'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2' "\$(xargs <\$CONFS/web.conf)"
	END
}

a_path_is_completed_from_the_host_s_folders() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web /srv/paths/{alpha,beta,.hidden} \$'/srv/paths/a\\nb'
		touch /srv/paths/zeta
		conf web PRIVATE_NETWORK=1
		keys 'key j j j j Enter' 'type /srv/pa' 'key Tab' 'wait /srv/paths/' 'type a' 'key Tab' 'wait /srv/paths/alpha/' \
			'key C-u' 'type /srv/paths/' 'key Tab' 'wait /srv/paths/alpha/' 'key Tab' 'wait /srv/paths/beta/' \
			'key Tab' 'wait /srv/paths/zeta' 'key Tab' 'wait /srv/paths/alpha/' \
			'key C-u' 'type /srv/none/' 'key Tab' 'wait cannot look into /srv/none/' 'key Esc' 'key q'
		same conf PRIVATE_NETWORK=1 "\$(xargs <\$CONFS/web.conf)"
		rm -r /srv/paths
	END
}

# By rows below AUTO_START, headings counted: what Tab offers, one after the other, of what this host has and what is free.
what_the_host_has_is_offered_as_it_is_typed() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web; conf web PRIVATE_NETWORK=1; conf xdb PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		ip link add br7 type bridge; ip addr add 10.9.0.1/24 dev br7; ip addr add fd09::1/64 dev br7
		ip netns add lan; ip link add nic0 type veth peer nic9 netns lan
		ip link add vx1 type dummy 2>/dev/null || ip link add vx1 type veth peer vx9
		mknod /dev/lab-sensor c 1 3
		field() { # ROWS TYPED OFFERED...: from the top, and back to it
			echo "key \$(printf 'j %.0s' \$(seq \$1)) Enter"
			[ -z "\$2" ] || echo "type \$2"
			printf 'key Tab\nwait : %s\n' "\${@:3}"
			printf '%s\n' 'key Esc' 'key g' 'key j'
		}
		{
			printf '%s\n' 'size 110x45' 'wait web' 'key e' 'wait AUTO_START'
			field 9 '' 10.233.2.1; field 10 '' 10.233.2.2 10.9.0.2/24
			field 11 '' fd00:10:233:1::1; field 12 '' fd00:10:233:1::2 fd09::2/64
			field 13 '' br7; field 17 '' /run/netns/lan
			field 19 '' tcp:8080:80 tcp:8443:443; field 21 '' vx2,hostBridge=br7 vx2,hostAddress=10.233.2.1,localAddress=10.233.2.2
			field 22 n nic0; field 23 n nic0
			field 26 CAP_W CAP_WAKE_ALARM; field 27 /dev/lab /dev/lab-sensor:rwm
			field 35 '' --bind=/ --bind-ro=/
			printf '%s\n' 'key q'
		} >/tmp/script
		exits 0 machdeck --script /tmp/script
		rm /dev/lab-sensor; ip netns delete lan
	END
}

what_was_typed_outlives_the_dashboard() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.1.0.7' 'key Enter' 'rest 500'
		want 10 grep -q LOCAL_ADDRESS=10.1.0.7 /var/lib/machdeck/drafts/web
		exits 0 machdeck set web TASKS_MAX=99 # which is not undone by it
		keys 'wait is back: S saves' 'key j j j j j j j j j j Enter' 'key C-u' 'type 10.1.0.' # and is half typed
		want 10 grep -qx LOCAL_ADDRESS=10.1.0. /var/lib/machdeck/drafts/web
		printf '%s\n' 'wait web' 'key e' 'wait is back: S saves' 'key j j j j j j j j j j Enter' 'type 7' 'rest 60000' >/tmp/half
		machdeck --script /tmp/half >/dev/null 2>&1 & typing=\$!
		want 10 grep -qx LOCAL_ADDRESS=10.1.0.7 /var/lib/machdeck/drafts/web
		kill -9 \$typing; wait \$typing || true
		same mode 600 "\$(stat -c %a /var/lib/machdeck/drafts/web)"
		half=10.1.0.7
		for signal in HUP TERM; do
			opens machdeck
			wait_for 'web .*stopped'; tmux send-keys -t s e; wait_for 'is back: S saves'
			tmux send-keys -t s j j j j j j j j j j Enter; wait_for 'LOCAL_ADDRESS: 10'
			half+=7; tmux send-keys -t s -l 7; wait_for "LOCAL_ADDRESS: \$half *\$"
			kill -\$signal \$(pgrep -fx machdeck)
			wait_for status=
			want 10 grep -qx LOCAL_ADDRESS=\$half /var/lib/machdeck/drafts/web
		done
		keys 'wait is back: S saves' 'key j j j j j j j j j j Enter' 'key Backspace Backspace' 'key Enter' 'key S' 'wait +LOCAL_ADDRESS=10.1.0.7' 'rest 300' 'key Enter' 'wait saved'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.7 TASKS_MAX=99' "\$(xargs <\$CONFS/web.conf)"
		same left '' "\$(ls /var/lib/machdeck/drafts)"
	END
}

a_form_that_is_open_is_only_looked_at_by_others_until_it_is_free() { # 115
	inside <<-END
		$helper
		rm -rf /var/lib/machdeck/drafts; mkdir -p \$ROOTS/web
		conf web PRIVATE_NETWORK=1
		printf '%s\\n' 'wait web' 'key e' 'wait AUTO_START' 'key Enter' 'type 1' 'key Enter' 'wait changed' 'save /tmp/open' 'rest 60000' >/tmp/open.script
		machdeck --script /tmp/open.script >/dev/null & holder=\$!
		want 10 test -s /tmp/open
		want 10 test -s /var/lib/machdeck/drafts/web
		exits 75 machdeck edit web
		told 'web is being edited by another process since ' "PID \$holder"
		for SIZE in 80x24 60x15 40x10; do
			keys 'wait read-only, PID' 'wait web is being edited by' 'key Enter' 'wait read-only: PID' 'key j x' 'wait read-only: PID' 'key S' \
				'wait e takes it' 'key j' 'wait how long a start may take' 'key p' 'wait web: its plan' 'key Esc' \
				'key e' 'wait web is being edited by' 'key q' 'wait stop'
		done
		same conf PRIVATE_NETWORK=1 "\$(xargs <\$CONFS/web.conf)"
		test -s /var/lib/machdeck/drafts/web # it is the holder's
		printf '%s\\n' 'wait web' 'key e' "wait web is being edited by PID \$holder (" 'save /tmp/looks' 'wait nobody else edits it' 'wait read-only, e edits it' \
			'key Enter' 'wait until e takes it' 'key e' 'wait is back: S saves' 'key S' 'wait +AUTO_START=1' 'rest 300' 'key Enter' \
			'wait saved' >/tmp/looks.script
		machdeck --script /tmp/looks.script >/tmp/said 2>&1 & looks=\$!
		want 10 test -s /tmp/looks
		kill -9 \$holder; wait \$holder || true
		wait \$looks || fail "\$(cat /tmp/said)"
		same conf 'PRIVATE_NETWORK=1 AUTO_START=1' "\$(xargs <\$CONFS/web.conf)"
		exits 0 env EDITOR=true machdeck edit web
	END
}

by_lines_a_form_that_another_one_edits_is_only_looked_at() { # 115
	inside <<-'END'
		rm -rf /var/lib/machdeck/drafts; mkdir -p $ROOTS/web
		conf web PRIVATE_NETWORK=1 HOST_PORT=80
		printf '#!/bin/sh\necho $$ >/tmp/editor; exec sleep 60\n' >/tmp/ed; chmod +x /tmp/ed
		EDITOR=/tmp/ed machdeck edit web >/dev/null 2>&1 & holder=$!
		want 10 test -s /tmp/editor
		begin_talk
		line web; tells '^e\. edit its conf'; line e; tells "^web is being edited by PID $holder \("; tells '^conf of web, read-only> '
		line HOST_PORT; tells 'the one inside'; line x 1; tells '^Nothing is changed: read-only: PID'; line s; tells '^Nothing is changed'
		line p; tells '^A start would do this'; line e; tells 'you can look, not change'
		sed -i s/80/81/ $CONFS/web.conf
		kill -9 $holder; wait $holder || true
		tells 'nobody else edits it any more: e edits it'
		# what others changed may be told in between, with the prompt again, which the answer then follows
		rm -f /tmp/copy; line w /tmp/copy; tells 'written to /tmp/copy'; cmp /tmp/copy $CONFS/web.conf
		line e; tells 'yours to edit now'; tells '^[0-9]+\. HOST_PORT: 81'; tells '^conf of web> '
		line AUTO_START; tells '^AUTO_START> '; line 1; tells '^AUTO_START: 1'; line s; tells 'type yes'; line yes; tells '^web: saved'
		same conf 'PRIVATE_NETWORK=1 HOST_PORT=81 AUTO_START=1' "$(xargs <$CONFS/web.conf)"
		end_talk
		kill $(cat /tmp/editor)
	END
}

# The rows of a form whose first is AUTO_START.
to_ports="key $(printf 'j %.0s' {1..19})"

a_list_is_filled_previewed_and_saved_by_keys_at_each_size() {
	inside <<-END
		$helper
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		for SIZE in 80x24 60x15 40x10; do
			conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
			keys '$to_ports' "wait the host's port" 'key Enter' 'type tcp:8080:' "wait 'tcp:8080:': not" 'type 80' \
				"wait the host's port" 'key Enter' 'key j Enter' 'type tcp:8081:81' 'key Enter' 'key k x' 'wait tcp:8081:81' \
				'key S' 'wait +HOST_PORT=tcp:8081:81' 'rest 300' 'key Enter' 'wait saved; restart needed'
			same "conf at \$SIZE" 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2 HOST_PORT=tcp:8081:81' \
				"\$(xargs <\$CONFS/web.conf)"
		done
		exits 0 machdeck stop web
	END
}

questions_are_answered_by_keys_at_each_size() {
	inside <<-END
		small web; conf web PRIVATE_NETWORK=1
		presses() { printf '%s\\n' "size \$SIZE" 'wait web' "\$@" show >/tmp/script; exits 0 machdeck --script /tmp/script; }
		for SIZE in 80x24 60x15 40x10; do
			exits 0 machdeck start web
			presses 'wait running' 'key x' 'wait Stop web on' 'key n' 'key x' 'wait Stop web on' 'key Enter' 'rest 300'
			same "after two times no at \$SIZE" active "\$(systemctl is-active container@web)"
			presses 'wait running' 'key K' 'wait mildest' 'key j Enter' 'wait its name: web' 'type wob' 'key Enter' 'wait nothing was done'
			same "after a wrong name at \$SIZE" active "\$(systemctl is-active container@web)"
			presses 'wait running' 'key K' 'wait mildest' 'key j Enter' 'wait its name: web' 'type web' 'key Enter' 'wait terminated'
			want 10 eval '! systemctl is-active -q container@web'
			exits 0 machdeck start web
			presses 'wait running' 'key x' 'wait Stop web on' 'key Tab Enter' 'wait stopped'
			want 10 eval '! systemctl is-active -q container@web'
		done
	END
}

a_form_is_filled_by_lines_alone() {
	inside <<-END
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		begin_talk
		line web; tells '^e\\. edit its conf'
		line e; tells '[0-9]+\\. LOCAL_ADDRESS: 10\\.1\\.0\\.2'; tells '^conf of web> '
		line LOCAL_ADDRESS; tells '^LOCAL_ADDRESS> '
		line 10.1.0.300; tells '^Attention\\. It can not be saved like this: .*10\\.1\\.0\\.300'
		line s; tells '10\\.1\\.0\\.300.* not'
		line LOCAL_ADDRESS; tells '^It can be '; line 10.1.0.9; tells '^LOCAL_ADDRESS: 10\\.1\\.0\\.9'
		line HOST_PORT; tells '^HOST_PORT> '; line tcp:8080:80; tells '^conf of web> '
		line HOST_PORT; tells '^HOST_PORT> '; line tcp:8081:81; tells '^conf of web> '
		line l; tells '^[0-9]+\\. HOST_PORT: tcp:8081:81'
		number=\$(fresh | sed -n 's/^\\([0-9]*\\)\\. HOST_PORT: tcp:8080:80\$/\\1/p')
		line x \$number; tells '^HOST_PORT: taken out'
		line ADDITIONAL_CAPABILITIES; tells ', and others: . tells them all'; line '?'; tells 'CAP_SETUID, .*CAP_WAKE_ALARM'; line; tells '^It stays'
		line INIT; tells '^INIT> '; line /\$(printf 'x%.0s' {1..6000}); tells 'that line is too long'; line; tells '^It stays as it is'
		line s; tells '^\\+HOST_PORT=tcp:8081:81'; tells '^To save it, type yes'
		line no; tells '^It is not saved'
		same 'conf after a no' 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2' "\$(xargs <\$CONFS/web.conf)"
		line q; tells '^It is changed and not saved'; line; tells '^Nothing is forgotten'
		line b; tells '^It is changed and not saved'; line; tells '^Nothing is forgotten'
		line s; tells '^To save it, type yes'; line yes; tells '^web: saved; restart needed$'
		said_so() { line b; tells '^machine> '; line web; tells '^web> '; has '^Restart needed: HOST_PORT'; }; want 10 said_so
		same 'conf after a yes' 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.9 HOST_PORT=tcp:8081:81' \
			"\$(xargs <\$CONFS/web.conf)"
		end_talk
		! LC_ALL=C grep '[^[:print:]]' \$lines || fail 'more than text was written'
		exits 0 machdeck stop web
	END
}

who_saved_the_same_meanwhile_is_seen_and_overwritten_by_a_typed_word() { # 113
	inside <<-END
		$helper
		rm -rf /var/lib/machdeck/drafts; mkdir -p \$ROOTS/{web,xdb}
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		rm -f /tmp/typed; keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.1.0.8' 'key Enter' 'wait changed' 'save /tmp/typed' 'wait 2 machines' \
			'key S' 'wait +LOCAL_ADDRESS=10.1.0.8' 'rest 300' 'key Enter' 'wait others changed the same' 'wait was    10.1.0.2' \
			'wait is now 10.1.0.7' 'wait yours  10.1.0.8' 'key j j Enter' 'wait type yours' 'type yes' 'key Enter' 'wait yours was not typed' \
			'key Enter' 'type yours' 'key Enter' 'wait S saves what is left' 'key S' 'wait +LOCAL_ADDRESS=10.1.0.8' 'rest 300' 'key Enter' \
			'wait web: saved' & editing=\$!
		want 10 test -s /tmp/typed
		sed -i s/10.1.0.2/10.1.0.7/ \$CONFS/web.conf
		conf xdb PRIVATE_NETWORK=1
		wait \$editing
		same address 10.1.0.8 "\$(machdeck get web LOCAL_ADDRESS)"
	END
}

who_saved_the_same_meanwhile_is_seen_by_lines_alone() { # 113
	inside <<-'END'
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		clash() {
			line LOCAL_ADDRESS; tells '^LOCAL_ADDRESS> '; line $1; tells "^LOCAL_ADDRESS: $1"
			sed -i "s/^LOCAL_ADDRESS=.*/LOCAL_ADDRESS=$2/" $CONFS/web.conf
			line s; tells '^To save it, type yes'; line yes
			tells "^LOCAL_ADDRESS: it was .*, it is now $2, you typed $1"
		}
		begin_talk
		line web; tells '^e\. edit its conf'; line e; tells '^conf of web> '
		clash 10.1.0.8 10.1.0.7
		line; tells '^It stays as you typed it'
		same 'conf after nothing' 10.1.0.7 "$(machdeck get web LOCAL_ADDRESS)"
		line s; tells '^To save it, type yes'; line yes; tells '^Type theirs or yours'
		line yours; tells 's saves'; line s; tells '^\+LOCAL_ADDRESS=10\.1\.0\.8'; line yes; tells '^web: saved'
		same 'conf after yours' 10.1.0.8 "$(machdeck get web LOCAL_ADDRESS)"
		line web; tells '^e\. edit its conf'; line e; tells '^conf of web> '
		clash 10.1.0.5 10.1.0.6
		line theirs; tells '^it is as others left it'
		line b; tells '^The conf is as it was'
		same 'conf after theirs' 10.1.0.6 "$(machdeck get web LOCAL_ADDRESS)"
		end_talk
	END
}

questions_are_answered_by_lines_alone() {
	inside <<-END
		small web; conf web PRIVATE_NETWORK=1
		exits 0 machdeck start web
		begin_talk
		line web; tells '^web> '; line stop; tells 'To stop web, type yes'; line y; tells '^Nothing is done'
		same 'after y' active "\$(systemctl is-active container@web)"
		line terminate; tells 'To terminate web, type web'; line yes; tells '^Nothing is done'
		same 'after yes for a name' active "\$(systemctl is-active container@web)"
		line terminate; tells 'type web'; line web; tells '^web: terminated'
		want 10 eval '! systemctl is-active -q container@web'
		end_talk
	END
}

by_lines_nothing_changes_read_only() {
	inside <<-END
		small web; conf web PRIVATE_NETWORK=1
		exits 0 machdeck start web
		begin_talk --read-only
		line web; tells 'Nothing can be changed: .*read-only'
		for what in e stop terminate; do line \$what; tells 'Nothing can be changed: .*read-only'; done
		end_talk
		same web active "\$(systemctl is-active container@web)"
		same conf PRIVATE_NETWORK=1 "\$(xargs <\$CONFS/web.conf)"
		begin_talk
		line web; tells '^web> '; line stop; tells 'type yes'; line yes; tells '^web: stopped'
		end_talk
	END
}

run_cases "$@"
