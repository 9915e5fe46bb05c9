# Sourced by the tests of making and removing containers, after scenario.sh: what their scripts use besides.

making='
# picture - what a host is known by: links, mounts, files and units. Folders and locks of ours, which are there from the
# first container on, do not count.
picture() {
	ip -j link | jq -r ".[].ifname" | sort
	findmnt --noheadings --list --output TARGET,SOURCE,FSTYPE | sort
	find /etc /sentinel /var/lib/containers /var/lib/machines /run/machdeck /var/log/journal /nix -xdev \
		! -path "*/journal/*.journal" ! -path /run/machdeck ! -path "/run/machdeck/.lock*" ! -path /var/lib/containers -printf "%p %y %m %l\n" 2>/dev/null | sort || true
	systemctl list-units --all --plain --no-legend "container@*" "machine-*" "systemd-nspawn@*" | awk "{print \$1, \$4}"
	find /run/systemd/generator /run/systemd/generator.late -printf "%p %l\n" 2>/dev/null | sort || true
}
unchanged() { wanted=$1; want 10 is_like picture; } # soon: systemd forgets a unit, and the kernel a link, behind
is_like() { local now; now=$($1); [ "$wanted" = "$now" ] || fail "the host is not as before: $(diff <(echo "$wanted") <(echo "$now") | tr "\n" " ")"; }
sentinel() { mkdir -p /sentinel/lib; echo precious >/sentinel/file; echo precious >/sentinel/lib/file; }

# mini FOLDER - the smallest tree that serves a page, what /srv/index.html holds.
mini() {
	mkdir -p $1/{usr/bin,usr/sbin,etc,srv,proc,sys,dev,run,tmp,root,var/lib}
	cp "$(command -v busybox)" $1/usr/bin/busybox
	ln -sfn usr/bin $1/bin; ln -sfn usr/sbin $1/sbin; ln -sfn busybox $1/usr/bin/sh
	printf "#!/bin/sh\nexec /bin/busybox httpd -f -p 80 -h /srv\n" >$1/usr/sbin/init
	chmod 0755 $1/usr/sbin/init
	echo mini >$1/srv/index.html
}
# fake_nix - what is called nix and nix-env here builds nothing: a system is /nix/store/box, until next_system names another.
# What it was called with is in /run/nix-argv, the last configuration in /run/nix-config.
fake_nix() {
	local tool
	nix_system box
	next_system box
	mkdir -p /nix/var/nix/profiles /nix/var/nix/gcroots
	for tool in nix nix-env; do
		install -m 0755 /dev/stdin /usr/local/bin/$tool <<-"TOOL"
			#!/bin/bash
			echo "${0##*/} $*" >>/run/nix-argv
			[[ $* != *broken* ]] || { echo "error: undefined variable"; exit 1; }
			built=$(readlink /nix/next) profile="" set=""
			while [ $# -gt 0 ]; do
				case $1 in
				--out-link) ln -sfn "$built" "$2" ;;
				-p) profile=$2 ;;
				--set) [[ ${2:-} != /* ]] || set=$2 ;;
				nixos-config=*) cat "${1#*=}" >/run/nix-config ;;
				esac
				shift
			done
			[ -z "$profile" ] || ln -sfn "${set:-$built}" "$profile"
		TOOL
	done
}
next_system() { ln -sfn /nix/store/$1 /nix/next; }
no_nix() { umount /nix/store/tree; rm -rf /nix /usr/local/bin/nix /usr/local/bin/nix-env /run/nix-argv /run/nix-config; }
no_leftovers() { ! compgen -G "$ROOTS/.[nt]*" >/dev/null || fail "left: $(ls -A $ROOTS)"; }
'
# script - as inside, with these.
script() { inside <<<"$making$(cat)"; }
