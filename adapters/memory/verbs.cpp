// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// verbs.cpp -- XA's verbs, by tables 6-2 (association) and 6-4 (branch).
//
//   start --> active --prepare--> prepared --commit, rollback--> finished
//               +--one-phase commit, rollback, its session ends-----^
//               any --scripted XA_HEUR*--> heuristic --forget-------^
//
// A branch that was declared read-only stays active when it is asked to prepare: still_open.
//
// A request that the tables forbid is a violation when the manager must have known better: what it
// has not heard, for a lost reply or a dead process, is not held against it.

#include <utility>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

namespace {

bool is_heuristic_code(xa_code code)
{
    return code >= xa_code::heurmix && code <= xa_code::heurhaz;
}

reply left_behind()
{
    return make_reply(xa_code::proto, "the session left the branch", reply_detail::left_behind);
}

}  // namespace

bool is_rollback_code(xa_code code) noexcept
{
    return code >= xa_code::rbrollback && code <= xa_code::rbtransient;
}

/// Why a manager that keeps to XA would never send this; empty when it may.
std::string server::objection(std::uint64_t id, session const& s, verb v, xid const& x) const
{
    if (s.outstanding || s.looks_for) return "a reply is outstanding on this session";
    auto const at = durable_.branches.find(x);
    if (v == verb::start) {
        if (at != durable_.branches.end() && !is_forgotten(at->second)) {
            return "the branch was started before";
        }
        return s.attached ? "the session is associated with a branch" : "";
    }
    // One that a restore took was started all the same.
    bool const is_unknown =
        at == durable_.branches.end() || at->second.fate == branch_fate::never_seen;
    if (is_unknown) return restores_ == 0 ? "the branch was never started" : "";
    branch const& b = at->second;
    if (s.attached && *s.attached != x) return "the session is associated with another branch";
    if (b.end_heard_in == deaths_) return "its end was heard";
    bool const is_foreign = b.at == phase::active && b.owner != id;
    switch (v) {
        case verb::start:
            break;
        case verb::prepare:
            if (!options_.is_two_phase && !b.modes.is_read_only())
                return "this database cannot prepare";
            if (b.had_prepare) return "it was asked to prepare before";
            if (b.had_commit || b.had_one_phase || b.had_rollback) return "its end was begun";
            if (is_foreign) return "the session is not associated with it";
            break;
        case verb::commit:
            if (is_anothers(s, b)) break;
            if (b.had_rollback || b.had_one_phase) return "it contradicts an earlier request";
            if (!b.is_yes_heard) return "the branch did not vote yes";
            break;
        case verb::commit_one_phase:
            if (b.had_prepare && !b.modes.is_read_only()) return "it was asked to prepare";
            if (b.had_one_phase) return "it was sent before";
            if (b.had_commit || b.had_rollback) return "it contradicts an earlier request";
            if (is_foreign) return "the session is not associated with it";
            break;
        case verb::rollback:
            if (is_anothers(s, b)) break;
            if (b.had_commit || b.had_one_phase) return "it contradicts an earlier request";
            break;
        case verb::forget:
            if (b.heuristic == xa_code::ok) return "it did not end heuristically";
            break;
    }
    return {};
}

/// Whether no server would know of it: it ended with another life of this one, before it was asked
/// to prepare.  Where session numbers are given again, so is the name of a branch that was not
/// begun.
bool server::is_forgotten(branch const& b) const
{
    bool const is_undone = b.fate == branch_fate::rolled_back || b.fate == branch_fate::never_seen;
    return b.at == phase::finished && is_undone && !b.had_prepare && b.start != starts_;
}

/// Whether the process that started it is another one, and alive: a copy of the manager is at work,
/// and contradicts whom it will.
bool server::is_anothers(session const& s, branch const& b) const
{
    return b.is_disputed || (b.started_by != 0 && b.started_by != s.process &&
                             dead_processes_.count(b.started_by) == 0);
}

