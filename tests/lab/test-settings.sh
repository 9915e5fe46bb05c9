#!/bin/bash
# Machines of systemd-nspawn@: their .nspawn file and the drop-in of their unit, changed as a conf is.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario settings

NSPAWN='rm -rf /etc/systemd/nspawn /var/lib/machdeck; F=/etc/systemd/nspawn/img.nspawn; D=/etc/systemd/system/systemd-nspawn@img.service.d; mkdir -p /var/lib/machines/img/usr /etc/systemd/nspawn'

a_setting_is_changed_where_it_stands_and_undone() {
	inside <<-END
		$NSPAWN
		printf '# mine\n[Exec]\nBoot=yes\n\n[Network]\nPort=tcp:1:1\n' >\$F
		chmod 0640 \$F; cp \$F /tmp/old
		exits 0 machdeck set --dry-run img Network.Port+=tcp:8080:80
		told '+Port=tcp:8080:80'
		cmp /tmp/old \$F
		exits 0 machdeck set img Network.Port+=tcp:8080:80
		told 'img: saved'
		same hunks 1 "\$(diff -U0 /tmp/old \$F | grep -c '^@@')"
		same mode 640 "\$(stat -c %a \$F)"
		same ports 'tcp:1:1 tcp:8080:80' "\$(machdeck get img Network.Port | tr '\n' ' ' | sed 's/ \$//')"
		exits 65 machdeck set img Exec.Boot=maybe
		told 'img.nspawn:3:1: Boot=maybe'
		exits 64 machdeck set img Network.Port=tcp:2:2
		told 'Network.Port+='
		exits 64 machdeck set img MEMORY_MAX=1G
		told 'SECTION.KEY'
		same history 'Port=tcp:1:1' "\$(machdeck history --json img | jq -r '.saves[0].conf' | sed -n 6p)"
		exits 0 machdeck undo img
		cmp /tmp/old \$F
		exits 1 machdeck undo img
	END
}

what_holds_elsewhere_is_what_the_text_begins_as() {
	inside <<-END
		$NSPAWN
		mkdir -p /run/systemd/nspawn
		printf '[Exec]\nBoot=no\n' >/var/lib/machines/img.nspawn
		exits 0 machdeck get img Exec.Boot; told no
		printf '[Exec]\nBoot=yes\n' >/run/systemd/nspawn/img.nspawn
		exits 0 machdeck set img Exec.Hostname=shop
		same text "\$(printf '[Exec]\nBoot=yes\nHostname=shop')" "\$(cat \$F)"
		same other 'Boot=yes' "\$(tail -1 /run/systemd/nspawn/img.nspawn)"
		rm /run/systemd/nspawn/img.nspawn
		ln -sf /run/elsewhere \$F
		exits 78 machdeck set img Exec.Boot=no
		told /run/elsewhere
		rm \$F
	END
}

an_editor_is_led_back_and_nobody_is_overwritten() {
	inside <<-END
		$NSPAWN
		printf '[Exec]\nBoot=yes\n[Network]\nZone=a\n' >\$F
		printf '#!/bin/sh\necho nonsense >>"\$1"\n' >/tmp/bad; chmod +x /tmp/bad
		exits 65 env EDITOR=/tmp/bad machdeck edit img </dev/null
		told 'img.nspawn:5:' 'what you typed is kept'
		rm -rf /var/lib/machdeck/drafts
		printf '#!/bin/sh\nsed -i s/Boot=yes/Boot=no/ "\$1"; sed -i s/Zone=a/Zone=b/ %s\n' \$F >/tmp/both; chmod +x /tmp/both
		exits 0 env EDITOR=/tmp/both machdeck edit img
		told 'meanwhile are kept'
		same both 'Boot=no Zone=b' "\$(grep -E 'Boot|Zone' \$F | tr '\n' ' ' | sed 's/ \$//')"
		printf '#!/bin/sh\nsed -i s/Zone=b/Zone=c/ "\$1"; sed -i s/Zone=b/Zone=d/ %s\n' \$F >/tmp/both
		exits 75 env EDITOR=/tmp/both machdeck edit img </dev/null
		same theirs Zone=d "\$(grep Zone \$F)"
		grep -q Zone=c /var/lib/machdeck/drafts/img:nspawn
		rm -rf /var/lib/machdeck/drafts
		printf '#!/bin/sh\nEDITOR=true machdeck edit img </dev/null >/tmp/second 2>&1; echo \$? >>/tmp/second\n' >/tmp/twice; chmod +x /tmp/twice
		exits 0 env EDITOR=/tmp/twice machdeck edit img
		same second 75 "\$(tail -1 /tmp/second)"
		same left img.nspawn "\$(ls -A /etc/systemd/nspawn)"
	END
}

a_drop_in_of_its_unit_is_known_to_systemd_at_once() {
	inside <<-END
		$NSPAWN
		exits 0 machdeck set --dry-run --unit img Service.MemoryMax=512M
		not test -e \$D
		exits 0 machdeck set --unit img Service.MemoryMax=512M
		same memory 536870912 "\$(systemctl show -P MemoryMax systemd-nspawn@img)"
		same text "\$(printf '[Service]\nMemoryMax=512M')" "\$(cat \$D/override.conf)"
		exits 0 machdeck get --unit img Service.MemoryMax; told 512M
		exits 0 machdeck unset --unit img Service.MemoryMax
		same memory infinity "\$(systemctl show -P MemoryMax systemd-nspawn@img)"
		printf '[Service]\nTasksMax=77\n' >\$D/zz-mine.conf; systemctl daemon-reload
		exits 0 machdeck get --unit img
		told 'there is zz-mine.conf, too'
		exits 0 machdeck set --unit img Service.TasksMax=78 Service.Nice=1
		told "TasksMax= is set in \$D/zz-mine.conf, too, which systemd reads later"
		[[ \$said != *Nice* ]] || fail "\$said"
		exits 0 machdeck set --unit=zz-mine img Service.TasksMax=79
		same tasks 79 "\$(systemctl show -P TasksMax systemd-nspawn@img)"
		exits 0 machdeck undo --unit=zz-mine.conf img
		same tasks 77 "\$(systemctl show -P TasksMax systemd-nspawn@img)"
		same override 'Nice=1' "\$(tail -1 \$D/override.conf)"
		exits 64 machdeck set --unit=../x img Service.Nice=2
		rm -r \$D; systemctl daemon-reload
		mkdir -p /var/lib/containers/web; conf web PRIVATE_NETWORK=1
		exits 64 machdeck edit --unit web
		told 'has a conf'
		exits 66 machdeck set nosuch Exec.Boot=no
	END
}

the_dashboard_edits_them_by_the_same_key() {
	inside <<-END
		$NSPAWN
		echo '[Exec]' >\$F
		printf '#!/bin/sh\necho Boot=no >>"\$1"\n' >/tmp/ed; chmod +x /tmp/ed
		opens 'EDITOR=/tmp/ed machdeck'
		wait_for img
		tmux send-keys -t s E
		wait_for 'img: saved'
		tmux send-keys -t s Enter
		want 10 not shows 'Press Enter'
		tmux send-keys -t s e # a form is of a conf, which it has not
		wait_for 'img: saved'
		tmux send-keys -t s Enter
		want 10 not shows 'Press Enter'
		tmux send-keys -t s q
		wait_for 'status=0'
		same lines 2 "\$(grep -c Boot=no \$F)"
		same text Boot=no "\$(tail -1 \$F)"
	END
}

run_cases "$@"
