#!/bin/bash
# The rules that hold for the sources as a whole, and what must hold for the programs and units made of them.

set -uo pipefail
cd "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../.."
failed=0

# verdict NAME BAD - the case passed when there are no BAD lines.
verdict() {
	if [ -z "$2" ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(head -n 1 <<<"$2")"
		tail -n +2 <<<"$2" | sed 's/^/# /'
		failed=1
	fi
}
skip() { echo "skip $1: $2"; }

sources() { find src ui -name '*.[ch]'; }
includes() { grep -nE '^#include' -r src ui --include='*.[ch]'; }

# ---- layers: a file includes its own layer and those below

declare -A RANK=([base]=0 [words]=1 [decide]=2 [drivers]=3 [engine]=4 [verbs]=5 [ui]=6)

above() {
	local file line layer other
	while IFS=: read -r file line other; do
		layer=${file#src/} layer=${layer%%/*}
		[[ $layer != *.c ]] || layer=verbs # a program of its own
		[[ $other =~ \"([a-z]+)/ ]] || continue
		other=${BASH_REMATCH[1]}
		[ "${RANK[$other]:-9}" -le "${RANK[$layer]:--1}" ] || echo "$file:$line: $layer may not include $other"
	done < <(includes)
}
verdict no_layer_includes_one_above_it "$(above)"

# ---- each foreign thing has one door: what is included, and who may

doors() {
	local header who line
	while read -r header who; do
		includes | grep -E "<$header" | grep -vE "^($who)" | while read -r line; do echo "$line only in $who"; done
	done <<-'END'
		(ncursesw/)?(n?curses|term|panel)\.h ui/term\.c
		systemd/sd-bus src/drivers/
		systemd/sd-journal src/drivers/journal
		libmnl/ src/drivers/(nl|rtnl|nft|diag)|src/mnl\.c
		jansson src/decide/|src/verbs/|src/engine/
		seccomp\.h src/drivers/confine\.
	END
}
verdict foreign_headers_have_one_door "$(doors)"
verdict deciding_does_no_input_or_output "$(grep -nE '<(fcntl|sys/(stat|mount)|dirent|systemd/.*|poll)\.h>|\b(open|fopen|read|write|socket)\(' \
	-r src/words src/decide)"
# engine/watch is a service's whole loop; its journal is all it has to tell somebody
verdict only_verbs_and_programs_print "$(grep -nE '\b(v?printf|puts|putchar|perror)\(|\bf(printf|puts|write)\(.*\b(stdout|stderr)\b' \
	-r src/base src/words src/decide src/drivers src/engine | grep -v ^src/engine/watch.c)"
verdict nothing_unsafe_is_called "$(grep -nE '\b(system|popen|strcpy|strcat|v?sprintf|gets|strtok|atoi|atol|alloca)\(' -r src ui --include='*.[ch]')"
# confine.c names what is refused; loginshell.c is where a command that was let in begins
verdict what_changes_something_asks_the_gate "$(perl tests/check/gate.pl $(find src/drivers -name "*.c" ! -name confine.c ! -name loginshell.c) 2>&1)"
# a manual is read by its headings
verdict no_file_is_over_600_lines "$(find src ui data -type f ! -name "*.[1-9]" -exec wc -l {} + | awk '$2 != "total" && $1 > 600')"

# A header that did not change since it was found to do so, and no other either, is not compiled again.
alone() {
	local header errors flags cc=${CC:-cc} proven=$B/headers-alone
	command -v "$cc" >/dev/null || return 0
	[ ! -e "$proven" ] || [ -n "$(find src ui -newer "$proven" -print -quit)" ] || return 0
	flags=$(pkg-config --cflags libsystemd libmnl jansson libseccomp)
	touch "$proven.new"
	errors=$(for header in $(sources | grep '\.h$'); do
		# shellcheck disable=SC2086
		"$cc" -std=c17 -D_GNU_SOURCE -Isrc -I. $flags -fsyntax-only -x c "$header" 2>&1 | grep -E 'error' | head -n 1
	done)
	[ -n "$errors" ] || mv "$proven.new" "$proven"
	echo -n "$errors"
}
verdict each_header_compiles_alone "$(alone)"

# A screen's name ends in its size, which tests go through.
unused() {
	local file name
	for file in tests/golden/*; do
		name=$(basename "${file%.*}" | sed -E 's/-[0-9]+x[0-9]+$//')
		grep -qrE "[\"/ ]$name\b" tests/unit tests/golden/*.sh tests/tty 2>/dev/null || echo "$file: no test reads it"
	done
}
verdict each_golden_file_has_its_test "$(unused)"

# ---- documents

words() { sed -n "s/$1/\\1/p" "$2" 2>/dev/null | sort -u; }
documented() {
	local word
	for word in $(words '^	{ "\([a-z-]*\)", verb_[a-z_]*, .*false },$' src/verbs/verbs.c); do
		grep -qE "^\\.B.*( |fB)${word/-/\\\\-}\b" data/machdeck.1 || echo "data/machdeck.1: the verb $word is missing"
		grep -qw -- "$word" data/machdeck.bash || echo "data/machdeck.bash: the verb $word is missing"
	done
	for word in $(sed -nE 's/^	+(ANYWAY|DOWN|VAGUE|INIT|OWN|NSPAWN)\("([a-z-]+)".*/\2/p; s/^	\{ STATUS_[A-Z_]+, "([a-z-]+)".*/\1/p' \
		src/decide/why.c | sort -u); do
		sed -n '/^.SH CAUSES/,/^.SH PORT DOCTOR/p' data/machdeck-causes.7 | tr -d '\\' | grep -qE "[ ,]$word(,|$)" ||
			echo "data/machdeck-causes.7: the cause $word is missing"
	done
	for word in $(sed -nE 's/^	(EACH\(|ONCE\(|\{ )"([a-z0-9-]+)", DOCTOR_.*/\2/p' src/decide/doctor_*.c | sort -u); do
		sed -n '/^.SH PORT DOCTOR/,/^.SH REACH/p' data/machdeck-causes.7 | tr -d '\\' | grep -qE "[ ,]$word(,|$)" ||
			echo "data/machdeck-causes.7: the cause $word of a dead port is missing"
	done
	for word in $(sed -nE 's/^	X\([A-Z_]+, "([a-z-]+)"\).*/\1/p' src/decide/reach.c); do
		sed -n '/^.SH REACH/,/^.SH SEE/p' data/machdeck-causes.7 | tr -d '\\' | grep -qE "[ ,]$word(,|$)" ||
			echo "data/machdeck-causes.7: the cause $word of what is not reached is missing"
	done
	for word in $(grep -hoE '"[A-Z][A-Z0-9]+(_[A-Z0-9]+)*"' src/decide/fields.c | tr -d '"' | sort -u); do
		grep -q "$word" data/machdeck-container.5 || echo "data/machdeck-container.5: the key $word is missing"
	done
	for word in $(grep -hoE '"[A-Z][A-Z0-9]+(_[A-Z0-9]+)*"' src/decide/fields.c | tr -d '"' | tr A-Z_ a-z- | sort -u); do
		sed -n '/^_machdeck_keys/,/^}/p' data/machdeck.bash | grep -qw -- "--$word" || echo "data/machdeck.bash: create's option --$word is missing"
	done
	for word in $(sed -nE 's/^	X\([A-Z_]+, "([a-z-]+)", (0|.[a-zA-Z].), .*/\1/p' ui/options.c); do
		grep -qF -- "\\-\\-${word/-/\\-}" data/machdeck-dashboard.1 || echo "data/machdeck-dashboard.1: the option --$word is missing"
		grep -q -- "--$word" data/machdeck.bash || echo "data/machdeck.bash: the option --$word is missing"
	done
	for word in $(words '^	X([A-Z]*, "\([a-z]*\)", "[A-Z].*", [0-9].*' ui/columns.h); do
		sed -n '/^Columns are/,/^[.]/p' data/machdeck-dashboard.1 | grep -qw "$word" ||
			echo "data/machdeck-dashboard.1: the column $word is missing"
	done
	for word in $(words '^	X([A-Z]*, "\([a-z]*\)", [A-Z_]*, ".*' ui/filter.h); do
		grep -q "^\.B $word$" data/machdeck-dashboard.1 || echo "data/machdeck-dashboard.1: the filter's word $word is missing"
	done
	for word in $(sed -n 's/^	X([A-Z_]*, "\([a-z_]*\)", \(WORD\|NUMBER\|COLUMNS\|SORT\),.*/\1/p' ui/settings.h | grep -vx tab); do
		grep -q "^\.BR $word " data/machdeck.conf.5 || echo "data/machdeck.conf.5: the setting $word is missing"
	done
}
verdict verbs_and_keys_are_documented "$(documented)"

# ---- the programs

softness() {
	local file elf
	for file in "$B"/machdeck "$B"/machdeck-unit "$B"/machdeck-generator "$B"/machdeck-init; do
		elf=$(readelf --wide --file-header --program-headers --dynamic --notes --symbols "$file" 2>/dev/null)
		want() { grep -qE -- "$1" <<<"$elf" || echo "$file: $2"; }
		want 'Type: *DYN' "not position independent"
		want GNU_RELRO "no RELRO"
		want 'BIND_NOW|Flags:.* NOW' "binds lazily"
		want 'GNU_STACK.* RW ' "its stack is executable"
		! grep -qE 'RPATH|RUNPATH' <<<"$elf" || echo "$file: has an RPATH"
		grep -q INTERP <<<"$elf" || continue # static: its C library is the distribution's
		want __stack_chk_fail "no stack protector"
		want '_chk@' "not fortified"
	done
	# of one object, since the C library that ours are linked with may be without
	[ "$(uname -m)" != x86_64 ] || [[ $(readelf --notes "$B/ui/main.o") = *"IBT, SHSTK"* ]] || echo "compiled without IBT and SHSTK"
	! readelf --program-headers "$B/machdeck-init" | grep -q INTERP || echo "machdeck-init needs a loader"
	[ "$(stat -c %s "$B/machdeck-init" 2>/dev/null || echo 0)" -lt 1000000 ] || echo "machdeck-init is over 1 MB"
}
if [ -z "${B:-}" ] || [[ $B = */asan ]]; then
	skip programs_are_hardened "these are not the programs that are installed"
elif ! command -v readelf >/dev/null; then
	skip programs_are_hardened "readelf is missing; type: make deps"
else
	verdict programs_are_hardened "$(softness)"
fi

# ---- what is installed

if [ ! -d "${STAGE:-/none}" ]; then
	skip units_are_sound "there is no staged install; type: make stage"
else
	verdict nothing_installed_is_setuid "$(find "$STAGE" -perm /6000)"
	tree=$(mktemp -d)
	units=$(mktemp -d)
	trap 'rm -rf "$tree" "$units"' EXIT
	for target in install uninstall; do
		env -u MAKEFLAGS make --silent B="$B" PREFIX=/usr DESTDIR="$tree" $target >&2
		verdict "${target}_knows_every_file" "$(diff <([ $target = uninstall ] || find "$STAGE" -type f -printf '%P %m\n' | sort) \
			<(find "$tree" -type f -printf '%P %m\n' | sort))"
	done
	if ! command -v systemd-analyze >/dev/null; then
		skip units_are_sound "systemd-analyze is missing; type: make deps"
	else
		for unit in "$STAGE"/usr/lib/systemd/system/*.service; do
			sed -E "s#=(/usr/(bin|libexec)/)#=$STAGE\1#" "$unit" >"$units/$(basename "$unit")"
		done
		verdict units_are_sound "$(systemd-analyze verify --man=no "$units"/*.service 2>&1 || echo "systemd-analyze fails")"
	fi
fi
exit "$failed"
