# Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# common.bash -- what the scripts `postgresql`, `mariadb` and `mysql` share: one private server,
# all of it in one directory.
#
#   DIR/data       the data directory        DIR/port      the port of the last start
#   DIR/log        what the server says      DIR/pid       the server's process id
#   DIR/password   of the account `shop`     DIR/sockets   the directory of its unix socket
#   DIR/client     the same for the server's own programs (PGPASSFILE, --defaults-file)
#
# Invariant: a signal goes only to a process whose command line names DIR/data.  A process
# id alone may have been given to somebody else since.

set -euo pipefail
umask 077

start_deadline_s=60
stop_deadline_s=60

fail() {
    printf '%s: %s\n' "$kind" "$*" >&2
    exit 1
}

# What an initialisation that failed has to say: its errors, or else its last words.
fail_with_log() {
    grep -iE 'error|fatal|unrecognized|invalid' "$dir/log" | tail -n 10 >&2 ||
        tail -n 20 "$dir/log" >&2
    fail "$*"
}

usage() {
    cat >&2 <<USAGE
usage: $0 init DIR [key=value ...]   make a data directory; the pairs are server settings
       $0 set DIR key=value ...      change settings, from the next start on
       $0 start DIR [PORT]           start on 127.0.0.1 and on a unix socket, wait until it answers
       $0 stop DIR                   stop in order; what was prepared stays prepared
       $0 kill DIR                   kill -9, as a crash would, and wait until nothing of it runs
       $0 env DIR                    print PORT, SOCKET_DIR, SOCKET, PID, ... for eval
USAGE
    exit 2
}

# A server never runs as root: as root everything of it is done as an unprivileged user.
choose_user() {
    server_user=$(id -un)
    drop=()
    if [ "$(id -u)" -eq 0 ]; then
        server_user=nobody
        if getent passwd "$1" >/dev/null; then server_user=$1; fi
        drop=(setpriv --reuid="$(id -u "$server_user")" --regid="$(id -g "$server_user")"
              --clear-groups --no-new-privs)
    fi
}

# Runs a command as the server's user, with an environment that holds nothing of the caller's.
as_server() {
    (cd / && env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$dir" TMPDIR="$dir" "${drop[@]}" "$@")
}

# On tmpfs a forced write costs nothing and means nothing: crash tests would pass by luck.
refuse_memory_filesystem() {
    local type
    type=$(stat -f -c %T "$1")
    case $type in
        tmpfs | ramfs) fail "$1 is on $type, where nothing is durable; let TMPDIR name a disk" ;;
    esac
}

prepare_directory() {
    if [ -n "$(ls -A "$dir")" ]; then fail "$dir is not empty"; fi
    refuse_memory_filesystem "$dir"
    if [ "${#drop[@]}" -gt 0 ]; then chown "$server_user:" "$dir"; fi
    chmod 700 "$dir"
    if ! as_server test -w "$dir/."; then
        fail "user $server_user cannot reach $dir: a directory above it is closed to others"
    fi
    od -An -N18 -tx1 /dev/urandom | tr -d ' \n' >"$dir/password"
}

# A test's own authority, and a certificate of it for 127.0.0.1.
make_certificates() {
    mkdir -- "$dir/tls"
    local request=$dir/tls/request subject
    printf '%s\n' '[req]' 'distinguished_name = name' '[name]' \
        '[ca]' 'basicConstraints = critical,CA:TRUE' \
        '[server]' 'subjectAltName = IP:127.0.0.1,DNS:localhost' >"$request"
    subject=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config "$request")
    if ! { openssl req -x509 "${subject[@]}" -days 30 -subj /CN=assent-test-authority \
        -extensions ca -keyout "$dir/tls/ca-key.pem" -out "$dir/tls/ca.pem" 2>"$dir/log" &&
        openssl req "${subject[@]}" -subj /CN=127.0.0.1 -keyout "$dir/tls/key.pem" \
            -out "$dir/tls/server.csr" 2>>"$dir/log" &&
        openssl x509 -req -in "$dir/tls/server.csr" -CA "$dir/tls/ca.pem" \
            -CAkey "$dir/tls/ca-key.pem" -CAcreateserial -days 30 -extensions server \
            -extfile "$request" -out "$dir/tls/cert.pem" 2>>"$dir/log"; }; then
        fail_with_log "openssl made no certificates in $dir"
    fi
}

