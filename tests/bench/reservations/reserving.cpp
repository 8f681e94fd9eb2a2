// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reserving.cpp -- see reserving.hpp.

#include "reserving.hpp"

#include <algorithm>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <assent/assent.hpp>
#include <assent/postgresql.hpp>
#include <assent/tcc.hpp>

#include "bench.hpp"
#include "hands.hpp"

namespace assent::bench {

namespace {

/// Each of the two has half of a thread's rows: they are settled side by side.
constexpr int rows_of_each = shop::rows_per_thread / 2;

int row_for(int of_two, std::size_t thread, std::uint64_t sequence)
{
    auto const all = static_cast<int>(thread * shop::rows_per_thread);
    return all + of_two * rows_of_each + static_cast<int>(sequence % rows_of_each);
}

template <class Handle>
void change(Handle* on, int first, int statements, int amount)
{
    int const begin = first / rows_of_each * rows_of_each;
    for (int i = 0; i < statements; ++i)
        add_by_text(on, begin + (first + i) % rows_of_each, amount);
}

bool is_in_postgresql(spread where, int of_two)
{
    return where == spread::mixed ? of_two == 0 : where == spread::postgresql;
}

// ---- by hand -----------------------------------------------------------------------------------

class by_hand_too final : public variant
{
public:
    by_hand_too(std::string name, std::shared_ptr<crowd<hands>> all, spread where, int statements)
        : variant(std::move(name), "by hand", {}),
          all_(std::move(all)),
          where_(where),
          statements_(statements)
    {
    }

    void open(std::size_t threads) override { all_->open(threads); }

    void transfer(std::size_t thread, std::uint64_t sequence) override
    {
        auto& both = *all_->of(thread).pairs.front();
        for (int const amount : {-1, 1}) {
            for (int of_two = 0; of_two < 2; ++of_two) {
                int const row = row_for(of_two, thread, sequence);
                if (is_in_postgresql(where_, of_two)) {
                    locally(both.accounts, "BEGIN", row, amount);
                } else {
                    locally(both.orders, "START TRANSACTION", row, amount);
                }
            }
        }
    }

private:
    template <class Session>
    void locally(Session& on, char const* begin, int row, int amount)
    {
        on.run(begin);
        change(on.handle(), row, statements_, amount);
        on.run("COMMIT");
    }

    std::shared_ptr<crowd<hands>> const all_;
    spread const where_;
    int const statements_;
};

// ---- by the library ----------------------------------------------------------------------------

/// A payload is the first row and the number of statements.
struct order
{
    int row;
    int statements;

    std::string text() const { return std::to_string(row) + ' ' + std::to_string(statements); }
    static order of(tcc::call const& what)
    {
        std::size_t end = 0;
        int const row = std::stoi(what.payload(), &end);
        return {row, std::stoi(what.payload().substr(end))};
    }
};

template <class Handle>
tcc::handlers handlers_of()
{
    auto const by = [](int amount) {
        return [amount](tcc::call& of) {
            auto const what = order::of(of);
            change(static_cast<Handle*>(of.handle()), what.row, what.statements, amount);
        };
    };
    return {by(-1), by(1), by(1)};
}

struct manager
{
    manager(addresses const& where, std::string const& directory, std::size_t workers)
        : tm(assent::options{}
                 .log_directory(directory)
                 .node_label("bench")
                 .presumed_abort_delay(limits::duration{0})
                 .allow_file_system("overlay")),
          points(tm.add(tcc::resource_manager{
              "points", postgresql::resource_manager{"accounts", where.accounts},
              handlers_of<PGconn>(), tcc::options{}.workers(workers)})),
          stock(
              tm.add(tcc::resource_manager{"stock", mysql::resource_manager{"orders", where.orders},
                                           handlers_of<MYSQL>(), tcc::options{}.workers(workers)}))
    {
    }

    transaction_manager tm;
    tcc::resource_manager points;
    tcc::resource_manager stock;
};

class by_library final : public variant
{
public:
    by_library(std::string name, std::string rival, std::shared_ptr<manager> at, spread where,
               int statements)
        : variant(std::move(name), "two reservations", std::move(rival)),
          at_(std::move(at)),
          where_(where),
          statements_(statements)
    {
    }

    /// Each thread gets its sessions in the pools.
    void open(std::size_t threads) override
    {
        std::latch all(static_cast<std::ptrdiff_t>(threads));
        on_threads(threads, [&](std::size_t thread) {
            auto tx = at_->tm.begin();
            try {
                attempt_both(tx, thread, 0);
            } catch (...) {
                all.count_down();
                throw;
            }
            all.arrive_and_wait();
            tx.rollback();
        });
    }

    void transfer(std::size_t thread, std::uint64_t sequence) override
    {
        auto tx = at_->tm.begin();
        attempt_both(tx, thread, sequence);
        if (tx.commit() != outcome::committed) {
            throw std::runtime_error("a transaction has another outcome");
        }
    }

    void settle() override
    {
        auto const until = clock::now() + std::chrono::seconds{20};
        auto const is_leased = [](auto const& each) { return each.sessions_leased != 0; };
        for (;;) {
            auto const now = at_->tm.state();
            auto const& all = now.resource_managers;
            if (now.live_transactions == 0 && std::none_of(all.begin(), all.end(), is_leased)) {
                return;
            }
            if (clock::now() > until) throw std::runtime_error("a transaction is not finished");
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
    }

    std::uint64_t forces() const override { return at_->tm.state().forces; }

private:
    void attempt_both(transaction& tx, std::size_t thread, std::uint64_t sequence) const
    {
        for (int of_two = 0; of_two < 2; ++of_two) {
            auto const& in = is_in_postgresql(where_, of_two) ? at_->points : at_->stock;
            tcc::attempt(tx, in, order{row_for(of_two, thread, sequence), statements_}.text());
        }
    }

    std::shared_ptr<manager> const at_;
    spread const where_;
    int const statements_;
};

}  // namespace

variants reserving(addresses const& where, std::string const& directory,
                   std::vector<int> const& statements, std::size_t workers)
{
    auto const crew = std::make_shared<crowd<hands>>(places{where});
    auto const at = std::make_shared<manager>(where, directory + "/log", workers);
    variants made;
    for (int const count : statements) {
        for (spread const each : all_spreads) {
            std::string const what = std::string{name_of(each)} + '-' + std::to_string(count);
            made.push_back(std::make_unique<by_hand_too>("hand-" + what, crew, each, count));
            made.push_back(
                std::make_unique<by_library>("assent-" + what, "hand-" + what, at, each, count));
        }
    }
    return made;
}

}  // namespace assent::bench
