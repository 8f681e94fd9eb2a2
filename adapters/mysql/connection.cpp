// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "adapters/dialects/subject.hpp"
#include "ports/password_file.hpp"

namespace assent::mysql_adapter {

namespace {

struct closer
{
    void operator()(MYSQL* handle) const noexcept { mysql_close(handle); }
};
using owned_handle = std::unique_ptr<MYSQL, closer>;

[[noreturn]] void fail(std::string const& resource_manager, MYSQL* handle)
{
    throw driver_error(dialects::subject(resource_manager) + "cannot connect: " +
                           mysql_error(handle) + "; check the server's address and the account",
                       mysql_sqlstate(handle), static_cast<int>(mysql_errno(handle)));
}

[[noreturn]] void fail(std::string const& resource_manager, std::string const& why)
{
    throw driver_error(dialects::subject(resource_manager) + why);
}

char const* or_null(std::string const& text)
{
    return text.empty() ? nullptr : text.c_str();
}

// Several statements in one message; the session tells them apart by their answers.
constexpr unsigned long client_flags = CLIENT_MULTI_STATEMENTS;

#ifdef LIBMARIADB

/// How long a read of an encrypted handshake may block in the kernel; the library then waits for
/// the rest of its own time.
constexpr timeval handshake_step{0, 20'000};
/// What the library still counts in an int when it takes it for seconds.
constexpr std::chrono::milliseconds handshake_at_most{2'000'000};

/// For MYSQL_OPT_CONNECT_TIMEOUT.  That is in seconds, but Connector/C waits for each answer of an
/// encrypted handshake so many *milliseconds* (seen in 3.3): a server that is farther away than its
/// seconds are milliseconds could not be connected to.
unsigned connect_time(deadline until)
{
    using std::chrono::milliseconds;
    auto const left = std::chrono::ceil<milliseconds>(until - deadline::clock::now());
    return static_cast<unsigned>(std::clamp(left, milliseconds{1}, handshake_at_most).count());
}

/// Zero: without bound.  A socket that is none yet is left alone.
void bound_reads(int socket, timeval const& step) noexcept
{
    if (socket < 0) return;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &step, sizeof step);
}

bool connect_by(MYSQL* handle, mysql::connect_options const& chosen, host_and_port const& at,
                std::string const& password, deadline until)
{
    mysql_options(handle, MYSQL_OPT_NONBLOCK, nullptr);
    MYSQL* connected = nullptr;
    int pending = mysql_real_connect_start(
        &connected, handle, or_null(at.host), or_null(chosen.user), password.c_str(),
        or_null(chosen.database), at.port, or_null(chosen.socket), client_flags);
    while (pending != 0) {
        int const socket = socket_of(handle);
        // The library makes a socket that it encrypts block, and reads all the same.
        bound_reads(socket, handshake_step);
        int came = poll_descriptor(socket, pending, until);
        // Told that the time is over, the library gives up and says so; it cannot be left
        // suspended in the middle of a handshake.
        if (came == 0) came = MYSQL_WAIT_TIMEOUT;
        pending = mysql_real_connect_cont(&connected, handle, came);
    }
    if (connected != nullptr) bound_reads(socket_of(handle), {});
    return connected != nullptr;
}

#else

/// For MYSQL_OPT_CONNECT_TIMEOUT, in seconds.
unsigned connect_time(deadline until)
{
    auto const left = std::chrono::ceil<std::chrono::seconds>(until - deadline::clock::now());
    return left.count() < 1 ? 1U : static_cast<unsigned>(left.count());
}

bool connect_by(MYSQL* handle, mysql::connect_options const& chosen, host_and_port const& at,
                std::string const& password, deadline until)
{
    for (;;) {
        net_async_status const status = mysql_real_connect_nonblocking(
            handle, or_null(at.host), or_null(chosen.user), password.c_str(),
            or_null(chosen.database), at.port, or_null(chosen.socket), client_flags);
        if (status != NET_ASYNC_NOT_READY) return status != NET_ASYNC_ERROR;
        if (deadline::clock::now() >= until) return false;
        // The library does not say what it waits for: look again soon.
        auto const soon = deadline::clock::now() + std::chrono::milliseconds(5);
        int const socket = socket_of(handle);
        poll_descriptor(socket, socket >= 0 ? 1 : 0, soon < until ? soon : until);
    }
}

#endif

owned_handle log_in(mysql::connect_options const& chosen, host_and_port const& at, bool is_work,
                    std::string const& resource_manager, deadline until)
{
    owned_handle handle{mysql_init(nullptr)};
    if (!handle) fail(resource_manager, "the client library is out of memory");
    unsigned const local_infile = 0;
    mysql_options(handle.get(), MYSQL_OPT_LOCAL_INFILE, &local_infile);
    apply_options(handle.get(), chosen, is_work);
    unsigned const time = connect_time(until);  // connect_by() keeps the deadline
    mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &time);
    std::string const password =
        chosen.password_file.empty() ? chosen.password : dialects::named(resource_manager, [&] {
            return ports::read_password(chosen.password_file);
        });
    if (!connect_by(handle.get(), chosen, at, password, until)) {
        if (deadline::clock::now() >= until) {
            fail(
                resource_manager,
                "the server gave no connection within the deadline; check its address, and whether "
                "it answers at all");
        }
        fail(resource_manager, handle.get());
    }
    if (auto const why = why_not_encrypted(handle.get(), chosen); !why.empty()) {
        fail(resource_manager, why);
    }
    return handle;
}

owned_handle call(mysql::connect_function const& connect, std::string const& resource_manager)
{
    owned_handle handle{connect()};
    if (!handle) fail(resource_manager, "the connect function gave no connection");
    if (mysql_set_server_option(handle.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0) {
        fail(resource_manager, handle.get());
    }
    return handle;
}

#ifdef LIBMARIADB
/// Connector/C leaves a socket that it encrypts in blocking mode: its functions that suspend
/// themselves would wait in the kernel, past every deadline.  It reads and writes as well on one
/// that does not block, whoever calls it.
void set_non_blocking(int descriptor, std::string const& resource_manager)
{
    int const flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) {
        fail(resource_manager, "the connection has no usable socket");
    }
}
#endif

}  // namespace

std::unique_ptr<wire> open_connection(connect_method const& source, host_and_port const& at,
                                      bool is_work, std::string const& resource_manager,
                                      deadline until)
{
    owned_handle handle = source.connect
                              ? call(source.connect, resource_manager)
                              : log_in(source.where, at, is_work, resource_manager, until);
    forbid_reconnecting(handle.get());
    set_close_on_exec(socket_of(handle.get()), resource_manager);
#ifdef LIBMARIADB
    if (is_encrypted(handle.get())) set_non_blocking(socket_of(handle.get()), resource_manager);
#endif
    auto opened = std::make_unique<wire>(handle.get(), ownership::owned);
    static_cast<void>(handle.release());  // the wire closes it from here on
    return opened;
}

bool is_mariadb(MYSQL* handle) noexcept
{
    char const* const version = mysql_get_server_info(handle);
    return version != nullptr && std::strstr(version, "MariaDB") != nullptr;
}

void set_close_on_exec(int descriptor, std::string const& resource_manager)
{
    int const flags = descriptor < 0 ? -1 : fcntl(descriptor, F_GETFD);
    if (flags < 0 || fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) < 0) {
        fail(resource_manager, "the connection has no usable socket");
    }
}

}  // namespace assent::mysql_adapter
