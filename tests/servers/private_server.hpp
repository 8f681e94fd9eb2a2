// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// private_server.hpp -- a server that belongs to one test: PostgreSQL, MariaDB, MySQL or RabbitMQ.
//
//   auto server = private_server::postgresql({"max_prepared_transactions=0"});
//   PQconnectdb(server->conninfo("accounts").c_str());
//   server->kill();      // as a crash would
//   server->start();     // same data, same port
//
// Invariant: whatever becomes of the test program, nothing of the server stays.  The
// destructor stops it; after kill -9 of the program, with or without all its children, a watchdog
// process, which waits for the end of a pipe that only the program holds open, kills the server and
// removes its directory.

#ifndef ASSENT_TESTS_SERVERS_PRIVATE_SERVER_HPP
#define ASSENT_TESTS_SERVERS_PRIVATE_SERVER_HPP

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace assent::testing {

/// A server in a directory of its own under TMPDIR, on 127.0.0.1 and on a unix socket.
/// It has the databases `accounts` and `orders`, and the account `shop` with all rights on them.
/// With `tls=on` among its settings it has a certificate of an authority() of its own.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class private_server
{
public:
    /// Makes the data directory and starts the server; `settings` are the server's, `key=value`.
    /// @throws std::runtime_error  with the last lines of the server's log.
    static std::unique_ptr<private_server> postgresql(
        std::vector<std::string> const& settings = {});
    static std::unique_ptr<private_server> mariadb(std::vector<std::string> const& settings = {});
    /// @pre  mysql_missing() is empty.
    static std::unique_ptr<private_server> mysql(std::vector<std::string> const& settings = {});
    /// It has no databases; the account `shop` may do all in the virtual host `/`.
    static std::unique_ptr<private_server> rabbitmq(std::vector<std::string> const& settings = {});
    /// The newest PostgreSQL that was fetched.  @pre  newest_postgresql_missing() is empty.
    static std::unique_ptr<private_server> newest_postgresql(
        std::vector<std::string> const& settings = {});

    /// A hot standby of `primary`, a PostgreSQL that is stopped and started again for it.  To the
    /// settings of `primary` it is called `standby`; it waits for no standby of its own.
    static std::unique_ptr<private_server> standby_of(private_server& primary);

    /// Why there is no such server here, for GTEST_SKIP; empty where there is one.  What Debian's
    /// release does not have is fetched before the build (tests/servers/fetch), where that works.
    static std::string mysql_missing();
    static std::string newest_postgresql_missing();

    private_server(private_server const&) = delete;
    private_server& operator=(private_server const&) = delete;

    /// Stops the server and removes its directory.
    ~private_server();

    /// Starts again, on the same port, and returns when it answers.
    void start();
    void start_on_port(int port);

    /// Stops in order: sessions are ended, what was prepared stays prepared.
    void stop();

    /// kill -9 of the server and of all its children, and waits until they are gone.
    void kill();

    /// Freezes all its processes: connections stay open and nothing answers.
    void freeze();
    void thaw();

    /// Changes settings, from the next start on.
    void set(std::vector<std::string> const& settings);

    bool is_running() const;

    int port() const noexcept { return port_; }
    std::string host() const { return "127.0.0.1"; }
    std::string account() const { return "shop"; }
    std::string password() const;
    std::string socket_directory() const { return socket_directory_; }
    /// The unix socket itself, as MariaDB's clients want it.
    std::string socket() const { return socket_; }
    /// The server's process, or 0 when it does not run.
    pid_t pid() const noexcept { return pid_; }
    std::string directory() const { return directory_; }
    /// Made where `tls=on` is among the settings: of the authority that signed the server's own.
    std::string authority() const { return certificates() + "/ca.pem"; }
    /// That one, and the server's own `cert.pem` and `key.pem`.
    std::string certificates() const { return directory_ + "/tls"; }

    /// PostgreSQL: the account `shop` over TCP; `port` 0 means the server's own (not a proxy's).
    std::string conninfo(std::string const& database = "accounts", int port = 0) const;
    /// PostgreSQL: the superuser over the unix socket.
    std::string superuser_conninfo(std::string const& database = "accounts") const;

private:
    private_server(std::string const& kind, std::vector<std::string> const& settings,
                   std::vector<std::string> environment = {});

    std::string run(std::vector<std::string> words) const;
    void start_watchdog();
    void end_watchdog() noexcept;
    void read_environment();
    std::vector<pid_t> processes() const;
    void signal_all(int signal) const;
    bool is_frozen() const;

    std::vector<std::string> environment_;  ///< NAME=value, for the script
    std::string script_;
    std::string directory_;
    std::string socket_directory_;
    std::string socket_;
    int port_ = 0;
    pid_t pid_ = 0;
    int alive_ = -1;          ///< the pipe's writing end; its end tells the watchdog
    int watchdog_says_ = -1;  ///< ends with the watchdog
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_PRIVATE_SERVER_HPP
