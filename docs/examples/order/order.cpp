// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// order.cpp -- an order with four branches: two by XA, two by reservation, one decision.
//
//   PostgreSQL   the order is paid      XA             a row that nobody else wants
//                points are credited    reservation    promised, then credited
//   MariaDB      two books are sold     reservation    set aside, then sold; a row that all want
//                a delivery slip        XA
//
//   assent_order place FIRST LAST           places orders number FIRST to LAST
//   assent_order place FIRST LAST POINT     ... and kill -9 at POINT of order LAST:
//                                           after-attempts, after-decision, in-confirm
//   assent_order recover                    opens the log and waits until nothing is in doubt
//
// Where things are comes from the environment, never from argv: ORDER_LOG, ORDER_POSTGRESQL (a
// libpq connection string), ORDER_MARIADB (a connect string), PGPASSFILE.

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <assent/tcc.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
namespace tcc = assent::tcc;

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set; use run"};
    return value;
}

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

PGconn* postgresql(tcc::call const& of)
{
    return static_cast<PGconn*>(of.handle());
}

MYSQL* mariadb(tcc::call const& of)
{
    return static_cast<MYSQL*>(of.handle());
}

/// Where this process dies, if it is to.
std::string dies_at;

void pass(std::string const& point)
{
    if (point == dies_at) std::raise(SIGKILL);
}

/// A payload is how many books.
tcc::handlers stock_handlers()
{
    tcc::handlers stock;
    stock.attempt = [](tcc::call& of) {
        execute(mariadb(of), "UPDATE stock SET available = available - " + of.payload() +
                                 ", reserved = reserved + " + of.payload() +
                                 " WHERE item = 'book' AND available >= " + of.payload());
        if (mysql_affected_rows(mariadb(of)) == 0) throw tcc::refused{"sold out"};
    };
    stock.confirm = [](tcc::call& of) {
        execute(mariadb(of), "UPDATE stock SET reserved = reserved - " + of.payload() +
                                 ", sold = sold + " + of.payload() + " WHERE item = 'book'");
        pass("in-confirm");
    };
    stock.cancel = [](tcc::call& of) {
        execute(mariadb(of), "UPDATE stock SET reserved = reserved - " + of.payload() +
                                 ", available = available + " + of.payload() +
                                 " WHERE item = 'book'");
    };
    return stock;
}

/// A payload is how many points.
tcc::handlers points_handlers()
{
    auto const change = [](tcc::call& of, std::string const& what) {
        execute(postgresql(of), "UPDATE points SET " + what + " WHERE customer = 'alice'");
    };
    tcc::handlers points;
    points.attempt = [change](tcc::call& of) {
        change(of, "promised = promised + " + of.payload());
    };
    points.confirm = [change](tcc::call& of) {
        change(of,
               "promised = promised - " + of.payload() + ", balance = balance + " + of.payload());
    };
    points.cancel = [change](tcc::call& of) {
        change(of, "promised = promised - " + of.payload());
    };
    return points;
}

/// Alarms are told, and a decision may be where this process dies.
class watcher : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        if (what.level == assent::severity::alarm)
            std::cerr << what.name << ' ' << what.text << '\n';
        if (is_last && what.name == "decision.durable") pass("after-decision");
    }
    bool is_last = false;
};

struct shop
{
    shop()
        : manager(assent::options{}
                      .log_directory(setting("ORDER_LOG"))
                      .node_label("order")
                      .observe(watch)),
          orders(manager.add(
              assent::postgresql::resource_manager{"orders", setting("ORDER_POSTGRESQL")})),
          slips(manager.add(assent::mysql::resource_manager{"slips", setting("ORDER_MARIADB")})),
          points(manager.add(tcc::resource_manager{"points", orders, points_handlers()})),
          stock(manager.add(tcc::resource_manager{"stock", slips, stock_handlers()}))
    {
    }

    std::shared_ptr<watcher> watch = std::make_shared<watcher>();
    assent::transaction_manager manager;
    assent::postgresql::resource_manager orders;
    assent::mysql::resource_manager slips;
    tcc::resource_manager points;
    tcc::resource_manager stock;
};

void place(shop& in, int number)
{
    auto const id = std::to_string(number);
    auto tx = in.manager.begin();
    tcc::attempt(tx, in.stock, "2");
    tcc::attempt(tx, in.points, "10");
    execute(tx.lease(in.orders), "INSERT INTO orders VALUES (" + id + ", 'paid')");
    execute(tx.lease(in.slips), "INSERT INTO slip VALUES (" + id + ", 'book')");
    if (in.watch->is_last) pass("after-attempts");
    tx.commit();
}

int place_orders(int first, int last, std::string const& point)
{
    shop in;
    for (int number = first; number <= last; ++number) {
        if (number == last) {
            in.watch->is_last = true;
            dies_at = point;
        }
        place(in, number);
    }
    if (!point.empty()) {
        // A confirm may still be under way, on a thread of its own.
        std::this_thread::sleep_for(10s);
        std::cerr << "the kill point " << point << " was not reached\n";
        return EXIT_FAILURE;
    }
    std::cout << "    " << last - first + 1 << " orders placed\n";
    return EXIT_SUCCESS;
}

int recover()
{
    shop in;
    auto const until = std::chrono::steady_clock::now() + 60s;
    for (;;) {
        bool is_drained = true;
        std::string why;
        for (auto const& each : in.manager.state().resource_managers) {
            is_drained = is_drained && each.is_drained && each.branches_due == 0;
            if (!each.is_drained) why += "\n  " + each.name + ": " + each.why + each.undrained;
        }
        if (is_drained) break;
        if (std::chrono::steady_clock::now() > until) {
            std::cerr << "recovery is not complete after a minute" << why << '\n';
            return EXIT_FAILURE;
        }
        std::this_thread::sleep_for(20ms);
    }
    std::cout << "    nothing is in doubt any more\n";
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv)
try {
    std::string const verb = argc > 1 ? argv[1] : "";
    if (verb == "place" && (argc == 4 || argc == 5)) {
        return place_orders(std::stoi(argv[2]), std::stoi(argv[3]), argc == 5 ? argv[4] : "");
    }
    if (verb == "recover" && argc == 2) return recover();
    std::cerr << "usage: assent_order place FIRST LAST [KILL-POINT] | recover\n";
    return 2;
} catch (std::exception const& e) {
    std::cerr << "assent_order: " << e.what() << '\n';
    return EXIT_FAILURE;
}
