#!/bin/bash
# What a user in no group sees and may do: what she can not see says which right that takes.
. "$(dirname -- "$(realpath -- "$0")")/lib.sh"

lab_host alice
on alice <<'END'
useradd --create-home --shell /bin/bash alice
mkdir -p /etc/containers
printf 'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.231.136.1\nLOCAL_ADDRESS=10.231.136.2\n' >/etc/containers/web.conf
for name in quick secret broken; do echo PRIVATE_NETWORK=1 >/etc/containers/$name.conf; done
chmod 0600 /etc/containers/secret.conf
lab-guest web
for name in quick secret; do printf '#!/bin/sh\nexec sleep infinity\n' | lab-guest $name --init -; done
printf '#!/bin/sh\nexit 7\n' | lab-guest broken --init -
lab-guest foreign
mkdir -p /var/lib/machines/foreign
mount --bind /var/lib/containers/foreign /var/lib/machines/foreign
systemctl daemon-reload
systemctl start container@web container@quick container@secret systemd-nspawn@foreign
systemctl start container@broken 2>/dev/null || true
cat >/usr/local/bin/as-alice <<'SH'
#!/bin/bash
cd /home/alice && exec setpriv --reuid alice --regid alice --init-groups --reset-env "$@"
SH
# screens [OPTION]... - what the dashboard of alice shows, for a script from stdin
cat >/usr/local/bin/screens <<'SH'
#!/bin/bash
f=$(mktemp /tmp/script.XXXXXX) && cat >"$f" && chmod 644 "$f"
as-alice timeout 30 machdeck --script "$f" "$@" 2>&1
SH
chmod 0755 /usr/local/bin/as-alice /usr/local/bin/screens
until systemctl is-failed --quiet container@broken; do sleep 0.02; done
END

told() { # TEXT PATTERN...
	local text=$1 pattern
	shift
	for pattern; do
		grep -qE -- "$pattern" <<<"$text" || { echo "$text"; fail "nothing says: $pattern"; }
	done
}

# alice STATUS VERB... - sets said
alice() {
	local wanted=$1 rc=0
	shift
	said=$(on alice as-alice timeout 30 machdeck "$@" 2>&1 </dev/null) || rc=$?
	same "status of $*" "$wanted" "$rc"
}

