// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// last_resource.cpp -- the one branch of a transaction that need not prepare: its own commit is the
// decision, by the commit row that travels in it.
//
//   begin_options{}.commit_row(rm)  -->  its place is in the name of every branch
//   a database that cannot prepare  -->  takes part alone, or as the last resource, or not at all
//
// The one invariant: a transaction has one last resource, named before its first branch begins.

#include <utility>

#include "engine/engine.hpp"

namespace assent::engine {

/// Where the decision lives is fixed before the first branch begins: its name says it for ever.
void engine::settle_place(global_transaction& tx)
{
    if (tx.row_place == nullptr || tx.is_placed) return;
    auto name = tx.id.parts();
    auto const id = tx.row_place->wait_until_holding_rows(tx.until);
    if (name.place_resource_manager != id) {
        name.place_resource_manager = id;
        shared_.live.rename(tx, gtrid::make(name));
    }
    tx.is_placed = true;
}

/// A database that cannot prepare takes part alone, or as the one whose commit row decides.
void engine::require_place(global_transaction const& tx, keeper const& joining, access how) const
{
    auto const refuse = [&tx](std::string const& why) {
        throw error{errc::invalid_state, why, tx.id};
    };
    auto const& name = joining.name();
    if (tx.row_place.get() == &joining) {
        if (how == access::read_only) {
            refuse("the commit row is written into \"" + name + "\": ask for read_write there");
        }
        for (auto const& each : tx.branches) {
            if (each->is_last) refuse("\"" + name + "\" holds the commit row, in one branch only");
        }
        return;
    }
    if (how == access::read_only) return;
    bool const can_prepare = joining.driver().capabilities().is_two_phase;
    if (!can_prepare && tx.row_place) {
        refuse("\"" + name + "\" cannot prepare, and \"" + tx.row_place->name() +
               "\" is the last resource of this transaction, which has only one");
    }
    for (auto const& each : tx.branches) {
        if (each->is_read_only || each->is_last) continue;
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
void engine::enlist_last(global_transaction& tx)
try {
    if (tx.row_place == nullptr || tx.is_rollback_only()) return;
    std::size_t voters = 0;
    for (auto const& each : tx.branches) {
        if (each->is_last) return;
        voters += !each->is_read_only;
    }
    if (voters > 1) lease(tx, tx.row_place->manager());
} catch (std::exception const& e) {
    tx.mark_rollback_only({std::string{"no commit row can be written: "} + e.what(), false});
} catch (...) {
    tx.mark_rollback_only({"no commit row can be written", false});
}

}  // namespace assent::engine
