// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/connection.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace assent::mysql_adapter {

namespace {

struct closer
{
    void operator()(MYSQL* handle) const noexcept { mysql_close(handle); }
};
using owned_handle = std::unique_ptr<MYSQL, closer>;

[[noreturn]] void fail(std::string const& resource_manager, MYSQL* handle)
{
    throw driver_error("resource manager " + resource_manager + ": cannot connect: " +
                           mysql_error(handle) + "; check the server's address and the account",
                       mysql_sqlstate(handle), static_cast<int>(mysql_errno(handle)));
}

[[noreturn]] void fail(std::string const& resource_manager, std::string const& why)
{
    throw driver_error("resource manager " + resource_manager + ": " + why);
}

// The descriptor is checked, not the path: between two looks at a path the file may change.
std::string read_password(std::string const& path, std::string const& resource_manager)
{
    int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) {
        fail(resource_manager,
             "cannot open the password_file " + path + ": " + std::strerror(errno));
    }
    struct stat facts
    {
    };
    char buffer[4097];
    ssize_t length = -1;
    if (fstat(file, &facts) == 0) length = read(file, buffer, sizeof buffer);
    int const why = errno;
    close(file);
    if (length < 0) {
        fail(resource_manager, "cannot read the password_file " + path + ": " + std::strerror(why));
    }
    if (!S_ISREG(facts.st_mode) || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fail(resource_manager, "the password_file " + path +
                                   " must be a file that only its owner may read: chmod 600");
    }
    if (length == static_cast<ssize_t>(sizeof buffer)) {
        fail(resource_manager, "the password_file " + path + " is longer than 4096 bytes");
    }
    std::string password(buffer, static_cast<std::size_t>(length));
    while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
        password.pop_back();
    }
    return password;
}

char const* or_null(std::string const& text)
{
    return text.empty() ? nullptr : text.c_str();
}

// Several statements in one message; the session tells them apart by their answers.
constexpr unsigned long client_flags = CLIENT_MULTI_STATEMENTS;

#ifdef LIBMARIADB

bool connect_by(MYSQL* handle, mysql::connect_options const& where, std::string const& password,
                deadline until)
{
    mysql_options(handle, MYSQL_OPT_NONBLOCK, nullptr);
    MYSQL* connected = nullptr;
    int pending = mysql_real_connect_start(
        &connected, handle, or_null(where.host), or_null(where.user), password.c_str(),
        or_null(where.database), where.port, or_null(where.socket), client_flags);
    while (pending != 0) {
        int const socket = socket_of(handle);
        int came = poll_descriptor(socket, pending, until);
        // Told that the time is over, the library gives up and says so; it cannot be left
        // suspended in the middle of a handshake.
        if (came == 0) came = MYSQL_WAIT_TIMEOUT;
        pending = mysql_real_connect_cont(&connected, handle, came);
    }
    return connected != nullptr;
}

#else

bool connect_by(MYSQL* handle, mysql::connect_options const& where, std::string const& password,
                deadline until)
{
    for (;;) {
        net_async_status const status = mysql_real_connect_nonblocking(
            handle, or_null(where.host), or_null(where.user), password.c_str(),
            or_null(where.database), where.port, or_null(where.socket), client_flags);
        if (status != NET_ASYNC_NOT_READY) return status != NET_ASYNC_ERROR;
        if (deadline::clock::now() >= until) return false;
        // The library does not say what it waits for: look again soon.
        auto const soon = deadline::clock::now() + std::chrono::milliseconds(5);
        int const socket = socket_of(handle);
        poll_descriptor(socket, socket >= 0 ? 1 : 0, soon < until ? soon : until);
    }
}

#endif

owned_handle log_in(mysql::connect_options const& where, std::string const& resource_manager,
                    deadline until)
{
    owned_handle handle{mysql_init(nullptr)};
    if (!handle) fail(resource_manager, "the client library is out of memory");
    unsigned const local_infile = 0;
    mysql_options(handle.get(), MYSQL_OPT_LOCAL_INFILE, &local_infile);
    mysql_options(handle.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    // The library counts whole seconds; the deadline itself is kept by connect_by().
    auto const left = std::chrono::ceil<std::chrono::seconds>(until - deadline::clock::now());
    unsigned const seconds = left.count() < 1 ? 1U : static_cast<unsigned>(left.count());
    mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    if (!where.ssl_ca.empty()) {
        mysql_options(handle.get(), MYSQL_OPT_SSL_CA, where.ssl_ca.c_str());
#ifdef LIBMARIADB
        client_bool const yes = 1;
        mysql_options(handle.get(), MYSQL_OPT_SSL_ENFORCE, &yes);
        mysql_options(handle.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
        unsigned const mode = SSL_MODE_VERIFY_IDENTITY;
        mysql_options(handle.get(), MYSQL_OPT_SSL_MODE, &mode);
#endif
    }
    std::string const password = where.password_file.empty()
                                     ? where.password
                                     : read_password(where.password_file, resource_manager);
    if (!connect_by(handle.get(), where, password, until)) {
        if (deadline::clock::now() >= until) {
            fail(resource_manager,
                 "no connection within the deadline; check the server's address, and whether it "
                 "answers at all");
        }
        fail(resource_manager, handle.get());
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

}  // namespace

std::unique_ptr<wire> open_connection(connection_source const& source,
                                      std::string const& resource_manager, deadline until)
{
    owned_handle handle = source.connect ? call(source.connect, resource_manager)
                                         : log_in(source.where, resource_manager, until);
    forbid_reconnecting(handle.get());
    set_close_on_exec(socket_of(handle.get()), resource_manager);
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
