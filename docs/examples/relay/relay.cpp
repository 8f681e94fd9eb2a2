// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// relay.cpp -- the code of docs/guide/relay.md, compiled and run by a test against private servers:
// money leaves an account, a broker carries the news of it, and it arrives once.

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/inbox.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <assent/rabbitmq.hpp>
#include <assent/relay.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;

void execute(PGconn* connection, std::string const& sql)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const result{PQexec(connection, sql.c_str()),
                                                               &PQclear};
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
    throw std::runtime_error{PQerrorMessage(connection)};
}

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

assent::deadline in(std::chrono::seconds time)
{
    return std::chrono::steady_clock::now() + time;
}

/// @return whether one came by then.
bool receive_one(assent::rabbitmq::receiver& from, assent::message::inbox& inbox,
                 assent::mysql::resource_manager const& orders, assent::deadline until)
{
    // [receive]
    auto const payment = from.next(until);
    if (!payment) return false;
    for (;;) {
        try {
            inbox.once(*payment, [&](assent::transaction& tx) {
                execute(tx.lease(orders),
                        "UPDATE balance SET amount = amount + " + payment->body + " WHERE id = 1");
            });
            break;
        } catch (assent::message::gap_error const&) {
            return true;  // what is missing comes, and then this one again
        } catch (assent::message::fork_error const&) {
            throw;  // a person decides
        } catch (assent::error const& e) {
            std::cerr << e.what() << '\n';
            std::this_thread::sleep_for(1s);  // the same one until it is done: its lane waits
        }
    }
    from.acknowledge(*payment);
    return true;
    // [receive]
}

int main()
try {
    assent::rabbitmq::connect_options broker;
    broker.host = "127.0.0.1";
    broker.port = static_cast<std::uint16_t>(std::stoi(setting("SHOP_BROKER_PORT")));
    broker.account = "shop";
    broker.password_file = setting("SHOP_BROKER_PASSWORD");

    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});

    auto tx = tm.begin();
    execute(tx.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    assent::message::queue{accounts}.put(tx, {"shop", "account 1", "5"});
    tx.commit();

    // [relay]
    assent::rabbitmq::transport by{broker};
    assent::message::relay out{
        accounts, by,
        assent::message::relay_options{}.carries("shop").on_trouble(
            [](assent::message::relay_trouble const& what) { std::cerr << what.why << '\n'; })};
    out.start();
    // [relay]

    assent::rabbitmq::receive_options chosen;
    chosen.to = "shop";
    assent::rabbitmq::receiver from{broker, chosen};
    assent::message::inbox inbox{tm, orders, "billing"};
    bool const has_come = receive_one(from, inbox, orders, in(60s));
    out.stop();
    std::cout << (has_come ? "received\n" : "nothing came\n");
    return has_come ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
