// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// engine_fixture.hpp -- an engine without threads, over databases in memory and a disk in memory,
// on a clock that moves only when somebody waits.
//
//   world at;                          // two databases, "accounts" and "orders", serving
//   auto tx = at.begin();
//   tx.on(at.accounts)->set("a", 1);
//   at.accounts.db.script().on(verb::commit).lose_after_effect();
//   EXPECT_EQ(tx.commit(), outcome::committed_pending);
//   at.run_for(1s);                    // keepers and reaper, stepped by hand
//   at.restart();                      // kill -9, and the log opened again

#ifndef ASSENT_TESTS_UNIT_ENGINE_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_ENGINE_FIXTURE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include "api/doors.hpp"
#include "engine/engine.hpp"
#include "tests/thrown_by.hpp"
#include "tests/unit/engine/late_log.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace engine_test {

using namespace std::chrono_literals;
using assent::known_outcome;
using assent::outcome;
using assent::status;
using assent::verb;
using assent::xa_code;
using assent::testing::branch_fate;
using assent::testing::driver_call;
using assent::testing::personality;
using assent::testing::thrown_by;

/// Waiting is what makes the time pass.
class fake_clock final : public assent::ports::clock
{
public:
    assent::deadline now() const noexcept override { return assent::deadline{now_.load()}; }
    std::int64_t unix_ms() const noexcept override { return 1'767'225'600'000; }
    void wait(std::unique_lock<std::mutex>& held, std::condition_variable&,
              assent::deadline until) override
    {
        held.unlock();
        bool const is_called = while_blocked && while_blocked();
        if (!is_called) pass(until);
        held.lock();
    }
    void pass(assent::deadline until) { now_ = std::max(now_.load(), until.time_since_epoch()); }

    /// What other threads do while the owner waits for a reply.
    std::function<void()> while_waiting;
    /// What they do while the owner waits for one of them.  @return whether that wakes the owner.
    std::function<bool()> while_blocked;

private:
    // Beside the machine's clock, which the log compares its own bounds with.
    std::atomic<assent::deadline::duration> now_{
        std::chrono::steady_clock::now().time_since_epoch()};
};

/// Every event, as "name resource-manager text".
class recorder final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        if (on_event) on_event(what);
        std::lock_guard const held{mutex_};
        seen_.push_back(std::string{what.name} + ' ' + std::string{what.resource_manager} + ' ' +
                        std::string{what.text});
    }
    int count(std::string const& name) const
    {
        std::lock_guard const held{mutex_};
        return static_cast<int>(
            std::count_if(seen_.begin(), seen_.end(), [&name](std::string const& each) {
                return each.compare(0, name.size() + 1, name + ' ') == 0;
            }));
    }

    std::function<void(assent::event const&)> on_event;  // what happens elsewhere just then

private:
    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
};

/// A database and the resource manager of the present process.
struct site
{
    site(std::string chosen, personality acts_as, std::shared_ptr<fake_clock> const& clock,
         bool is_proxied)
        : name(std::move(chosen)), db(options_for(acts_as, clock, is_proxied)), rm(name, db)
    {
    }

    static assent::testing::memory_options options_for(personality acts_as,
                                                       std::shared_ptr<fake_clock> const& clock,
                                                       bool is_proxied)
    {
        assent::testing::memory_options chosen;
        chosen.acts_as = acts_as;
        chosen.is_proxied = is_proxied;
        chosen.time.now = [clock] { return clock->now(); };
        chosen.time.wait_until = [clock](assent::deadline when) {
            if (clock->while_waiting) clock->while_waiting();
            clock->pass(when);
        };
        return chosen;
    }

    int count(verb what) const
    {
        auto const all = db.history();
        return static_cast<int>(std::count_if(
            all.begin(), all.end(), [what](auto const& each) { return each.what == what; }));
    }

    std::string name;
    assent::testing::memory_database db;
    assent::testing::memory_resource_manager rm;
};

/// A transaction through the engine's own door, ended as the public one would be.
class transaction
{
public:
    transaction(std::shared_ptr<assent::engine::engine> under, assent::begin_options const& how)
        : engine_(std::move(under)), tx(engine_->begin(how))
    {
    }

    assent::testing::memory_connection* on(site const& where)
    {
        return static_cast<assent::testing::memory_connection*>(
            engine_->lease(*tx, where.rm)->handle());
    }
    outcome commit()
    {
        return assent::api::say(engine_->end(*tx, assent::engine::intent::commit), tx->id, true);
    }
    outcome rollback()
    {
        return assent::api::say(engine_->end(*tx, assent::engine::intent::rollback), tx->id, false);
    }
    assent::xid branch(std::size_t i) const { return tx->branches.at(i)->id; }
    assent::gtrid const& id() const { return tx->id; }

private:
    std::shared_ptr<assent::engine::engine> engine_;

public:
    std::shared_ptr<assent::shared::global_transaction> tx;
};

