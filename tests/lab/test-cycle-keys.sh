#!/bin/bash
# A container's whole life by the keys of the dashboard, after which the host is as before.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario cycle-keys --unfiltered

# keys LINE... - a script of the dashboard; what it showed last is in $said.
making+='
keys() { printf "%s\n" "size 120x40" "$@" show >/tmp/script; exits 0 machdeck --script /tmp/script; }
at() { printf "wait %s\nkey /\ntype name:%s\nkey Enter" $1 $1; } # the cursor goes there
'

from_making_to_removing_the_host_is_as_before() {
	script <<-'END'
		mini /src
		exits 0 machdeck create gone --tree /src --start; exits 0 machdeck destroy --yes gone # leaves what stays on a host
		before=$(picture)
		keys "key +" "wait name of the new" "type one" "key Enter" "wait a copy of a folder" "key Enter" "wait folder:" \
			"type /nowhere" "key Enter" "wait of its own" "key Enter" "wait ports" "key Enter" "wait its users" "key Enter" \
			"wait leave it stopped" "key Enter" "wait nowhere" \
			"key C-u" "type /src" "key Enter" "wait of its own" "key Enter" "wait ports" "type tcp:8080:80" "key Enter" \
			"wait its users" "key Enter" "wait leave it stopped" "key Enter" \
			"wait Enter creates one" "wait PRIVATE_USERS=pick" "rest 300" "key Enter" "wait one: created" \
			"key @" "wait machdeck create --tree /src --host-port tcp:8080:80 --start one"
		want 10 serves mini http://10.233.1.1:8080/
		same state active "$(state one)"
		same port tcp:8080:80 "$(machdeck get one HOST_PORT)"
		keys "$(at one)" "key e" "wait AUTO_START" "key $(printf "j %.0s" {1..19})" "key Enter" "wait HOST_PORT" "key C-u" \
			"type tcp:9090:80" "key Enter" "key S" "wait +HOST_PORT=tcp:9090:80" "rest 300" "key Enter" "wait restart needed"
		keys "$(at one)" "key R" "rest 300" "key y" "wait restarted"
		want 10 serves mini http://10.233.1.1:9090/
		not fetch http://10.233.1.1:8080/
		keys "$(at one)" "key x" "rest 300" "key y" "wait stopped"
		keys "wait one" "key Y" "type two" "key Enter" "wait must stay as it is" "key Enter" "wait Enter clones one to two" "wait HOST_ADDRESS: 10.233.1.1 becomes 10.233.2.1" \
			"rest 300" "key Enter" "wait two: cloned" "wait two " "key s" "wait two: started"
		keys "$(at one)" "key s" "wait started"
		want 10 serves mini http://10.233.1.1:9090/
		want 10 serves mini http://10.233.2.1:8080/
		same states "active active" "$(state one) $(state two)"
		keys "$(at two)" "key x" "rest 300" "key y" "wait stopped"
		keys "$(at two)" "key =" "wait rename two as" "type three" "key Enter" "wait Enter renames two to three" "rest 300" "key Enter" \
			"wait renamed to three"
		keys "$(at three)" "key s" "wait three: started"
		want 10 serves mini http://10.233.2.1:8080/
		for name in one three; do
			keys "$(at $name)" "key -" "wait delete" "rest 300" "type $name" "key Enter" \
				"wait $name: destroyed"
		done
		unchanged "$before"
	END
}

a_tree_becomes_what_it_was_by_keys() {
	script <<-'END'
		mini /src
		exits 0 machdeck create one --tree /src
		keys "$(at one)" "key B" "wait one has no snapshot to go back to: S makes one"
		keys "$(at one)" "key S" "wait keep the root of one as it is now" "rest 300" "key Enter" "wait snapshot --copy one"
		exits 0 machdeck snapshot --copy one base
		echo changed >$ROOTS/one/srv/index.html
		keys "$(at one)" "key B" "wait back to what it was" "key Enter" "wait The root of one becomes base" "rest 300" \
			"type one" "key Enter" "wait one: restored; it was kept as before-base-"
		same page mini "$(cat $ROOTS/one/srv/index.html)"
		same snapshots 2 "$(machdeck snapshots --json one | jq '.snapshots | length')"
		exits 0 machdeck destroy --yes one
	END
}

