// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/integration/at_bank.hpp"

#include <libpq-fe.h>
#include <mysql.h>

namespace assent::testing {

std::unique_ptr<PGconn, void (*)(PGconn*)> own_accounts(bank const& from, int port)
{
    std::unique_ptr<PGconn, void (*)(PGconn*)> made{
        PQconnectdb(from.accounts_conninfo(port).c_str()), &PQfinish};
    if (PQstatus(made.get()) != CONNECTION_OK) {
        throw std::runtime_error{std::string{"postgresql: "} + PQerrorMessage(made.get())};
    }
    return made;
}

std::unique_ptr<MYSQL, void (*)(MYSQL*)> own_orders(bank& from, int port)
{
    return {from.connect_orders(port), &mysql_close};
}

options hasty(std::string const& log_directory)
{
    using namespace std::chrono_literals;
    limits bounds;
    bounds.first_scan = 3s;
    bounds.log_lock = 50ms;
    bounds.close = 1s;
    bounds.presumed_abort_delay = 0ms;
    return options{}.log_directory(log_directory).node_label("test").limits(bounds);
}

void expect_words_that_commit_are_refused(mysql::handle_type branch)
{
    execute(branch, "update balance set amount = amount + 0 where id = 1");
    for (auto const* sql :
         {"begin", "start transaction", "commit", "rollback", "create table another (i int)",
          "alter table balance comment 'x'", "drop table if exists another",
          "truncate table ledger", "analyze table balance", "lock tables balance read"}) {
        EXPECT_ANY_THROW(execute(branch, sql)) << sql;
    }
    EXPECT_NO_THROW(execute(branch, "savepoint mine"));
    EXPECT_NO_THROW(execute(branch, "rollback to savepoint mine"));
    EXPECT_NO_THROW(execute(branch, "release savepoint mine"));
}

}  // namespace assent::testing
