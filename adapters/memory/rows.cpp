// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rows.cpp -- statements: rows, their locks, and the lists that checkers read.
//
// A write belongs to the session's branch, to its local transaction, or to itself.  Its row is
// locked until that ends, and so is what a branch reads at a level that promises repetition; nobody
// waits for a lock, so nothing can deadlock.

#include <stdexcept>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

session& server::live(std::uint64_t id)
{
    if (is_frozen_) throw driver_error("the server does not answer", "08006", 0, true);
    if (!is_proceeding(id)) throw driver_error("the connection is lost", "08006", 0, true);
    return sessions_[id];
}

row_map* server::writes_of(session& s)
{
    if (s.attached) return &durable_.branches[*s.attached].writes;
    return s.is_in_local_transaction ? &s.local_writes : nullptr;
}

/// @throws driver_error  another transaction has written the row, or keeps it from being written.
void server::check_unlocked(std::uint64_t id, std::string const& key, bool to_write) const
{
    bool is_locked = false;
    for (auto const& x : live_) {
        branch const& b = durable_.branches.at(x);
        if (b.owner == id) continue;
        is_locked |= b.writes.count(key) != 0 || (to_write && b.reads.count(key) != 0);
    }
    for (auto const& [other, s] : sessions_) {
        is_locked |= other != id && s.local_writes.count(key) != 0;
    }
    for (auto const& [name, writes] : durable_.foreign) {
        is_locked |= writes.count(key) != 0;
    }
    if (is_locked) throw driver_error("row " + key + " is locked by another transaction", "40001");
}

/// The same; where a failed statement spoils the transaction it is spoiled.
void server::claim(std::uint64_t id, session& s, std::string const& key, bool to_write)
{
    try {
        check_unlocked(id, key, to_write);
    } catch (driver_error const&) {
        if (options_.acts_as == personality::postgresql) {
            if (s.attached) durable_.branches[*s.attached].is_rollback_only = true;
            s.is_failed = s.is_in_local_transaction;
        }
        throw;
    }
}

void server::write(std::uint64_t id, std::string const& key, std::int64_t value)
{
    session& s = live(id);
    branch* const b = s.attached ? &durable_.branches[*s.attached] : nullptr;
    if (b != nullptr && b->at != phase::active) {
        throw driver_error("the session's branch is prepared", "25000");
    }
    if (b != nullptr ? b->refuses_writes : s.is_read_only) {
        throw driver_error("the transaction is read-only", "25006");
    }
    if (b != nullptr ? b->is_rollback_only : s.is_failed) {
        throw driver_error("the transaction has failed before", "25P02");
    }
    claim(id, s, key, true);
    if (b != nullptr && b->witness.empty() && options_.acts_as == personality::postgresql) {
        b->witness = std::to_string(++witnesses_made_);
    }
    row_map* const own = writes_of(s);
    (own != nullptr ? *own : durable_.rows)[key] = value;
}

std::optional<std::int64_t> server::read(std::uint64_t id, std::string const& key)
{
    session& s = live(id);
    if (s.attached) {
        branch& b = durable_.branches[*s.attached];
        bool const is_locking = b.modes.level && *b.modes.level >= isolation::repeatable_read;
        if (is_locking && b.at == phase::active) {
            claim(id, s, key, false);
            b.reads.insert(key);
        }
    }
    row_map const* const own = writes_of(s);
    row_map const* const all[] = {own, &durable_.rows};
    for (row_map const* from : all) {
        if (from == nullptr) continue;
        auto const at = from->find(key);
        if (at != from->end()) return at->second;
    }
    return std::nullopt;
}

void server::set_read_only(std::uint64_t id, bool is_on)
{
    lock held(mutex_);
    live(id).is_read_only = is_on;
}

void server::set(std::uint64_t id, std::string const& key, std::int64_t value)
{
    lock held(mutex_);
    write(id, key, value);
}

std::optional<std::int64_t> server::get(std::uint64_t id, std::string const& key)
{
    lock held(mutex_);
    return read(id, key);
}

std::int64_t server::add(std::uint64_t id, std::string const& key, std::int64_t delta)
{
    lock held(mutex_);
    std::int64_t const sum = read(id, key).value_or(0) + delta;
    write(id, key, sum);  // fails when the row read is not ours to write
    return sum;
}

void server::begin_local(std::uint64_t id)
{
    lock held(mutex_);
    session& s = live(id);
    if (s.attached) throw driver_error("a branch is active on this session", "25001");
    s.is_in_local_transaction = true;
}