void server::remember(session const& by, verb v, branch& b)
{
    if (v == verb::start) {
        xid const id = b.id;
        b = {};
        b.id = id;
        b.started_by = by.process;
        b.start = starts_;
    }
    b.is_disputed = is_anothers(by, b);
    b.had_prepare |= v == verb::prepare;
    b.had_commit |= v == verb::commit;
    b.had_one_phase |= v == verb::commit_one_phase;
    b.had_rollback |= v == verb::rollback;
}

reply server::carry_out(std::uint64_t id, verb v, xid const& x)
{
    branch& b = durable_.branches[x];
    // Repeats of an answered heuristic give the same answer until forget.
    bool const is_end = v != verb::start && v != verb::prepare && v != verb::forget;
    if (is_end && b.at == phase::heuristic) return make_reply(b.heuristic);
    switch (v) {
        case verb::start:
            return start(id, x);
        case verb::prepare:
            return prepare(id, b);
        case verb::commit:
            return commit(id, b);
        case verb::commit_one_phase:
            return commit_one_phase(id, b);
        case verb::rollback:
            return roll_back(id, b);
        case verb::forget:
            return forget(b);
    }
    return make_reply(xa_code::inval, "no such verb");
}

/// A scripted answer, with the effect that XA's table 6-4 gives it in the branch's state.
reply server::carry_out_as(std::uint64_t id, verb v, xid const& x, reply const& wanted)
{
    branch& b = durable_.branches[x];
    bool const is_ending = v != verb::start && v != verb::forget;
    bool const is_reachable = v == verb::commit
                                  ? b.at == phase::prepared
                                  : (b.at == phase::active && b.owner == id) ||
                                        (v == verb::rollback && b.at == phase::prepared);
    if (wanted.is_ok()) return carry_out(id, v, x);
    if (!is_ending || !is_reachable) return wanted;

    bool const is_prepare = v == verb::prepare;
    if (is_prepare && wanted.code == xa_code::rdonly) {
        finish(b, branch_fate::committed);
    } else if (is_rollback_code(wanted.code) || (!is_prepare && wanted.code == xa_code::rmerr) ||
               (is_prepare && wanted.code == xa_code::nota)) {
        finish(b, branch_fate::rolled_back);
    } else if (!is_prepare && is_heuristic_code(wanted.code)) {
        settle_heuristically(b, wanted.code);
    }
    return wanted;
}

reply server::start(std::uint64_t id, xid const& x)
{
    session& s = sessions_[id];
    auto const modes = std::exchange(s.next, {});
    bool const is_row_due = std::exchange(s.announces_row, false);
    if (s.is_in_local_transaction) return make_reply(xa_code::outside, "a transaction is open");
    bool const is_weaker = modes.level && modes.level != isolation::serializable;
    if (is_weaker && options_.is_always_serializable) {
        return make_reply(xa_code::inval, "this database has no isolation level but SERIALIZABLE");
    }
    bool const refuses_writes = modes.may ? modes.is_read_only() : s.is_read_only;
    if (is_row_due && refuses_writes) {
        return make_reply(xa_code::rmerr,
                          "the application made the transaction read only, and a commit row cannot "
                          "be written in it");
    }
    branch& b = durable_.branches[x];
    go_live(b, branch_fate::active);
    b.at = phase::active;
    b.owner = id;
    b.modes = modes;
    b.refuses_writes = refuses_writes;
    s.attached = x;
    s.carried.reset();
    return run_lead(b).value_or(reply{});
}

/// Why this session cannot end the branch with its work kept.
std::optional<reply> server::no_vote(std::uint64_t id, branch& b)
{
    if (b.left_by == id) return left_behind();
    if (b.at != phase::active || b.owner != id) return make_reply(xa_code::nota);
    if (b.is_rollback_only) {
        finish(b, branch_fate::rolled_back);
        return make_reply(xa_code::rbrollback, "a statement had failed");
    }
    return std::nullopt;
}

reply server::prepare(std::uint64_t id, branch& b)
{
    if (auto const refused = no_vote(id, b)) return *refused;
    if (b.modes.is_read_only()) {
        return make_reply(xa_code::rdonly, "the branch is read-only: it ends with the outcome",
                          reply_detail::still_open);
    }
    if (options_.acts_as == personality::plain && !b.has_written()) {
        finish(b, branch_fate::committed);
        return make_reply(xa_code::rdonly);
    }
    b.at = phase::prepared;
    b.fate = branch_fate::prepared;
    if (options_.acts_as != personality::mariadb) detach(b);
    return {};
}

