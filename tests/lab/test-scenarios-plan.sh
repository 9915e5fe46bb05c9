#!/bin/bash
# What `machdeck plan` shows can be pasted into a shell, and does what the engine does.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
scenario plan

a_pasted_plan_starts_a_tree() {
	inside <<-'END'
		web pasted
		ip link add br0 type bridge
		mkdir -p "/srv/it's here"
		echo bound >"/srv/it's here/file"
		conf pasted PRIVATE_NETWORK=1 HOST_ADDRESS=10.233.1.1 LOCAL_ADDRESS=10.233.1.2 HOST_ADDRESS6=fc00:1::1 \
			LOCAL_ADDRESS6=fc00:1::2 HOST_PORT=tcp:8080:80 'EXTRA_VETHS="vx1,hostAddress=10.1.0.1,localAddress=10.1.0.2 vx2,hostBridge=br0"' \
			"EXTRA_NSPAWN_FLAGS=\" \\\"--bind-ro=/srv/it's here:/mnt\\\"\""
		machdeck plan pasted >/tmp/plan.sh
		bash /tmp/plan.sh >/tmp/said 2>&1 || true
		same page pasted "$(fetch http://10.233.1.2/)"
		want 10 fetch 'http://[fc00:1::2]/' # after the kernel has looked for duplicates
		ping -c 1 -W 2 10.1.0.2 >/dev/null || fail "no way over vx1: $(cat /tmp/said)"
		same bridge br0 "$(ip -j link show vx2 | jq -r '.[0].master')"
		same file bound "$(machdeck run pasted -- cat /mnt/file)"
		[[ $(nft list ruleset) == *"dport 8080"* || $(nft list ruleset) == *8080* ]] || fail "the port is not forwarded"
		$(sed -n 's/^# .*to stop it: //p' /tmp/plan.sh) || fail "it does not stop as the plan says"
		no_machine() { ! machinectl show pasted >/dev/null 2>&1; }
		want 10 no_machine
	END
}

run_cases "$@"
