// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// by_assent.cpp -- the same transfers through the library's public doors.

#include <algorithm>
#include <array>
#include <chrono>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>

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

/// What the application has prepared in sessions that are leased as they were left.
class prepared_statements
{
public:
    void prepare_once(PGconn* on)
    {
        std::lock_guard const guard(mutex_);
        if (prepared_.insert(PQbackendPID(on)).second) bench::prepare_statements(on);
    }
    prepared_add& of(MYSQL* on)
    {
        std::lock_guard const guard(mutex_);
        auto& add = adds_[mysql_thread_id(on)];
        if (add == nullptr) add = std::make_unique<prepared_add>(on);
        return *add;
    }

private:
    std::mutex mutex_;
    std::set<int> prepared_;  // by the servers' numbers: handles may come again
    std::map<unsigned long, std::unique_ptr<prepared_add>> adds_;
};

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
    prepared_statements kept;

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
        auto const begun = clock::now();
        end(tx);
        auto const ended = clock::now();
        commits_us_.at(thread) = std::chrono::duration<float, std::micro>(ended - begun).count();
    }
    void settle() override
    {
        auto const until = clock::now() + std::chrono::seconds{20};
        while (is_under_way()) {
            if (clock::now() > until) throw std::runtime_error("a transfer is not finished");
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
    }
    float commit_us(std::size_t thread) const override { return commits_us_.at(thread); }

protected:
    virtual void work(transaction& tx, std::size_t /*thread*/, int row)
    {
        for (auto const& [accounts, orders] : at_->lease_all(tx)) {
            add_by_text(accounts, row, -1);
            add_by_text(orders, row, 1);
        }
    }
    virtual void end(transaction& tx)
    {
        bool const is_early = how_.given().returns == commit_return::decision_logged;
        require(tx.commit(), is_early ? outcome::committed_pending : outcome::committed);
    }

    std::shared_ptr<desk> const at_;

private:
    bool is_under_way() const
    {
        auto const now = at_->tm.state();
        auto const is_leased = [](auto const& each) { return each.sessions_leased != 0; };
        return now.live_transactions != 0 ||
               std::any_of(now.resource_managers.begin(), now.resource_managers.end(), is_leased);
    }

    begin_options const how_;
    std::array<float, shop::threads_max> commits_us_{};  // by thread
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
            at_->kept.prepare_once(accounts);
            add(accounts, row, -1);
            at_->kept.of(orders)(row, 1);
        }
    }
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

class in_one_as_left final : public leased
{
public:
    using leased::leased;

private:
    void work(transaction& tx, std::size_t /*thread*/, int row) override
    {
        auto const both = tx.lease(at_->pairs.front().accounts);
        at_->kept.prepare_once(both);
        add(both, row, -1);
        add(both, row, 1);
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

template <class Kind>
constexpr std::type_identity<Kind> as;

}  // namespace

variants by_assent(places const& where, std::string const& directory)
{
    auto const at = std::make_shared<desk>(where, options_for(directory + "/log"));
    auto const unreset =
        std::make_shared<desk>(where, options_for(directory + "/log-unreset").reset_leases(false));
    variants made;
    auto const add = [&made](auto as, char const* name, char const* about, char const* rival,
                             auto&&... how) {
        made.push_back(std::make_unique<typename decltype(as)::type>(name, about, rival, how...));
    };
    auto const row_at = [](desk const& of) {
        return begin_options{}.commit_row(of.pairs.front().accounts);
    };
    add(as<leased>, "leased", "leased, as shipped", "hand-promises", at);
    add(as<leased>, "leased-early", "leased, returns early", "leased", at,
        begin_options{}.commit_return(commit_return::decision_logged));
    add(as<leased_as_left>, "leased-as-left", "leased, reset_leases(false)", "hand-log", unreset);
    add(as<borrowed>, "borrowed", "borrowed", "hand-log", at, where);
    add(as<leased>, "commit-row", "commit row", "hand-row-promises", at, row_at(*at));
    add(as<leased_as_left>, "commit-row-as-left", "commit row, reset_leases(false)",
        "hand-commit-row", unreset, row_at(*unreset));
    add(as<in_one_database>, "one-database", "one database", "hand-one-promises", at);
    add(as<in_one_as_left>, "one-database-bare", "one database, no resets, no witness",
        "hand-one-local", unreset, begin_options{}.commit_witness(false));
    add(as<only_read>, "read-only", "read only", "", at, begin_options{}.read_only());
    add(as<rolled_back>, "rollback", "rolled back", "", at);
    return made;
}

}  // namespace assent::bench
