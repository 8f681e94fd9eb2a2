// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// estate.cpp -- see estate.hpp.

#include "estate.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include <assent/postgresql.hpp>

#include "accounts_session.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "bench.hpp"
#include "log/file_log.hpp"
#include "orders_session.hpp"

namespace assent::bench {

namespace {

constexpr std::size_t preparing_threads = 4;
constexpr std::size_t deciding_threads = 64;
constexpr std::uint64_t of_hands = 0x6a0d5;

/// By whom the names are.
struct maker
{
    std::uint64_t node = 0;
    ports::opening opening;
    std::uint16_t accounts = 0;
    std::uint16_t orders = 0;

    xid name(std::uint16_t manager, std::size_t i, std::uint64_t session) const
    {
        return {gtrid::make({decision_place::log, 0, node, opening.epoch, opening.nonce, i + 1}),
                bqual::make({manager, 1, session})};
    }
};

xid prepare_in_accounts(accounts_session& on, maker const& by, std::size_t i)
{
    auto const session = static_cast<std::uint64_t>(PQbackendPID(on.handle()));
    xid const id = by.name(by.accounts, i, session);
    on.run("BEGIN; INSERT INTO left_behind VALUES (" + std::to_string(i) +
           "); PREPARE TRANSACTION '" + id.text() + "'");
    return id;
}

/// MariaDB keeps a prepared branch for its session: each has one of its own, which then ends.
xid prepare_in_orders(addresses const& where, maker const& by, std::size_t i)
{
    orders_session on(where.orders);
    xid const id = by.name(by.orders, i, mysql_thread_id(on.handle()));
    auto const name = mysql_dialect::render(id).value();
    on.run("XA START " + name + "; INSERT INTO left_behind VALUES (" + std::to_string(i) +
           "); XA END " + name + "; XA PREPARE " + name);
    return id;
}

estate prepare(addresses const& where, maker const& by, std::size_t count, std::size_t first = 0)
{
    estate made;
    made.accounts.resize(count);
    made.orders.resize(count);
    std::atomic<std::size_t> next{0};
    on_threads(preparing_threads, [&](std::size_t) {
        accounts_session accounts(where.accounts);
        for (auto i = next++; i < count; i = next++) {
            made.accounts[i] = prepare_in_accounts(accounts, by, first + i);
            made.orders[i] = prepare_in_orders(where, by, first + i);
        }
    });
    return made;
}

/// A session that has been closed takes a moment to be gone, and MariaDB some more to let go of its
/// branch: whoever commits earlier is answered OK, and nothing is committed.
void wait_for_sessions(addresses const& where)
{
    orders_session orders(where.orders);
    auto const until = clock::now() + std::chrono::seconds{30};
    while (orders.ask("select count(*) from information_schema.processlist") != "1") {
        if (clock::now() >= until) throw std::runtime_error("mariadb: sessions do not end");
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    std::this_thread::sleep_for(limits{}.detach_settle);
}

void decide(log::file_log& log, estate const& all)
{
    std::atomic<std::size_t> next{0};
    on_threads(deciding_threads, [&](std::size_t) {
        for (auto i = next++; i < all.accounts.size(); i = next++) {
            ports::reservation const room(log);
            ports::decision const what{all.accounts[i].global,
                                       {all.accounts[i].branch, all.orders[i].branch}};
            auto const said = log.force(what, far_away());
            if (!std::holds_alternative<protocol::durable_decision>(said)) {
                throw std::runtime_error("a decision was not forced");
            }
        }
    });
}

std::uint16_t id_of(log::file_log const& log, std::string const& name)
{
    for (auto const& each : log.bindings()) {
        if (each.name == name) return each.id;
    }
    throw std::runtime_error(name + " is not bound");
}

/// The server has not been started again since the last opening that noted its start.
void note_start(log::file_log& log, std::uint16_t id)
{
    for (auto epoch = log.current().epoch - 1; epoch > 0; --epoch) {
        auto const noted = log.server_start(id, epoch);
        if (noted) return log.note_server_start(id, *noted);
    }
    throw std::runtime_error("no opening has noted the server's start");
}

}  // namespace

options recovery_options(std::string const& directory, limits::duration presumed_abort_delay)
{
    return options{}
        .log_directory(directory)
        .node_label("bench")
        .presumed_abort_delay(presumed_abort_delay)
        .allow_file_system("overlay");
}

void make_room(addresses const& where)
{
    accounts_session accounts(where.accounts);
    accounts.run("create table left_behind (id integer primary key)");
    orders_session orders(where.orders);
    orders.run("create table left_behind (id integer primary key) engine=innodb");
}

void require_ended(addresses const& where, std::size_t expected)
{
    accounts_session accounts(where.accounts);
    orders_session orders(where.orders);
    if (accounts.ask("select count(*) from pg_prepared_xacts") != "0" ||
        !orders.ask("xa recover").empty()) {
        throw std::runtime_error("a branch is left prepared");
    }
    for (auto const& rows : {accounts.ask("select count(*) from left_behind"),
                             orders.ask("select count(*) from left_behind")}) {
        if (rows != std::to_string(expected)) {
            throw std::runtime_error(rows + " branches were committed, and not " +
                                     std::to_string(expected));
        }
    }
    accounts.run("truncate left_behind");
    orders.run("truncate left_behind");
}

void bind_all(addresses const& where, std::string const& directory)
{
    transaction_manager tm(recovery_options(directory, limits::duration{0}));
    auto const accounts = tm.add(postgresql::resource_manager{"accounts", where.accounts});
    auto const orders = tm.add(mysql::resource_manager{"orders", where.orders});
    auto tx = tm.begin();
    tx.lease(accounts);
    tx.lease(orders);
    tx.rollback();
}

estate leave_behind(addresses const& where, std::string const& directory, std::size_t count,
                    ending how, std::size_t first)
{
    log::file_log_options chosen;
    chosen.node_label = "bench";
    chosen.allowed_file_systems = {"overlay"};
    log::file_log log(directory, chosen);
    maker const by{log.node(), log.current(), id_of(log, "accounts"), id_of(log, "orders")};
    note_start(log, by.accounts);
    note_start(log, by.orders);
    estate made = prepare(where, by, count, first);
    if (how == ending::commit) decide(log, made);
    wait_for_sessions(where);
    return made;
}

estate leave_to_hands(addresses const& where, std::size_t count)
{
    estate made = prepare(where, {of_hands, {1, of_hands}, 1, 2}, count);
    wait_for_sessions(where);
    return made;
}

}  // namespace assent::bench
