#!/bin/bash
# What people read holds what the program says: the keys in the manual, the pictures in the README. UPDATE_GOLDEN=1
# writes them anew.

set -uo pipefail
cd "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../.." || exit
MACHDECK=${MACHDECK:-build/machdeck}
failed=0
new=$(mktemp)
trap 'rm -f "$new"' EXIT

# compare NAME FILE - the case passed when FILE is as in $new; else it is made so, or said where it differs.
compare() {
	local bad
	if bad=$(diff -u "$2" "$new"); then
		echo "ok $1"
	elif [ -n "${UPDATE_GOLDEN:-}" ]; then
		cat "$new" >"$2"
		echo "ok $1: $2 was made anew"
	else
		echo "not ok $1: $2 differs; UPDATE_GOLDEN=1 tests/check/manual.sh makes it anew"
		sed 's/^/# /' <<<"$bad"
		failed=1
	fi
}

# between FROM TO FILE - the file, with stdin between the lines that match.
between() { awk -v from="$1" -v to="$2" 'NR == FNR { text = text $0 "\n"; next }
	$0 ~ to { inside = 0 } !inside { print } $0 ~ from { printf "%s", text; inside = 1 }' - "$3"; }

"$MACHDECK" help keys | awk -f tests/check/keys.awk | between '^[.]SH KEYS' '^[.]SH MOUSE' data/machdeck-dashboard.1 >"$new"
compare the_manual_has_every_key data/machdeck-dashboard.1

tests/check/pictures "$MACHDECK" | between '^<!-- pictures' '^<!-- end' README.md >"$new"
compare the_readme_has_the_real_screen README.md

pages() {
	local page
	for page in data/*.[157]; do
		MANROFFSEQ='' man --warnings -l "$page" 2>&1 >/dev/null | sed "s,^,$page: ,"
	done
}
if ! command -v man >/dev/null; then
	echo "skip the_pages_are_sound: man is missing; type: make deps"
else
	pages >"$new"
	if [ -s "$new" ]; then
		echo "not ok the_pages_are_sound: man warns"
		sed 's/^/# /' "$new"
		failed=1
	else
		echo "ok the_pages_are_sound"
	fi
fi
exit "$failed"
