#!/bin/bash
# Whatever is typed or pasted, nothing changes: read-only whatever it is, and for who may change things what is pasted.
# Judged from outside: calls on the bus, changes of links, addresses, routes and rules, and system calls that change files
# or processes. KEYS=1000000 presses that many.
KEYS=${KEYS:-10000}
. "$(dirname -- "$(realpath -- "$0")")/budgets.sh"

budget_host
twelve_machines

# Calls that ask; any other is one that changes, or one that nobody thought of.
ASKING='Get|GetAll|GetAddresses|GetMachine|GetMachineAddresses|GetUnit|GetUnitByPID|GetUnitProcesses|GetOSRelease|GetMachineOSRelease|GetUnitFileState|List[A-Za-z]*|Hello|AddMatch|RemoveMatch|Subscribe|GetNameOwner|GetImage[A-Za-z]*|GetConnection[A-Za-z]*|CheckAuthorization|Ping|Introspect|BecomeMonitor'
# System calls that can change more than the process itself.
CHANGING='open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,truncate,ftruncate,mknod,mknodat,mount,umount2,move_mount,pivot_root,setns,unshare,kill,tkill,tgkill,pidfd_send_signal,execve,execveat,sethostname,setdomainname,settimeofday,clock_settime,sendmsg,sendto,reboot,init_module,finit_module,bpf,setxattr,fsetxattr,lsetxattr,removexattr'

whole_state() {
	on ui bash -c 'systemctl list-units --all --no-legend "container@*" | sort; ls -la --time-style=full-iso /etc/containers
		ip addr | grep -v valid; ip route; ip rule; nft list ruleset; find /root /etc -newer /run/began | sort'
}

begin_watching() {
	want 10 on ui bash -c '! ip addr | grep tentative'
	on ui bash -c 'touch /run/began; rm -rf /run/trace; mkdir /run/trace
		busctl monitor --json=short --match=type=method_call >/run/calls 2>/dev/null & echo $! >/run/watchers
		# not nsid: an id is the name by which a namespace is asked, and no machine has any part in it
		ip monitor label link address route mroute prefix neigh netconf rule nexthop >/run/net & echo $! >>/run/watchers
		nft monitor >/run/nft & echo $! >>/run/watchers'
	want 10 on ui pgrep -x ip
	before=$(whole_state)
}

# nothing_changed - since begin_watching; whose own calls are looked at must have been traced to /run/trace.
nothing_changed() {
	local calls
	calls=$(diff <(echo "$before") <(whole_state)) || fail "the host changed: $calls"
	on ui bash -c 'kill $(cat /run/watchers)'
	calls=$(members)
	grep -qE 'Get|List' <<<"$calls" || fail "no calls were seen: $calls"
	calls=$(grep -vE " ($ASKING)$" <<<"$calls" || true)
	[ -z "$calls" ] || fail "calls that do not ask: $calls"
	calls=$(on ui bash -c 'grep -v "^\[NEIGH\]" /run/net; cat /run/nft')
	[ -z "$calls" ] || fail "the network changed: $calls"
	on ui grep -qr 'openat(' /run/trace || fail "strace saw nothing"
	calls=$(only_changing)
	[ -z "$calls" ] || fail "system calls that change something: $calls"
}

# members - how often each is called: on the bus, and by the program on sockets that the bus does not see.
members() {
	{
		on ui sed -n 's/.*"member":"\([A-Za-z]*\)".*/\1/p' /run/calls
		on ui grep -ahr 'sendmsg(' /run/trace | grep -oE '\\3\\1s\\0(\\[0-9a-z]+|.)(\\0){3}[A-Z][A-Za-z]+' | sed 's/.*\\0//; s/^0*//'
	} | sort | uniq -c
}

# only_changing - of the traces of what went well, those that did more than look: a reader that is our own child may be
# ended, and the terminal and what only is a channel may be written to.
only_changing() {
	on ui bash -c 'cd /run/trace && grep -aH "" *' | awk -v pids="$(on ui ls /run/trace)" '
		BEGIN { n = split(pids, p, /[^0-9]+/); for (i = 1; i <= n; i++) ours[p[i]] = 1 }
		/^of.[0-9]+:(\+\+\+|---)/ { next }
		/:ftruncate\([0-9]+<\/memfd:/ { next }
		/:open(at|at2)?\(/ && !/O_(WRONLY|RDWR|CREAT|TRUNC)/ { next }
		/:openat\(.*"\/(dev\/(tty|null)|proc\/self\/fd\/1)"/ { next }
		/:send(msg|to)\(/ && !/=(RTM_(NEW|DEL|SET)|NFT_MSG_(NEW|DEL))|IPCTNL_MSG_CT_(NEW|DELETE)/ { next }
		/:execve\(/ && !execs++ { next }
		/:(kill|tgkill|tkill)\(/ { to = $0; sub(/.*kill\(/, "", to); sub(/[,)].*/, "", to); if (to in ours || to == "0") next }
		/:pidfd_send_signal\(/ { next }
		/:setns\(.*CLONE_NEWNET/ { next } # a look at the routes in a guest, and back
		{ print }' | sed 's/^of[^:]*://' | sort | uniq -c | head -n 5
}

# Each process has a file of its own, so that no line is torn.
traced() { drive 80x24 strace -D -ff -z -y -s 400 --seccomp-bpf -qq -o /run/trace/of -e trace="$CHANGING" machdeck "$@"; }

random_keys_and_pastes_change_nothing_read_only() {
	begin_watching
	traced --read-only <<-END
		first m07
		random keys $KEYS
		signal TERM
		ended left 5
		restored
	END
	nothing_changed
}

ten_kilobytes_pasted_change_nothing_for_who_may_change_all() {
	begin_watching
	traced --write --period=0 <<-'END'
		first m07
		paste 10240 x\ry\rK\rm01\rs\rq\r!\rR\ry\r:run id\r
		wait pasted text was ignored
		press g x
		wait [No]
		paste 10240 y\ryy
		press n
		press K j Enter
		wait Type its name
		paste 10240 m01\r
		wait pasted text does not confirm
		press Esc
		gone Type its name
		press C
		wait command for
		paste 10240 reboot\r
		press Esc
		gone command for
		press /
		paste 300 m\r
		wait m m m m
		press Esc
		gone filter:
		press q
		ended left 2
		restored
	END
	nothing_changed
}

run_cases "$@"
