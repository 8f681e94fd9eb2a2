// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// restores.cpp -- a database is put back to an older state of it, and what that takes.
//
//   backup --- prepared, decided, committed ---> restore ---> the manager connects, and lists
//
// What the manager had heard to be committed is gone, and nobody can tell it so.  What was decided
// and is not there any more it must tell as a hazard; all the rest is as it was decided.  Two kinds
// of restore are not made: one that no server shows, of which ADR 32 says that it is not told (the
// log has noted a higher count than the backup holds); and one that takes a commit row, or what is
// known of one that was deleted, where a branch in another database is still to be finished: nobody
// would know how.

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "adapters/memory/server.hpp"
#include "ports/coordinator_log.hpp"
#include "tests/simulation/world.hpp"

namespace assent::testing {

namespace {

/// The count that the log has noted there, in whichever epoch; 0: none.
std::uint64_t count_in(ports::coordinator_log const& log, std::uint16_t id)
{
    for (auto epoch = log.current().epoch; epoch > 0; --epoch) {
        auto const noted = log.server_start(id, epoch);
        auto const mark = noted ? noted->find('#') : std::string::npos;
        if (!noted) continue;
        std::uint64_t count = 0;
        if (mark != std::string::npos) {
            std::from_chars(noted->data() + mark + 1, noted->data() + noted->size(), count, 16);
        }
        return count;
    }
    return 0;
}

bool is_committed(memory::durable_state const& there, xid const& which)
{
    auto const at = there.branches.find(which);
    return at != there.branches.end() && at->second.fate == branch_fate::committed;
}

/// Whether that database is bound by it.
bool is_of(ports::binding const& bound, std::size_t at)
{
    return bound.name.back() - '0' == static_cast<int>(at);
}

/// Whether it is the local transaction in which a reservation was confirmed or cancelled: no branch
/// of the engine's has such a number.
bool is_settlement(xid const& which)
{
    constexpr std::uint16_t settling = 0x8000;
    return (which.branch.parts().branch & settling) != 0;
}

/// Whether it is a reservation itself.  One that is lost while its transaction is decided must be
/// told; one whose end was heard was lost with that end.
bool is_attempt(ports::coordinator_log const& log, xid const& which)
{
    auto const bound = log.bindings();
    return !is_settlement(which) && std::any_of(bound.begin(), bound.end(), [&](auto const& each) {
        return each.id == which.branch.parts().resource_manager &&
               world::is_of_reservation(each.name);
    });
}

/// Whether its decision is a row in that database.
bool is_decided_in(ports::coordinator_log const& log, std::size_t at, gtrid const& which)
{
    auto const parts = which.parts();
    if (parts.place != decision_place::commit_row) return false;
    auto const bound = log.bindings();
    return std::any_of(bound.begin(), bound.end(), [&](auto const& each) {
        return each.id == parts.place_resource_manager && is_of(each, at);
    });
}

}  // namespace

/// Now and then a backup, and now and then somebody who wants one back.
void world::back_up_and_restore()
{
    if (!may_be_restored_) return;
    auto const at = dice_.roll(database_count);
    if (dice_.chance(2)) {
        // Where a table is missing nothing is presumed before a person has looked.
        auto now = databases_[at].backup();
        bool const is_whole = now->has_branch_table || !holds_reservations(at);
        if (now->has_decision_table && is_whole) backups_[at] = std::move(now);
    }
    if (dice_.chance(3)) is_restore_wanted_[at] = true;
}

/// Whether the manager can know of it: the server tells, or the count does.
bool world::is_told_of(machine const& here, std::size_t at) const
{
    if (!keeps_past_ || at == replicated) return true;
    auto const& pasts = backups_[at]->pasts;
    auto const bound = here.log().bindings();
    auto const is_told = [&](auto const& each) {
        auto const node = is_of_reservation(each.name) ? reserving_node(here.log().node(), at)
                                                       : here.log().node();
        auto const kept = pasts.find(node);
        return count_in(here.log(), each.id) > (kept == pasts.end() ? 0 : kept->second.count);
    };
    auto const is_here = [at](auto const& each) { return is_of(each, at); };
    return std::any_of(bound.begin(), bound.end(), is_here) &&
           std::all_of(bound.begin(), bound.end(),
                       [&](auto const& each) { return !is_here(each) || is_told(each); });
}

/// Whether another database has still to hear what one of these rows has decided.
bool world::is_needed_elsewhere(std::set<gtrid> const& rows, std::size_t at) const
{
    if (rows.empty()) return false;
    for (std::size_t other = 0; other < databases_.size(); ++other) {
        if (other == at) continue;
        auto left = databases_[other].prepared();
        for (auto const& row : databases_[other].reservations())
            left.push_back(row.name);
        bool const is_needed = std::any_of(left.begin(), left.end(), [&rows](xid const& each) {
            return rows.count(each.global) != 0;
        });
        if (is_needed) return true;
    }
    return false;
}

void world::restore_before_list(machine const& here, std::size_t at)
{
    bool const is_due = is_stormy_ && is_restore_wanted_[at] && backups_[at] && !here.is_dead() &&
                        here.is_booted() && databases_[at].is_up();
    if (!is_due || !is_told_of(here, at)) return;
    auto const now = databases_[at].backup();
    auto const& then = *backups_[at];
    std::set<gtrid> rows;
    for (auto const& [name, row] : now->decisions) {
        if (then.decisions.count(name) == 0) rows.insert(row.name);
    }
    std::vector<xid> lost;
    for (auto const& [which, branch] : now->branches) {
        if (is_committed(*now, which) && !is_committed(then, which)) lost.push_back(which);
    }
    // Those that were deleted since, with the work that they came with.
    for (xid const& which : lost) {
        if (is_decided_in(here.log(), at, which.global)) rows.insert(which.global);
    }
    if (is_needed_elsewhere(rows, at)) return;
    is_restore_wanted_[at] = false;
    was_restored_ = true;
    mix_.note(mishap::restore);
    tell("world.restore", "db" + std::to_string(at), {}, {});
    lost_.rows.insert(rows.begin(), rows.end());
    for (xid const& which : lost)
        if (!is_attempt(here.log(), which)) gone_.insert({at, which});
    for (auto const& [name, row] : then.reservations) {
        if (now->reservations.count(name) == 0) returned_.insert(row.name);
    }
    auto const left = databases_[at].prepared();
    databases_[at].restore(backups_[at]);
    for (auto const& each : databases_[at].prepared()) {
        if (!std::binary_search(left.begin(), left.end(), each)) returned_.insert(each);
    }
}

/// Of what was committed and is gone, whatever the manager had heard of, or will have: a reply that
/// was on its way is true, too.  Of a one-phase commit nothing is kept that could tell.
void world::note_losses()
{
    if (gone_.empty()) return;
    for (std::size_t at = 0; at < databases_.size(); ++at) {
        for (auto const& each : databases_[at].history()) {
            bool const is_heard =
                (each.what == verb::commit && each.was_heard && each.answer.is_ok()) ||
                each.what == verb::commit_one_phase;
            if (is_heard && each.was_carried_out) heard_.insert(each.branch);
        }
    }
    for (auto const& [at, which] : gone_) {
        if (heard_.count(which) == 0) continue;
        auto& where = is_settlement(which) ? lost_.ends : lost_.branches;
        where.insert({at, which.global});
    }
}

}  // namespace assent::testing