a_clone_gets_another_name_and_both_are_destroyed_by_keys() {
	script <<-'END'
		mini /src
		exits 0 machdeck create gone --tree /src --start; exits 0 machdeck destroy --yes gone # leaves what stays on a host
		before=$(picture)
		exits 0 machdeck create one --tree /src
		exits 0 machdeck set one AUTO_START=1
		keys "wait one" "key Y" "type two" "key Enter" "wait must stay as it is" "key j" "key Enter" "wait root: an overlay over" \
			"wait warning: one is to start at boot" "rest 300" "key Enter" \
			"wait can be no overlay" "key @" "wait machdeck clone --overlay one two"
		exits 0 machdeck unset one AUTO_START
		keys "wait one" "key Y" "wait clone one as" "type two" "key Enter" "wait must stay as it is" "key Enter" "wait root: a full copy" "rest 300" "key Enter" "wait two: cloned" "wait two " "key @" "wait machdeck clone one two"
		same second "$(cat $ROOTS/one/srv/index.html)" "$(cat $ROOTS/two/srv/index.html)"
		keys "$(at two)" "key =" "wait rename two as" "type one" "key Enter" "wait is taken" "key C-u" "type three" "key Enter" \
			"wait Enter renames two to three" "rest 300" "key Enter" \
			"wait renamed to three"
		[ -d $ROOTS/three ] && not test -e $ROOTS/two
		exits 0 machdeck start three
		keys "$(at three)" "key =" "wait is not down"
		keys "$(at three)" "key -" "wait delete" "rest 300" "type thre" "key Enter" "wait nothing was done"
		same state active "$(state three)"
		keys "$(at three)" "key -" "wait delete" "rest 300" "type three" "key Enter" "wait three: destroyed"
		keys "$(at one)" "key -" "wait delete" "rest 300" "type one" "key Enter" "wait one: destroyed"
		unchanged "$before"
	END
}

the_same_is_done_by_lines_alone() {
	script <<-'END'
		mini /src
		exits 0 machdeck create gone --tree /src --start; exits 0 machdeck destroy --yes gone # leaves what stays on a host
		before=$(picture)
		mount -t tmpfs -o mode=0700 roots $ROOTS # where there can be overlays
		begin_talk
		line create; tells '^name> '; line one; tells '^1\. tree: '; line tree; tells '^folder: '; line /nowhere
		tells '^1\. private'; line 1; tells '^ports: '; line; tells '^1\. pick'; line pick; tells '^2\. leave: '; line leave
		tells '^Attention.*nowhere'; line /src; tells '^1\. private'; line private; tells '^ports: '; line tcp:8080:80
		tells '^2\. no: '; line no; tells '^1\. start: '; line 1
		tells '^HOST_PORT=tcp:8080:80'; tells '^To do it, type yes'; line yes; tells '^one: created'
		same users no "$(machdeck get one PRIVATE_USERS)"
		want 10 serves mini http://10.233.1.1:8080/
		line one; tells '^clone, snapshot, destroy: by that word'; line clone; tells '^name> '; line two
		tells '^# one runs: it stands still'; tells '^To do it, type yes'; line no; tells '^Nothing is done'; line one; tells '^one> '; line stop; tells 'type yes'; line yes; tells '^one: stopped'
		want 10 offers one '^clone, rename, snapshot, restore, reset, destroy'; line clone; tells '^name> '; line two
		tells '^1\. copy: '; tells '^2\. overlay: .* one must stay'; line overlay
		tells "^# root: an overlay over $ROOTS/one"; tells '^# one can not be started'; tells '^# HOST_PORT: tcp:8080:80 becomes tcp:80'; tells '^To do it, type yes'; line yes; tells '^two: cloned .an overlay over one'
		want 10 offers two '^clone, rename'; line rename; tells '^name> '; line three
		tells '^To do it, type yes'; line yes; tells '^two: renamed to three'
		for name in three one; do # first what lies over the other
			want 10 offers $name '^clone.*destroy'; line destroy; tells "^To destroy $name, type $name"; line $name; tells "^$name: destroyed"
		done
		end_talk
		! LC_ALL=C grep '[^[:print:]]' $lines || fail 'more than text was written'
		rm -f /tmp/typed $lines
		umount $ROOTS
		unchanged "$before"
	END
}

