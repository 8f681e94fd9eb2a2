// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/teller.hpp"

#include <libpq-fe.h>
#include <mysql.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace assent::testing {

namespace {

std::string word_for(outcome how)
{
    switch (how) {
        case outcome::committed:
            return "committed";
        case outcome::committed_pending:
            return "pending";
        case outcome::rolled_back:
            return "rolled_back";
        case outcome::unknown:
            break;
    }
    return "unknown";
}

MYSQL* connect(mysql::connect_options const& where)
{
    std::string password;
    std::ifstream{where.password_file} >> password;
    MYSQL* const made = mysql_init(nullptr);
    if (made == nullptr) throw std::bad_alloc{};
    if (mysql_real_connect(made, where.host.c_str(), where.user.c_str(), password.c_str(),
                           where.database.c_str(), where.port, nullptr, 0) == nullptr) {
        std::string const why = mysql_error(made);
        mysql_close(made);
        throw std::runtime_error{"mariadb: " + why};
    }
    return made;
}

}  // namespace

options crash_options(std::string const& log_directory)
{
    using std::chrono::milliseconds;
    limits bounds;
    bounds.presumed_abort_delay = milliseconds{0};  // no log here is a copy
    bounds.detach_settle = milliseconds{100};       // of each of some hundred kills
    bounds.scan_interval = milliseconds{100};
    bounds.completion_retry_max = milliseconds{100};
    bounds.retry_max = milliseconds{500};
    bounds.first_scan = milliseconds{30'000};
    bounds.segment_bytes = 1u << 20;
    return options{}.log_directory(log_directory).node_label("crash").limits(bounds);
}

both add_both(transaction_manager& tm, plan const& where)
{
    return {tm.add(postgresql::resource_manager{"accounts", where.text("accounts")}),
            tm.add(mysql::resource_manager{"orders", where.text("orders")})};
}

own_connections::~own_connections()
{
    close();
}

void own_connections::close() noexcept
{
    if (accounts_ != nullptr) PQfinish(std::exchange(accounts_, nullptr));
    if (orders_ != nullptr) mysql_close(std::exchange(orders_, nullptr));
}

PGconn* own_connections::accounts()
{
    if (accounts_ != nullptr) return accounts_;
    accounts_ = PQconnectdb(where_.text("accounts").c_str());
    if (PQstatus(accounts_) == CONNECTION_OK) return accounts_;
    std::string const why = PQerrorMessage(accounts_);
    PQfinish(std::exchange(accounts_, nullptr));
    throw std::runtime_error{"postgresql: " + why};
}

mysql::handle_type own_connections::orders()
{
    if (orders_ == nullptr) orders_ = connect(mysql::parse_connect_string(where_.text("orders")));
    return orders_;
}

void own_connections::released(void* handle, release how)
{
    if (how == release::keep) return;
    if (handle == accounts_) PQfinish(std::exchange(accounts_, nullptr));
    if (handle == orders_) mysql_close(std::exchange(orders_, nullptr));
}

void own_connections::leak() noexcept
{
    accounts_ = nullptr;
    orders_ = nullptr;
}

teller::teller(transaction_manager& tm, both databases, plan const& where, handles which)
    : tm_(tm), databases_(std::move(databases)), which_(which), own_(where)
{
    if (!where.has("row")) return;
    if (where.text("row") == "accounts") {
        how_.commit_row(databases_.accounts);
    } else {
        how_.commit_row(databases_.orders);
    }
}

teller::pair teller::enlist(transaction& tx)
{
    if (which_ == handles::leased) {
        return {tx.lease(databases_.accounts), tx.lease(databases_.orders)};
    }
    pair const mine{own_.accounts(), own_.orders()};
    auto const on_release = [this](void* handle, release how) { own_.released(handle, how); };
    tx.enlist(databases_.accounts, mine.accounts, on_release);
    tx.enlist(databases_.orders, mine.orders, on_release);
    return mine;
}

/// A connection that enlist() refused, since its server is gone, is replaced by a new one.
transaction teller::begin()
{
    if (std::exchange(is_suspect_, false)) own_.close();
    using clock = std::chrono::steady_clock;
    for (auto const until = clock::now() + std::chrono::seconds{10};;) {
        try {
            return tm_.begin(how_);
        } catch (error const& e) {
            // Where the disk is slower than the load, the log's next segment is still being made.
            if (e.code() != errc::log_full || clock::now() >= until) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

template <class Work>
std::string teller::commit(Work const& work)
{
    auto tx = begin();
    try {
        work(tx);
    } catch (std::exception const&) {
        is_suspect_ = true;
        return "failed";  // the destructor rolls back
    }
    try {
        return word_for(tx.commit());
    } catch (rolled_back_error const&) {
        return "rolled_back";
    } catch (in_doubt_error const&) {
        return "in_doubt";
    } catch (heuristic_error const&) {
        return "heuristic";
    }
}

std::string teller::transfer(std::string const& id, std::int64_t amount, int account)
{
    return commit([&](transaction& tx) {
        auto const with = enlist(tx);
        testing::transfer(with.accounts, with.orders, id, amount, account);
    });
}

std::string teller::refused(std::string const& id, std::int64_t amount, int account)
{
    return commit([&](transaction& tx) {
        auto const with = enlist(tx);
        testing::transfer(with.accounts, with.orders, id, amount, account);
        try {
            execute(with.accounts, "select no_such_column");
        } catch (std::runtime_error const&) {
            return;  // the branch can only roll back now, and PREPARE will say so
        }
        throw std::logic_error{"a statement that cannot succeed did"};
    });
}

std::string teller::single(std::string const& id)
{
    return commit([&](transaction& tx) {
        PGconn* mine = nullptr;
        if (which_ == handles::leased) {
            mine = tx.lease(databases_.accounts);
        } else {
            mine = own_.accounts();
            tx.enlist(databases_.accounts, mine,
                      [this](void* handle, release how) { own_.released(handle, how); });
        }
        execute(mine, "insert into single values ('" + id + "')");
    });
}

std::string teller::give_up(std::string const& id, std::int64_t amount, int account)
{
    auto tx = begin();
    auto const with = enlist(tx);
    testing::transfer(with.accounts, with.orders, id, amount, account);
    return word_for(tx.rollback());
}

}  // namespace assent::testing
