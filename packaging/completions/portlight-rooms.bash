# Completion of portlight-rooms(1) for bash. Options and the words that they take are read from --help.

_portlight_rooms() {
	local cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) options value
	options=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -nE 's/^ +(-(.), )?(--[a-z-]+)(=([^ ]+))?( .*)?$/-\2 \3 \5/p')
	COMPREPLY=()
	# bash splits --option=value into words.
	[[ $cur != = ]] || { cur='' && ((at++)); }
	[[ ${COMP_WORDS[at]} != = ]] || ((at--))
	value=$(awk -v option="${COMP_WORDS[at]}" '$1 == option || $2 == option { print $3 }' <<<"$options")
	case $value in
	FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	FOLDER) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*[!a-z\|]*) ;;
	?*) mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$cur") ;;
	*) [[ $cur != -* ]] || mapfile -t COMPREPLY < <(compgen -W "$(awk '{ print $2 }' <<<"$options")" -- "$cur") ;;
	esac
}
complete -o default -F _portlight_rooms portlight-rooms
