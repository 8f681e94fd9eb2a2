// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// by_assent.cpp -- the same transfers through the library's public doors.

#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include <assent/assent.hpp>
#include <assent/postgresql.hpp>

#include "accounts_session.hpp"
#include "bench.hpp"
#include "orders_session.hpp"
#include "variant.hpp"

namespace assent::bench {

namespace {

/// The servers are the bench's own, so its log is no copy of anybody's.
assent::options options_for(std::string const& directory)
{
    return assent::options{}
        .log_directory(directory)
        .node_label("bench")
        .presumed_abort_delay(limits::duration{0})
        .allow_file_system("overlay");
}

/// A manager over all databases, and what its transactions have in common.
class desk
{
public:
    struct pair
    {
        postgresql::resource_manager accounts;
        mysql::resource_manager orders;
    };

    desk(places const& where, assent::options const& how) : tm(how)
    {
        for (std::size_t i = 0; i < where.size(); ++i) {
            auto const name = [i](char const* database) {
                return i == 0 ? database : database + std::to_string(i);
            };
            pairs.push_back(
                {tm.add(postgresql::resource_manager{name("accounts"), where[i].accounts}),
                 tm.add(mysql::resource_manager{name("orders"), where[i].orders})});
        }
    }

    /// Opens sessions in its pools, as many as there are threads.
    void open(std::size_t threads)
    {
        if (opened_ >= threads) return;
        std::latch all(static_cast<std::ptrdiff_t>(threads));
        on_threads(threads, [&](std::size_t) {
            auto tx = tm.begin();
            try {
                lease_all(tx);
            } catch (...) {
                all.count_down();
                throw;
            }
            all.arrive_and_wait();
            tx.rollback();
        });
        opened_ = threads;
    }

    struct handles
    {
        PGconn* accounts;
        MYSQL* orders;
    };
    std::vector<handles> lease_all(transaction& tx) const
    {
        std::vector<std::reference_wrapper<resource_manager const>> each;
        for (pair const& one : pairs) {
            each.emplace_back(one.accounts);
            each.emplace_back(one.orders);
        }
        auto const leases = tx.lease_any(each);
        std::vector<handles> all;
        for (std::size_t i = 0; i < leases.size(); i += 2) {
            all.push_back({static_cast<PGconn*>(leases[i].handle()),
                           static_cast<MYSQL*>(leases[i + 1].handle())});
        }
        return all;
    }

    transaction_manager tm;
    std::vector<pair> pairs;

private:
    std::size_t opened_ = 0;
};

void require(outcome is, outcome expected)
{
    if (is != expected) throw std::runtime_error("a transaction has another outcome");
}

/// Leased connections that are reset between leases: the application prepares nothing there.
class leased : public variant
{
public:
    leased(char const* name, char const* about, char const* rival, std::shared_ptr<desk> at,
           begin_options how = {})
        : variant(name, about, rival), at_(std::move(at)), how_(std::move(how))
    {
    }

    void open(std::size_t threads) override { at_->open(threads); }
    std::uint64_t forces() const override { return at_->tm.state().forces; }

    void transfer(std::size_t thread, std::uint64_t sequence) override
    {
        auto tx = at_->tm.begin(how_);
        work(tx, thread, shop::row_of(thread, sequence));
        end(tx);
    }

protected:
    virtual void work(transaction& tx, std::size_t /*thread*/, int row)
    {
        for (auto const& [accounts, orders] : at_->lease_all(tx)) {
            add_by_text(accounts, row, -1);
            add_by_text(orders, row, 1);
        }
    }
    virtual void end(transaction& tx) { require(tx.commit(), outcome::committed); }

    std::shared_ptr<desk> const at_;

private:
    begin_options const how_;
};

/// Where sessions are leased as they are left, the application keeps its statements there.
class leased_as_left final : public leased
{
public:
    using leased::leased;

private:
    void work(transaction& tx, std::size_t /*thread*/, int row) override
    {
        for (auto const& [accounts, orders] : at_->lease_all(tx)) {
            prepared_add& credit = statements_of(accounts, orders);
            add(accounts, row, -1);
            credit(row, 1);
        }
    }

