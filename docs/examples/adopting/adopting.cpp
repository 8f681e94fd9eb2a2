// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// adopting.cpp -- the code of docs/guide/adopting.md and docs/guide/connections.md: an application
// that has its own pool and its own transactions, stage by stage.  Compiled and run by a test
// against private servers.

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <assent/testing.hpp>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

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

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

// ---- what the application has had for years --------------------------------------------------

/// Its pool.
class connection_pool
{
public:
    explicit connection_pool(std::string conninfo, std::size_t connections_max)
        : conninfo_(std::move(conninfo)), connections_max_(connections_max)
    {
    }
    ~connection_pool()
    {
        for (auto* each : idle_)
            PQfinish(each);
    }

    PGconn* take(std::chrono::steady_clock::time_point until)
    {
        std::unique_lock held{mutex_};
        auto const is_there = [this] { return !idle_.empty() || opened_ < connections_max_; };
        if (!changed_.wait_until(held, until, is_there)) throw std::runtime_error{"no connection"};
        if (idle_.empty()) {
            PGconn* const made = PQconnectdb(conninfo_.c_str());
            if (PQstatus(made) != CONNECTION_OK) {
                PQfinish(made);
                throw std::runtime_error{"cannot connect"};
            }
            ++opened_;
            return made;
        }
        PGconn* const taken = idle_.back();
        idle_.pop_back();
        return taken;
    }
    void put_back(PGconn* connection)
    {
        std::lock_guard const held{mutex_};
        idle_.push_back(connection);
        changed_.notify_one();
    }
    void discard(PGconn* connection)
    {
        PQfinish(connection);
        std::lock_guard const held{mutex_};
        --opened_;
        changed_.notify_one();
    }

private:
    std::string const conninfo_;
    std::size_t const connections_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<PGconn*> idle_;
    std::size_t opened_ = 0;
};

// [before]
void in_transaction(connection_pool& pool, std::function<void(PGconn*)> const& work)
{
    PGconn* const connection = pool.take(std::chrono::steady_clock::now() + 5s);
    try {
        execute(connection, "BEGIN");
        work(connection);
        execute(connection, "COMMIT");
    } catch (...) {
        pool.discard(connection);
        throw;
    }
    pool.put_back(connection);
}
// [before]

// [after]
void in_transaction(assent::transaction_manager& tm,
                    assent::postgresql::resource_manager const& accounts,
                    std::function<void(PGconn*)> const& work)
{
    tm.run(assent::run_options{}.attempts_max(1).timeout(5s),
           [&](assent::transaction& tx) { work(tx.lease(accounts)); });
}
// [after]

// [deep]
void write_audit(assent::transaction_manager& tm, assent::mysql::resource_manager const& orders,
                 std::string const& what)
{
    auto* const tx = tm.current();  // of this thread: in_transaction() was called further up
    if (tx == nullptr) throw std::logic_error{"an audit row belongs to a transaction"};
    execute(tx->lease(orders), "INSERT INTO ledger VALUES ('" + what + "', 1)");
}
// [deep]

// [outcomes]
enum class answer { done, try_again, failed, ask_later };

answer answer_for(std::function<void()> const& request)
try {
    request();
    return answer::done;  // committed: durable everywhere, or decided and being finished
} catch (assent::rolled_back_error const& e) {
    return e.is_retryable() ? answer::try_again : answer::failed;  // nothing happened anywhere
} catch (assent::retry_requested const&) {
    return answer::try_again;  // the work lost against others, and was rolled back
} catch (assent::in_doubt_error const& e) {
    std::cerr << "in doubt: " << e.id().text() << '\n';  // kept, and looked up: tm.outcome(e.id())
    return answer::ask_later;                            // never run it again
} catch (assent::heuristic_error const& e) {
    std::cerr << "page a person: " << e.what() << '\n';
    return answer::ask_later;
} catch (assent::error const& e) {
    // Before commit(): a database that does not serve, a pool that is exhausted.
    std::cerr << e.what() << '\n';
    return answer::try_again;
}
// [outcomes]

// ---- the application's own tests, without any server -----------------------------------------

// [a test]
void an_order_is_paid_or_not_made(std::string const& log_directory)
{
    assent::testing::memory_database bank;
    assent::testing::memory_database shop;
    assent::transaction_manager tm{
        assent::options{}.log_directory(log_directory).node_label("tests")};
    auto const accounts = tm.add(assent::testing::memory_resource_manager{"accounts", bank});
    auto const orders = tm.add(assent::testing::memory_resource_manager{"orders", shop});

    bank.script().on(assent::verb::prepare).reply(assent::xa_code::rbrollback);  // it votes no
    auto tx = tm.begin();
    tx.lease(accounts)->add("alice", -5);
    tx.lease(orders)->add("made", 1);
    try {
        tx.commit();
        throw std::logic_error{"it voted no"};
    } catch (assent::rolled_back_error const&) {
    }
    if (bank.value("alice") || shop.value("made")) throw std::logic_error{"half an order"};
}
// [a test]

// [metrics]
std::string metrics(assent::transaction_manager const& tm)
{
    return assent::prometheus_text(tm.state());
}
// [metrics]

int main()
try {
    connection_pool pool{setting("SHOP_ACCOUNTS"), 4};
    in_transaction(pool, [](PGconn* on) {
        execute(on, "UPDATE balance SET amount = amount - 1 WHERE id = 4");
    });
    auto const log_of_tests = setting("SHOP_LOG") + "-of-tests";
    an_order_is_paid_or_not_made(log_of_tests);
    std::filesystem::remove_all(log_of_tests);

    // [open]
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    // [open]

    // [source]
    assent::connection_source<PGconn*> lender;
    lender.acquire = [&pool](assent::deadline until) { return pool.take(until); };
    lender.give_back = [&pool](PGconn* connection, assent::release what) {
        if (what == assent::release::keep) {
            pool.put_back(connection);
        } else {
            pool.discard(connection);
        }
    };
    auto const accounts = tm.add(
        assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")}.leases_from(
            lender));
    // [source]

    in_transaction(tm, accounts, [](PGconn* on) {
        execute(on, "UPDATE balance SET amount = amount - 2 WHERE id = 4");
    });

    // [second]
    auto const orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});

    in_transaction(tm, accounts, [&](PGconn* on) {
        execute(on, "INSERT INTO ledger VALUES ('adopted', 1)");
        write_audit(tm, orders, "adopted");
    });
    // [second]
    if (metrics(tm).empty()) throw std::runtime_error("there are no metrics");

    // [join]
    PGconn* const mine = pool.take(std::chrono::steady_clock::now() + 5s);
    assent::user_transaction ut{tm};
    ut.begin();
    assent::join(tm, accounts, mine, [&pool](PGconn* back, assent::release what) {
        what == assent::release::keep ? pool.put_back(back) : pool.discard(back);
    });
    execute(mine, "UPDATE balance SET amount = amount - 3 WHERE id = 4");
    ut.commit();
    // [join]

    auto const said = answer_for([&] {
        in_transaction(tm, accounts, [](PGconn* on) {
            execute(on, "UPDATE balance SET amount = amount - 4 WHERE id = 4");
            throw assent::retry_requested{};  // as after a deadlock, with one attempt only
        });
    });
    if (said == answer::done) throw std::logic_error{"it was undone"};

    // [back]
    assent::close_report const left = tm.close(std::chrono::steady_clock::now() + 10s);
    for (auto const& note : left.notes)
        std::cerr << note << '\n';
    std::cout << (left.is_drained ? "drained\n" : "not drained yet\n");
    // [back]
    return EXIT_SUCCESS;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
