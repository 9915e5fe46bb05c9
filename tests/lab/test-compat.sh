#!/bin/bash
# The command line of nixos-container: verbs, output, statuses.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario compat
on compat ln -sf machdeck /usr/bin/nixos-container

a_container_is_driven_by_the_verbs_of_nixos_container() {
	inside <<-'END'
		small old; conf old PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2
		nc() { nixos-container "$@" 2>/tmp/stderr; }
		same list old "$(nc list)"
		same down down "$(nc status old)"
		same start '' "$(nc start old)"
		same up up "$(nc status old)"
		same active active "$(state old)"
		same ip 10.233.1.2 "$(nc show-ip old)"
		same run "it's a b" "$(nc run old -- echo "it's" 'a b')"
		exits 7 nixos-container run old -- sh -c 'exit 7'
		same root-login $'0' "$(echo id -u | nc root-login old)"
		leader=$(machinectl show -p Leader --value old)
		nc restart old
		[ "$leader" != "$(machinectl show -p Leader --value old)" ] || fail "it was not restarted"
		same terminate '' "$(nc terminate old)"
		same down down "$(nc status old)"
		nc stop old
	END
}

what_is_not_there_is_gone() {
	inside <<-'END'
		exits 66 nixos-container status nosuch
		same gone gone "$(nixos-container status nosuch 2>/dev/null)"
		exits 66 nixos-container start nosuch
		told "container 'nosuch' does not exist"
		exits 64 nixos-container start 'a_b'
		told "invalid container name 'a_b'"
		exits 64 nixos-container
		told 'no action specified'
		exits 64 nixos-container dance
		told "unknown action 'dance'"
		exits 1 nixos-container --no-such-option list
		exits 0 nixos-container --help
		told Usage:
	END
}

a_host_key_is_read_inside_of_the_tree_alone() {
	inside <<-'END'
		small keys; conf keys PRIVATE_NETWORK=1
		exits 1 nixos-container show-host-key keys
		same output '' "$said"
		mkdir -p $ROOTS/keys/etc/ssh
		echo 'ssh-ed25519 AAAA root@keys' >$ROOTS/keys/etc/ssh/ssh_host_ed25519_key.pub
		exits 0 nixos-container show-host-key keys
		same key 'ssh-ed25519 AAAA root@keys' "$said"
		echo secret >/run/secret
		ln -sf /run/secret $ROOTS/keys/etc/ssh/ssh_host_ed25519_key.pub
		exits 1 nixos-container show-host-key keys
		same output '' "$said"
	END
}

run_cases "$@"