    prepared_add& statements_of(PGconn* debited, MYSQL* credited)
    {
        std::lock_guard const guard(mutex_);
        if (prepared_.insert(PQbackendPID(debited)).second) prepare_statements(debited);
        auto& credit = credits_[mysql_thread_id(credited)];
        if (credit == nullptr) credit = std::make_unique<prepared_add>(credited);
        return *credit;
    }

    std::mutex mutex_;
    std::set<int> prepared_;  // by the servers' numbers: handles may come again
    std::map<unsigned long, std::unique_ptr<prepared_add>> credits_;
};

/// One pair of connections of the application's own for each thread.
class borrowed final : public leased
{
public:
    borrowed(char const* name, char const* about, char const* rival, std::shared_ptr<desk> at,
             places where)
        : leased(name, about, rival, std::move(at)), where_(std::move(where))
    {
    }

    void open(std::size_t threads) override
    {
        leased::open(1);  // so that both databases serve
        while (own_.size() < threads) {
            auto& all = own_.emplace_back();
            for (addresses const& each : where_)
                all.push_back(std::make_unique<connections>(each));
        }
    }

private:
    struct connections
    {
        explicit connections(addresses const& where)
            : accounts(where.accounts),
              orders(where.orders, statements::single),
              credit(orders.handle())
        {
            prepare_statements(accounts.handle());
        }

        accounts_session accounts;
        orders_session orders;
        prepared_add credit;
    };

    void work(transaction& tx, std::size_t thread, int row) override
    {
        auto const& own = own_[thread];
        for (std::size_t i = 0; i < own.size(); ++i) {
            tx.enlist(at_->pairs[i].accounts, own[i]->accounts.handle());
            tx.enlist(at_->pairs[i].orders, own[i]->orders.handle());
        }
        for (auto const& each : own) {
            add(each->accounts.handle(), row, -1);
            each->credit(row, 1);
        }
    }

    places const where_;
    std::vector<std::vector<std::unique_ptr<connections>>> own_;  // of each thread
};

class in_one_database final : public leased
{
public:
    using leased::leased;

private:
    void work(transaction& tx, std::size_t /*thread*/, int row) override
    {
        auto const both = tx.lease(at_->pairs.front().accounts);
        add_by_text(both, row, -1);
        add_by_text(both, row, 1);
    }
};

class only_read final : public leased
{
public:
    using leased::leased;

private:
    void work(transaction& tx, std::size_t /*thread*/, int row) override
    {
        for (auto const& [accounts, orders] : at_->lease_all(tx)) {
            read_by_text(accounts, row);
            read_by_text(orders, row);
        }
    }
};

class rolled_back final : public leased
{
public:
    using leased::leased;

private:
    void end(transaction& tx) override { require(tx.rollback(), outcome::rolled_back); }
};

}  // namespace

variants by_assent(places const& where, std::string const& directory)
{
    auto const at = std::make_shared<desk>(where, options_for(directory + "/log"));
    auto const unreset =
        std::make_shared<desk>(where, options_for(directory + "/log-unreset").reset_leases(false));
    variants made;
    made.push_back(std::make_unique<leased>("leased", "leased, as shipped", "hand-promises", at));
    made.push_back(std::make_unique<leased_as_left>("leased-as-left", "leased, reset_leases(false)",
                                                    "hand-log", unreset));
    made.push_back(std::make_unique<borrowed>("borrowed", "borrowed", "hand-log", at, where));
    made.push_back(
        std::make_unique<leased>("commit-row", "commit row", "hand-commit-row", at,
                                 begin_options{}.commit_row(at->pairs.front().accounts)));
    made.push_back(
        std::make_unique<in_one_database>("one-database", "one database", "hand-one-local", at));
    made.push_back(
        std::make_unique<only_read>("read-only", "read only", "", at, begin_options{}.read_only()));
    made.push_back(std::make_unique<rolled_back>("rollback", "rolled back", "", at));
    return made;
}

}  // namespace assent::bench
