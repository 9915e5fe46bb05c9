# Sourced by tests/lab/test-scenarios-*.sh, after lib.sh. Each file has one host and boots it with `scenario NAME`.
# A case is a script for `inside`: it runs in the host with the functions of inside.sh, and leaves an empty host.

scenario() { # NAME [OPTION of lab up]...
	SCENE=$1
	lab_host "$@" --bind "$LAB_DIR:/lab/tests"
}

inside() { # the script comes from stdin; what it runs cannot read from there
	"$LAB" run "${HOSTS[$SCENE]}" -- bash -c "$(declare -f fail want same); . /lab/tests/inside.sh; $(cat)" </dev/null ||
		exit # and do not say that this line failed
}
