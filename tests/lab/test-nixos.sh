#!/bin/bash
# Containers that NixOS declares: their units are the module's own, with scripts of bash, and their confs lead into the
# store. Nothing of ours starts them, and all verbs go through that unit.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario nixos
on nixos ln -sf machdeck /usr/bin/nixos-container

# declared NAME SYSTEM - as the module of 2021-11 makes it: the unit and the conf are links into the store, the conf over
# /etc/static.
making+='
ETC=/nix/store/0e-etc/etc
script_of() { # NAME STEP
	mkdir -p "/nix/store/$1-unit-script-$2/bin"
	{ echo "#!/bin/bash"; echo "set -e"; cat; } >"/nix/store/$1-unit-script-$2/bin/container_$1-$2"
	chmod 0555 "/nix/store/$1-unit-script-$2/bin/container_$1-$2"
}
declared() {
	nix_system "$2"
	mkdir -p $ETC/containers $CONFS /nix/store/$1-unit /var/lib/containers
	ln -sfn $ETC /etc/static
	chown root:root /nix/store; chmod 1775 /nix/store
	printf "%s\n" SYSTEM_PATH=/nix/store/$2 PRIVATE_NETWORK=1 HOST_ADDRESS=10.7.0.1 LOCAL_ADDRESS=10.7.0.2 AUTO_START=0 >/nix/store/$1.conf
	chmod 0444 /nix/store/$1.conf
	ln -sfn /nix/store/$1.conf $ETC/containers/$1.conf
	ln -sfn /etc/static/containers/$1.conf $CONFS/$1.conf
	script_of $1 pre-start <<-"END"
		machinectl terminate "$INSTANCE" 2>/dev/null || true
		ip link del dev "ve-$INSTANCE" 2>/dev/null || true
		mkdir -p -m 0755 $root/etc $root/var/lib $root/usr # which the systemd of NixOS does not ask for
		mkdir -p -m 0700 $root/var/lib/private $root/root /run/containers
		touch $root/etc/os-release $root/etc/machine-id
		mkdir -p -m 0755 "/nix/var/nix/"{profiles,gcroots}"/per-container/$INSTANCE"
	END
	# The first process gives the link its address, as the module has it.
	script_of $1 start <<-"END"
		exec systemd-nspawn --keep-unit -M "$INSTANCE" -D "$root" --private-network --network-veth --notify-ready=yes --kill-signal=SIGRTMIN+3 \
			--bind-ro=/nix/store --setenv PATH="$PATH" /nix/store/init "${SYSTEM_PATH}/init"
	END
	{ echo "#!/nix/store/tree/bin/busybox sh"; cat <<-"END"; } >/nix/store/init
		/nix/store/tree/bin/busybox ip link set host0 up
		/nix/store/tree/bin/busybox ip addr add 10.7.0.2 dev host0
		/nix/store/tree/bin/busybox ip route add 10.7.0.1 dev host0
		exec "$1"
	END
	chmod 0555 /nix/store/init
	script_of $1 post-start <<-"END"
		ip link set dev ve-$INSTANCE up
		ip addr add $HOST_ADDRESS dev ve-$INSTANCE
		ip route add $LOCAL_ADDRESS dev ve-$INSTANCE
	END
	script_of $1 reload <<-"END"
		nixos-container run "$INSTANCE" -- bash --login -c "${SYSTEM_PATH:-/nix/var/nix/profiles/system}/bin/switch-to-configuration test"
	END
	cat >/nix/store/$1-unit/container@$1.service <<-END
		[Unit]
		Description=Container "%i"
		RequiresMountsFor=/var/lib/containers/%i

		[Service]
		Environment="INSTANCE=%i" "PATH=$PATH" "root=/var/lib/containers/%i"
		DevicePolicy=closed
		EnvironmentFile=-/etc/containers/%i.conf
		ExecReload=/nix/store/$1-unit-script-reload/bin/container_$1-reload
		ExecStart=/nix/store/$1-unit-script-start/bin/container_$1-start
		ExecStartPost=/nix/store/$1-unit-script-post-start/bin/container_$1-post-start
		ExecStartPre=/nix/store/$1-unit-script-pre-start/bin/container_$1-pre-start
		KillMode=mixed
		KillSignal=TERM
		Restart=on-failure
		RestartForceExitStatus=133
		Slice=machine.slice
		SuccessExitStatus=133
		SyslogIdentifier=container %i
		TimeoutStartSec=5min
		Type=notify
		Delegate=true
	END
	ln -sfn /nix/store/$1-unit/container@$1.service /etc/systemd/system/container@$1.service
	systemctl daemon-reload
}
undeclared() {
	rm -f /etc/systemd/system/container@$1.service $CONFS/$1.conf /etc/static
	systemctl daemon-reload
	rm -rf /var/lib/containers/$1
	no_nix
}
'

