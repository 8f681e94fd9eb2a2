// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// last_resource.cpp -- the one branch of a transaction that need not prepare: its own commit is the
// decision, by the commit row that travels in it.
//
//   begin_options{}.commit_row(rm)  -->  its place is in the name of every branch
//   a database that cannot prepare  -->  takes part alone, or as the last resource, or not at all
//
// Invariant: a transaction has one last resource, named before its first branch begins.

#include <utility>

#include "engine/enlistment.hpp"

namespace assent::engine {

/// Where the decision lives is fixed before the first branch begins: its name says it for ever.
void enlistment::settle_place()
{
    if (tx_.row_place == nullptr || tx_.is_placed) return;
    auto name = tx_.id.parts();
    auto const id = tx_.row_place->wait_until_holding_rows(wait_end());
    if (name.place_resource_manager != id) {
        name.place_resource_manager = id;
        shared_.live.rename(tx_, gtrid::make(name));
    }
    tx_.is_placed = true;
}

/// A database that cannot prepare takes part alone, or as the one whose commit row decides.  Beside
/// others it could refuse after they have committed.
void enlistment::require_place(bool is_read_only) const
{
    auto const refuse = [this](std::string const& why) {
        throw error{errc::invalid_state, why, tx_.id};
    };
    auto const& name = rm_->name();
    if (tx_.row_place == rm_) {
        if (is_read_only) {
            refuse("the commit row is written into \"" + name + "\": ask for read_write there");
        }
        if (!rm_->is_one_phase_durable()) {
            throw error{errc::unavailable,
                        "\"" + name +
                            "\" can hold no commit row: " + rm_->facts().one_phase_hazard +
                            "; begin without commit_row(), and it prepares like the others",
                        tx_.id};
        }
        for (auto const& each : tx_.branches) {
            if (each->is_last) refuse("\"" + name + "\" holds the commit row, in one branch only");
        }
        return;
    }
    if (is_read_only) return;
    bool const can_prepare = rm_->driver().capabilities().is_two_phase;
    if (!can_prepare && tx_.row_place) {
        refuse("\"" + name + "\" cannot prepare, and \"" + tx_.row_place->name() +
               "\" is the last resource of this transaction, which has only one");
    }
    for (auto const& each : tx_.branches) {
        if (each->modes.is_read_only() || each->is_last) continue;
        bool const both = can_prepare && each->rm->driver().capabilities().is_two_phase;
        if (both) continue;
        auto const& last = can_prepare ? each->rm->name() : name;
        refuse("\"" + last +
               "\" cannot prepare, so beside other databases its own commit must be "
               "the decision: begin with begin_options{}.commit_row(" +
               last + ")");
    }
}

/// The declared place of the row has no branch yet, and others will vote: it gets one now.
void enlist_last(context& shared, home_process const& here, global_transaction& tx)
try {
    if (tx.row_place == nullptr || tx.is_rollback_only()) return;
    std::size_t voters = 0;
    for (auto const& each : tx.branches) {
        if (each->is_last) return;
        if (each->modes.is_read_only()) continue;
        voters += each->always_votes ? 2 : 1;
    }
    if (voters <= 1) return;
    require_active(here, tx);
    enlistment{shared, here, tx, tx.row_place, access::read_write}.lease();
} catch (std::exception const& e) {
    tx.mark_rollback_only({std::string{"no commit row can be written: "} + e.what(), false});
} catch (...) {
    tx.mark_rollback_only({"no commit row can be written", false});
}

}  // namespace assent::engine
