# Completion of portlight(1) for bash. Commands, options and the words that they take are read from --help.

# The options of a command, or of portlight itself: "-d --duration SECONDS" each.
_portlight_options() {
	"$@" --help 2>/dev/null | sed -nE 's/^ +(-(.), )?(--[a-z-]+)(=([^ ]+))?( .*)?$/-\2 \3 \5/p'
}

_portlight_commands() {
	"$1" --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  +.*/\1/p'
}

_portlight_browsers() {
	"$1" install --help 2>/dev/null | sed -n 's/^Browsers: //p'
}

# What an option of that metavar takes.
_portlight_values() {
	case $2 in
	*'|'*) compgen -W "${2//|/ }" -- "$3" ;;
	NAME) compgen -W "$(_portlight_browsers "$1")" -- "$3" ;;
	DIR) compgen -d -- "$3" ;;
	PATH) compgen -f -- "$3" ;;
	esac
}

# What a command takes beside options. Of a file bash's own completion knows more.
_portlight_operands() {
	case $2 in
	install | uninstall) _portlight_browsers "$1" ;;
	grants)
		if [[ " ${COMP_WORDS[*]} " == *' revoke '* ]]; then
			"$1" grants list 2>/dev/null | sed -n 's/^\(http[^ ]*\) .*/\1/p'
		else
			echo list revoke
		fi
		;;
	help) _portlight_commands "$1" ;;
	esac
}

_portlight() {
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1))
	local short long value colon=
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(_portlight_commands "$program")
			$(_portlight_options "$program" | cut -d' ' -f2)" -- "$cur")
		return
	fi
	# bash splits --option=value and https://origin into words; `at` is the one before the value, or the colon.
	[[ $cur != [=:] ]] || { cur='' && ((at++)); }
	case ${COMP_WORDS[at]} in
	=) ((at--)) ;;
	:) colon=1 ;;
	esac
	while [[ ${COMP_WORDS[at]} == -?* ]] && read -r short long value; do
		if [[ -n $value && " $short $long " == *" ${COMP_WORDS[at]} "* ]]; then
			mapfile -t COMPREPLY < <(_portlight_values "$program" "$value" "$cur")
			return
		fi
	done < <(_portlight_options "$program" "$command")
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_portlight_options "$program" "$command" |
			while read -r short long value; do echo "$long${value:+=}"; done)" -- "$cur")
		[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_portlight_operands "$program" "$command" |
			sed "${colon:+s/^https*://}")" -- "$cur")
	fi
}
complete -o default -F _portlight portlight