class world
{
public:
    explicit world(personality acts_as = personality::plain, assent::limits const& chosen = quick(),
                   bool is_proxied = false)
        : accounts("accounts", acts_as, clock, is_proxied),
          orders("orders", acts_as, clock, is_proxied),
          bounds(chosen)
    {
        open();
        serve();
    }

    static assent::limits quick()
    {
        assent::limits all;
        all.presumed_abort_delay = 0ms;
        return all;
    }

    /// Opens anew, over a log whose force can be late.
    late_log* make_late()
    {
        engine->close(clock->now());
        is_log_late_ = true;
        open();
        serve();
        return static_cast<late_log*>(engine->shared().log.get());
    }

    /// Opens the log and adds both databases; contacts nothing.
    void open()
    {
        auto options = assent::testing::repeatable(disk->attach_layer(), ++openings_);
        options.segment_bytes = assent::testing::roomy_segment;
        options.decisions_max = bounds.kept_decisions_max;
        std::unique_ptr<assent::ports::coordinator_log> opened =
            std::make_unique<assent::log::file_log>("simulated", options);
        if (is_log_late_) opened = std::make_unique<late_log>(std::move(opened));
        engine = std::make_shared<assent::engine::engine>(bounds, seen, std::move(opened), *clock);
        engine->add(accounts.rm);
        engine->add(orders.rm);
    }
    void serve()
    {
        step();
        for (auto const& each : engine->keepers())
            ASSERT_TRUE(each->state().is_serving) << each->name() << ": " << each->state().why;
    }

    /// kill -9: the databases see the sessions end, the page cache survives.
    void crash()
    {
        auto const after = disk->process_crash();
        for (site* each : {&accounts, &orders}) {
            each->rm.kill_process();
            each->rm = assent::testing::memory_resource_manager{each->name, each->db};
        }
        engine.reset();
        disk = after;
    }
    void restart()
    {
        crash();
        open();
    }

    /// Closes the manager in order and opens the log again, in the same process.
    assent::close_report reopen()
    {
        auto left = engine->close(clock->now());
        open();
        return left;
    }

    transaction begin(assent::begin_options const& how = {}) { return {engine, how}; }
    /// One that wrote into both databases.
    transaction begin_work(std::string const& key = "row", assent::begin_options const& how = {})
    {
        auto tx = begin(how);
        tx.on(accounts)->set(key, 1);
        tx.on(orders)->set(key, 1);
        return tx;
    }

    /// Whatever is due now.
    void step()
    {
        engine->deadlines().step();
        engine->behind().step();
        for (auto const& each : engine->keepers())
            each->step();
    }
    /// Whatever becomes due in the next `time`, in steps of a few milliseconds.
    void run_for(std::chrono::milliseconds time)
    {
        auto const end = clock->now() + time;
        while (clock->now() < end) {
            clock->pass(clock->now() + 10ms);
            step();
        }
    }

    assent::resource_manager_state state_of(site const& where) const
    {
        for (auto const& each : engine->state().resource_managers) {
            if (each.name == where.name) return each;
        }
        throw std::logic_error{"no such resource manager"};
    }
    assent::ports::coordinator_log& log() { return *engine->shared().log; }

    /// Nothing is left anywhere, and the manager kept to XA's tables.
    void expect_clean() const
    {
        for (site const* each : {&accounts, &orders}) {
            EXPECT_TRUE(each->db.prepared().empty()) << each->name;
            EXPECT_THAT(each->db.violations(), ::testing::IsEmpty()) << each->name;
            EXPECT_EQ(each->db.script().pending(), 0u)
                << "a fault of " << each->name << " was never met";
        }
    }
    void expect_rows(std::optional<std::int64_t> value, std::string const& key = "row") const
    {
        EXPECT_EQ(accounts.db.value(key), value);
        EXPECT_EQ(orders.db.value(key), value);
    }

    std::shared_ptr<fake_clock> const clock = std::make_shared<fake_clock>();
    std::shared_ptr<recorder> const seen = std::make_shared<recorder>();
    std::shared_ptr<assent::testing::simulated_disk> disk =
        std::make_shared<assent::testing::simulated_disk>();
    site accounts;
    site orders;
    assent::limits bounds;
    std::shared_ptr<assent::engine::engine> engine;

private:
    std::uint64_t openings_ = 0;
    bool is_log_late_ = false;
};

/// A name like that one, but for what `change` does to its parts.
inline assent::gtrid renamed(assent::gtrid const& like,
                             std::function<void(assent::gtrid::fields&)> const& change)
{
    auto parts = like.parts();
    change(parts);
    return assent::gtrid::make(parts);
}

inline assent::xid renamed(assent::xid const& like,
                           std::function<void(assent::gtrid::fields&)> const& change)
{
    return {renamed(like.global, change), like.branch};
}

}  // namespace engine_test

#endif  // ASSENT_TESTS_UNIT_ENGINE_FIXTURE_HPP