void server::leave_branch(session& s, bool by_commit)
{
    branch& b = durable_.branches[*s.attached];
    if (b.at == phase::prepared) throw driver_error("the session's branch is prepared", "25000");
    std::uint64_t const by = b.owner;
    bool const is_kept = by_commit && !b.is_rollback_only;
    finish(b, is_kept ? branch_fate::committed : branch_fate::rolled_back);
    b.left_by = by;
}

void server::end_local(std::uint64_t id, bool by_commit)
{
    lock held(mutex_);
    session& s = live(id);
    if (s.attached) {
        if (options_.acts_as == personality::mariadb) {
            throw driver_error("not allowed while an XA branch is active", "XAE07", 1399);
        }
        leave_branch(s, by_commit);
        return;
    }
    if (by_commit && !s.is_failed) {
        for (auto const& [key, value] : s.local_writes)
            durable_.rows[key] = value;
    }
    s.local_writes.clear();
    s.is_in_local_transaction = s.is_failed = false;
}

void server::reset(std::uint64_t id)
{
    lock held(mutex_);
    session& s = live(id);
    if (s.attached) leave_branch(s, false);
    s.local_writes.clear();
    s.is_in_local_transaction = s.is_failed = s.is_read_only = false;
}

std::optional<std::int64_t> server::value(std::string const& key) const
{
    lock held(mutex_);
    auto const at = durable_.rows.find(key);
    if (at == durable_.rows.end()) return std::nullopt;
    return at->second;
}

row_map server::rows() const
{
    lock held(mutex_);
    return durable_.rows;
}

branch_fate server::fate(xid const& x) const
{
    lock held(mutex_);
    auto const at = durable_.branches.find(x);
    return at == durable_.branches.end() ? branch_fate::never_seen : at->second.fate;
}

std::vector<xid> server::prepared() const
{
    lock held(mutex_);
    std::vector<xid> found;
    for (auto const& x : live_) {
        if (durable_.branches.at(x).at == phase::prepared) found.push_back(x);
    }
    return found;
}

std::map<xid, xa_code> server::heuristics() const
{
    lock held(mutex_);
    std::map<xid, xa_code> found;
    for (auto const& x : live_) {
        branch const& b = durable_.branches.at(x);
        if (b.at == phase::heuristic) found.emplace(x, b.heuristic);
    }
    return found;
}

server_facts server::facts() const
{
    lock held(mutex_);
    server_facts who;
    who.kind = "memory";
    who.identity = durable_.identity;
    who.instance = instance_;
    who.server_start = life().start;
    if (!options_.keeps_past) who.history = "history-" + std::to_string(restores_);
    // A literal that is assigned makes g++ 12 warn, at -O3, of an overlap that is none.
    who.version = std::string{"1"};
    who.user = options_.user;
    who.database = options_.database;
    who.is_proxied = options_.is_proxied;
    return who;
}

server_life server::life() const
{
    return {instance_, "start-" + std::to_string(starts_)};
}

server_life server::present_life() const
{
    lock held(mutex_);
    return life();
}

scan_result server::scan() const
{
    lock held(mutex_);
    scan_result seen;
    for (auto const& x : live_) {
        bool const is_listed = nameless_.count(x) == 0;
        if (is_listed && durable_.branches.at(x).at != phase::active) seen.ours.push_back(x);
    }
    seen.foreign_count = durable_.foreign.size();
    seen.identity = durable_.identity;
    seen.life = life();
    if (!options_.keeps_past) seen.history = "history-" + std::to_string(restores_);
    seen.is_writable_primary = is_writable_;
    return seen;
}

std::optional<kept_past> server::read_past(std::uint64_t node) const
{
    lock held(mutex_);
    if (!options_.keeps_past) return std::nullopt;
    auto const at = durable_.pasts.find(node);
    return at == durable_.pasts.end() ? kept_past{} : at->second;
}

bool server::keep_past(std::uint64_t node, kept_past const& what)
{
    lock held(mutex_);
    if (!options_.keeps_past) return false;
    auto& kept = durable_.pasts[node];
    if (kept.count < what.count) kept = what;
    return true;
}

witness_state server::ask(std::string const& witness) const
{
    lock held(mutex_);
    for (auto const& [x, b] : durable_.branches) {
        if (b.witness.empty() || b.witness != witness) continue;
        if (b.fate == branch_fate::committed) return witness_state::committed;
        if (b.fate == branch_fate::rolled_back) return witness_state::rolled_back;
        return witness_state::in_progress;
    }
    return witness_state::unknown;
}

}  // namespace assent::inline v0::testing::memory
