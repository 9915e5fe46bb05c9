#!/bin/bash
# import, check, plan and hosts on a folder that stands for a host: no root needed, nothing is started.
. "$(dirname -- "$(realpath -- "$0")")/../lab/lib.sh"

MACHDECK=${MACHDECK:-$TOP/build/machdeck}

H= # the case's host
host() {
	[ -z "$H" ] || return 0
	H=$(mktemp -d -p "$T")
	trap 'rm -rf "$H"' EXIT
	mkdir -p "$H/etc/containers"
}

# verb STATUS WORD... - runs machdeck in that host; what it says is in $OUT.
verb() {
	local wanted=$1 rc=0
	shift
	host
	OUT=$("$MACHDECK" "$1" --root "$H" "${@:2}" 2>&1) || rc=$?
	[ $rc -eq "$wanted" ] || fail "$*: wanted status $wanted, got $rc: $OUT"
}

conf() { host && cat >"$H/etc/containers/$1.conf"; }
confs() { ls -A "$H/etc/containers"; }
says() { [[ $OUT == *"$1"* ]] || fail "it does not say '$1': $OUT"; }
silent() { [[ $OUT != *"$1"* ]] || fail "it says '$1': $OUT"; }
one_line() { same "lines" 1 "$(wc -l <<<"$OUT")"; }

an_import_writes_all_or_nothing() {
	verb 65 import - <<<'{"containers": {"a": {}, "b": {}, "c": {"colour": 1}}}'
	says 'stdin: /containers/c/colour: '
	one_line
	same "confs" "" "$(confs)"
	verb 0 import - <<<'{"containers": {"a": {}, "b": {}}}'
	same "confs" $'a.conf\nb.conf' "$(confs)"
}

a_dry_import_writes_nothing() {
	conf a <<<'PRIVATE_NETWORK=1'
	verb 0 import --dry-run - <<<'{"containers": {"a": {"autoStart": true}, "b": {}}}'
	says '-PRIVATE_NETWORK=1'
	says '+AUTO_START=1'
	same "confs" a.conf "$(confs)"
	same "text" PRIVATE_NETWORK=1 "$(cat "$H/etc/containers/a.conf")"
}

an_import_keeps_the_mode_of_a_conf() {
	conf a <<<'PRIVATE_NETWORK=1'
	chmod 640 "$H/etc/containers/a.conf"
	verb 0 import - <<<'{"containers": {"a": {"autoStart": true}}}'
	same "mode" 640 "$(stat -c %a "$H/etc/containers/a.conf")"
	grep -q '^AUTO_START=1$' "$H/etc/containers/a.conf" || fail "it was not replaced"
}

an_import_refuses_a_conf_that_is_a_link() {
	host
	ln -s /nowhere "$H/etc/containers/b.conf"
	verb 78 import - <<<'{"containers": {"a": {}, "b": {}}}'
	one_line
	same "confs" b.conf "$(confs)"
}

ENGINES='{"containers": {"web": {}}, "virtualisation": {"containers": {"enable": true, "users": ["alice", "bob"],
	"registries": {"insecure": ["lab:5000"]}}}}'
etc() { (cd "$H/etc" && find . -type f ! -name .pwd.lock -printf '%P %m ' -exec cat {} + | sort); }

