# Completion of portlight-rooms(1) for fish. Options and the words that they take are read from --help.

complete -c portlight-rooms -f
set -l listed '^ +(?:-(.), )?--([a-z-]+)(?:=(\S+))? +(.*)$'
for line in (portlight-rooms --help 2>/dev/null | string replace -rf $listed '$1\t$2\t$3\t$4')
    set -l match (string split \t -- $line)
    set -l option -c portlight-rooms -l $match[2] -d "$match[4]"
    test -z "$match[1]"; or set -a option -s $match[1]
    switch "$match[3]"
        case ''
        case FILE
            set -a option -r -F
        case FOLDER
            set -a option -x -a '(__fish_complete_directories)'
        case '*'
            set -a option -x
            string match -rq '^[a-z|]+$' -- $match[3]; and set -a option -a (string replace -a '|' ' ' $match[3])
    end
    complete $option
end
