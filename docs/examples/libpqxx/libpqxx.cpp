// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// libpqxx.cpp -- libpqxx 6 in a transaction with a second database (docs/guide/connections.md),
// compiled and run by a test against private servers.

#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>

// [connection]
/// A libpqxx connection that shows its PGconn, and does not reconnect by itself.
class enlistable_connection final : public pqxx::connection_base
{
public:
    explicit enlistable_connection(std::string const& options)
        : connection_base{policy_}, policy_{options}
    {
        init();
    }
    ~enlistable_connection() noexcept { close(); }

    PGconn* handle() const noexcept { return policy_.opened; }

private:
    struct policy final : pqxx::connectionpolicy
    {
        using connectionpolicy::connectionpolicy;

        handle do_startconnect(handle present) override
        {
            if (present != nullptr) return present;
            if (opened != nullptr) throw pqxx::broken_connection{"lost, and not opened again"};
            return opened = normalconnect(nullptr);
        }

        PGconn* opened = nullptr;
    };

    policy policy_;
};
// [connection]

void execute(MYSQL* connection, std::string const& sql)
{
    if (mysql_real_query(connection, sql.data(), sql.size()) == 0) return;
    throw std::runtime_error{mysql_error(connection)};
}

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

int main()
try {
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});

    // [enlist]
    enlistable_connection mine{setting("SHOP_ACCOUNTS")};

    auto tx = tm.begin();
    tx.enlist(accounts, mine.handle());
    {
        pqxx::nontransaction work{mine};  // sends no BEGIN and no COMMIT: those are Assent's
        work.exec0("UPDATE balance SET amount = amount - 5 WHERE id = 1");
    }
    execute(tx.lease(orders), "UPDATE balance SET amount = amount + 5 WHERE id = 1");
    tx.commit();
    // [enlist]

    // The connection is the application's again: a transaction of libpqxx's own.
    pqxx::work own{mine};
    if (own.exec1("SELECT count(*) FROM balance")[0].as<int>() == 0) return EXIT_FAILURE;
    own.commit();
    std::cout << "done\n";
    return EXIT_SUCCESS;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
