// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// twins.cpp -- a copy of the log that is opened beside its original, as of a volume that was
// cloned.
//
//   original:  decides ......... stands still for seconds, in the middle of a force ......... goes
//   on copy:           opened ............. takes the guardians, waits, presumes abort
//
// The copy runs no transactions: what it prepared, nobody could finish once it is gone.  It ends
// with its original, because what it does to decisions of one that is down the next opening takes
// for finished.

#include <algorithm>

#include "tests/simulation/world.hpp"

namespace assent::testing {

using std::chrono::milliseconds;

void world::begin_twin()
{
    if (twin_ || machine_->is_dead() || !machine_->is_booted()) return;
    // A copy of before that would give the same numbers to other databases (docs/guide/twins.md).
    if (machine_->log().bindings().size() < database_count) return;
    mix_.note(mishap::twin);
    tell("world.twin", {}, {}, {});
    twin_until_ = threads_.now() + milliseconds{5'000 + dice_.roll(30'000)};
    twin_ = std::make_unique<machine>(*this, machine_->disk()->process_crash(), 0);
}

void world::end_twin()
{
    if (!twin_) return;
    tell("world.twin_ends", {}, {}, {});
    twin_->kill(false);
    twin_.reset();
    twin_until_ = deadline::max();
}

/// Whether the copy may go on when this one has died.
bool world::outlives(machine const& here) const
{
    return &here != machine_.get();
}

bool world::is_taken_back(gtrid const& which) const
{
    auto const at = taken_back_.lower_bound({which, {}});
    return at != taken_back_.end() && at->global == which;
}

/// The copy may have gone before it heard that its rollback was refused.
bool world::is_undone(gtrid const& which) const
{
    if (is_taken_back(which) && is_cancelled(which)) return true;
    return std::any_of(taken_back_.begin(), taken_back_.end(), [&](xid const& id) {
        return id.global == which &&
               std::any_of(databases_.begin(), databases_.end(), [&id](auto const& each) {
                   return each.fate(id) == branch_fate::rolled_back;
               });
    });
}

/// What the copy rolls back nobody may be told to be committed from here on.  What was told before,
/// or is in doubt, rests on the log not being copied: the next opening does not know of the copy.
void world::watch_twin(machine const& here, event const& what)
{
    if (&here == twin_.get()) {
        auto const id = xid::parse(what.id);
        if (!id) return;
        if (what.name == "recovery.rollback.sent") {
            taken_back_.insert(*id);
            meddled_with_.insert(id->global);
        }
        // It read what its original had written, and never forced: a power loss may take that.
        bool const is_ahead =
            what.name == "recovery.commit.sent" && durable_.count(id->global) == 0;
        if (is_ahead) meddled_with_.insert(id->global);
        if (what.name != "recovery.rollback.reply") return;
        // Refused: another session keeps it, or has ended it; NOTA comes without words.
        auto const at = static_cast<std::size_t>(what.resource_manager.back() - '0');
        bool const is_done = is_of_reservation(what.resource_manager)
                                 ? is_cancelled(id->global)
                                 : databases_[at].fate(*id) == branch_fate::rolled_back;
        if (!what.text.empty() || !is_done) taken_back_.erase(*id);
    } else if (what.name == "transaction.ended") {
        // Its answer is made; a machine that stands still before it is heard changes nothing of it.
        auto const id = gtrid::parse(what.id);
        if (id && is_undone(*id)) undone_when_answered_.insert(*id);
    } else if (what.name == "log.force.slow") {
        auto const id = gtrid::parse(what.id);
        if (id && is_taken_back(*id)) decided_late_.insert(std::string{what.id});
    } else if (what.name == "decision.durable" && decided_late_.count(std::string{what.id}) != 0) {
        wrong_.push_back("decided after a copy rolled it back, and sent: " + std::string{what.id});
    }
}

/// Longer than the copy needs to presume abort, and shorter than a force that hangs.
void world::stand_still(machine& here)
{
    if (here.is_dead() || &here != machine_.get() || !dice_.one_in(12)) return;
    mix_.note(mishap::pause);
    auto const span = 1'000 + dice_.roll(8'000);
    tell("world.pause", {}, {}, std::to_string(span));
    here.pause(threads_.now() + milliseconds{span});
}

}  // namespace assent::testing
