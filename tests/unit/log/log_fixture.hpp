// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_fixture.hpp -- what the tests of the log share: repeatable options, decisions with names,
// and a ledger of what the log answered, to be held against what it says after a crash.

#ifndef ASSENT_TESTS_LOG_FIXTURE_HPP
#define ASSENT_TESTS_LOG_FIXTURE_HPP

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <variant>

#include "log/file_log.hpp"
#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

inline constexpr std::size_t small_segment = 16 * 4096;
inline constexpr std::size_t roomy_segment = 64 * 4096;  // for a few transactions, without a roll

/// Options without threads, waits, or anything that differs from run to run.
inline log::file_log_options repeatable(std::shared_ptr<log::file_layer> files,
                                        std::uint64_t seed = 1)
{
    log::file_log_options options;
    options.node_label = "shop-1";
    options.segment_bytes = small_segment;
    options.lock_wait = std::chrono::milliseconds{0};
    options.idle_seal_wait = std::chrono::milliseconds{0};
    options.makes_segments_ahead = false;
    options.allowed_file_systems = {"tmpfs", "overlay"};  // where the tests themselves may run
    auto const generator = std::make_shared<std::mt19937_64>(seed);
    options.random = [generator] { return (*generator)(); };
    auto const now = std::make_shared<std::atomic<std::int64_t>>(1'767'225'600'000);
    options.unix_ms = [now] { return *now += 1000; };
    options.files = std::move(files);
    return options;
}

inline std::unique_ptr<log::file_log> open_on(std::shared_ptr<simulated_disk> const& disk,
                                              std::uint64_t seed = 1)
{
    return std::make_unique<log::file_log>("simulated", repeatable(disk->attach_layer(), seed));
}

inline gtrid name_of(log::file_log const& log, std::uint64_t sequence)
{
    gtrid::fields parts;
    parts.node = log.node();
    parts.epoch = log.current().epoch;
    parts.nonce = log.current().nonce;
    parts.sequence = sequence;
    return gtrid::make(parts);
}

/// A decision over resource managers 1 ... `branches`.
inline ports::decision decision_of(log::file_log const& log, std::uint64_t sequence,
                                   unsigned branches = 2)
{
    ports::decision what;
    what.global = name_of(log, sequence);
    for (unsigned i = 1; i <= branches; ++i) {
        what.branches.push_back(bqual::make({static_cast<std::uint16_t>(i), 1, 4000U + i}));
    }
    return what;
}

inline deadline far_away()
{
    return std::chrono::steady_clock::now() + std::chrono::hours{1};
}

inline bool is_durable(ports::force_result const& result)
{
    return std::holds_alternative<ports::durable_decision>(result);
}

inline ports::force_failure::kind failure_of(ports::force_result const& result)
{
    return std::get<ports::force_failure>(result).what;
}

/// Finishes every branch of a decision.
inline void finish(log::file_log& log, ports::decision const& what)
{
    for (bqual const& branch : what.branches) {
        log.note_finished({what.global, branch});
    }
}

/// What the log promised, held against what it says later.
struct ledger
{
    std::set<gtrid> durable;
    std::set<gtrid> not_submitted;
    std::set<gtrid> in_doubt;
    std::map<std::uint16_t, std::string> bound;
    std::size_t heuristics = 0;

    ports::force_result commit(log::file_log& log, ports::decision const& what,
                               deadline until = far_away())
    {
        auto result = log.force(what, until);
        if (is_durable(result)) {
            durable.insert(what.global);
        } else if (failure_of(result) == ports::force_failure::kind::in_doubt) {
            in_doubt.insert(what.global);
        } else {
            not_submitted.insert(what.global);
        }
        return result;
    }

    /// Every promise holds.
    void check(log::file_log const& log) const
    {
        for (gtrid const& which : durable) {
            EXPECT_EQ(log.outcome(which), ports::recorded_outcome::committed) << which.text();
        }
        for (gtrid const& which : not_submitted) {
            EXPECT_EQ(log.outcome(which), ports::recorded_outcome::unknown) << which.text();
        }
        for (auto const& [id, name] : bound) {
            bool found = false;
            for (auto const& one : log.bindings()) {
                found = found || (one.id == id && one.name == name);
            }
            EXPECT_TRUE(found) << "binding of " << name;
        }
        EXPECT_GE(log.heuristics().size(), heuristics);
    }
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_LOG_FIXTURE_HPP
