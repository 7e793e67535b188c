# Completion of portlight(1) for fish. Commands, options and the words that they take are read from --help.

# The command on the line is this one.
function __portlight_command
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]
end

function __portlight_browsers
    portlight install --help 2>/dev/null | string replace -rf '^Browsers: ' '' | string split ' '
end

function __portlight_grants
    if contains revoke (commandline -opc)
        portlight grants list 2>/dev/null | string replace -rf '^(http\S*) .*' '$1'
    else
        printf '%s\n' list revoke
    end
end

# What an option of that metavar takes.
function __portlight_value
    switch $argv[1]
        case ''
        case '*|*'
            printf '%s\n' -x -a (string replace -a '|' ' ' $argv[1])
        case NAME
            printf '%s\n' -x -a '(__portlight_browsers)'
        case DIR
            printf '%s\n' -x -a '(__fish_complete_directories)'
        case PATH
            printf '%s\n' -r -F
        case '*'
            printf '%s\n' -x
    end
end

# The options of a command, or of portlight itself: a condition, then what comes before --help.
function __portlight_options
    set -l option '^ +(?:-(.), )?--([a-z-]+)(?:=(\S+))? +(.*)$'
    for line in (portlight $argv[2..] --help 2>/dev/null | string replace -rf $option '$1\t$2\t$3\t$4')
        set -l parts (string split \t -- $line)
        set -l short
        test -z "$parts[1]"; or set short -s $parts[1]
        complete -c portlight -n $argv[1] $short -l $parts[2] (__portlight_value $parts[3]) -d $parts[4]
    end
end

complete -c portlight -f
__portlight_options __fish_is_first_token
for line in (portlight --help 2>/dev/null | string match -r '^  [a-z]+  +.*')
    set -l command (string match -r '\S+' -- $line)
    set -l text (string replace -r '^  [a-z]+  +' '' -- $line)
    complete -c portlight -n __fish_is_first_token -a $command -d $text
    complete -c portlight -n '__portlight_command help' -a $command -d $text
    __portlight_options "__portlight_command $command" $command
end
complete -c portlight -n '__portlight_command record' -F
complete -c portlight -n '__portlight_command install; or __portlight_command uninstall' -a '(__portlight_browsers)'
complete -c portlight -n '__portlight_command grants' -a '(__portlight_grants)'
