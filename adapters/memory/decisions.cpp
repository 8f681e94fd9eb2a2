// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decisions.cpp -- the table assent_decision: rows that are inserted with a commit, or instead of
// one.
//
// Invariant: a name has one row for ever, the first that was committed.

#include <utility>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

void server::require_decisions() const
{
    if (durable_.has_decision_table) return;
    throw driver_error("the table assent_decision is missing", "42P01");
}

void server::ensure_decisions()
{
    lock held(mutex_);
    durable_.has_decision_table = true;
}

void server::drop_decisions()
{
    lock held(mutex_);
    durable_.has_decision_table = false;
    durable_.decisions.clear();
}

void server::carry(std::uint64_t id, decision_row const& row)
{
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.carried = row;
}

/// Why the row that session `id` carries cannot be inserted; it is inserted otherwise.
std::optional<reply> server::insert_carried(std::uint64_t id)
{
    auto const carried = std::exchange(sessions_[id].carried, std::nullopt);
    if (!carried) return std::nullopt;
    if (!durable_.has_decision_table) {
        return make_reply(xa_code::rbother, "the table assent_decision is missing");
    }
    bool const is_new =
        durable_.decisions.emplace(std::string{carried->name.text()}, *carried).second;
    if (is_new) return std::nullopt;
    return make_reply(xa_code::rbintegrity, "the transaction has a row already");
}

std::optional<decision_row> server::fence(gtrid const& which)
{
    lock held(mutex_);
    require_decisions();
    for (auto const& request : held_) {
        auto const at = sessions_.find(request.session);
        if (!request.is_in_commit || at == sessions_.end() || !at->second.carried) continue;
        if (at->second.carried->name == which) return std::nullopt;  // its row is locked
    }
    std::string const name{which.text()};
    auto const [at, is_new] =
        durable_.decisions.emplace(name, decision_row{which, row_kind::abort, {}});
    static_cast<void>(is_new);
    return at->second;
}

std::vector<decision_row> server::list_decisions(std::string_view prefix, std::size_t at_most) const
{
    lock held(mutex_);
    std::vector<decision_row> seen;
    for (auto at = durable_.decisions.lower_bound(std::string{prefix});
         at != durable_.decisions.end() && at->first.compare(0, prefix.size(), prefix) == 0 &&
         seen.size() < at_most;
         ++at) {
        seen.push_back(at->second);
    }
    return seen;
}

void server::prune(decision_row const& horizon_row, std::vector<gtrid> const& gone)
{
    lock held(mutex_);
    require_decisions();
    durable_.decisions[std::string{horizon_row.name.text()}] = horizon_row;
    for (auto const& name : gone)
        durable_.decisions.erase(std::string{name.text()});
}

}  // namespace assent::inline v0::testing::memory
