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

# The values of what is before the word: --theme, = and perhaps a beginning of it.
_machdeck_values() {
	case $1 in
	--color) echo auto always never ;;
	--theme) echo default mono high-contrast deuteranopia tritanopia ;;
	-s | --sort) echo urgency name state up cpu history mem limit tasks rx tx address ports os unit autostart ;;
	-f | --filter) echo state: kind: os: cause: why: unit: addr: net: port: auto: name: state:failed state:bad ;;
	-d | --period) echo 0 1 2 5 10 60 ;;
	--speed) echo 0 1 10 60 ;;
	esac
}

_machdeck_options() {
	echo --read-only --write --filter --sort --period --color --theme --ascii --linear --record --replay --speed --script
}

_machdeck_create_options() {
	echo --tree --image --tarball --bootstrap --adopt --suite --mirror --packages --config --config-file --nixos-path \
		--ensure-unique-name --start --dry-run --progress
	_machdeck_keys
}

# Every key of a conf is an option.
_machdeck_keys() {
	echo --system-path --flake --copy-resolv-conf --private-network --host-bridge --host-port --host-address --host-address6 \
		--local-address --local-address6 --local-mac-address --network-namespace-path --private-users --interfaces --macvlans \
		--auto-start --masquerade --extra-nspawn-flags --ephemeral --enable-tun --timeout-start-sec --tmpfs --additional-capabilities \
		--allowed-devices --extra-veths --memory-max --cpu-quota --tasks-max --io-weight --init --release
}

_machdeck() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	local verbs='list status watch start stop restart reload terminate kill freeze thaw enable disable forgive drop run shell login copy-to copy-from bind logs show images links ports doctor mend show-ip plan check import export diff get set unset edit undo history limit hosts'

	verbs+=' create clone rename snapshot snapshots restore reset update generations rollback destroy'
	if [ "$word" = = ]; then # bash parts words at it
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $before = --record || $before = --replay || $before = --script ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	if words=$(_machdeck_values "$before") && [ -n "$words" ] && [[ ${COMP_WORDS[1]} = -* ]]; then
		:
	elif [ "$COMP_CWORD" -eq 1 ]; then
		words="$(_machdeck_options) $verbs help --help --version --default-config"
	else
		case ${COMP_WORDS[1]} in
		-*) words=$(_machdeck_options) ;;
		list) words=--json ;;
		status) words="--json --line --line=tmux --width $(_machdeck_names)" ;;
		watch) words=--json ;;
		ports) words=--json ;;
		mend) words="--dry-run --orphans --json $(_machdeck_names)" ;;
		doctor) words="--probe --json $(_machdeck_names)" ;;
		images | links) words=--json ;;
		copy-to) words="--force --snapshot --dry-run $(_machdeck_names)" ;;
		copy-from) words="--force --dry-run $(_machdeck_names)" ;;
		bind) words="--read-only --idmap --dry-run $(_machdeck_names)" ;;
		show | show-ip) words="--json $(_machdeck_names)" ;;
		logs)
			case ${COMP_WORDS[COMP_CWORD - 1]} in
			-p | --priority) words='emerg alert crit err warning notice info debug' ;;
			*) words="--follow --lines --priority --grep --json $(_machdeck_names)" ;;
			esac
			;;
		plan) words="--json --root $(_machdeck_names)" ;;
		check) words="--root --json --resolve $(_machdeck_names)" ;;
		start | stop | restart | reload | terminate | kill | freeze | thaw | enable | disable | forgive | drop) words="--dry-run $(_machdeck_names)" ;;
		run) words="--snapshot $(_machdeck_names)" ;;
		shell | login) words=$(_machdeck_names) ;;
		help) words="keys $verbs" ;;
		create) words="$(_machdeck_create_options)" ;;
		clone) words="--live --overlay --ensure-unique-name --start --dry-run --progress $(_machdeck_keys) $(_machdeck_names)" ;;
		rename) words="--dry-run $(_machdeck_names)" ;;
		snapshot) words="--copy --dry-run $(_machdeck_names)" ;;
		snapshots) words="--json --delete --dry-run $(_machdeck_names)" ;;
		restore | reset) words="--yes --name --dry-run $(_machdeck_names)" ;;
		update) words="--config --config-file --flake --nixos-path --snapshot --dry-run --progress $(_machdeck_names)" ;;
		generations) words="--json $(_machdeck_names)" ;;
		rollback) words="--dry-run --progress $(_machdeck_names)" ;;
		destroy) words="--yes --name --detach --no-stop --now --dry-run $(_machdeck_names)" ;;
		import)
			words='--root --release --registries --include --dry-run --yes --expr -'
			[ "$before" != --registries ] || words='v1 v2'
			;;
		export) words="--root --virtualisation $(_machdeck_names)" ;;
		limit) words="--runtime --dry-run MemoryMax= CPUQuota= TasksMax= IOWeight= $(_machdeck_names)" ;;
		set | unset | edit | undo) words="--dry-run --unit --unit= $(_machdeck_names)" ;;
		get | history) words="--json --unit --unit= $(_machdeck_names)" ;;
		hosts) words='--root --json --write --dry-run' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "${words:-}" -- "$word")
	[[ ${COMP_WORDS[1]} != import && ! ($before =~ ^--(tree|tarball|config-file|nixos-path)$) ]] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
}

_machdeck_compat() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
	local builds='--config --config-file --flake --nixos-path'
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='list create destroy start stop restart terminate status update login root-login run show-ip show-host-key --help'
	elif [ "${COMP_WORDS[1]}" = create ]; then
		words="$builds --system-path --ensure-unique-name --auto-start --bridge --port --host-address --local-address"
	elif [ "${COMP_WORDS[1]}" = update ]; then
		words="$builds $(_machdeck_names)"
	elif [ "${COMP_WORDS[1]}" != list ]; then
		words=$(_machdeck_names)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	[[ ! $before =~ ^--(config-file|nixos-path|system-path)$ ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _machdeck machdeck
complete -F _machdeck_compat nixos-container
