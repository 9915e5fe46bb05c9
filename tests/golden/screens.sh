#!/bin/bash
# Every screen at six sizes, with and without Unicode: each screens/NAME.script is pressed on a tape (its first line) and
# compared with screens/NAME.txt. UPDATE_GOLDEN=1 rewrites those; then read the difference.
set -uo pipefail
cd "$(dirname -- "$(realpath -- "$0")")/../.."
B=${B:-build} MACHDECK=${MACHDECK:-$B/machdeck}
folder=tests/golden/screens
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# screens NAME - all of that script's; of 80x24 also what each cell means.
screens() {
	local script=$folder/$1.script tape size letters
	tape=$(sed -n '1s/^tape //p' "$script")
	for size in 20x5 40x10 60x15 80x24 120x40 200x50; do
		for letters in utf8 ascii; do
			echo "== $size $letters"
			{
				printf 'size %s\n%s\n' "$size" "$letters"
				sed 1d "$script"
				[ "$size $letters" = "80x24 utf8" ] && echo "save /dev/stdout" || echo show
			} >"$work/script"
			env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 TZ=UTC "$MACHDECK" --script "$work/script" \
				--replay "tests/tapes/$tape.tape" --speed 0 2>&1 || echo "ended with status $?"
		done
	done
}

for script in "$folder"/*.script; do
	name=$(basename "$script" .script)
	screens "$name" | cat >"$work/$name.txt" # a pipe: save would cut a file
	[ -z "${UPDATE_GOLDEN:-}" ] || cp "$work/$name.txt" "$folder/$name.txt"
	if grep -q '^ended with' "$work/$name.txt"; then
		echo "not ok screens_of_$name: $(grep -m 1 -B 1 '^ended with' "$work/$name.txt" | tr '\n' ' ')"
		failed=1
	elif diff -u "$folder/$name.txt" "$work/$name.txt" >"$work/diff"; then
		echo "ok screens_of_$name"
	else
		echo "not ok screens_of_$name: differ (UPDATE_GOLDEN=1 rewrites them, then read the difference)"
		head -n 60 "$work/diff" | sed 's/^/# /'
		failed=1
	fi
done
# Who presses keys on a real host must mean them.
printf 'pretend\nkey s\n' >"$work/script"
said=$(env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 "$MACHDECK" --script "$work/script" 2>&1)
if [ $? -eq 65 ] && [[ $said = *'pretend is for tapes'* ]]; then
	echo "ok pretending_takes_a_tape"
else
	echo "not ok pretending_takes_a_tape: $said"
	failed=1
fi
exit "$failed"
