#!/bin/bash
# A container's whole life by commands, after which the host is as before: by our verbs, and by those of nixos-container.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario cycle
on cycle ln -sf machdeck /usr/bin/nixos-container

making+='
# whole_picture - and what the files say that all share, and the rules.
whole_picture() {
	picture
	nft list ruleset
	find /etc -xdev -type f ! -name "*.cache" -exec md5sum {} + | sort -k 2
}
as_before() { local now; now=$(whole_picture); [ "$1" = "$now" ] || fail "the host is not as before: $(diff <(echo "$1") <(echo "$now"))"; }
'

# The first round makes what stays on a host once there was a container, such as /run/machdeck.
by_our_verbs_from_making_to_removing_the_host_is_as_before() {
	script <<-'END'
		mini /src
		for round in first second; do
			before=$(whole_picture)
			exits 0 machdeck create one --tree /src --host-port tcp:auto:80
			same port tcp:8080:80 "$(machdeck get one HOST_PORT)"
			exits 0 machdeck start one
			want 10 serves mini http://10.233.1.1:8080/
			exits 0 machdeck set one HOST_PORT=tcp:9090:80
			told "one: it takes a restart (machdeck restart one)" HOST_PORT
			serves mini http://10.233.1.1:8080/ || fail "an edit alone changed what runs"
			exits 0 machdeck restart one
			want 10 serves mini http://10.233.1.1:9090/
			not fetch http://10.233.1.1:8080/
			exits 0 machdeck clone --live one two
			exits 0 machdeck start two
			want 10 serves mini http://10.233.2.1:8080/
			want 10 serves mini http://10.233.1.1:9090/
			same states "active active" "$(state one) $(state two)"
			exits 0 machdeck stop two
			exits 0 machdeck rename two three
			exits 0 machdeck start three
			want 10 serves mini http://10.233.2.1:8080/
			exits 66 machdeck status two
			exits 0 machdeck destroy --yes one
			exits 0 machdeck destroy --yes three
			[ $round = first ] || as_before "$before"
			nothing_left one; nothing_left two; nothing_left three; no_leftovers
		done
	END
}

by_the_verbs_of_nixos_container_the_host_is_as_before() {
	script <<-'END'
		fake_nix
		nix_system new
		for round in first second; do
			next_system box
			before=$(whole_picture)
			exits 0 nixos-container create one --config 'services.nginx.enable = true;' --port tcp:8080:80
			same said "host IP is 10.233.1.1, container IP is 10.233.1.2" "$said"
			exits 0 nixos-container start one
			want 20 serves box http://10.233.1.1:8080/
			exits 0 machdeck set one HOST_PORT=tcp:9090:80
			told "one: it takes a restart"
			exits 0 nixos-container restart one
			want 20 serves box http://10.233.1.1:9090/
			not fetch http://10.233.1.1:8080/
			two=$(nixos-container create one --ensure-unique-name --system-path /nix/store/new --port tcp:8080:80 2>/run/said)
			same name one-0 "$two"
			exits 0 nixos-container start one-0
			want 20 serves new http://10.233.2.1:8080/
			want 20 serves box http://10.233.1.1:9090/
			same states "up up" "$(nixos-container status one) $(nixos-container status one-0)"
			exits 0 nixos-container destroy one
			exits 0 nixos-container destroy one-0
			same output "" "$said"
			[ $round = first ] || as_before "$before"
			nothing_left one; nothing_left one-0; no_leftovers
		done
		no_nix
	END
}

run_cases "$@"
