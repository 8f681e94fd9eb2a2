// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// demo.cpp -- a bank over PostgreSQL and MariaDB, and the ways to kill it.
//
//   assent_demo transfer FIRST LAST           transfers number FIRST to LAST
//   assent_demo transfer FIRST LAST POINT     ... and kill -9 at POINT of transfer LAST:
//                                             after-prepares, after-decision, between-commits
//   assent_demo recover                       opens the log and waits until nothing is in doubt
//
// Where things are comes from the environment, never from argv: DEMO_LOG, DEMO_POSTGRESQL (a libpq
// connection string), DEMO_MARIADB (a connect string), PGPASSFILE.

#include <libpq-fe.h>
#include <mysql.h>
#include <unistd.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <atomic>
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

constexpr int accounts = 10;
constexpr int amount = 5;

std::string from_environment(char const* name)
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

/// Kills this process at a named step of a commit.  The library tells its steps as events.
class kill_point : public assent::observer
{
public:
    explicit kill_point(std::string point) : point_(std::move(point)) {}

    void arm() { is_armed_ = true; }

    void on(assent::event const& what) override
    {
        if (what.level == assent::severity::alarm)
            std::cerr << what.name << ' ' << what.text << '\n';
        if (!is_armed_) return;
        if (what.name == "branch.commit") ++commits_sent_;
        bool const is_here = (point_ == "after-prepares" && what.name == "decision.force") ||
                             (point_ == "after-decision" && what.name == "decision.durable") ||
                             (point_ == "between-commits" && commits_sent_ == 2);
        if (is_here) std::raise(SIGKILL);
    }

private:
    std::string const point_;
    std::atomic<bool> is_armed_{false};
    std::atomic<int> commits_sent_{0};
};

struct bank
{
    explicit bank(std::shared_ptr<assent::observer> const& watcher)
        : manager(assent::options{}
                      .log_directory(from_environment("DEMO_LOG"))
                      .node_label("demo")
                      .observe(watcher)),
          postgresql(manager.add(assent::postgresql::resource_manager{
              "postgresql", from_environment("DEMO_POSTGRESQL")})),
          mariadb(manager.add(
              assent::mysql::resource_manager{"mariadb", from_environment("DEMO_MARIADB")}))
    {
    }

    assent::transaction_manager manager;
    assent::postgresql::resource_manager postgresql;
    assent::mysql::resource_manager mariadb;
};

/// One transfer from an account in PostgreSQL to the same account in MariaDB.
void transfer(bank& in, assent::transaction& tx, int number)
{
    auto const account = std::to_string(1 + number % accounts);
    auto const money = std::to_string(amount);
    auto const row = "INSERT INTO ledger VALUES ('transfer-" + std::to_string(number) + "', " +
                     account + ", " + money + ")";
    PGconn* const from = tx.lease(in.postgresql);
    MYSQL* const to = tx.lease(in.mariadb);
    execute(from, "UPDATE accounts SET balance = balance - " + money + " WHERE id = " + account);
    execute(to, "UPDATE accounts SET balance = balance + " + money + " WHERE id = " + account);
    execute(from, row);
    execute(to, row);
}

int run_transfers(int first, int last, std::string const& point)
{
    auto const watcher = std::make_shared<kill_point>(point);
    bank in{watcher};
    auto const began = std::chrono::steady_clock::now();
    for (int number = first; number <= last; ++number) {
        if (number == last && !point.empty()) watcher->arm();
        in.manager.run([&](assent::transaction& tx) { transfer(in, tx, number); });
        if (point.empty() && ::isatty(STDOUT_FILENO) != 0) {
            std::cout << "\r    " << number - first + 1 << " of " << last - first + 1 << std::flush;
        }
    }
    if (!point.empty()) {
        std::cerr << "the kill point " << point << " was not reached\n";
        return EXIT_FAILURE;
    }
    auto const spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    auto const state = in.manager.state();
    std::cout << "\r    " << last - first + 1 << " transfers committed in " << spent.count()
              << " ms, " << state.forces << " forced writes of the decision log\n";
    return EXIT_SUCCESS;
}

int recover()
{
    bank in{std::make_shared<kill_point>("")};
    auto const until = std::chrono::steady_clock::now() + 60s;
    for (;;) {
        bool is_drained = true;
        std::string why;
        for (auto const& each : in.manager.state().resource_managers) {
            is_drained = is_drained && each.is_drained;
            if (!each.why.empty()) why += "\n  " + each.name + ": " + each.why;
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
    if (verb == "transfer" && (argc == 4 || argc == 5)) {
        return run_transfers(std::stoi(argv[2]), std::stoi(argv[3]), argc == 5 ? argv[4] : "");
    }
    if (verb == "recover" && argc == 2) return recover();
    std::cerr << "usage: assent_demo transfer FIRST LAST [KILL-POINT] | recover\n";
    return 2;
} catch (std::exception const& e) {
    std::cerr << "assent_demo: " << e.what() << '\n';
    return EXIT_FAILURE;
}
