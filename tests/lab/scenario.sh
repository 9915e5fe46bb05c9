# Sourced by tests/lab/test-scenarios-*.sh, after lib.sh. Each file has one host and boots it with `scenario NAME`.
# A case is a script for `inside`: it runs in the host with the functions of inside.sh, and leaves an empty host.

scenario() { # NAME [OPTION of lab up]...
	SCENE=$1
	lab_host "$@" --bind "$LAB_DIR:/lab/tests"
}

# file_system KIND SIZE - made in a file and mounted at $T/KIND, or the reason in $T/KIND/why-not.
file_system() {
	mkdir -p "$T/$1"
	if ! command -v "mkfs.$1" >/dev/null; then
		echo "mkfs.$1 is missing; type: make deps" >"$T/$1/why-not"
	elif ! { truncate -s "$2" "$T/$1.img" && "mkfs.$1" -q "$T/$1.img" && mount -n -o loop "$T/$1.img" "$T/$1"; } >/dev/null 2>&1; then
		echo "this machine can not mount $1 from a file" >"$T/$1/why-not"
	fi
}
has() { [ ! -e "$T/$1/why-not" ] || skip "$(cat "$T/$1/why-not")"; }

inside() { # the script comes from stdin; what it runs cannot read from there
	on "$SCENE" bash -c "$(declare -f fail want same); . /lab/tests/inside.sh; $(cat)" </dev/null ||
		exit # and do not say that this line failed
}
