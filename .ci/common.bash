# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash disable=SC2034
#
# common.bash -- where to build, where to put scratch files, and how to build once.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
builds=${ASSENT_BUILDS:-$root}   # build directories are made here: build, build-asan, ...
jobs=${ASSENT_JOBS:-$(nproc)}

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
    cmake -S "$root" -B "$directory" -G Ninja -DASSENT_TESTS=ON "${quick[@]}" \
        "${launcher[@]}" "$@" >&2 &&
        nice cmake --build "$directory" --parallel "$jobs" ${targets:+--target $targets} >&2
}
