#!/bin/bash
# What a container finds in its tree: mounts, devices, files from the host, a personality.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario trees

a_tmpfs_hides_the_tree_and_forgets() {
	inside <<-'END'
		lab-guest t
		conf t PRIVATE_NETWORK=1 'TMPFS="/var /var/log /some/random/path"'
		machdeck start t
		for path in /var /var/log /some/random/path; do
			same $path tmpfs "$(within t findmnt --noheadings --output FSTYPE --mountpoint $path | tail -n 1)"
		done
		within t touch /root/test.file /some/random/path/test.file
		[ -e $ROOTS/t/root/test.file ] || fail "what the guest wrote is not in its tree"
		[ ! -e $ROOTS/t/some/random/path/test.file ] || fail "the tmpfs is the tree"
		touch $ROOTS/t/var/from.host
		not within t test -e /var/from.host
	END
}

an_ephemeral_container_lives_below_run_and_forgets() {
	inside <<-'END'
		nix_system eph
		conf webserver SYSTEM_PATH=/nix/store/eph EPHEMERAL=1 PRIVATE_NETWORK=1 HOST_ADDRESS=10.231.136.1 LOCAL_ADDRESS=10.231.136.2
		systemctl daemon-reload
		machdeck start webserver
		[ -d /run/containers/webserver ] || fail "there is no /run/containers/webserver"
		[ ! -e $ROOTS/webserver ] || fail "there is a $ROOTS/webserver"
		want 10 ping -n -c 1 -W 1 "$(machdeck show-ip webserver)"
		same page eph "$(fetch http://10.231.136.2/)"
		within webserver touch /root/test.file
		machdeck stop webserver
		not fetch http://10.231.136.2/
		[ ! -e /run/containers/webserver ] || fail "/run/containers/webserver is left"
		machdeck start webserver
		not within webserver test -e /root/test.file
	END
}

an_ephemeral_tree_is_not_changed() {
	inside <<-'END'
		web t
		conf t EPHEMERAL=1 PRIVATE_NETWORK=1 HOST_ADDRESS=10.4.0.1 LOCAL_ADDRESS=10.4.0.2
		machdeck start t
		same page t "$(fetch http://10.4.0.2/)"
		within t touch /root/test.file
		machdeck stop t
		[ ! -e $ROOTS/t/root/test.file ] || fail "the tree was written to"
		machdeck start t
		not within t test -e /root/test.file
	END
}

a_command_from_a_pipe_finds_one_cgroup_hierarchy() {
	inside <<-'END'
		lab-guest t
		conf t PRIVATE_NETWORK=1
		machdeck start t
		same "file system" cgroup2fs "$(echo 'stat --file-system --format=%T /sys/fs/cgroup' | machdeck run t -- sh)"
		exits 7 machdeck run t -- sh -c 'exit 7'
	END
}

a_container_without_a_conf_starts_with_defaults() {
	inside <<-'END'
		small t
		machdeck start t
		same "network" "$(readlink /proc/self/ns/net)" "$(readlink "/proc/$(leader t)/ns/net")"
		machdeck stop t
		exits 66 machdeck start nobody
		told nobody
	END
}

tun_can_be_used_only_where_it_is_enabled() {
	inside <<-'END'
		for name in with without; do
			lab-guest $name
			conf $name PRIVATE_NETWORK=1 EXTRA_NSPAWN_FLAGS=--bind=/dev/net/tun
		done
		echo ENABLE_TUN=1 >>$CONFS/with.conf
		systemctl daemon-reload
		machdeck start with without
		by_the_guest with ip tuntap add dev tun0 mode tun
		within with ip link show tun0
		not by_the_guest without ip tuntap add dev tun0 mode tun
	END
}