what_engines_read_is_imported_and_a_second_time_changes_nothing() {
	host
	printf 'mail:100000:70000' >"$H/etc/subuid"
	chmod 600 "$H/etc/subuid"
	printf 'alice:x:1000:1000::/:\nbob:x:1001:1001::/:\n' >"$H/etc/passwd"
	verb 0 import --dry-run - <<<"$ENGINES"
	says '+alice:231072:65536'
	same "confs" "" "$(confs)"
	verb 0 import - <<<"$ENGINES"
	same "confs" $'policy.json\nregistries.conf\nweb.conf' "$(confs)"
	same "uids" $'mail:100000:70000\nalice:231072:65536\nbob:296608:65536' "$(<"$H/etc/subuid")"
	same "gids" $'alice:231072:65536\nbob:296608:65536' "$(<"$H/etc/subgid")"
	same "mode" 600 "$(stat -c %a "$H/etc/subuid")"
	same "inode kept" "$(stat -c %i "$H/etc/subuid")" "$(verb 0 import - <<<"$ENGINES" && stat -c %i "$H/etc/subuid")"
	verb 0 import --dry-run - <<<"$ENGINES"
	same "second time" 'nothing would change' "$OUT"
	verb 0 import --registries v2 - <<<"$ENGINES"
	grep -qx 'location = "lab:5000"' "$H/etc/containers/registries.conf"
}

what_engines_read_is_exported_and_imported_as_the_same() {
	host
	verb 66 export --virtualisation
	verb 0 import - <<<"$ENGINES"
	etc >"$T/first"
	"$MACHDECK" export --root "$H" --virtualisation >"$T/out.json"
	verb 0 import "$T/out.json"
	etc | cmp - "$T/first"
	same "users" alice,bob "$(jq -r '.virtualisation.containers.users | join(",")' "$T/out.json")"
	verb 0 export
	silent virtualisation
}

what_is_not_enabled_is_not_written() {
	verb 0 import - <<<'{"virtualisation": {"containers": {"users": ["alice"]}}}'
	says 'not enabled'
	same "files" "" "$(etc)"
}

a_file_of_engines_that_is_a_link_keeps_all_as_it_was() {
	local leaf
	for leaf in containers/registries.conf containers/policy.json subuid subgid; do
		host
		ln -s /nix/store/x-declared "$H/etc/$leaf"
		verb 78 import --dry-run - <<<"$ENGINES"
		verb 78 import - <<<"$ENGINES"
		says "/etc/$leaf: it is declared elsewhere, it leads to /nix/store/x-declared"
		same "files" "" "$(etc)"
		rm "$H/etc/$leaf"
	done
}

an_import_looks_at_the_confs_that_are_there() {
	conf a <<<'EXTRA_VETHS="vx,localAddress=10.0.0.1"'
	verb 65 import - <<<'{"containers": {"b": {"extraVeths": {"vy": {"localAddress": "10.0.0.1"}}}}}'
	says "stdin: /containers/b/extraVeths/vy/localAddress: address 10.0.0.1 is container a's too"
	verb 0 import - <<<'{"containers": {"a": {"extraVeths": {"vy": {"localAddress": "10.0.0.1"}}}}}'
}