one_that_nixos_declares_is_shown_so_and_driven_by_its_own_unit() {
	script <<-'END'
		declared decl box
		small own; conf own PRIVATE_NETWORK=1
		same list "decl stopped declared,own stopped own" "$(machdeck list | awk 'NR > 1 { print $1, $2, $NF }' | paste -sd ,)"
		same json '["/etc/static/containers/decl.conf",null]' "$(machdeck list --json | jq -c '[.machines[].declared]')"
		exits 3 machdeck status decl
		told "/etc/containers/decl.conf" "declared elsewhere, it leads to /etc/static/containers/decl.conf"
		exits 3 machdeck status --json decl
		same json /etc/static/containers/decl.conf "$(jq -r .declared <<<"$said")"
		exits 3 machdeck status own
		[[ $said != *declared* ]] || fail "own is said to be declared: $said"
		printf "%s\n" "size 100x50" "wait decl" "type /decl" "key Enter" "key Enter" "wait Overview" "key 6" "wait SYSTEM_PATH" show >/tmp/script
		exits 0 machdeck --script /tmp/script
		told "declared elsewhere, it leads to /etc/static/containers/decl.conf"
		exits 0 machdeck check decl
		exits 0 machdeck start decl
		want 20 serves box http://10.7.0.2/
		same fragment /etc/systemd/system/container@decl.service "$(property decl FragmentPath)"
		same timeout 5min "$(property decl TimeoutStartUSec)"
		same drop-ins "" "$(property decl DropInPaths)"
		property decl ExecStart | grep -q /nix/store/decl-unit-script-start/bin/container_decl-start
		[ ! -e /run/machdeck/decl ] || fail "something of ours started it: $(ls /run/machdeck/decl)"
		exits 0 machdeck status decl
		told "decl: running" "declared elsewhere" 10.7.0.2
		same check client_box "$(machdeck run decl -- cat /etc/check)"
		leader=$(leader decl)
		# A reload is what its unit does.
		exits 0 machdeck run decl -- sh -c "echo gone >/etc/check"
		same check gone "$(machdeck run decl -- cat /etc/check)"
		exits 0 machdeck reload decl
		same check client_box "$(machdeck run decl -- cat /etc/check)"
		same leader "$leader" "$(leader decl)"
		exits 0 machdeck restart decl
		[ "$leader" != "$(leader decl)" ] || fail "it was not restarted"
		want 20 serves box http://10.7.0.2/
		# A reload that fails in the guest is a failure.
		touch /nix/store/box/bin/fail
		exits 4 machdeck reload decl
		told "cannot reload decl" "the machine runs on"
		same state active "$(state decl)"
		rm /nix/store/box/bin/fail
		exits 0 machdeck terminate decl
		want 10 not machinectl show decl
		exits 0 machdeck start decl
		exits 0 machdeck stop decl
		same state inactive "$(state decl)"
		want 10 no_links_of_ours
		undeclared decl
	END
}

what_is_declared_is_changed_where_it_is_declared() {
	script <<-'END'
		declared decl box
		mkdir -p -m 0755 /run/machdeck; mkdir -p -m 0700 /run/machdeck/.locks
		before=$(picture)
		sum=$(sha256sum /nix/store/decl.conf)
		where="/etc/static/containers/decl.conf"
		for verb in "set decl HOST_PORT=tcp:80:80" "unset decl HOST_ADDRESS" "set --dry-run decl HOST_PORT=tcp:80:80" "limit decl MemoryMax=1G" "enable decl" \
			"undo decl" "rename decl other" "destroy --yes decl"; do
			rc=0; said=$(machdeck $verb 2>&1) || rc=$?
			[ $rc -ne 0 ] || fail "$verb did something"
			told "$where"
		done
		rc=0; said=$(EDITOR="sed -i s/10.7/10.8/" machdeck edit decl 2>&1) || rc=$?
		same rc 78 "$rc"
		told "$where"
		exits 78 nixos-container destroy decl
		told "cannot destroy declarative container" "$where"
		echo '{"containers": {"decl": {"path": "/nix/store/box"}}}' >/tmp/decl.json
		rc=0; said=$(machdeck import --yes /tmp/decl.json 2>&1) || rc=$?
		[ $rc -ne 0 ] || fail "an import replaced it"
		told "decl.conf"
		exits 64 machdeck update decl
		exits 64 machdeck rollback decl
		told "SYSTEM_PATH="
		unchanged "$before"
		same conf "$sum" "$(sha256sum /nix/store/decl.conf)"
		undeclared decl
	END
}

run_cases "$@"
