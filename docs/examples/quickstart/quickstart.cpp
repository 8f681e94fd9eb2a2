// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// quickstart.cpp -- the code of docs/guide/quickstart.md and of the front page, compiled and run
// by a test against private servers.

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

// [helpers]
void execute(PGconn* connection, std::string const& sql)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const result{PQexec(connection, sql.c_str()),
                                                               &PQclear};
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
    if (assent::postgresql::is_retryable(result.get())) {
        throw assent::retry_requested{PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY)};
    }
    throw std::runtime_error{PQerrorMessage(connection)};
}

void execute(MYSQL* connection, std::string const& sql)
{
    if (mysql_real_query(connection, sql.data(), sql.size()) == 0) return;
    if (assent::mysql::is_retryable(connection)) {
        throw assent::retry_requested{mysql_error(connection)};
    }
    throw std::runtime_error{mysql_error(connection)};
}
// [helpers]

// [old code]
void post_ledger(assent::transaction_manager& tm, assent::postgresql::resource_manager& ledger,
                 PGconn* connection)
{
    assent::join(tm, ledger, connection);  // the one added line
    execute(connection, "INSERT INTO ledger VALUES ('joined', 1)");
}
// [old code]

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

int main()
try {
    // [open]
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});
    // [open]

    // [commit]
    auto tx = tm.begin(assent::begin_options{}.timeout(5s));
    auto [pg, my] = tx.lease(accounts, orders);
    execute(pg, "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    execute(my, "UPDATE balance SET amount = amount + 5 WHERE id = 1");
    tx.commit();
    // [commit]

    // [run]
    tm.run(assent::run_options{}.attempts_max(5), [&](assent::transaction& work) {
        execute(work.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 2");
        execute(work.lease(orders), "UPDATE balance SET amount = amount + 5 WHERE id = 2");
    });
    // [run]

    // [errors]
    try {
        auto doomed = tm.begin();
        execute(doomed.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 3");
        doomed.set_rollback_only();
        doomed.commit();
    } catch (assent::rolled_back_error const& e) {
        // Nothing happened anywhere; run it again if e.is_retryable().
        std::cout << e.what() << '\n';
    } catch (assent::in_doubt_error const& e) {
        // Never run it again; e.resolved_by() says who will know.
        std::cerr << e.id().text() << ": " << e.what() << '\n';
    } catch (assent::heuristic_error const& e) {
        // A database decided on its own: page a person.
        for (auto const& branch : e.branches())
            std::cerr << branch.resource_manager << '\n';
    }
    // [errors]

    // [thread]
    PGconn* mine = PQconnectdb(setting("SHOP_ACCOUNTS").c_str());
    assent::user_transaction ut{tm};
    ut.begin();
    post_ledger(tm, accounts, mine);
    execute(tm.current()->lease(orders), "INSERT INTO ledger VALUES ('joined', 1)");
    ut.commit();
    PQfinish(mine);
    // [thread]

    std::cout << "done\n";
    return EXIT_SUCCESS;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
