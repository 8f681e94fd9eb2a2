// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// trials.cpp -- what must come to pass in good weather, each within its bound: one branch that is
// never answered keeps no other waiting, and a transaction whose owner never returns keeps no
// horizon.

#include <algorithm>

#include "ports/coordinator_log.hpp"
#include "tests/simulation/world.hpp"

namespace assent::testing {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds served_within{120};
constexpr int for_ever = 1'000'000;
constexpr unsigned rounds_max = 40;

}  // namespace

/// The next machine boots, and one branch that it has to finish is never answered.
void world::starve()
{
    std::vector<std::size_t> crowded;
    for (std::size_t at = 0; at < voters; ++at) {
        if (databases_[at].prepared().size() > 1) crowded.push_back(at);
    }
    if (crowded.empty()) return replace();
    auto const& there = databases_[crowded[dice_.roll(crowded.size())]];
    auto const silent = there.prepared().front();
    for (verb const each : {verb::commit, verb::rollback})
        there.script().on(each, silent).times(for_ever).hang();
    mix_.note(mishap::silent_branch);
    tell("world.silent", {}, silent.text(), {});
    replace();
    auto const until = threads_.now() + served_within;
    auto left = there.prepared();
    while (left.size() > 1 && threads_.now() < until) {
        threads_.sleep(milliseconds{500});
        left = there.prepared();
    }
    for (auto const& each : left) {
        if (each == silent) continue;
        wrong_.push_back("kept waiting by a branch that is not answered: " + each.text());
    }
    there.script().clear();
    there.script().release();
}

/// A transaction over all that vote.
bool world::commit_one()
try {
    auto& record = history_.begin_one();
    auto const tx = machine_->engine().begin({});
    record.name = tx->id;
    for (std::size_t at = 0; at < voters; ++at) {
        auto const lease = machine_->engine().lease(*tx, machine_->databases()[at]);
        static_cast<memory_connection*>(lease->handle())->set(record.row, 1);
        record.writes[at] = true;
    }
    auto const told = machine_->engine().end(*tx, engine::intent::commit);
    bool const is_committed = told.verdict == protocol::verdict::committed;
    record.said = is_committed ? answer::committed : answer::unknown;
    return is_committed;
} catch (error const& refused) {
    note_refusal(refused);
    return false;
}

/// The owner of a transaction does not return; all others go on.
void world::oversleep()
try {
    mix_.note(mishap::owner_gone);
    auto& engine = machine_->engine();
    auto const& log = machine_->log();
    auto const asleep = engine.begin(begin_options{}.timeout(milliseconds{200}));
    auto const where = dice_.roll(voters);
    auto const lease = engine.lease(*asleep, machine_->databases()[where]);
    static_cast<memory_connection*>(lease->handle())->set("asleep", 1);
    std::string kept;
    for (unsigned round = 0; round < rounds_max; ++round) {
        if (!commit_one()) wrong_.push_back("in good weather a transaction did not commit");
        threads_.sleep(seconds{5});
        kept.clear();
        for (auto const& each : log.bindings()) {
            if (!log.horizon(each.id).covers(ports::position_of(asleep->id))) kept += each.name;
        }
        if (kept.empty()) break;
    }
    if (!kept.empty()) wrong_.push_back("an expired transaction keeps the horizon of " + kept);
    engine.end(*asleep, engine::intent::rollback);
} catch (error const& refused) {
    note_refusal(refused);
}

/// Once a copy of the log was seen, nobody but a person may go on.
void world::note_refusal(error const& refused)
{
    if (may_be_copied_ && !machine_->engine().shared().twin().empty()) return;
    wrong_.push_back(std::string{"in good weather: "} + refused.what());
}

}  // namespace assent::testing
