#!/bin/bash
# A container's whole life by the keys of the dashboard, after which the host is as before.

. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/making.sh"
scenario cycle-keys

# keys LINE... - a script of the dashboard; what it showed last is in $said.
making+='
keys() { printf "%s\n" "size 120x40" "$@" show >/tmp/script; exits 0 machdeck --script /tmp/script; }
'

a_clone_gets_another_name_and_both_are_destroyed_by_keys() {
	script <<-'END'
		mini /src
		exits 0 machdeck create gone --tree /src --start; exits 0 machdeck destroy --yes gone # leaves what stays on a host
		before=$(picture)
		exits 0 machdeck create one --tree /src
		keys "wait one" "key Y" "wait clone one as" "type two" "key Enter" "wait two: cloned" "wait two " "key @" "wait machdeck clone one two"
		same second "$(cat $ROOTS/one/srv/index.html)" "$(cat $ROOTS/two/srv/index.html)"
		keys "wait two" "key G" "key =" "wait rename two as" "type one" "key Enter" "wait is taken" "key C-u" "type three" "key Enter" \
			"wait renamed to three"
		[ -d $ROOTS/three ] && not test -e $ROOTS/two
		exits 0 machdeck start three
		keys "wait three" "key G" "key =" "wait is not down"
		keys "wait three" "key G" "key -" "wait delete" "rest 300" "type thre" "key Enter" "wait nothing was done"
		same state active "$(state three)"
		keys "wait three" "key G" "key -" "wait delete" "rest 300" "type three" "key Enter" "wait three: destroyed"
		keys "wait one" "key g" "key -" "wait delete" "rest 300" "type one" "key Enter" "wait one: destroyed"
		unchanged "$before"
	END
}

what_is_declared_elsewhere_is_refused_before_a_name_is_typed() {
	script <<-'END'
		mini /src
		exits 0 machdeck create one --tree /src
		mkdir -p /declared; mv $CONFS/one.conf /declared/; ln -s /declared/one.conf $CONFS/one.conf
		for key in - =; do
			keys "wait one" "key $key" "wait cannot" "wait declared"
		done
		[ -d $ROOTS/one ]
		rm $CONFS/one.conf; mv /declared/one.conf $CONFS/
		exits 0 machdeck destroy --yes one
	END
}

run_cases "$@"
