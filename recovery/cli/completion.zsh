#compdef assent
# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
#
# completion.zsh -- zsh completion for assent: commands, options, files.

_assent_log() {
    local -a commands=(
        'verify:read every page of every segment'
        'dump:write every record, in order, in words'
        'stats:sizes, records, forces, and what keeps decisions'
        'repair:repair a torn log, or salvage a damaged one'
    )
    _arguments -C \
        '--directory[the log'\''s directory]:directory:_files -/' \
        '--progress[say how far it is]' \
        '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe command commands ;;
        argument)
            case $words[1] in
                dump)
                    _arguments '--gtrid[only of this transaction]:gtrid:' \
                        '*--type[only records of this type]:type:(opening binding decision end heuristic
                            horizon server-start operator rollback limits binding-epoch retirement rebinding)' \
                        '--unfinished[only what is still to be carried out]'
                    ;;
                repair)
                    _arguments '--salvage-into[the new log]:directory:_files -/' \
                        '--reason[why]:text:' '--yes[without asking]'
                    ;;
            esac
            ;;
    esac
}

_assent() {
    local -a commands=(
        'status:what the log says'
        'scan:what the databases have prepared, and what recovery would do'
        'metrics:the same, as text for Prometheus'
        'report:the same, as a page to read, to print and to keep'
        'doctor:examine the directory of the log and every database'
        'recover:finish what can be finished'
        'drain:the same, and whether nothing of this node is left'
        'show:everything known of one transaction'
        'forget:take a heuristic outcome off the record'
        'resolve:end one prepared branch as a person says'
        'adopt:end one branch of another node, whose log is lost'
        'retire:give up a database that is gone for good'
        'rebind:say that another database took its place'
        'log:look at the files of a log, and repair it'
    )
    local -a person=('--dry-run[show the plan]' '--reason[why]:text:' '--yes[without asking]')
    local -a waiting=('--timeout[wait so long for a live owner]:seconds:')
    local curcontext=$curcontext state line
    _arguments -C \
        '(-c --config)'{-c,--config}'[the configuration]:file:_files' \
        '--json[write JSON]' '--help[help]' '--version[the version]' \
        '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe command commands ;;
        argument)
            case $words[1] in
                status) _arguments '--watch=-[look again and again]::seconds:' ;;
                metrics) _arguments '--output[a file that is replaced]:file:_files' ;;
                report)
                    _arguments '--html[an HTML page]:file:_files' '--offline[ask no database]'
                    ;;
                doctor) _arguments '--all[show also what is ok]' ;;
                recover | drain)
                    _arguments '--timeout[give up after so long]:seconds:' \
                        '--presumed-abort-delay[hold the lock for so long before rolling back]:seconds:'
                    ;;
                forget) _arguments $person $waiting '--branch[only of this database]:name:' '1:gtrid:' ;;
                resolve)
                    _arguments $person $waiting '--branch[the database that lists it]:name:' \
                        '(--rollback)--commit[commit it]' '(--commit)--rollback[roll it back]' '1:gtrid:'
                    ;;
                adopt)
                    _arguments $person '--branch[the database that lists it]:name:' \
                        '(--rollback)--commit[commit it]' '(--commit)--rollback[roll it back]' '1:gtrid:'
                    ;;
                retire | rebind) _arguments $person '1:name:' ;;
                log) _assent_log ;;
            esac
            ;;
    esac
}

_assent "$@"
