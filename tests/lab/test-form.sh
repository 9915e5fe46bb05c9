#!/bin/bash
# A conf edited by keys in the dashboard: judged as it is typed, previewed, saved, and the verdict.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario form

# keys LINE... - a script of the dashboard on web's row; what it showed last is in $said
helper='keys() { printf "%s\\n" "size ${SIZE:-80x24}" "wait web" "key e" "wait AUTO_START" "$@" show >/tmp/script
	exits 0 machdeck --script /tmp/script; }'

a_form_saves_one_key_and_says_what_follows() {
	inside <<-END
		$helper
		small web; conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		exits 0 machdeck start web
		to_local='key j j j j j j j j j j'
		keys "\$to_local" 'key Enter' 'key C-u' 'type 10.1.0.9' 'key Enter' 'key S' 'wait +LOCAL_ADDRESS=10.1.0.9' 'rest 300' \
			'key Enter' 'wait a reload applies it'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.9' "\$(xargs <\$CONFS/web.conf)"
		exits 0 machdeck set web LOCAL_ADDRESS=10.1.0.9
		told 'nothing to change'
		SIZE=40x10 keys "\$to_local" 'key Enter' 'key C-u' 'type 10.1.0.' "wait '10.1.0.': not" 'key Esc' 'key q'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.9' "\$(xargs <\$CONFS/web.conf)"
	END
}

a_conflict_with_another_machine_is_said_and_not_saved() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web \$ROOTS/xdb
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		conf xdb PRIVATE_NETWORK=1 HOST_ADDRESS=10.2.0.1 LOCAL_ADDRESS=10.2.0.2
		keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.2.0.2' 'key Enter' 'wait xdb' 'key S' 'rest 300' 'key q' \
			'wait S saves, Q leaves' 'key Q'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2' "\$(xargs <\$CONFS/web.conf)"
	END
}

what_was_typed_outlives_the_dashboard() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web
		conf web PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.2
		keys 'key j j j j j j j j j j' 'key Enter' 'key C-u' 'type 10.1.0.7' 'key Enter' 'rest 500'
		want 5 grep -q LOCAL_ADDRESS=10.1.0.7 /var/lib/machdeck/drafts/web
		keys 'wait is back: S saves' 'key S' 'wait +LOCAL_ADDRESS=10.1.0.7' 'rest 300' 'key Enter' 'wait saved'
		same conf 'PRIVATE_NETWORK=1 HOST_ADDRESS=10.1.0.1 LOCAL_ADDRESS=10.1.0.7' "\$(xargs <\$CONFS/web.conf)"
		not test -e /var/lib/machdeck/drafts/web
	END
}

a_form_that_is_open_is_nobody_else_s_to_change() {
	inside <<-END
		$helper
		mkdir -p \$ROOTS/web
		conf web PRIVATE_NETWORK=1
		printf '%s\\n' 'wait web' 'key e' 'wait AUTO_START' 'save /tmp/open' 'rest 3000' >/tmp/open.script
		machdeck --script /tmp/open.script >/dev/null & holder=\$!
		want 10 test -s /tmp/open
		exits 75 machdeck edit web
		kill -9 \$holder; wait \$holder || true
		exits 0 env EDITOR=true machdeck edit web
	END
}

run_cases "$@"
