// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches.cpp -- the table assent_branch: rows that are inserted with an attempt, and deleted with
// its confirm or cancel.
//
// A row that another transaction has inserted or deleted is not waited for, as no row is here. With
// PostgreSQL's personality one that was inserted, and is not committed, is not seen by who would
// take it, and that is no reason to wait either.

#include <utility>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

void server::require_branches() const
{
    if (durable_.has_branch_table) return;
    throw driver_error("the table assent_branch is missing", "42P01");
}

void server::ensure_branches()
{
    lock held(mutex_);
    durable_.has_branch_table = true;
}

/// The branch that is active on the session.
branch& server::working(std::uint64_t id)
{
    session& s = live(id);
    if (!s.attached) throw driver_error("no branch is active on this session", "25P01");
    branch& b = durable_.branches[*s.attached];
    if (b.at != phase::active) throw driver_error("the session's branch is prepared", "25000");
    if (b.is_rollback_only) throw driver_error("the transaction has failed before", "25P02");
    return b;
}

void server::claim_reservation(branch& by, std::string const& key, bool to_insert)
{
    for (auto const& x : live_) {
        branch const& other = durable_.branches.at(x);
        if (other.id == by.id || other.reservations.count(key) == 0) continue;
        bool const is_seen = options_.acts_as != personality::postgresql || to_insert;
        if (!is_seen && other.reservations.at(key)) continue;
        if (options_.acts_as == personality::postgresql) by.is_rollback_only = true;
        throw driver_error("the reservation is locked by another transaction", "40001");
    }
}

void server::insert(branch& by, branch_row const& row)
{
    require_branches();
    if (by.refuses_writes) throw driver_error("the transaction is read-only", "25006");
    auto const key = row.name.text();
    claim_reservation(by, key, true);
    if (durable_.reservations.count(key) != 0) {
        throw driver_error("there is a reservation of that name", "23505");
    }
    by.reservations[key] = row;
}

void server::insert(std::uint64_t id, branch_row const& row)
{
    lock held(mutex_);
    insert(working(id), row);
}

std::optional<branch_row> server::take(branch& by, xid const& name)
{
    require_branches();
    auto const key = name.text();
    claim_reservation(by, key, false);
    auto const at = durable_.reservations.find(key);
    if (at == durable_.reservations.end()) return std::nullopt;
    by.reservations[key] = std::nullopt;
    return at->second;
}

std::optional<branch_row> server::take(std::uint64_t id, xid const& name)
{
    lock held(mutex_);
    return take(working(id), name);
}

// ---- with the start, and before the answer -----------------------------------------------------

void server::lead(std::uint64_t id, row_at_start what)
{
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.leads = std::move(what);
}

/// @return why the branch does not begin; then nothing is left of it.
std::optional<reply> server::run_lead(branch& by)
{
    auto const what = std::exchange(by.led_by, {});
    try {
        if (what.inserts) insert(by, *what.inserts);
        if (what.takes) by.taken = take(by, *what.takes);
        return std::nullopt;
    } catch (driver_error const& e) {
        finish(by, branch_fate::rolled_back);
        auto refused = make_reply(xa_code::rbrollback, e.what());
        refused.sqlstate = e.sqlstate();
        return refused;
    }
}

std::optional<branch_row> server::taken(std::uint64_t id)
{
    lock held(mutex_);
    return std::exchange(working(id).taken, std::nullopt);
}

void server::ask_contains(std::uint64_t id, xid const& name)
{
    lock held(mutex_);
    live(id).looks_for = name;
}

xid server::asked_for(std::uint64_t id)
{
    lock held(mutex_);
    auto const asked = std::exchange(live(id).looks_for, std::nullopt);
    if (!asked) throw driver_error("nothing was asked on this session");
    return *asked;
}

bool server::contains(std::uint64_t id, xid const& name)
{
    lock held(mutex_);
    require_branches();
    live(id);
    return durable_.reservations.count(name.text()) != 0;
}

std::vector<xid> server::list_branches(std::string_view manager) const
{
    lock held(mutex_);
    require_branches();
    std::vector<xid> all;
    for (auto const& [name, row] : durable_.reservations) {
        if (row.manager == manager) all.push_back(row.name);
    }
    return all;
}

std::vector<branch_row> server::reservations() const
{
    lock held(mutex_);
    std::vector<branch_row> all;
    for (auto const& [name, row] : durable_.reservations)
        all.push_back(row);
    return all;
}

void server::keep_reservations(branch const& of)
{
    for (auto const& [name, row] : of.reservations) {
        if (row) {
            durable_.reservations[name] = *row;
        } else {
            durable_.reservations.erase(name);
        }
    }
}

}  // namespace assent::inline v0::testing::memory
