// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox.cpp -- the table assent_inbox: a row for each lane that is received, which moves with its
// branch.
//
// A row that another branch keeps is not waited for, as no row is here.

#include <assent/delivery.hpp>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

void server::ensure_inbox()
{
    lock held(mutex_);
    durable_.has_inbox_table = true;
}

/// The branch that is at work, if nobody else has the row.
branch& server::inbox_writer(std::uint64_t session, std::string const& name)
{
    branch& by = working(session);
    if (!durable_.has_inbox_table) {
        throw driver_error("the table assent_inbox is missing", "42P01");
    }
    if (by.refuses_writes) throw driver_error("the transaction is read-only", "25006");
    for (auto const& x : live_) {
        branch const& other = durable_.branches.at(x);
        if (other.id == by.id || other.inboxes.count(name) == 0) continue;
        throw driver_error("moving an inbox: another transaction keeps the lane's row", "55P03");
    }
    return by;
}

inbox_finding server::move_inbox(std::uint64_t session, inbox_move const& what)
{
    lock held(mutex_);
    branch& by = inbox_writer(session, what.name);
    auto const mine = by.inboxes.find(what.name);
    auto const kept = durable_.inboxes.find(what.name);
    auto const last = mine != by.inboxes.end()                  ? mine->second
                      : kept != durable_.inboxes.end()          ? kept->second
                      : what.previous == message::position_zero ? what.previous
                                                                : std::string{};
    if (last != what.previous) return {false, last};
    by.inboxes[what.name] = what.position;
    return {true, {}};
}

void server::set_inbox(std::uint64_t session, std::string const& name, std::string const& position)
{
    lock held(mutex_);
    inbox_writer(session, name).inboxes[name] = position;
}

}  // namespace assent::inline v0::testing::memory