# Case 151 of the threat model. A document is on stdin.
no_document() { # WHAT - at once and in little memory
	local rc=0
	host
	OUT=$(
		grep -qa __asan_init "$MACHDECK" || ulimit -v 65536
		LC_ALL=C timeout 10 "$MACHDECK" import --root "$H" - 2>&1
	) || rc=$?
	same "status of $1" 65 $rc
	same "confs after $1" "" "$(confs)"
	one_line
	[ ${#OUT} -lt 600 ] || fail "$1: it says ${#OUT} bytes"
}

hostile_documents_are_refused_at_once_and_write_nothing() {
	local document
	no_document "depth" < <(perl -e 'print "{\"containers\": {\"x\": {\"a\": ", "[" x 10000, "]" x 10000, "}}}"')
	no_document "size" < <(perl -e 'print "{\"containers\": {\"x\": {\"path\": \""; print "a" x 1048576 for 1 .. 100; print "\"}}}"')
	no_document "many keys" < <(perl -e 'print "{\"containers\": {\"x\": {", join(",", map { sprintf "\"%x\":1", $_ } 1 .. 80000), "}}}"')
	says '/containers/x/'
	for document in '{"containers": {"x": {"colour": 1}}}' '{"containers": {"x": {"autoStart": 1}}}' \
		'{"containers": {"x": {"privateNetwork": true, "forwardPorts": [{"hostPort": 9223372036854775807}]}}}' \
		'{"containers": {"x": {"extraFlags": ["--directory=/"]}}}' '{"containers": {"x": {"tmpfs": ["/a\nb"]}}}'; do
		no_document "$document" <<<"$document"
		says 'stdin: /containers/x/'
	done
	for document in '{"containers": {"x": {}, "x": {}}}' '{"containers": {"x": {"autoStart": true, "autoStart": false}}}' \
		'{"containers": {"x": {"autoStart": NaN}}}' '{"containers": {"x": {"path": "/\u0000"}}}' \
		'{"containers": {"x": {"path": "/\ud800"}}}' $'\xef\xbb\xbf{"containers": {"x": {}}}' \
		'{"containers": {"x": {"privateNetwork": true, "forwardPorts": [{"hostPort": 9223372036854775808}]}}}' '' '[]' \
		'{"containers": {"../x": {}}}' '{"containers": {"x": {}}} x'; do
		no_document "$document" <<<"$document"
	done
}

what_gives_a_container_the_host_is_told_and_takes_an_agreement() {
	local flags='"additionalCapabilities": ["CAP_SYS_MODULE"], "extraFlags": ["--capability=all", "--system-call-filter=@module"],
		"bindMounts": {"/host": {"hostPath": "/"}, "/mnt": {"hostPath": "/srv"}}'
	verb 64 import - <<<"{\"containers\": {\"x\": {$flags}, \"y\": {\"extraFlags\": [\"--system-call-filter=@keyring\"]}}}"
	says 'stdin: /containers/x: capability CAP_SYS_MODULE gives it the host'
	says 'stdin: /containers/x: --capability=all gives it the host'
	says 'stdin: /containers/x: --system-call-filter=@module gives it the host'
	says 'stdin: /containers/x: a bind mount of / gives it the host'
	silent /srv
	silent /containers/y
	says 'with --yes'
	same "confs" "" "$(confs)"
	verb 0 import --dry-run - <<<"{\"containers\": {\"x\": {$flags}}}"
	says 'a bind mount of / gives it the host'
	same "confs" "" "$(confs)"
	verb 0 import --yes - <<<"{\"containers\": {\"x\": {$flags}}}"
	same "confs" x.conf "$(confs)"
}

check_ends_with_65_whatever_else_is_wrong() {
	conf a <<<'PRIVATE_NETWORK=maybe'
	ln -s nowhere "$H/etc/containers/b.conf"
	verb 65 check
	says '/etc/containers/a.conf:1:17: PRIVATE_NETWORK: '
	says '/etc/containers/b.conf is a link'
	rm "$H/etc/containers/a.conf"
	verb 66 check
}

check_of_one_looks_at_its_neighbours() {
	conf a <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.1'
	conf b <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.1'
	conf c <<<'colour'
	conf d <<<$'PRIVATE_NETWORK=1\nHOST_PORT=x'
	verb 65 check a
	says "a: LOCAL_ADDRESS: address 10.0.0.1 is container b's too"
	one_line
	verb 65 check b a b
	one_line
	verb 65 check
	says 'd.conf:2:11: HOST_PORT: field 1: '
}

a_container_is_no_neighbour_of_its_own() {
	conf a <<<$'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1'
	verb 0 check a a
	same "summary" '1 container: no mistakes found' "$OUT"
}

check_as_json_has_each_finding() {
	conf a <<<$'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nX=1'
	conf b <<<$'PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1/8'
	verb 65 check --json
	same "document" '{"schema":1,"checked":2,"findings":[{"name":"a","fatal":false,"text":"/etc/containers/a.conf:3:1: X: not a key we know, so it does nothing"},{"name":"b","fatal":true,"text":"/etc/containers/b.conf:2:14: HOST_ADDRESS: '"'10.0.0.1/8' has a prefix, but the two ends of a veth route to each other's address alone: leave the prefix out\"}]}" \
		"$(jq -c . <<<"$OUT")"
}

hosts_has_lines_for_both_families() {
	conf a <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=fc00::1'
	conf b <<<$'PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.2/24\nLOCAL_ADDRESS6=fc00::2/64'
	verb 0 hosts
	same "lines" $'fc00::1 a.containers\n10.0.0.2 b.containers\nfc00::2 b.containers' "$OUT"
	verb 0 hosts --json
	same "document" '{"schema":1,"hosts":[{"address":"fc00::1","name":"a.containers"},{"address":"10.0.0.2","name":"b.containers"},{"address":"fc00::2","name":"b.containers"}]}' \
		"$(jq -c . <<<"$OUT")"
}

hosts_keeps_what_is_not_its_own() {
	conf a <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.2'
	printf '127.0.0.1 localhost\n10.0.0.9 x' >"$H/etc/hosts"
	verb 0 hosts --write
	verb 0 hosts --write
	same "file" $'127.0.0.1 localhost\n10.0.0.9 x\n# BEGIN machdeck\n10.0.0.2 a.containers\n# END machdeck' "$(<"$H/etc/hosts")"
	conf b <<<'PRIVATE_NETWORK=x'
	verb 65 hosts --write
	says '/etc/hosts stays as it is'
}

# Case 153 of the threat model.
hosts_has_only_names_and_addresses_that_are_some() {
	local name address
	conf web <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.2'
	for name in 'a b' $'x\ny' -rf a_b $'\e[31m' ... .x storage 'a;b' "$(printf '%065d' 0)" 'ä'; do
		conf "$name" <<<$'PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.66'
	done
	verb 0 hosts
	same "lines" '10.0.0.2 web.containers' "$OUT"
	for address in '10.0.0.3 bank.example' $'10.0.0.3\\\n66.0.0.1 bank' '10.0.0.3#' '::1%lo' 010.0.0.3 10.0.3 0x0a000003 '$(id)' \
		$'10.0.0.3\e[31m' $'10.0.0.3\t' 10.0.0.3/33 fc00::3::4 '*' ''; do
		printf 'PRIVATE_NETWORK=1\nLOCAL_ADDRESS="%s"\n' "$address" >"$H/etc/containers/bad.conf"
		OUT=$("$MACHDECK" hosts --root "$H" 2>"$H/said") || [ $? -eq 65 ] || fail "$address: $(cat "$H/said")"
		same "lines with '$address'" '10.0.0.2 web.containers' "$OUT"
	done
	[[ $(cat "$H/said") != *$'\e'* ]] || fail "what is said holds an escape"
}

a_folder_that_is_missing_is_no_empty_host() {
	local words
	for words in check hosts 'plan a' 'import -'; do
		# shellcheck disable=SC2086
		set -- $words
		OUT=$("$MACHDECK" "$1" --root "$T/missing" "${@:2}" 2>&1 <<<'{"containers": {"a": {}}}') && fail "$1 takes it"
		same "what $1 says" "machdeck: there is no folder $T/missing" "$OUT"
	done
}

with_nix() { command -v nix-instantiate >/dev/null || skip "nix-instantiate is missing; Debian has it in nix-bin"; }

nix_of_every_shape_becomes_the_same_confs() {
	local text web='{ privateNetwork = true; localAddress = "10.0.0.2"; bindMounts."/srv".hostPath = /data; }' wanted
	with_nix
	verb 0 import - <<<'{"containers": {"web": {"privateNetwork": true, "localAddress": "10.0.0.2", "bindMounts": {"/srv": {"hostPath": "/data"}}}}}'
	wanted=$(cat "$H/etc/containers/web.conf")
	for text in "{ web = $web; }" "{ containers.web = $web; } # x" "{ config, pkgs, lib, ... }: { containers.web = $web; other = pkgs.x; }" \
		"{ imports = [ ./x ]; config.containers.web = $web; }" "args: { containers.web = $web; }"; do
		rm -f "$H/etc/containers/web.conf"
		printf '%s\n' "$text" >"$H/in.nix"
		verb 0 import "$H/in.nix"
		same "conf of $text" "$wanted" "$(cat "$H/etc/containers/web.conf")"
		rm -f "$H/etc/containers/web.conf"
		verb 0 import --expr "$text"
		same "conf of the expression $text" "$wanted" "$(cat "$H/etc/containers/web.conf")"
	done
	verb 0 export
	rm -f "$H/etc/containers/web.conf"
	verb 0 import --expr "builtins.fromJSON ''$OUT''"
	same "conf of its export" "$wanted" "$(cat "$H/etc/containers/web.conf")"
}

nix_that_is_no_container_is_refused_in_a_sentence() {
	local text
	with_nix
	while IFS='|' read -r text wanted; do
		verb 65 import --expr "$text"
		says "$wanted"
		one_line
	done <<-'END'
		3|it is neither a set nor a module
		let|syntax error
		{ ... }: { services = 1; }|it defines no containers
		{ config, ... }: { containers.a.autoStart = config.x; }|'config' of NixOS is used
		{ containers.a.autoStart = { _type = "override"; }; }|there is a value of type 'override'
		{ containers.a.config = { ... }: {}; }|expr: /containers/a/config: it is evaluated by Nix: give the system
		{ containers.a.colour = 1; }|expr: /containers/a/colour:
		{ a.timeoutStartSec = builtins.concatStringsSep "" (builtins.genList (_: "aaaaaaaaaaaaaaaa") 100000); }|answers with more than
	END
	same "confs" "" "$(confs)"
	verb 66 import "$H/none.nix"
	says 'none.nix: No such file'
}

nix_reads_the_folder_of_its_file_and_what_is_named() {
	local what
	with_nix
	host
	mkdir -p "$H/in/sub" "$H/beside"
	echo -n 10.0.0.7 >"$H/beside/a" && cp "$H/beside/a" "$H/in/sub/a" && ln -s "$H/beside/a" "$H/in/link"
	for what in ../beside/a ./link "$H/beside/a" /etc/passwd '(builtins.fetchurl "http://127.0.0.1:9/x")'; do
		echo "{ web = { privateNetwork = true; localAddress = builtins.readFile $what; }; }" >"$H/in/c.nix"
		verb 65 import "$H/in/c.nix"
		says 'is forbidden in restricted mode'
		says '(--include FOLDER lets it be read)'
	done
	for what in ./sub/a ../beside/a ./link; do
		echo "{ web = { privateNetwork = true; localAddress = builtins.readFile $what; }; }" >"$H/in/c.nix"
		verb 0 import --include "$H/beside" "$H/in/c.nix"
		grep -qx LOCAL_ADDRESS=10.0.0.7 "$H/etc/containers/web.conf" || fail "of $what: $(cat "$H/etc/containers/web.conf")"
	done
	mkdir -p "$H/nixpkgs/lib" && echo '{ mkDefault = x: x; }' >"$H/nixpkgs/lib/default.nix" && ln -s nixpkgs "$H/channel"
	echo '{ lib, ... }: { containers.web = { privateNetwork = true; localAddress = lib.mkDefault "10.0.0.8"; }; }' >"$H/in/c.nix"
	NIX_PATH=nixpkgs=$H/channel verb 0 import "$H/in/c.nix"
	grep -qx LOCAL_ADDRESS=10.0.0.8 "$H/etc/containers/web.conf" || fail "NIX_PATH is not read"
	NIX_PATH=nixpkgs=https://127.0.0.1:9/x.tar.gz verb 65 import "$H/in/c.nix"
	says "'lib' of NixOS is used, and there is none here"
}

nix_files_need_nix() {
	host
	OUT=$(PATH=/none "$MACHDECK" import --root "$H" --expr '{}' 2>&1) && fail "it is taken"
	says 'nix-instantiate is not on this host (install nix-bin'
}

run_cases "$@"
