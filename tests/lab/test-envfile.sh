#!/bin/bash
# What we read from an environment file is what systemd itself reads from it.
. "$(dirname "$0")/lib.sh"

N=420
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
envmap=$(realpath "${B:-$TOP/build}")/tests/tools/envmap
lab_host h --bind "$work:/env"

make_files() {
	mkdir -p "$work/in" "$work/ours" "$work/theirs"
	local i rc
	for ((i = 0; i < N; i++)); do
		"$envmap" "$i" >"$work/in/$i"
		rc=0
		"$envmap" "$work/in/$i" >"$work/ours/$i" 2>"$work/why" || rc=$?
		[ $rc -eq 0 ] || { [ $rc -eq 65 ] && rm "$work/ours/$i"; }
	done
}

ask_systemd() {
	on h <<'END'
cat >/run/systemd/system/env@.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
EnvironmentFile=/env/in/%i
ExecStart=/usr/bin/env -0
StandardOutput=file:/env/theirs/%i
UNIT
systemctl daemon-reload
cd /env/in
for part in {0..5}; do
	systemctl start $(ls | awk -v p=$part '$1 % 6 == p { print "env@" $1 }') || :
done
END
}

every_map_that_we_accept_is_systemds_own() {
	make_files
	ask_systemd
	local i accepted=0 ours theirs
	for ((i = 0; i < N; i++)); do
		[ -e "$work/ours/$i" ] || continue
		accepted=$((accepted + 1))
		ours=$(tr '\0\n' '\n\1' <"$work/ours/$i" | sort)
		theirs=$(tr '\0\n' '\n\1' <"$work/theirs/$i" |
			LC_ALL=C sed -E '/^(PATH|LANG|INVOCATION_ID|SYSTEMD_EXEC_PID|JOURNAL_STREAM|USER|MEMORY_PRESSURE_[A-Z]*|LC_[A-Z]*)=/d' | sort)
		[ "$ours" = "$theirs" ] || fail "file $i: $(cat -A "$work/in/$i") ours: $ours theirs: $theirs"
	done
	echo "$accepted of $N accepted"
	[ $accepted -ge 300 ] || fail "only $accepted of $N files were accepted: too few to mean something"
}

run_cases "$@"
