// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bank.hpp -- money in a real PostgreSQL (accounts) and a real MariaDB or MySQL (orders), for
// tests.
//
//   each database:  balance(id, amount)          the money
//                   ledger(transfer, amount)     one row per transfer, in BOTH databases
//
// Every transfer moves money from the one to the other.  After any crash and recovery each
// transfer is in both ledgers or in neither, and the money adds up.

#ifndef ASSENT_TESTS_INTEGRATION_BANK_HPP
#define ASSENT_TESTS_INTEGRATION_BANK_HPP

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>

#include "tests/servers/private_server.hpp"

namespace assent::testing {

/// SQL on a client's own handle; throws std::runtime_error with the server's words, or
/// retry_requested where the server says that the work may be run again.
void execute(PGconn* connection, std::string const& sql);
void execute(mysql::handle_type connection, std::string const& sql);
std::int64_t number(PGconn* connection, std::string const& sql);
std::int64_t number(mysql::handle_type connection, std::string const& sql);

/// Both servers, their tables, and connections past the transaction manager, for looking.
class bank
{
public:
    static constexpr std::int64_t first_balance = 1'000'000;
    static constexpr int accounts = 10;

    /// Whether this run of the program is the one with encrypted connections: all of them, the
    /// manager's, those that are borrowed and those that look.  ASSENT_TEST_TLS=on says so.
    static bool is_encrypted();

    /// Why there are no default servers here, for GTEST_SKIP.
    static std::string why_missing();

    explicit bank(std::unique_ptr<private_server> for_accounts = default_postgresql(),
                  std::unique_ptr<private_server> for_orders = default_mariadb());
    ~bank();
    bank(bank const&) = delete;
    bank& operator=(bank const&) = delete;

    private_server& postgresql() { return *postgresql_; }
    private_server& mariadb() { return *mariadb_; }  ///< or the MySQL in its place

    /// What a network needs that is to understand what passes; empty where nothing is encrypted.
    std::string accounts_certificates() const;
    std::string orders_certificates() const;

    /// Of the application's own; MYSQL* by whichever client library.  @throws std::runtime_error
    mysql::handle_type connect_orders(int port = 0) const;

    postgresql::resource_manager accounts_manager(int port = 0) const;
    mysql::resource_manager orders_manager(int port = 0) const;
    std::string accounts_conninfo(int port = 0) const;
    std::string orders_connect_string(int port = 0) const;

    PGconn* look_accounts();  ///< reconnects when the server was restarted
    mysql::handle_type look_orders();

    /// Closes the two, until the next look.  They are of the manager's own account, so to a manager
    /// that is opened later they look like sessions of an earlier run, which keep it from draining.
    void stop_looking();

    /// Branches in doubt, of everybody.
    std::int64_t prepared_in_accounts();
    std::int64_t prepared_in_orders();

    std::set<std::string> transfers_in_accounts();
    std::set<std::string> transfers_in_orders();
    std::int64_t money();

    /// A directory for a log, on a real disk, unlike any other.
    std::string new_log_directory();

private:
    static std::unique_ptr<private_server> default_postgresql();
    static std::unique_ptr<private_server> default_mariadb();
    std::string log_directory(int number) const;

    std::unique_ptr<private_server> postgresql_;
    std::unique_ptr<private_server> mariadb_;
    PGconn* accounts_ = nullptr;
    mysql::handle_type orders_ = nullptr;
    int logs_ = 0;
};

/// The work of one transfer, on enlisted connections.
void transfer(PGconn* accounts, mysql::handle_type orders, std::string const& id,
              std::int64_t amount, int account);

/// Options for tests: no wait before abort is presumed, since no test log is a copy.
options test_options(std::string const& log_directory);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_BANK_HPP
