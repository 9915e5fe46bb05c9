# Completion of machdeck for bash.

_machdeck_names() {
	local conf
	for conf in /etc/containers/*.conf /etc/nixos-containers/*.conf; do
		[ -e "$conf" ] || continue
		conf=${conf##*/}
		echo "${conf%.conf}"
	done
	for conf in /run/systemd/machines/*; do
		[[ ! -f $conf ]] || echo "${conf##*/}"
	done
}

_machdeck() {
	local word=${COMP_WORDS[COMP_CWORD]} words
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='--linear list status watch start stop restart reload terminate kill freeze thaw enable disable forgive drop run shell login logs show-ip plan check import hosts help --default-config'
	else
		case ${COMP_WORDS[1]} in
		list) words=--json ;;
		status) words="--json --line --line=tmux --width $(_machdeck_names)" ;;
		watch) words=--json ;;
		show-ip) words="--json $(_machdeck_names)" ;;
		logs)
			case ${COMP_WORDS[COMP_CWORD - 1]} in
			-p | --priority) words='emerg alert crit err warning notice info debug' ;;
			*) words="--follow --lines --priority --grep --json $(_machdeck_names)" ;;
			esac
			;;
		plan) words="--json --root $(_machdeck_names)" ;;
		check) words="--root --json $(_machdeck_names)" ;;
		start | stop | restart | reload | terminate | kill | freeze | thaw | enable | disable | forgive | drop | run | shell | login) words=$(_machdeck_names) ;;
		import) words='--root --release -' ;;
		hosts) words='--root --json --write' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "${words:-}" -- "$word")
	[ "${COMP_WORDS[1]}" != import ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
}
complete -F _machdeck machdeck
