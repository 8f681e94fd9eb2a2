# shellcheck shell=bash
# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
#
# completion.bash -- bash completion for assent: commands, options, files.

_assent() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' each
    COMPREPLY=()
    case $before in
        -c | --config | --output | --html)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --directory | --salvage-into)
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        --type)
            mapfile -t COMPREPLY < <(compgen -W 'opening binding decision end heuristic horizon
                server-start operator rollback limits binding-epoch
                retirement rebinding' -- "$word")
            return
            ;;
        --timeout | --presumed-abort-delay | --gtrid | --reason | --branch | --watch)
            return
            ;;
    esac
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $each in
            status | scan | metrics | report | doctor | recover | drain | show | log | \
                forget | resolve | adopt | retire | rebind)
                command=$each
                ;;
            verify | dump | stats | repair)
                [[ $command != log ]] || command=log-$each
                ;;
        esac
    done
    local offered='--config --json --help'
    case $command in
        '') offered="status scan metrics report doctor recover drain show forget resolve
            adopt retire rebind log --version $offered" ;;
        log) offered="verify dump stats repair --directory --progress $offered" ;;
        log-dump) offered="--gtrid --type --unfinished --directory --progress $offered" ;;
        log-repair) offered="--salvage-into --reason --yes --directory --progress $offered" ;;
        log-*) offered="--directory --progress $offered" ;;
        status) offered="--watch $offered" ;;
        metrics) offered="--output $offered" ;;
        report) offered="--html --offline --config --help" ;;
        doctor) offered="--all $offered" ;;
        forget) offered="--branch --dry-run --reason --yes --timeout $offered" ;;
        retire | rebind) offered="--dry-run --reason --yes $offered" ;;
        resolve) offered="--branch --commit --rollback --dry-run --reason --yes --timeout
            $offered" ;;
        adopt) offered="--branch --commit --rollback --dry-run --reason --yes $offered" ;;
        recover | drain) offered="--timeout --presumed-abort-delay $offered" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
}

complete -o filenames -F _assent assent
