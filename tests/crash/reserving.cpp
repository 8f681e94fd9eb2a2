// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/reserving.hpp"

#include <functional>

namespace assent::testing {

namespace {

constexpr char amount[] = "7";
constexpr char of_account[] = " where id = 1";

PGconn* accounts(tcc::call const& of)
{
    return static_cast<PGconn*>(of.handle());
}

mysql::handle_type orders(tcc::call const& of)
{
    return static_cast<mysql::handle_type>(of.handle());
}

void change(PGconn* in, std::string const& sign)
{
    execute(in, "update balance set amount = amount " + sign + amount + of_account);
}

/// One row of the transfer, no less and no more.
void take_held(tcc::call const& of)
{
    execute(accounts(of), "do $$ begin delete from held where transfer = '" + of.payload() +
                              "'; if not found then raise 'nothing is held'; end if; end $$");
}

void nothing(tcc::call&) {}

std::function<void(tcc::call&)> told(std::shared_ptr<point_watch> const& watch,
                                     std::string const& name,
                                     std::function<void(tcc::call&)> handler)
{
    return [watch, name, handler = std::move(handler)](tcc::call& of) {
        auto const tell = [&](std::string const& step) {
            std::string const point = name + step;
            event what;
            what.name = point;
            watch->on(what);
        };
        tell(".begin");
        handler(of);
        tell(".end");
    };
}

}  // namespace

reserving add_reserving(transaction_manager& tm, plan const& where,
                        std::shared_ptr<point_watch> const& watch)
{
    auto const databases = add_both(tm, where);
    tcc::handlers leaving;
    leaving.attempt = told(watch, "attempt", [](tcc::call& of) {
        change(accounts(of), "- ");
        execute(accounts(of), "insert into held values ('" + of.payload() + "', " + amount + ")");
        if (of.payload().back() == 'r') throw tcc::refused{"a transfer that is refused"};
    });
    leaving.confirm = told(watch, "confirm", [](tcc::call& of) {
        take_held(of);
        execute(accounts(of), "insert into ledger values ('" + of.payload() + "', " + amount + ")");
    });
    leaving.cancel = told(watch, "cancel", [](tcc::call& of) {
        take_held(of);
        change(accounts(of), "+ ");
    });
    tcc::handlers arriving;
    arriving.attempt = &nothing;
    arriving.confirm =
        told(watch, "arrival", [](tcc::call& of) { arrive(orders(of), of.payload()); });
    arriving.cancel = &nothing;
    return {databases, tm.add(tcc::resource_manager{"leaving", databases.accounts, leaving}),
            tm.add(tcc::resource_manager{"arriving", databases.orders, arriving})};
}

void make_held(PGconn* in)
{
    execute(in, "create table if not exists held (transfer text primary key, amount bigint)");
}

void arrive(mysql::handle_type in, std::string const& id)
{
    execute(in, std::string{"update balance set amount = amount + "} + amount + of_account);
    execute(in, "insert into ledger values ('" + id + "', " + amount + ")");
}

}  // namespace assent::testing
