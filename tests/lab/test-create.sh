#!/bin/bash
# New containers from every source: what they become, what they may not touch, and that a failure leaves nothing.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario create --unfiltered

a_copied_tree_starts_and_serves_with_users_of_its_own() {
	script <<-'END'
		mini /src
		chmod 4755 /src/usr/bin/busybox; touch -d 2001-01-01 /src/etc/old; ln /src/etc/old /src/etc/twin
		echo 0123456789abcdef0123456789abcdef >/src/etc/machine-id # as debootstrap leaves one
		truncate -s 64M /src/var/lib/sparse; mkfifo /src/var/lib/fifo; setfattr -n user.x -v y /src/etc/old 2>/dev/null || true
		before=$(picture)
		exits 0 machdeck create one --tree /src --host-port tcp:auto:80
		told "host IP is 10.233.1.1, container IP is 10.233.1.2" "one: created"
		same conf "PRIVATE_NETWORK=1 HOST_PORT=tcp:8080:80 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2 PRIVATE_USERS=pick" \
			"$(grep -v '=""$' $CONFS/one.conf | xargs)"
		same mode 4755 "$(stat -c %a $ROOTS/one/usr/bin/busybox)"
		same time 2001-01-01 "$(date -r $ROOTS/one/etc/old +%F)"
		[ $ROOTS/one/etc/old -ef $ROOTS/one/etc/twin ] || fail "a hard link became a copy"
		same "machine ID, which is nobody else's" "" "$(cat $ROOTS/one/etc/machine-id)"
		same size "67108864 0" "$(stat -c '%s %b' $ROOTS/one/var/lib/sparse)"
		[ -p $ROOTS/one/var/lib/fifo ]
		exits 75 machdeck create one --tree /src
		told "there is a container one already: $CONFS/one.conf"
		exits 0 machdeck create two --tree /src --dry-run --host-bridge br77 --extra-nspawn-flags --bind=/srv/none
		told 'there is no bridge br77' '/srv/none, which is to be bound, is not there'
		machdeck start one
		want 10 serves mini http://10.233.1.2/
		want 10 serves mini http://10.233.1.1:8080/
		[ "$(stat -c %u $ROOTS/one)" -ge 524288 ] || fail "its root is host root: $(stat -c %u $ROOTS/one)"
		not machdeck destroy --yes --no-stop one
		machdeck destroy --yes one
		unchanged "$before"
	END
}

an_archive_writes_nowhere_but_into_its_tree() {
	script <<-'END'
		sentinel
		mini /src
		tar -C /src -czf /good.tgz . ; tar -C /src -cf - . | zstd -q >/good.tar.zst 2>/dev/null || cp /good.tgz /good.tar.zst
		mkdir -p /evil && cd /evil
		mini /evil/t
		perl -e '
			sub entry { my ($name, $type, $link, $body) = @_;
				my $h = pack("a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 a32 a32 a8 a8 a155 x12", $name, "0000644", "0000000", "0000000",
					sprintf("%011o", length $body), "00000000000", "", $type, $link, "ustar", "00", "root", "root", "", "", "");
				substr($h, 148, 8) = sprintf("%06o\0 ", unpack("%24C*", $h));
				print $h, $body, "\0" x (-length($body) % 512) }
			entry("usr/", "5", "", ""); entry("way", "2", "/sentinel", ""); entry("way/file", "0", "", "evil\n");
			entry("up", "2", "../../../../sentinel", ""); entry("up/file", "0", "", "evil\n");
			entry("hard", "1", "/sentinel/file", ""); entry("hard", "0", "", "evil\n");
			entry("../../../../sentinel/file", "0", "", "evil\n"); entry("/sentinel/file", "0", "", "evil\n");
			print "\0" x 1024' >/evil.tar
		cd /
		before=$(picture)
		rc=0; machdeck create evil --tarball /evil.tar || rc=$?
		same sentinel "precious precious" "$(cat /sentinel/file /sentinel/lib/file | xargs)"
		[ $rc = 0 ] || unchanged "$before"
		[ $rc != 0 ] || machdeck destroy --yes evil
		for archive in /good.tgz /good.tar.zst; do
			exits 0 machdeck create good --tarball $archive --start
			want 10 serves mini http://10.233.1.2/
			machdeck destroy --yes good
		done
		echo nothing >/no.tar
		exits 1 machdeck create no --tarball /no.tar
		told "cannot make the root of no: tar ended with status 2"
		mkdir -p /flat/x; tar -C /flat -cf /flat.tar .
		exits 65 machdeck create no --tarball /flat.tar
		told "there is no usr in it"
		no_leftovers; [ ! -e $CONFS/no.conf ]
	END
}