/// Why a prepared branch cannot be finished by this session now.
std::optional<reply> server::refusal(std::uint64_t id, branch& b)
{
    if (b.at != phase::prepared || nameless_.count(b.id) != 0) return make_reply(xa_code::nota);
    if (options_.acts_as == personality::postgresql) {
        for (auto const& request : held_) {
            if (request.session != id && request.waiting->branch == b.id &&
                request.is_before_effect) {
                return make_reply(xa_code::retry, "another session works on the branch",
                                  reply_detail::busy);
            }
        }
    }
    if (options_.acts_as == personality::mariadb) {
        if (b.owner != 0 && b.owner != id) {
            return make_reply(xa_code::nota, "another session keeps the branch");
        }
        if (b.owner == 0 && !b.has_written()) {
            finish(b, branch_fate::rolled_back);
            return make_reply(xa_code::rbrollback,
                              "the branch wrote nothing, and the session that prepared it has left",
                              reply_detail::read_only_owner_left);
        }
    }
    return std::nullopt;
}

reply server::commit(std::uint64_t id, branch& b)
{
    if (auto const refused = refusal(id, b)) return *refused;
    if (loses_name(b)) return {};
    finish(b, branch_fate::committed);
    return {};
}

reply server::commit_one_phase(std::uint64_t id, branch& b)
{
    if (auto const refused = no_vote(id, b)) return *refused;
    if (auto const refused = insert_carried(id)) {
        finish(b, branch_fate::rolled_back);
        return *refused;
    }
    finish(b, branch_fate::committed);
    reply done;
    done.witness = b.witness;
    return done;
}

reply server::roll_back(std::uint64_t id, branch& b)
{
    if (b.left_by == id) return left_behind();
    if (b.at == phase::active && b.owner == id) {
        finish(b, branch_fate::rolled_back);
        return {};
    }
    if (auto const refused = refusal(id, b)) return *refused;
    if (loses_name(b)) return {};
    finish(b, branch_fate::rolled_back);
    return {};
}

/// The server's upper half knows the name and answers; its engine does not find the branch, which
/// is still that of the session that ends.
bool server::loses_name(branch const& b)
{
    if (b.owner != 0 || b.kept_until == deadline{} || now() >= b.kept_until) return false;
    nameless_.insert(b.id);
    return true;
}

reply server::forget(branch& b)
{
    if (b.at != phase::heuristic) return make_reply(xa_code::nota);
    b.at = phase::finished;
    live_.erase(b.id);
    return {};
}

void server::go_live(branch& b, branch_fate fate)
{
    b.fate = fate;
    live_.insert(b.id);
}

void server::detach(branch& b)
{
    auto const owner = sessions_.find(b.owner);
    if (owner != sessions_.end()) owner->second.attached.reset();
    b.owner = 0;
}

void server::finish(branch& b, branch_fate fate)
{
    if (fate == branch_fate::committed) {
        for (auto const& [key, value] : b.writes)
            durable_.rows[key] = value;
        keep_reservations(b);
        keep_tasks(b);
    }
    b.reservations.clear();
    b.puts.clear();
    b.takes.clear();
    b.slots.clear();
    b.writes.clear();
    b.reads.clear();
    b.fate = fate;
    b.at = phase::finished;
    live_.erase(b.id);
    detach(b);
}

void server::settle_heuristically(branch& b, xa_code code)
{
    branch_fate fate = branch_fate::rolled_back;
    if (code == xa_code::heurcom) fate = branch_fate::committed;
    if (code == xa_code::heurmix && !b.writes.empty()) {
        durable_.rows[b.writes.begin()->first] = b.writes.begin()->second;
        fate = branch_fate::mixed;
    }
    finish(b, fate);
    b.at = phase::heuristic;
    b.heuristic = code;
    live_.insert(b.id);
}

}  // namespace assent::inline v0::testing::memory