# Takes `tls=on`, which no server has as a setting, out of the arguments: leaves them in `settings`,
# and what the server is told of its certificates, by the names that it has for them, as well.
take_tls() {
    local ca=$1 cert=$2 key=$3 pair
    shift 3
    settings=()
    for pair in "$@"; do
        if [ "$pair" != tls=on ]; then
            settings+=("$pair")
            continue
        fi
        make_certificates
        settings+=("$ca=$dir/tls/ca.pem" "$cert=$dir/tls/cert.pem" "$key=$dir/tls/key.pem")
    done
}

hand_over() {
    if [ "${#drop[@]}" -gt 0 ]; then chown -R "$server_user:" "$dir"; fi
}

# key=value -> the line of a configuration file, printed by the caller's format_setting.
write_settings() {
    local pair key value
    for pair in "$@"; do
        key=${pair%%=*}
        value=${pair#*=}
        if [ "$key" = "$pair" ] || ! [[ $key =~ ^[A-Za-z_][A-Za-z0-9_.-]*$ ]]; then
            fail "'$pair' is not key=value"
        fi
        if [[ $value == *[\'\"\\]* || $value == *$'\n'* ]]; then
            fail "the value of $key has a quote, a backslash or a line break"
        fi
        format_setting "$key" "$value" >>"$settings_file"
    done
}

# Prints the process id of the running server, or nothing.
running_pid() {
    local pid=''
    if [ -r "$dir/pid" ]; then pid=$(<"$dir/pid"); fi
    if [ -n "$pid" ] && is_alive "$pid"; then printf '%s' "$pid"; fi
}

# Alive until its last thread is gone and its files are closed.  The command line is empty while a
# process ends; a zombie that nobody reaps counts as gone.
is_alive() {
    local words stat threads
    words=$(tr "\0" "\n" 2>/dev/null <"/proc/$1/cmdline") || return 1
    case $words in
        "" | *"$dir/data"*) ;;
        *) return 1 ;;
    esac
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    threads=("/proc/$1/task/"*)
    [[ $stat != *") Z "* || ${#threads[@]} -gt 1 ]]
}

# A unix socket's path has at most 107 bytes, so a deep DIR gets its socket elsewhere.
make_socket_directory() {
    local sockets
    if [ "${#dir}" -le 70 ]; then
        sockets=$dir
    else
        sockets=$(mktemp -d /tmp/assent-sock-XXXXXX)
        if [ "${#drop[@]}" -gt 0 ]; then chown "$server_user:" "$sockets"; fi
    fi
    printf '%s' "$sockets" >"$dir/sockets"
}

drop_socket_directory() {
    local sockets=''
    if [ -r "$dir/sockets" ]; then sockets=$(<"$dir/sockets"); fi
    case $sockets in
        /tmp/assent-sock-*) rm -rf -- "$sockets" ;;
    esac
    rm -f -- "$dir/sockets" "$dir/pid"
}

is_port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the range from which the kernel takes ports for outgoing connections, so that a server
# that was stopped finds its port again.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
        if ! is_port_taken "$port"; then
            printf '%s' "$port"
            return 0
        fi
    done
    fail "no free port found on 127.0.0.1"
}

# Starts the command in a session of its own, with no descriptor of the caller's.
launch() {
    (
        cd /
        local slow=() # a disk that a benchmark has chosen (tests/bench/slow_disk.cpp)
        if [ -n "${ASSENT_FORCE_US:-}" ]; then
            slow=(LD_PRELOAD="${LD_PRELOAD:-}" ASSENT_FORCE_US="$ASSENT_FORCE_US")
        fi
        for open in "/proc/$BASHPID/fd/"*; do
            open=${open##*/}
            if [ "$open" -gt 2 ] && [ "$open" -ne 255 ]; then eval "exec $open>&-"; fi
        done
        exec setsid env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$dir" TMPDIR="$dir" "${slow[@]}" \
            "${drop[@]}" "$@" >>"$dir/log" 2>&1 </dev/null
    ) &
    printf '%s' "$!" >"$dir/pid"
}

# start_on PORT: 0 when it answers, 2 when somebody else has the port; otherwise the script ends.
start_on() {
    local port=$1 pid mark end
    mark=$(stat -c %s "$dir/log" 2>/dev/null || echo 0)
    drop_socket_directory
    make_socket_directory
    socket_dir=$(<"$dir/sockets")
    server_command "$port"
    launch "${command_line[@]}"
    pid=$(<"$dir/pid")
    end=$((SECONDS + start_deadline_s))
    while ! { is_alive "$pid" && answers "$port"; }; do
        # The process is a child of this script, so its id cannot be anybody else's yet.
        if ! [ -d "/proc/$pid" ] || [[ $(<"/proc/$pid/stat") == *') Z '* ]] 2>/dev/null; then
            wait "$pid" || true
            drop_socket_directory
            if tail -c "+$((mark + 1))" "$dir/log" | grep -qi 'address already in use'; then
                return 2
            fi
            tail_of_log "$mark"
            fail "the server in $dir ended while it started"
        fi
        if [ "$SECONDS" -ge "$end" ]; then
            tail_of_log "$mark"
            do_kill
            fail "the server in $dir did not answer within $start_deadline_s s"
        fi
        sleep 0.05
    done
    disown
    printf '%s' "$port" >"$dir/port"
}

tail_of_log() {
    tail -c "+$(($1 + 1))" "$dir/log" | tail -n 25 >&2
}

do_start() {
    local wanted=${1:-} port status
    if [ -n "$(running_pid)" ]; then fail "the server in $dir already runs"; fi
    do_kill # what a server that died by itself has left
    refuse_memory_filesystem "$dir"
    if [ -z "$wanted" ] && [ -r "$dir/port" ]; then wanted=$(<"$dir/port"); fi
    for _ in {1..20}; do
        port=${wanted:-$(free_port)}
        status=0
        start_on "$port" || status=$?
        if [ "$status" -eq 0 ]; then return 0; fi
        if [ -n "$wanted" ]; then fail "port $wanted of 127.0.0.1 is taken"; fi
    done
    fail "twenty free ports were taken by others before the server had them"
}

# wait_gone PID SECONDS: whether it ended in time.
wait_gone() {
    local end=$((SECONDS + $2))
    while is_alive "$1"; do
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        sleep 0.02
    done
}

do_stop() {
    local pid
    pid=$(running_pid)
    if [ -n "$pid" ]; then
        kill -CONT "$pid" 2>/dev/null || true
        kill "-$stop_signal" "$pid" 2>/dev/null || true
        if ! wait_gone "$pid" "$stop_deadline_s"; then
            do_kill
            fail "the server in $dir did not stop within $stop_deadline_s s and was killed"
        fi
    fi
    drop_socket_directory
}

# What may still run of the server: everything whose working directory is DIR/data.
server_processes() {
    find /proc/[0-9]*/cwd -maxdepth 0 -printf '%h %l\n' 2>/dev/null |
        while read -r process cwd; do
            if [ "$cwd" = "$dir/data" ]; then printf '%s\n' "${process##*/}"; fi
        done || true
}

do_kill() {
    local pid others end
    pid=$(running_pid)
    if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
    end=$((SECONDS + 30))
    # A child that is busy would outlive its parent and go on writing; a power cut would not let it.
    while
        others=$(server_processes)
        [ -n "$others" ] || { [ -n "$pid" ] && is_alive "$pid"; }
    do
        # shellcheck disable=SC2086  # a list of numbers
        if [ -n "$others" ]; then kill -KILL $others 2>/dev/null || true; fi
        if [ "$SECONDS" -ge "$end" ]; then fail "processes of $dir survive kill -9: $others"; fi
        sleep 0.02
    done
    after_kill
    drop_socket_directory
}

do_env() {
    local port='' sockets='' pid
    if [ -r "$dir/port" ]; then port=$(<"$dir/port"); fi
    if [ -r "$dir/sockets" ]; then sockets=$(<"$dir/sockets"); fi
    pid=$(running_pid)
    printf '%s=%q\n' KIND "$kind" DIR "$dir" HOST 127.0.0.1 PORT "$port" PID "$pid" \
        SOCKET_DIR "$sockets" SOCKET "$(socket_path "$sockets" "$port")" ACCOUNT shop \
        PASSWORD_FILE "$dir/password" \
        CLIENT_FILE "$dir/client" LOG "$dir/log"
}

main() {
    [ $# -ge 2 ] || usage
    local verb=$1
    dir=$(realpath -m -- "$2")
    shift 2
    choose_user "$preferred_user"
    settings_file=$dir/settings
    if [ "$verb" = init ]; then mkdir -p -- "$dir"; fi
    if [ -d "$dir" ]; then
        # One verb at a time: a clean-up must not overtake a start that is on its way.
        exec {lock}<"$dir"
        flock "$lock"
    fi
    if [ "$verb" != init ] && ! [ -d "$dir/data" ]; then
        # Stopping what is not there is no error: clean-up may come twice.
        case $verb in stop | kill) exit 0 ;; esac
        fail "$dir holds no server made by '$0 init'"
    fi
    case $verb in
        init) do_init "$@" ;;
        set) write_settings "$@" ;;
        start) do_start "$@" ;;
        stop) do_stop ;;
        kill) do_kill ;;
        env) do_env ;;
        *) usage ;;
    esac
}
