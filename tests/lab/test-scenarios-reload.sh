#!/bin/bash
# Containers of NixOS: another system by reload, and the older reference modules' ways to start, reload and stop.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario reload

a_reload_switches_to_another_system_in_the_running_guest() {
	inside <<-'END'
		nix_system base
		nix_system c1
		nix_unit c1 nix-a.service <<<$'[Service]\nExecStart=/bin/sleep infinity'
		nix_system c2
		nix_unit c2 nix-b.service <<<$'[Service]\nExecStart=/bin/sleep infinity'
		network='PRIVATE_NETWORK=1 HOST_ADDRESS=10.12.0.1 LOCAL_ADDRESS=10.12.0.2'
		conf test1 SYSTEM_PATH=/nix/store/base AUTO_START=1 $network
		systemctl daemon-reload
		systemctl start machines.target
		want 10 systemctl is-active container@test1
		same check client_base "$(within test1 cat /etc/check)"
		same page base "$(fetch http://10.12.0.2/)"
		before="$(leader test1) $(within test1 cat /proc/1/stat | cut -d' ' -f22)"
		conf test1 SYSTEM_PATH=/nix/store/c1 AUTO_START=1 $network
		sed -i '3a echo switching to c1; printf "with \\033colours" >&2' /nix/store/c1/bin/switch-to-configuration
		exits 0 machdeck reload test1
		same said 'switching to c1,with \x1bcolours,test1: reloaded' "$(paste -sd , <<<"$said")"
		same check client_c1 "$(within test1 cat /etc/check)"
		within test1 systemctl is-active nix-a
		conf test1 SYSTEM_PATH=/nix/store/c2 AUTO_START=1 $network
		exits 0 machdeck reload test1
		same check client_c2 "$(within test1 cat /etc/check)"
		within test1 systemctl is-active nix-b
		not within test1 systemctl is-active nix-a
		same leader "$before" "$(leader test1) $(within test1 cat /proc/1/stat | cut -d' ' -f22)"
	END
}

a_reload_that_fails_in_the_guest_says_how() {
	inside <<-'END'
		nix_system base
		nix_system bad
		touch /nix/store/bad/bin/fail
		sed -i '3a echo this system is no good >&2' /nix/store/bad/bin/switch-to-configuration
		conf r SYSTEM_PATH=/nix/store/base PRIVATE_NETWORK=1
		machdeck start r
		conf r SYSTEM_PATH=/nix/store/bad PRIVATE_NETWORK=1
		exits 4 machdeck reload r
		told "this system is no good" "exit status 4"
		rm /nix/store/bad/bin/fail
		sed -i '/no good/d' /nix/store/bad/bin/switch-to-configuration
		exits 0 machdeck reload r
		same said 'r: reloaded' "$said"
		same state active "$(state r)"
	END
}

a_reload_reaches_a_guest_with_users_of_its_own() {
	inside <<-'END'
		nix_system base
		nix_system c1
		conf r SYSTEM_PATH=/nix/store/base PRIVATE_NETWORK=1 PRIVATE_USERS=identity
		machdeck start r
		[ "$(readlink "/proc/$(leader r)/ns/user")" != "$(readlink /proc/self/ns/user)" ] || fail "it has no user namespace"
		conf r SYSTEM_PATH=/nix/store/c1 PRIVATE_NETWORK=1 PRIVATE_USERS=identity
		exits 0 machdeck reload r
		same check client_c1 "$(machdeck run r -- cat /etc/check)"
	END
}