a_container_with_users_of_its_own_has_its_network_reload_and_commands() {
	inside <<-'END'
		# mapped ids need a file system that can map them
		mkdir -p $ROOTS/u
		mount -t tmpfs -o mode=0755 u $ROOTS/u
		mkdir -p $ROOTS/u/{bin,sbin,etc,usr,srv,proc,sys,dev,tmp,run,var/lib}
		cp /bin/busybox $ROOTS/u/bin/
		ln -s busybox $ROOTS/u/bin/sh
		echo u >$ROOTS/u/srv/index.html
		printf '#!/bin/sh\nexec /bin/busybox httpd -f -p 80 -h /srv\n' >$ROOTS/u/sbin/init
		chmod 0755 $ROOTS/u/sbin/init
		conf u PRIVATE_NETWORK=1 PRIVATE_USERS=pick HOST_ADDRESS=10.15.0.1 LOCAL_ADDRESS=10.15.0.2 HOST_PORT=tcp:8080:80
		machdeck start u
		[ "$(awk '{ print $2 }' "/proc/$(leader u)/uid_map")" != 0 ] || fail "its root is the host's"
		want 10 serves u http://10.15.0.1:8080/
		same id "uid=0 gid=0" "$(machdeck run u -- /bin/busybox id)"
		conf u PRIVATE_NETWORK=1 PRIVATE_USERS=pick HOST_ADDRESS=10.15.0.1 LOCAL_ADDRESS=10.15.0.9 HOST_PORT=tcp:8080:80
		exits 0 machdeck reload u
		want 10 serves u http://10.15.0.9/
		exits 0 machdeck stop u
		nothing_left u
	END
}

resolv_conf_is_replaced_even_where_it_leads_nowhere() {
	inside <<-'END'
		small t
		conf t PRIVATE_NETWORK=1
		ln -sf ../nowhere/resolv.conf $ROOTS/t/etc/resolv.conf
		echo 'nameserver 192.0.2.53' >/run/resolv.test
		ln -sfn /run/resolv.test /etc/resolv.conf
		machdeck start t
		same kind "regular file" "$(stat -c %F $ROOTS/t/etc/resolv.conf)"
		same text 'nameserver 192.0.2.53' "$(within t cat /etc/resolv.conf)"
		[ ! -e $ROOTS/t/nowhere ] || fail "the link was followed"
		rm /etc/resolv.conf
		machdeck restart t
		same text 'nameserver 192.0.2.53' "$(within t cat /etc/resolv.conf)"
	END
}

a_system_of_32_bits_gets_the_personality_of_one() {
	inside <<-'END'
		nix_system old32
		echo i686-linux >/nix/store/old32/system
		nix_system plain
		rm /nix/store/plain/system
		conf old32 SYSTEM_PATH=/nix/store/old32 PRIVATE_NETWORK=1
		conf plain SYSTEM_PATH=/nix/store/plain PRIVATE_NETWORK=1
		machdeck start old32 plain
		same machine i686 "$(by_the_guest old32 uname -m)"
		same "machine for run" i686 "$(machdeck run old32 -- uname -m)"
		same machine "$(uname -m)" "$(by_the_guest plain uname -m)"
	END
}

a_guest_reaches_a_service_of_the_host_through_a_bound_socket() {
	inside <<-'END'
		nix_system s
		systemd-run --quiet --unit=daemon systemd-socket-activate --listen=/nix/var/nix/daemon-socket/socket --accept --inetd echo hello
		conf s SYSTEM_PATH=/nix/store/s PRIVATE_NETWORK=1
		want 10 test -S /nix/var/nix/daemon-socket/socket
		machdeck start s
		same answer hello "$(machdeck run s -- perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/nix/var/nix/daemon-socket/socket"); print <$s>')"
		systemctl stop daemon
		not within s touch /nix/store/x
		lab-guest t
		conf t PRIVATE_NETWORK=1 EXTRA_NSPAWN_FLAGS=--bind-ro=/run/dbus:/mnt
		machdeck start t
		machdeck run t -- busctl --address=unix:path=/mnt/system_bus_socket list | grep -q org.freedesktop.machine1
	END
}

run_cases "$@"
