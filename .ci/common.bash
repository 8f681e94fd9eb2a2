# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash disable=SC2034
#
# common.bash -- where to build, where to put scratch files and servers, and how to build once.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
builds=${ASSENT_BUILDS:-$root}   # build directories are made here: build, build-asan, ...
jobs=${ASSENT_JOBS:-$(nproc)}
at_once=$((jobs < 2 ? jobs + 1 : 3)) # tests: most wait for servers, each of which has to be fed

# Beside three servers on a busy machine a bound may be missed once; what fails twice has failed.
again=(--repeat until-pass:2)

# Crash tests mean nothing on tmpfs, and a server that root starts runs as another user, so the
# scratch directory must be on a disk and open to others.
if [ -z "${TMPDIR:-}" ]; then
    for candidate in /tmp /var/tmp "$builds"; do
        TMPDIR=$candidate
        case $(stat -f -c %T "$candidate") in
            tmpfs | ramfs) ;;
            *) break ;;
        esac
    done
fi
export TMPDIR

# Let clones in different places share what ccache has compiled.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
# What ccache asks for where headers are precompiled.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

# Half the time of -O2 -g, and line numbers all the same; packages are built by their own flags.
quick=(-DCMAKE_BUILD_TYPE=RelWithDebInfo '-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1')

# build NAME [cmake option ...]: configures and builds everything in the directory `build-NAME`,
# or `build` for an empty name; of the targets only those named by `targets`, if any.
build() {
    local name=$1 directory launcher=()
    shift
    directory=$builds/build${name:+-$name}
    if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
    # shellcheck disable=SC2086  # targets is a list
    cmake -S "$root" -B "$directory" -G Ninja -DASSENT_TESTS=ON -DASSENT_PRECOMPILE=ON \
        "${quick[@]}" "${launcher[@]}" "$@" >&2 &&
        nice cmake --build "$directory" --parallel "$jobs" ${targets:+--target $targets} >&2
}

# fetch_servers: gets those that Debian's release does not have, once, into `prefix`; `not_fetched`
# says what is missing.  Their tests are then skipped, by name.
fetch_servers() {
    local name
    prefix=${ASSENT_SERVERS_PREFIX:-$builds/build-servers}
    not_fetched=()
    # Servers that root starts run as another user, who must be able to read their programs.
    if [ "$(id -u)" -eq 0 ] && [ -z "${ASSENT_SERVERS_PREFIX:-}" ] &&
        ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$builds"; then
        prefix=/var/cache/assent-servers
    fi
    for name in mysql postgresql; do
        # Where the first could not be reached, the next would only wait as long again.
        if [ ${#not_fetched[@]} -gt 0 ] && ! [ -r "$prefix/$name/versions" ]; then
            not_fetched+=("$name")
        else
            "$root/tests/servers/fetch" "$prefix" "$name" || not_fetched+=("$name")
        fi
    done
}