a_reload_changes_addresses_on_both_sides_of_a_running_tree() {
	inside <<-'END'
		web t
		conf t PRIVATE_NETWORK=1 HOST_ADDRESS=10.13.0.1 LOCAL_ADDRESS=10.13.0.2 HOST_PORT=tcp:8080:80
		machdeck start t
		before=$(leader t)
		conf t PRIVATE_NETWORK=1 HOST_ADDRESS=10.13.1.1 LOCAL_ADDRESS=10.13.1.2 LOCAL_ADDRESS6=fc00:13::2 HOST_PORT=tcp:8080:80
		exits 0 machdeck reload t
		same host "10.13.1.1/32" "$(addresses ve-t)"
		same guest "10.13.1.2/32 fc00:13::2/128" "$(addresses_in t eth0)"
		same "host's routes" "10.13.1.2, fc00:13::2" "$(routes dev ve-t)"
		same "guest's routes" "10.13.1.1, default via 10.13.1.1" "$(routes_in t dev eth0)"
		want 10 serves t http://10.13.1.2/
		want 10 serves t http://10.13.1.1:8080/
		same forwards "tcp 8080 10.13.1.2 80,tcp 8080 fc00:13::2 80" "$(forwards | paste -sd ,)"
		same leader "$before" "$(leader t)"
	END
}

a_reload_names_what_needs_a_restart() {
	inside <<-'END'
		small t
		conf t PRIVATE_NETWORK=1 HOST_ADDRESS=10.13.0.1 LOCAL_ADDRESS=10.13.0.2
		machdeck start t
		conf t PRIVATE_NETWORK=1 HOST_ADDRESS=10.13.0.1 LOCAL_ADDRESS=10.13.0.2 'TMPFS="/somewhere"'
		exits 0 machdeck reload t
		logged t restart /somewhere
	END
}

# older_release RELEASE - starts, serves, reloads, starts again after a stop and a reboot.
older_release() {
	inside <<-END
		release=$1
		$(cat <<-'REST'
			nix_system base
			nix_system c1
			for system in base c1; do
				nix_unit $system nix-done.service <<-'UNIT'
					[Unit]
					After=nix-web.service run-command.socket
					[Service]
					Type=oneshot
					ExecStart=/bin/sh -c 'if [ -p /var/lib/startup-done ]; then echo done >/var/lib/startup-done; fi'
				UNIT
				nix_unit $system run-command.socket <<-'UNIT'
					[Socket]
					ListenStream=/var/lib/run-command.socket
					SocketMode=0600
					Accept=yes
				UNIT
				nix_unit $system run-command@.service <<-'UNIT'
					[Service]
					ExecStart=/bin/sh -c 'read -r command && exec $command'
					StandardInput=socket
					StandardOutput=socket
					StandardError=socket
				UNIT
				sed -i 's,^exec,rm -f /etc/systemd/system/multi-user.target.wants/run-command@.service\n&,' /nix/store/$system/init
			done
			network="RELEASE=$release PRIVATE_NETWORK=1 HOST_ADDRESS=10.14.0.1 LOCAL_ADDRESS=10.14.0.2"
			conf r SYSTEM_PATH=/nix/store/base $network
			systemctl daemon-reload
			machdeck start r
			same page base "$(fetch http://10.14.0.2/)"
			same addresses "10.14.0.1/32 10.14.0.2/32" "$(addresses ve-r) $(addresses_in r eth0)"
			conf r SYSTEM_PATH=/nix/store/c1 $network # that of 2014 never looked at it
			exits 0 machdeck reload r
			switched() { [ "$(within r cat /etc/check)" = client_c1 ]; }
			want 10 switched
			began=${EPOCHREALTIME/./}
			exits 0 machdeck stop r
			took=$((${EPOCHREALTIME/./} - began))
			[ $took -lt 5000000 ] || fail "the stop took $took us"
			same state "inactive success" "$(state r) $(property r Result)"
			nothing_left r
			machdeck start r
			before=$(leader r)
			within r systemctl reboot
			again() { [ "$(leader r)" != "$before" ] && systemctl is-active container@r && fetch http://10.14.0.2/; }
			want 10 again
			machdeck stop r
		REST
		)
	END
}

a_container_of_2014_starts_reloads_reboots_and_stops() { older_release 2014; }
a_container_of_2020_starts_reloads_reboots_and_stops() { older_release 2020; }
a_container_of_2021_04_starts_reloads_reboots_and_stops() { older_release 2021-04; }

run_cases "$@"
