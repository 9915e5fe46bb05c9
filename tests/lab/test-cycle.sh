#!/bin/bash
# A container's whole life by commands, after which the host is as before: by our verbs, and by those of nixos-container.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario cycle --unfiltered
on cycle ln -sf machdeck /usr/bin/nixos-container

making+='
# whole_picture - and what the files say that all share, and the rules.
whole_picture() {
	picture
	nft list ruleset
	find /var/lib/machdeck /run/systemd/nspawn /var/lib/containers ! -path "*/locks/inode-*" -printf "%p %y %m\n" 2>/dev/null | sort
	find /etc -xdev -type f ! -name "*.cache" -exec md5sum {} + | sort -k 2
}
as_before() { wanted=$1; want 10 is_like whole_picture; }
'

# The first round makes what stays on a host once there was a container, such as /run/machdeck. The second has other names, so
# that what is left of the first is not taken for that.
by_our_verbs_from_making_to_removing_the_host_is_as_before() {
	script <<-'END'
		mini /src
		for names in "a b c" "one two three"; do
			set -- $names
			before=$(whole_picture)
			exits 0 machdeck create $1 --tree /src --host-port tcp:auto:80
			same port tcp:8080:80 "$(machdeck get $1 HOST_PORT)"
			exits 0 machdeck start $1
			want 10 serves mini http://10.233.1.1:8080/
			exits 0 machdeck set $1 HOST_PORT=tcp:9090:80
			told "$1: restart needed (machdeck restart $1)" HOST_PORT
			want 10 serves mini http://10.233.1.1:8080/ # an edit alone changes nothing that runs
			exits 0 machdeck restart $1
			want 10 serves mini http://10.233.1.1:9090/
			not fetch http://10.233.1.1:8080/
			exits 0 machdeck clone --live $1 $2
			exits 0 machdeck start $2
			want 10 serves mini http://10.233.2.1:8080/
			want 10 serves mini http://10.233.1.1:9090/
			same states "active active" "$(state $1) $(state $2)"
			exits 0 machdeck stop $2
			exits 0 machdeck rename $2 $3
			exits 0 machdeck start $3
			want 10 serves mini http://10.233.2.1:8080/
			exits 66 machdeck status $2
			exits 0 machdeck destroy --yes $1
			exits 0 machdeck destroy --yes $3
			[ $1 = a ] || as_before "$before"
			nothing_left $1; nothing_left $2; nothing_left $3; no_leftovers
		done
	END
}

by_the_verbs_of_nixos_container_the_host_is_as_before() {
	script <<-'END'
		fake_nix
		nix_system new
		for name in a one; do
			next_system box
			before=$(whole_picture)
			exits 0 nixos-container create $name --config 'services.nginx.enable = true;' --port tcp:8080:80
			same said "host IP is 10.233.1.1, container IP is 10.233.1.2" "$said"
			exits 0 nixos-container start $name
			want 20 serves box http://10.233.1.1:8080/
			exits 0 machdeck set $name HOST_PORT=tcp:9090:80
			told "$name: restart needed"
			exits 0 nixos-container restart $name
			want 20 serves box http://10.233.1.1:9090/
			not fetch http://10.233.1.1:8080/
			two=$(nixos-container create $name --ensure-unique-name --system-path /nix/store/new --port tcp:8080:80 2>/run/said)
			same name $name-0 "$two"
			exits 0 nixos-container start $name-0
			want 20 serves new http://10.233.2.1:8080/
			want 20 serves box http://10.233.1.1:9090/
			same states "up up" "$(nixos-container status $name) $(nixos-container status $name-0)"
			exits 0 nixos-container destroy $name
			exits 0 nixos-container destroy $name-0
			same output "" "$said"
			[ $name = a ] || as_before "$before"
			nothing_left $name; nothing_left $name-0; no_leftovers
		done
		no_nix
	END
}

run_cases "$@"
