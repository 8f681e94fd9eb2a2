# shellcheck shell=bash
# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
#
# private_servers.bash -- a PostgreSQL and a MariaDB server for one run of an example.  Sourced.
#
# They touch no server that is on this machine already: they have their own directories, ports and,
# under root, an unprivileged user.  They are stopped at the end, however it comes; after kill -9 of
# the script their watchdogs do it.

# shellcheck disable=SC2154  # whoever sources this has sourced .ci/common.bash
servers=$root/tests/servers
scratch=''

step() { printf '==> %s\n' "$*"; }

cleanup() {
    local status=$? kind
    trap - EXIT
    if [ -n "$scratch" ]; then
        step 'stopping the servers'
        for kind in postgresql mariadb; do
            "$servers/$kind" stop "$scratch/$kind" || status=1
        done
        rm -rf -- "$scratch"
    fi
    exit "$status"
}

# start_server KIND: initialises and starts it, guarded by a watchdog that outlives this script:
# it waits for the end of a pipe that this script, and what it runs, hold open.
start_server() {
    # shellcheck disable=SC2034  # only its staying open matters
    exec {guard}> >(exec setsid "$servers/watchdog" "$servers/$1" "$scratch/$1")
    "$servers/$1" init "$scratch/$1"
    "$servers/$1" start "$scratch/$1"
}

# sql KIND: runs standard input in the database `accounts` and prints rows without decoration.
sql() {
    local PORT='' CLIENT_FILE='' settings
    settings=$("$servers/$1" env "$scratch/$1")
    eval "$settings"
    case $1 in
        postgresql)
            PGPASSFILE=$CLIENT_FILE psql --no-psqlrc --quiet --no-align --tuples-only \
                --set ON_ERROR_STOP=1 "host=127.0.0.1 port=$PORT user=shop dbname=accounts"
            ;;
        mariadb)
            mariadb --defaults-file="$CLIENT_FILE" --host=127.0.0.1 --port="$PORT" \
                --skip-column-names accounts
            ;;
    esac
}

# start_servers SCHEMA: both, with the tables of that file.
start_servers() {
    local kind
    scratch=$(mktemp -d "$TMPDIR/assent-example-XXXXXX")
    chmod 711 "$scratch" # the servers' user must pass through; their own directories are closed
    for kind in postgresql mariadb; do
        step "starting a private $kind server"
        start_server "$kind"
        sql "$kind" <"$1"
    done
}

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
