# Sourced by tests/lab/test-*.sh.
#
# A test file is a few functions and, as its last line, `run_cases "$@"`. A function whose name has three words or
# more is a case and states what it proves: a_killed_owner_leaves_no_host_behind. Helpers have shorter names.
# Cases run in order, each in a subshell under `set -e`; naming some as arguments runs only those.

set -euo pipefail

# Scratch space, $T, is a tmpfs in a mount namespace of the test's own, so that a killed test leaves no files either.
T=/var/tmp
if [ "$EUID" -eq 0 ] && [ -z "${IN_LAB_TEST:-}" ]; then
	IN_LAB_TEST=1 exec unshare --mount --propagation private -- \
		bash -c 'mount -n -t tmpfs test /var/tmp && exec bash "$@"' bash "$0" "$@"
fi

LAB_DIR=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
LAB=$LAB_DIR/lab
. "$LAB" # find_cgroups, use_host, enter
TOP=$(dirname -- "$(dirname -- "$LAB_DIR")")
declare -A HOSTS=() # what a test calls its host -> what the lab does
STAGE=${STAGE:-$TOP/build/stage} # machdeck as `make stage` installs it

# fail WHY / skip WHY - end this case.
fail() { echo "$*" >&2; exit 1; }
skip() { echo "$*" >&2; exit 77; }

# lab_host NAME [OPTION of lab up]... - boots a host with the staged install, which goes with whoever called: at the
# top of a file it lives as long as the file, in a case as long as the case.
lab_host() {
	local name=$1 out rc=0 owner=$BASHPID
	shift
	[ -x "$STAGE/usr/bin/machdeck" ] || no_host 1 "there is no staged install in $STAGE; type: make stage"
	HOSTS[$name]=$name-$owner
	find_cgroups || true # here once, not in each subshell of `on`; without any, `up` says so
	out=$("$LAB" up "$name-$owner" --owner "$owner" --stage "$STAGE" "$@" 2>&1) || rc=$?
	[ "$rc" -eq 0 ] || no_host "$rc" "${out#SKIP: }"
	[[ $out != *degraded* ]] || no_host 1 "$out"
}

no_host() { # STATUS WHY - in a case this ends the case, else all cases of the file
	local name
	[ "$BASHPID" -ne $$ ] || for name in $(cases); do
		verdict "$1" "$name" "$(tail -n 1 <<<"$2")"
	done
	echo "$2" >&2
	exit "$1"
}

# on NAME CMD... - in the host lab_host NAME booted. Without CMD: a bash script from stdin, ended by its first error.
on() {
	local name=$1
	shift
	[ $# -gt 0 ] || set -- bash -euo pipefail -s
	(use_host "${HOSTS[$name]}" && enter "$@")
}

# want SECONDS CMD... - CMD must succeed (and no output of its fails) within the time; it is asked every 40 ms, then less
# often, since to ask is work.
want() {
	local seconds=$1 deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) milliseconds=40 pause nothing out
	shift
	exec {nothing}<>/dev/ptmx # nobody writes to its other end, so that a pause needs no process, and $! stays
	until out=$("$@" 2>&1 {nothing}>&-); do
		((${EPOCHREALTIME/[.,]/} < deadline)) || fail "not within $seconds s: $* (${out##*$'\n'})"
		printf -v pause 0.%03d $milliseconds
		read -rt $pause -u $nothing || true
		milliseconds=$((milliseconds < 200 ? milliseconds * 3 / 2 : 300))
	done
	exec {nothing}>&-
}

# same WHAT WANTED GOT
same() { [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"; }

cases() { grep -oE '^[a-z0-9]+(_[a-z0-9]+){2,}\(\)' "$0" | tr -d '()'; }

verdict() { # STATUS NAME WHY
	case $1 in
	0) echo "ok $2" ;;
	77) echo "skip $2: $3" ;;
	*) echo "not ok $2: $3" ;;
	esac
}

run_cases() {
	local name rc failed=0 log
	exec {log}<>"$(mktemp -p "$T")"
	rm -f "$(readlink "/proc/self/fd/$log")"
	[ $# -gt 0 ] || set -- $(cases)
	for name; do
		: >"/proc/self/fd/$log"
		(
			set -E
			trap 'echo "line $LINENO: ${BASH_COMMAND%%$'"'\\n'"'*} failed with status $?" >&2' ERR
			"$name"
		) >>"/proc/self/fd/$log" 2>&1 {log}>&- &
		rc=0
		wait $! || rc=$?
		verdict "$rc" "$name" "$(tail -n 1 "/proc/self/fd/$log")"
		[ "$rc" -eq 0 ] || [ "$rc" -eq 77 ] || { failed=1 && sed 's/^/# /' "/proc/self/fd/$log"; }
	done
	exit "$failed"
}
