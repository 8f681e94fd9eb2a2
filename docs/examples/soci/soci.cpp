// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// soci.cpp -- SOCI 4 on PostgreSQL and MariaDB, in one transaction (docs/guide/connections.md),
// compiled and run by a test against private servers.

#include <soci/mysql/soci-mysql.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

// [handles]
PGconn* postgresql_handle(soci::session& of)
{
    if (of.get_backend_name() != "postgresql") throw std::invalid_argument{"not PostgreSQL"};
    return static_cast<soci::postgresql_session_backend*>(of.get_backend())->conn_;
}

MYSQL* mysql_handle(soci::session& of)
{
    if (of.get_backend_name() != "mysql") throw std::invalid_argument{"not MariaDB or MySQL"};
    return static_cast<soci::mysql_session_backend*>(of.get_backend())->conn_;
}
// [handles]

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
    soci::session pg{soci::postgresql, setting("SHOP_ACCOUNTS")};
    soci::session my{soci::mysql, setting("SHOP_ORDERS_SOCI")};

    int const amount = 5;
    auto tx = tm.begin();
    tx.enlist(accounts, postgresql_handle(pg));
    tx.enlist(orders, mysql_handle(my));
    pg << "UPDATE balance SET amount = amount - :amount WHERE id = 1", soci::use(amount);
    my << "UPDATE balance SET amount = amount + :amount WHERE id = 1", soci::use(amount);
    tx.commit();  // and no soci::transaction: it would send a BEGIN of its own
    // [enlist]

    // The sessions are the application's again.
    int rows = 0;
    soci::transaction own{my};
    my << "SELECT count(*) FROM balance", soci::into(rows);
    own.commit();
    std::cout << "done\n";
    return rows != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
