# Completion of portlight(1) for bash.
_portlight() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words
	COMPREPLY=()
	case $command:$prev in
	record:--codec) words='vp8 vp9' ;;
	record:--cursor | record:-c) words='embedded hidden' ;;
	record:--source | record:-s) words='screen window' ;;
	record:--duration | record:-d | record:--fps | record:-r | record:--kbps | record:-b) words='' ;;
	*install:--browser | *install:-b | doctor:--browser | doctor:-b) words=$("${COMP_WORDS[0]}" install --help 2>/dev/null | sed -n 's/^Browsers: //p') ;;
	install:--host) return ;;
	record:*)
		[[ $cur == -* ]] || return # a file: bash's own completion
		words='--duration --source --cursor --codec --fps --kbps --force --help'
		;;
	install:*) words='--browser --all --host --help' ;;
	uninstall:*) words='--browser --help' ;;
	doctor:*) words='--browser --json --live --help' ;;
	grants:grants) words='revoke --json --help' ;;
	grants:*) words="--all --help $("${COMP_WORDS[0]}" grants 2>/dev/null | sed -n 's/^\(http[^ ]*\) .*/\1/p')" ;;
	esac
	if ((COMP_CWORD == 1)); then
		words='record doctor install uninstall grants --help --version'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _portlight portlight