what_is_being_made_is_cancelled_by_a_key_and_nothing_is_left() {
	script <<-'END'
		printf "#!/bin/sh\nexec sleep 300\n" >/usr/local/bin/mmdebstrap; chmod 755 /usr/local/bin/mmdebstrap
		keys "key +" "type slow" "key Enter" "wait a copy of a folder" "key j j j" "key Enter" "wait release" "key Enter" "wait mirror" "key Enter" "wait packages" "key Enter" \
			"wait of its own" "key Enter" "wait ports" "key Enter" "wait its users" "key Enter" "wait leave it stopped" \
			"key j" "key Enter" "wait Enter creates slow" "rest 300" "key Enter" \
			"wait create slow" "key q" "wait would be given up" "rest 500" "key X" "wait was cancelled" "key @" "wait bootstrap debian slow"
		not test -e $CONFS/slow.conf; not test -e $ROOTS/slow
		rm /usr/local/bin/mmdebstrap
	END
}

who_ends_the_program_ends_what_it_makes_and_is_told() {
	script <<-'END'
		cat >/usr/local/bin/mmdebstrap <<-'MAKES' # so much that undoing it takes a while
			#!/bin/sh
			cd /var/lib/containers/.new-slow-* && seq 20000 | xargs touch && sync && touch /tmp/much && exec sleep 300
		MAKES
		chmod 755 /usr/local/bin/mmdebstrap
		for signal in TERM HUP; do
			rm -f /tmp/much
			begin_talk
			line create; tells '^name> '; line slow; tells '^1\. tree: '; line debian; tells '^release'; line; tells '^mirror'; line; tells '^packages'; line; tells '^1\. private'
			line 1; tells '^ports: '; line; tells '^1\. pick'; line 1; tells '^2\. leave: '; line leave; tells '^To do it, type yes'
			line yes; want 60 test -e /tmp/much
			kill -$signal $talk; exec 9>&-; wait $talk || true
			has 'slow: creating is given up: what was made so far is removed' || fail "nothing is told: $(tail -n 5 $lines)"
			undone() { ! compgen -G "$ROOTS/.new-slow-*"; }
			want 60 undone
			not test -e $CONFS/slow.conf
		done
		for how in "kill -TERM \$(pgrep -fx machdeck)" "tmux kill-session -t s"; do
			rm -f /tmp/much; begin=$(date +%s)
			opens machdeck; wait_for ' 0 machines'
			tmux send-keys -t s +; wait_for 'name of the new'; types slow; wait_for 'a copy of a folder'
			tmux send-keys -t s j j j Enter; wait_for 'release:'; tmux send-keys -t s Enter; wait_for 'mirror:'; tmux send-keys -t s Enter
			wait_for 'packages:'; tmux send-keys -t s Enter; wait_for 'its network'
			tmux send-keys -t s Enter; wait_for 'ports:'; tmux send-keys -t s Enter; wait_for 'its users'
			tmux send-keys -t s Enter; wait_for 'leave it stopped'; tmux send-keys -t s j Enter; wait_for 'Enter creates slow'
			want 10 eval 'tmux send-keys -t s Enter; sleep 0.3; shows "create slow"'
			want 60 test -e /tmp/much
			eval "$how"
			[[ $how = tmux* ]] || wait_for 'slow: creating is given up: what was made so far is removed'
			want 10 eval 'journalctl --since @$begin -t machdeck -o cat | grep "slow: creating is given up"'
			want 60 undone
		done
		rm /usr/local/bin/mmdebstrap
	END
}

what_is_declared_elsewhere_is_refused_before_a_name_is_typed() {
	script <<-'END'
		mini /src
		exits 0 machdeck create one --tree /src
		mkdir -p /declared; mv $CONFS/one.conf /declared/; ln -s /declared/one.conf $CONFS/one.conf
		for key in - =; do
			keys "$(at one)" "key $key" "wait is declared elsewhere"
		done
		[ -d $ROOTS/one ]
		rm $CONFS/one.conf; mv /declared/one.conf $CONFS/
		exits 0 machdeck destroy --yes one
	END
}

run_cases "$@"
