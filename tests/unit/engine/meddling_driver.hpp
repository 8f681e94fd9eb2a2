// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// meddling_driver.hpp -- an engine over a driver with hooks: what the application's connect
// function throws, what happens around a scan, how late the guardian's answers come, what
// the server says of a witness.

#ifndef ASSENT_TESTS_UNIT_ENGINE_MEDDLING_DRIVER_HPP
#define ASSENT_TESTS_UNIT_ENGINE_MEDDLING_DRIVER_HPP

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/engine/engine_fixture.hpp"

namespace engine_test {

/// Another driver, whose connect() does something else first.
class meddling_driver final : public assent::contract::forwarding_driver
{
public:
    using forwarding_driver::forwarding_driver;
    using session = assent::driver_session;

    std::unique_ptr<session> connect(assent::session_purpose purpose,
                                     assent::deadline until) override
    {
        if (on_connect) on_connect(purpose);
        auto opened = under().connect(purpose, until);
        bool const is_changed = change && purpose == assent::session_purpose::work;
        return is_changed ? change(std::move(opened)) : std::move(opened);
    }
    assent::scan_result scan(session& manage, assent::deadline until) override
    {
        if (auto const first = std::exchange(before_scan, nullptr)) first();
        auto seen = under().scan(manage, until);
        seen.warnings = warnings;
        seen.of_strangers = strangers;
        if (scanned) seen.identity = *scanned;
        if (auto const then = std::exchange(after_scan, nullptr)) then();
        return seen;
    }
    std::optional<assent::kept_past> read_past(session& manage, std::uint64_t,
                                               assent::deadline) override
    {
        if (on_past_read) on_past_read(manage);
        return kept;
    }
    bool keep_past(session& manage, std::uint64_t, assent::kept_past const& what,
                   assent::deadline) override
    {
        if (on_past_kept) on_past_kept(manage);
        if (!kept) return false;
        kept = {std::max(kept->count, what.count), what.history};
        return true;
    }
    bool try_guard(session& guardian, std::uint64_t node, assent::deadline until) override
    {
        bool const is_taken = under().try_guard(guardian, node, until);
        if (auto const then = std::exchange(after_guard, nullptr)) then();
        return is_taken;
    }
    void heartbeat(session& guardian, assent::deadline until) override
    {
        under().heartbeat(guardian, until);
        if (auto const then = std::exchange(after_heartbeat, nullptr)) then();
    }
    assent::witness_state ask_witness(session& manage, std::string const& witness,
                                      assent::deadline until) override
    {
        if (times_in_progress > 0) {
            --times_in_progress;
            return assent::witness_state::in_progress;
        }
        return witness_says ? *witness_says : under().ask_witness(manage, witness, until);
    }

    std::function<void(assent::session_purpose)> on_connect;
    /// Puts something before each session for work.
    std::function<std::unique_ptr<session>(std::unique_ptr<session>)> change;
    std::function<void()> before_scan;  // once
    std::function<void()> after_scan;   // once
    std::function<void()> after_guard;  // once: the server has the request, and its answer is late
    std::function<void()> after_heartbeat;  // likewise
    /// What the server does first; throwing is not answering.
    std::function<void(session&)> on_past_read;
    std::function<void(session&)> on_past_kept;
    std::optional<assent::kept_past> kept;            // there; nothing: it keeps nothing
    std::vector<std::string> warnings;                // of every scan
    std::vector<assent::strangers_branch> strangers;  // likewise
    std::optional<std::string> scanned;               // who answers the scans, if not whom we know
    std::optional<assent::witness_state> witness_says;
    int times_in_progress = 0;
};

/// An engine over "accounts" through a driver that can be meddled with.
struct meddled
{
    explicit meddled(personality acts_as = personality::plain)
        : accounts("accounts", acts_as, clock, false),
          driver(std::make_shared<meddling_driver>(accounts.rm.driver())),
          rm(driver),
          engine(std::make_shared<assent::engine::engine>(
              world::quick(), seen, assent::testing::open_on(disk, 1), *clock))
    {
        engine->add(rm);
    }

    void run_for(std::chrono::milliseconds time)
    {
        auto const end = clock->now() + time;
        while (clock->now() < end) {
            clock->pass(clock->now() + 10ms);
            for (auto const& each : engine->keepers())
                each->step();
        }
    }
    assent::testing::memory_connection* lease(transaction& tx)
    {
        return static_cast<assent::testing::memory_connection*>(
            engine->lease(*tx.tx, rm)->handle());
    }
    assent::resource_manager_state state() const { return engine->state().resource_managers.at(0); }

    std::shared_ptr<fake_clock> const clock = std::make_shared<fake_clock>();
    std::shared_ptr<recorder> const seen = std::make_shared<recorder>();
    std::shared_ptr<assent::testing::simulated_disk> const disk =
        std::make_shared<assent::testing::simulated_disk>();
    site accounts;
    std::shared_ptr<meddling_driver> const driver;
    assent::resource_manager const rm;
    std::shared_ptr<assent::engine::engine> const engine;
};

}  // namespace engine_test

#endif  // ASSENT_TESTS_UNIT_ENGINE_MEDDLING_DRIVER_HPP
