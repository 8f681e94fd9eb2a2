// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// shop.cpp -- both client libraries and both adapters in one program.  Without arguments it
// connects to nothing, and shows that it was linked and can be loaded.
//
//   shop [LOG_DIRECTORY ACCOUNTS ORDERS]

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <iostream>

namespace {

void sell(std::string const& log, assent::postgresql::resource_manager const& bank,
          assent::mysql::resource_manager const& warehouse)
{
    assent::transaction_manager tm{assent::options{}.log_directory(log).node_label("shop")};
    auto const accounts = tm.add(bank);
    auto const orders = tm.add(warehouse);
    tm.run([&](assent::transaction& tx) {
        PGconn* const pg = tx.lease(accounts);
        MYSQL* const my = tx.lease(orders);
        PGresult* const result = PQexec(pg, "UPDATE balance SET amount = amount - 5");
        bool const is_retryable = assent::postgresql::is_retryable(result);
        PQclear(result);
        bool const is_sold = mysql_query(my, "INSERT INTO sold VALUES (5)") == 0;
        if (is_retryable || (!is_sold && assent::mysql::is_retryable(my)))
            throw assent::retry_requested{};
    });
}

}  // namespace

int main(int argc, char** argv)
try {
    bool const is_real = argc == 4;
    assent::postgresql::resource_manager const bank{"accounts", is_real ? argv[2] : "dbname=bank"};
    assent::mysql::resource_manager const warehouse{
        "orders", is_real ? argv[3] : "user=shop database=warehouse"};
    if (is_real) sell(argv[1], bank, warehouse);
    std::cout << bank.name() << " and " << warehouse.name() << '\n';
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
