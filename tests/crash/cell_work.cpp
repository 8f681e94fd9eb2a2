// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/cell_work.hpp"

#include <functional>
#include <stdexcept>

namespace assent::testing {

namespace {

constexpr char less[] = "update balance set amount = amount - 7 where id = 2";
constexpr char more[] = "update balance set amount = amount + 7 where id = 2";

template <class Handle>
void note_effect(Handle on, tcc::call const& of, std::string const& what)
{
    execute(on, "insert into effect values ('" + of.id().text() + "', '" + of.payload() + "', '" +
                    what + "')");
}

/// One row of the transfer, no less and no more.
template <class Handle>
void take_held(Handle on, tcc::call const& of)
{
    auto const where = " from held where transfer = '" + of.payload() + "'";
    if (number(on, "select count(*)" + where) != 1) throw std::runtime_error{"nothing is held"};
    execute(on, "delete" + where);
}

/// Each in so many requests that each can be lost on its own.
template <class Handle>
tcc::handlers handlers_on(std::function<void(tcc::call const&)> const& check_decided)
{
    auto const handle = [](tcc::call const& of) { return static_cast<Handle>(of.handle()); };
    tcc::handlers how;
    how.attempt = [handle](tcc::call& of) {
        note_effect(handle(of), of, "attempt");
        execute(handle(of), less);
        execute(handle(of), "insert into held values ('" + of.payload() + "', 7)");
    };
    how.confirm = [handle, check_decided](tcc::call& of) {
        check_decided(of);
        note_effect(handle(of), of, "confirm");
        take_held(handle(of), of);
        execute(handle(of), "insert into ledger values ('" + of.payload() + "', 7)");
    };
    how.cancel = [handle](tcc::call& of) {
        note_effect(handle(of), of, "cancel");
        take_held(handle(of), of);
        execute(handle(of), more);
    };
    return how;
}

template <class Handle>
void receive_on(Handle on, std::string const& transfer)
{
    execute(on, more);
    execute(on, "insert into ledger values ('" + transfer + "', 7)");
}

}  // namespace

cell_managers add_cell(transaction_manager& tm, plan const& where)
{
    auto const databases = add_both(tm, where);
    auto const check_decided = [&tm, wrong = where.text("wrong")](tcc::call const& of) {
        if (tm.outcome(of.id().global) == known_outcome::committed) return;
        durable_lines{wrong}.add("confirmed without a decision: " + of.id().text());
    };
    return {databases,
            tm.add(tcc::resource_manager{leaving_name, databases.accounts,
                                         handlers_on<PGconn*>(check_decided)}),
            tm.add(tcc::resource_manager{arriving_name, databases.orders,
                                         handlers_on<mysql::handle_type>(check_decided)})};
}

void wait_until_drained(point_watch& watch, deadline until)
{
    for (std::string const name : {"accounts", "orders", leaving_name, arriving_name}) {
        if (watch.wait_for("resource_manager.drained@" + name, 1, until)) continue;
        throw std::runtime_error{name + " was not drained"};
    }
}

void make_cell_tables(PGconn* accounts, mysql::handle_type orders)
{
    std::string const held = "create table held (transfer varchar(64) primary key, amount bigint)";
    std::string const effect =
        "create table effect (xid varchar(100), transfer varchar(64), what varchar(8))";
    for (auto const& each : {held, effect}) {
        execute(accounts, each);
        execute(orders, each + " engine=innodb");
    }
}

void receive(PGconn* accounts, std::string const& transfer)
{
    receive_on(accounts, transfer);
}

void receive(mysql::handle_type orders, std::string const& transfer)
{
    receive_on(orders, transfer);
}

plan finish_watch::looking(plan const& where)
{
    return plan{}
        .set("accounts", where.text("look_accounts"))
        .set("orders", where.text("look_orders"));
}

void finish_watch::on(event const& what)
{
    bool const is_reservation =
        what.resource_manager == leaving_name || what.resource_manager == arriving_name;
    if (is_reservation && what.name.rfind("branch.finished", 0) == 0 && rows_of(what) != 0) {
        durable_lines{where_.text("wrong")}.add("finished, and still there: " +
                                                std::string{what.id});
    }
    point_watch::on(what);
}

std::int64_t finish_watch::rows_of(event const& what)
{
    auto const sql =
        "select count(*) from assent_branch where xid = '" + std::string{what.id} + "'";
    std::lock_guard const held{mutex_};
    try {
        return what.resource_manager == leaving_name ? number(look_.accounts(), sql)
                                                     : number(look_.orders(), sql);
    } catch (std::runtime_error const&) {
        look_.close();  // the server is being killed just now, and who is dead holds no table
        return 0;
    }
}

}  // namespace assent::testing