a_root_that_is_there_and_an_image_become_containers() {
	script <<-'END'
		mini $ROOTS/old
		exits 75 machdeck create old --tree $ROOTS/old
		told "--adopt"
		exits 0 machdeck create old --adopt --private-users=no --start
		want 10 serves mini http://10.233.1.2/
		mkdir -p /var/lib/machines; mini /var/lib/machines/img
		exits 0 machdeck create new --image img --start
		want 10 serves mini http://10.233.2.2/
		install -m 0755 /dev/stdin /usr/local/bin/systemd-dissect <<-"TOOL"
			#!/bin/bash
			echo "$*" >>/run/dissected
			[ -s "$2" ] || { echo "Failed to dissect image: No partition table"; exit 1; }
			cp -aT "$(cat "$2")$3" "$4"
		TOOL
		echo /var/lib/machines/img >/var/lib/machines/disk.raw; : >/var/lib/machines/torn.raw
		exits 0 machdeck create disk --image disk --dry-run
		told "systemd-dissect --copy-from /var/lib/machines/disk.raw / $ROOTS/disk"
		[ ! -e /run/dissected ] || fail "a dry run did it"
		exits 0 machdeck create disk --image disk --start
		told "disk: created"
		want 10 serves mini http://10.233.3.2/
		exits 1 machdeck create torn --image torn
		told "No partition table"
		[ ! -e $CONFS/torn.conf ] && no_leftovers
		machdeck destroy --yes disk; rm /usr/local/bin/systemd-dissect /run/dissected
		exits 0 machdeck create num --image img --private-users 786432 --start
		exits 0 machdeck run num -- /bin/busybox touch /mine
		same "owner of what it makes in its tree" "786432 786432" "$(stat -c %u $ROOTS/num $ROOTS/num/mine | xargs)"
		machdeck restart num
		exits 0 machdeck run num -- /bin/busybox rm /mine
		machdeck destroy --yes num
		exits 64 machdeck create nothing
		told "--tree, --image, --tarball"
		exits 66 machdeck create nothing --tree /nowhere
		exits 64 machdeck create storage --adopt
		exits 65 machdeck create odd --tree /var/lib/machines/img --host-address 10.0.0.1/8 --local-address 10.0.0.2
		told "HOST_ADDRESS"
		exits 65 machdeck create odd --tree /var/lib/machines/img --host-address 10.9.0.1 --local-address 10.233.2.2
		told "address 10.233.2.2 is container new's too"
		[ ! -e $CONFS/odd.conf ] && no_leftovers
		machdeck destroy --yes old; machdeck destroy --yes new
		rm -r /var/lib/machines/img /var/lib/machines/*.raw
	END
}

twelve_at_once_choose_different_addresses_and_ports() {
	script <<-'END'
		mini /src
		for i in {1..12}; do machdeck create n --ensure-unique-name --tree /src --host-port auto:80 & done >/run/names 2>/run/complaints
		wait
		grep -v "host IP" /run/complaints >&2 || true
		same names 12 "$(sort -u /run/names | wc -l)"
		same addresses 12 "$(grep -h ^LOCAL_ADDRESS= $CONFS/*.conf | sort -u | wc -l)"
		same ports 12 "$(grep -h ^HOST_PORT= $CONFS/*.conf | sort -u | wc -l)"
		exits 0 machdeck check
		for i in $(cat /run/names); do machdeck destroy --yes $i; done
		no_leftovers
	END
}

a_name_that_somebody_takes_meanwhile_stays_theirs() { # 126
	script <<-'END'
		mini /src
		strace -qq -f -o /dev/null -e trace=renameat2,renameat,linkat -e inject=renameat2,renameat,linkat:delay_enter=3000000 \
			machdeck create --tree /src twin >/run/said 2>&1 & making=$!
		want 10 test -e /run/machdeck/.locks/twin
		echo PRIVATE_NETWORK=1 >$CONFS/twin.conf
		ended=0; wait $making || ended=$?
		cat /run/said
		same status 75 $ended
		same text PRIVATE_NETWORK=1 "$(cat $CONFS/twin.conf)"
		rm $CONFS/twin.conf
		exits 0 machdeck create --tree /src twin
		exits 75 machdeck create --tree /src twin
		exits 0 machdeck destroy --yes twin
		no_leftovers
	END
}

what_the_live_host_has_is_not_chosen() {
	script <<-'END'
		mini /src
		ip link add dum type veth peer name dum1
		ip address add 10.233.1.9/24 dev dum; ip link set dum up; ip link set dum1 up
		ip route add 10.233.2.0/25 via 10.233.1.77
		busybox httpd -f -p 8080 -h / & server=$!
		perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 0); bind(S, sockaddr_in(8053, INADDR_ANY)); print "bound\n"; sleep 60' & server2=$!
		want 10 fetch http://127.0.0.1:8080/etc/hostname
		want 10 grep -q ":$(printf %04X 8053) " /proc/net/udp
		exits 0 machdeck create live --tree /src --host-port auto:80 --host-port udp:auto:53 --dry-run
		told "LOCAL_ADDRESS=10.233.3.2" "HOST_PORT=tcp:8081:80,udp:8054:53"
		[ ! -e $CONFS/live.conf ] && [ ! -e $ROOTS/live ]
		kill $server $server2
	END
}

a_full_disk_and_a_missing_right_leave_nothing() {
	script <<-'END'
		mini /src; head -c 4M /dev/urandom >/src/srv/big
		mkdir -p $ROOTS; mount -t tmpfs -o size=2M,mode=0755 none $ROOTS
		exits 73 machdeck create full --tree /src
		told "No space left on device"
		[ -z "$(ls -A $ROOTS)" ] && [ ! -e $CONFS/full.conf ] || fail "left: $(ls -A $ROOTS)"
		umount $ROOTS
		machdeck create one --tree /src
		mount --bind $CONFS $CONFS && mount -o remount,ro,bind $CONFS
		exits 73 machdeck create two --tree /src
		told "Read-only file system"
		umount $CONFS
		[ ! -e $ROOTS/two ] && no_leftovers
		before=$(picture)
		nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
		exits 77 $nobody machdeck create three --tree /src
		exits 77 $nobody machdeck clone one three
		exits 77 $nobody machdeck rename one three
		exits 77 $nobody machdeck snapshot one
		exits 77 $nobody machdeck destroy --yes one
		told "takes root"
		unchanged "$before"
		machdeck destroy --yes one
	END
}

a_bootstrap_is_followed_cancelled_and_undone() {
	script <<-'END'
		mini /src
		before=$(picture)
		exits 66 machdeck create deb --bootstrap arch
		told "pacstrap is not on this host (install arch-install-scripts)"
		exits 64 machdeck create deb --bootstrap plan9
		exits 64 machdeck create deb --bootstrap debian --suite --hook
		cat >/usr/local/bin/mmdebstrap <<-'SH'
			#!/bin/bash
			printf '%s\n' "$@" >/run/argv
			echo "I: retrieving packages"
			case $* in *fail*) echo "E: no such suite"; exit 25 ;; *slow*) mkdir -p "${@: -1}/usr/lots"; sleep 60 ;; esac
			cp -a /src/. "${@: -1}/"
		SH
		chmod 0755 /usr/local/bin/mmdebstrap
		exits 1 machdeck create deb --bootstrap debian --suite fail
		told "mmdebstrap ended with status 25: I: retrieving packages / E: no such suite"
		no_leftovers
		exits 0 machdeck create deb --bootstrap debian --suite trixie --packages nginx,curl --progress --start
		told "progress: mmdebstrap: I: retrieving packages"
		grep -qx trixie /run/argv && grep -q -- '--include=.*,nginx,curl' /run/argv || fail "$(cat /run/argv)"
		want 10 serves mini http://10.233.1.2/
		machdeck stop deb
		echo changed >$ROOTS/deb/srv/index.html
		exits 0 machdeck reset --dry-run deb
		told "becomes what mmdebstrap installs now, of which it was made"
		mv /run/argv /run/first
		exits 0 machdeck reset --yes deb
		same "page, and how it was installed" "mini" "$(cat $ROOTS/deb/srv/index.html)$(diff <(grep -v "^/" /run/first) <(grep -v "^/" /run/argv))"
		machdeck destroy --yes deb
		began=$SECONDS
		machdeck create deb --bootstrap debian --suite slow & pid=$!
		want 10 compgen -G "$ROOTS/.new-deb-*/usr/lots"
		exits 75 machdeck create deb --bootstrap debian --suite slow
		told "by another process"
		kill -TERM $pid
		rc=0; wait $pid || rc=$?
		same "status of what was cancelled" 1 $rc
		[ $((SECONDS - began)) -lt 20 ] || fail "it took $((SECONDS - began)) s"
		want 10 bash -c '! pgrep -x sleep'
		no_leftovers
		machdeck create deb --bootstrap debian --suite slow & pid=$!
		want 10 compgen -G "$ROOTS/.new-deb-*/usr/lots"
		kill -KILL $pid
		wait $pid || true
		compgen -G "$ROOTS/.new-deb-*" >/dev/null || fail "what was killed tidied up"
		exits 0 machdeck create other --tree /src
		no_leftovers
		machdeck destroy --yes other
		rm /usr/local/bin/mmdebstrap
		unchanged "$before"
	END
}