# screens COMMAND... [-- OPTION...] - sets said to what the dashboard of alice shows
screens() {
	local script=''
	while [ $# -gt 0 ] && [ "$1" != -- ]; do script+=$1$'\n'; shift; done
	said=$(on alice screens "${@:2}" <<<"$script") || fail "${said##*$'\n'}"
}

rule() { # RESULT - what polkit says to alice's wish to manage units
	on alice <<-END
		mkdir -p /etc/polkit-1/rules.d
		printf 'polkit.addRule(function(a, s) { if (a.id == "org.freedesktop.systemd1.manage-units" && s.user == "alice") return "%s"; });\n' $1 \
			>/etc/polkit-1/rules.d/10-alice.rules
		systemctl restart polkit
	END
}

the_list_and_status_say_which_right_is_missing() {
	alice 0 list
	told "$said" 'not seen: guest addresses: CAP_NET_ADMIN.*root' '^foreign +running' '^web +running' '^broken +failed' 'ended with status 7'
	alice 0 status web
	told "$said" 'as configured' 'not seen +guest addresses: CAP_NET_ADMIN'
	alice 3 status broken
	told "$said" 'log .*group systemd-journal'
	alice 77 logs web
	told "$said" 'takes root, or the group systemd-journal'
	alice 77 show-ip quick
	told "$said" 'not known: .* CAP_NET_ADMIN'
	alice 66 status nobody
	told "$said" 'not all can be seen here'
	alice 0 show-ip web
	same "show-ip" 10.231.136.2 "$said"
}

a_conf_of_mode_0600_is_not_called_bad() {
	alice 0 list
	told "$said" 'its conf can not be read here: that takes root \[conf-unread\]'
	alice 1 status --line
	[[ $said = *broken* && $said != *secret* ]] || fail "the line: $said"
	same JSON 'false true' "$(on alice bash -c "as-alice machdeck list --json | jq -r '.machines[] | select(.name == \"secret\") | \"\\(.badConf) \\(.confUnread)\"'")"
	alice 77 check
	told "$said" 'secret.conf can not be read: that takes root'
	alice 77 plan secret
	told "$said" 'secret.conf can not be read: that takes root'
}

use_and_traffic_are_seen_without_a_right() {
	screens 'size 150x20' 'wait web' 'rest 2600' show
	told "$said" 'web +running +[0-9]+[smh] +[0-9.]+ .*[KM] .* [0-9.]+[BKM] +[0-9.]+[BKM] +10\.231\.136\.2' 'not seen: .*CAP_NET_ADMIN' 'units inside: root'
	screens 'wait web' 'rest 300' show 'key ?' 'wait CAP_NET_ADMIN' show
	told "$said" 'not all is seen: \? says why' 'guest addresses: CAP_NET_ADMIN' 'logs: group systemd-journal'
}

no_tab_is_empty_for_want_of_a_right() {
	screens 'wait web' 'key /' 'type web' 'key Enter w' 'wait failed units inside: that takes root'
	screens 'wait web' 'key /' 'type web' 'key Enter Enter' 'wait its system is not known: that takes root'
	screens 'size 100x30' 'wait web' 'key /' 'type web' 'key Enter' 'rest 200' 'key Enter 2' 'wait |the journal' show \
		'key 3' 'wait what is inside' show 'key 8' 'wait what happened before' show
	told "$said" '^\|the journal can not be read: that takes root' 'what is inside takes root' 'what happened before is not known'
	[[ $said != *'nothing is logged yet'* ]] || fail "the logs look empty"
	screens 'wait secret' 'key /' 'type secret' 'key Enter Enter 6' 'wait secret.conf can not be read'
}

what_is_not_allowed_names_the_action() {
	alice 77 enable quick
	told "$said" 'quick.conf can only be written by root: sudo machdeck enable quick'
	for verb in start stop restart freeze terminate kill; do
		[ "$verb" = start ] && name=broken || name=quick
		alice 77 "$verb" "$name"
		told "$said" 'not authorised \(org.freedesktop.systemd1.manage-units\)'
	done
	alice 77 run web -- id
	told "$said" 'root'
	screens 'wait quick' 'rest 300' 'key /' 'type quick' 'key Enter' 'key x' 'wait read-only: you are not root, and polkit does not let you'
	screens 'wait web' 'key /' 'type web' 'key Enter' 'rest 200' 'key r' 'wait manage-units' show -- --write
	told "$said" 'not authorised'
	same quick active "$(on alice systemctl is-active container@quick)"
}

who_may_manage_units_is_not_read_only() {
	rule yes
	alice 0 stop quick
	screens 'wait quick' 'rest 400' 'key /' 'type quick' 'key Enter s' 'wait quick: started'
	same quick active "$(on alice systemctl is-active container@quick)"
	on alice bash -c 'rm /etc/polkit-1/rules.d/10-alice.rules && systemctl restart polkit'
}

without_polkit_it_is_read_only_and_says_so() {
	on alice systemctl mask --runtime --now polkit
	screens 'wait quick' 'rest 500' 'key /' 'type quick' 'key Enter x' 'wait read-only: you are not root, and polkit'
	alice 77 stop quick
	told "$said" 'not authorised \(org.freedesktop.systemd1.manage-units\)'
	on alice systemctl unmask --runtime polkit
}

a_member_of_systemd_journal_sees_the_logs() {
	on alice usermod --append --groups systemd-journal alice
	alice 0 logs broken
	on alice gpasswd --delete alice systemd-journal
	told "$said" 'status=7'
}

her_own_files_work_and_a_tape_needs_no_right() {
	on alice rm -f /home/alice/tape
	screens 'wait web' 'rest 300' -- --record /home/alice/tape
	screens 'wait secret' 'key s' 'wait this is a tape' show -- --replay /home/alice/tape
	told "$said" 'secret +running' 'its conf can not be read here'
	said=$(on alice bash -c 'echo 1 | as-alice timeout 20 machdeck --linear' 2>&1) || true
	told "$said" 'web'
}

a_closed_folder_of_confs_does_not_hide_what_runs() {
	on alice chmod 0700 /etc/containers
	said=$(on alice as-alice machdeck list 2>&1) || true
	on alice chmod 0755 /etc/containers
	told "$said" '^web +running' '^foreign +running' '/etc/containers'
}

looking_puts_no_denials_into_the_journal() {
	on alice <<-'END'
		journalctl --sync
		cursor=$(journalctl --show-cursor -n 0 | sed -n 's/^-- cursor: //p')
		printf 'wait web\nrest 3000\n' | screens >/dev/null
		journalctl --sync
		said=$(journalctl --after-cursor="$cursor" -o cat | grep -ciE 'denied|not authori|permission|authenticat' || true)
		[ "$said" -le 1 ] || { journalctl --after-cursor="$cursor" | tail -20; exit 1; }
	END
}

her_terminal_remembers_what_she_chose() {
	on alice bash -c 'install -d -o alice -g alice /home/alice/.config/machdeck; echo "period = 5" >/home/alice/.config/machdeck/machdeck.conf
		chown alice: /home/alice/.config/machdeck/machdeck.conf'
	on alice <<-'END'
		shows() { as-alice tmux -L hers capture-pane -p | grep -qE -- "$1"; }
		until_shows() {
			for i in $(seq 1500); do shows "$1" && return; sleep 0.01; done
			as-alice tmux -L hers capture-pane -p
			echo "her screen does not show $1"
			exit 1
		}
		as-alice env LC_ALL=C.UTF-8 tmux -L hers new-session -d -x 80 -y 24 'machdeck; echo status=$?; exec sleep infinity'
		until_shows 'not all is seen: [?] says why'
		until_shows 'read-only'
		as-alice tmux -L hers send-keys '>'
		until_shows 'sorted by'
		as-alice tmux -L hers send-keys '?'
		until_shows 'logs: group systemd-journal'
		as-alice tmux -L hers send-keys q
		until_shows 'q quit'
		as-alice tmux -L hers send-keys q
		until_shows 'status=0'
		as-alice tmux -L hers kill-server
		[ "$(stat -c '%U %a' /home/alice/.local/state/machdeck/state)" = 'alice 600' ]
		grep -q '^sort' /home/alice/.local/state/machdeck/state
		[ "$(find /home/alice -newer /home/alice/.config/machdeck/machdeck.conf -type f)" = /home/alice/.local/state/machdeck/state ]
	END
}

what_the_host_says_of_read_only_no_option_takes_back() {
	on alice bash -c 'mkdir -p /etc/machdeck; echo "read_only = yes" >/etc/machdeck/machdeck.conf'
	screens 'wait quick' 'key /' 'type quick' 'key Enter x' 'wait read-only: /etc/machdeck/machdeck.conf says' -- --write
	said=$(on alice bash -c 'printf "quick\nstop\nyes\n" | timeout 20 machdeck --linear --write' 2>&1) || true
	told "$said" 'Nothing can be changed: /etc/machdeck/machdeck.conf says'
	same quick active "$(on alice systemctl is-active container@quick)"
	on alice rm /etc/machdeck/machdeck.conf
	said=$(on alice bash -c 'printf "quick\nstop\nyes\n" | timeout 20 machdeck --linear --write' 2>&1) || true
	told "$said" 'quick: stopped' # the same lines act where they may
	on alice systemctl start container@quick
}

run_cases "$@"