nix_is_called_as_the_reference_does() {
	script <<-'END'
		exits 66 machdeck create n --config '{}'
		told "nix-env is not on this host"
		fake_nix
		exits 0 machdeck create n --config 'services.nginx.enable = true;' --private-users no --start
		grep -q "^nix-env -p /nix/var/nix/profiles/per-container/n/system -I nixos-config=/var/lib/containers/.new-n-[0-9a-f]*/etc/nixos/configuration.nix -f <nixpkgs/nixos> --set -A system$" /run/nix-argv || fail "$(cat /run/nix-argv)"
		grep -q 'networking.hostName = mkDefault "n"' /run/nix-config && grep -q 'services.nginx.enable = true;' /run/nix-config
		want 10 serves box http://10.233.1.2/
		machdeck destroy --yes n
		[ ! -e /nix/var/nix/profiles/per-container/n ]
		rm /run/nix-argv
		exits 0 machdeck create f --flake /src/flake#web
		same argv 'nix --extra-experimental-features nix-command flakes build --out-link OUT -- /src/flake#nixosConfigurations."web".config.system.build.toplevel
		nix-env -p /nix/var/nix/profiles/per-container/f/system --set /nix/store/box' "$(sed -E 's,/var/lib/containers/.new-f-[0-9a-f]*/.result,OUT,' /run/nix-argv)"
		grep -qx 'FLAKE="/src/flake#web"' $CONFS/f.conf
		machdeck destroy --yes f
		before=$(picture)
		exits 1 machdeck create b --nixos-path /broken --config x
		told "nix-env ended with status 1: error: undefined variable"
		unchanged "$before"
		exits 66 machdeck create s --system-path /nix/store/gone
		unchanged "$before"
		exits 0 machdeck create s --system-path /nix/store/box --private-users no --start
		want 10 serves box http://10.233.1.2/
		machdeck destroy --yes s
		no_nix
	END
}

run_cases "$@"
