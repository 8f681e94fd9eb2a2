// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leaving.cpp -- what follows an outcome: hand over to the keepers what is unfinished, give the
// connections back, report to the caller.
//
// The one invariant: nothing here throws, or changes what was decided.  Where memory runs out,
// words are given up before work is, and work waits for the log's next opening before it is
// forgotten.

#include <algorithm>
#include <exception>
#include <list>
#include <utility>

#include "engine/engine.hpp"
#include "protocol/assert.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::verdict;

namespace {

// Small allocations that failed may succeed a moment later, when other threads have ended.
constexpr int hand_over_tries_max = 3;

std::vector<std::uint16_t> left_at(std::list<due_branch> const& left)
{
    std::vector<std::uint16_t> ids;
    for (due_branch const& one : left) {
        ids.push_back(one.id.branch.parts().resource_manager);
    }
    return ids;
}

}  // namespace

/// Notes in the log what is finished, and leaves the rest to the keepers.
void engine::hand_over(global_transaction& tx) noexcept
{
    tx.room.release();
    std::list<due_branch> left;
    std::vector<std::uint16_t> ids;
    for (int tries = 1;; ++tries) {
        try {
            left = unfinished(tx);
            ids = left_at(left);
            break;
        } catch (std::exception const& e) {
            if (tries < hand_over_tries_max) continue;
            // It stays live, so that nobody presumes anything of it.
            tx.is_undecided = true;
            shared_.tell(severity::alarm, "transaction.left", {}, tx.id.text(), e.what());
            return;
        }
    }
    if (tx.is_undecided) return;
    if (left.empty()) {
        shared_.live.leave(tx);
        return;
    }
    tx.branches_left = left.size();
    auto const self = shared_.live.find(tx.id);
    ASSENT_ASSERT(self != nullptr);
    shared_.live.await(tx, std::move(ids));
    while (!left.empty()) {
        auto const at = std::find_if(tx.branches.begin(), tx.branches.end(),
                                     [&](auto const& b) { return b->id == left.front().id; });
        left.front().owner = self;
        std::list<due_branch> one;
        one.splice(one.end(), left, left.begin());
        (*at)->rm->finish_later(std::move(one));
    }
}

/// What the keepers must finish.  May be repeated.
std::list<due_branch> engine::unfinished(global_transaction& tx)
{
    auto const how = tx.coordinator.outcome();
    bool const is_decided =
        how == verdict::committed || how == verdict::committed_pending || how == verdict::heuristic;
    std::list<due_branch> left;
    for (std::size_t i = 0; i < tx.branches.size(); ++i) {
        branch& b = *tx.branches[i];
        auto const state = tx.coordinator.state(i);
        bool const is_final = protocol::is_final(state) || state == branch_state::in_doubt;
        bool const awaits_row =
            state == branch_state::row_in_doubt || state == branch_state::row_awaited;
        if (how == verdict::in_doubt && !is_final && !awaits_row) {
            // Undecided: neither commit nor rollback may be sent until the log tells.
            // An attached session would keep recovery from finishing its branch.
            lose(b);
            continue;
        }
        // Neither committed nor known to be gone: nothing of it may stay attached.
        if (state == branch_state::in_doubt) lose(b);
        if (is_final && !b.is_record_due && !b.is_forget_due) {
            if (is_decided && state != branch_state::read_only) shared_.note_finished(b.id);
            continue;
        }
        if (awaits_row) shared_.rows.ask({tx.id});
        if (b.rm->driver().capabilities().stays_attached_after_prepare ||
            state == branch_state::rollback_verify) {
            lose(b);
        }
        due_branch item;
        item.id = b.id;
        item.state = state;
        item.history = b.history;
        item.last_reply = b.last_reply;
        item.is_forget_due = b.is_forget_due;
        left.push_back(std::move(item));
    }
    return left;
}

/// Gives every connection back, last enlisted first.
void engine::release(global_transaction& tx) noexcept
{
    for (auto at = tx.branches.rbegin(); at != tx.branches.rend(); ++at) {
        branch& b = **at;
        bool const is_sound = b.is_connected && !b.was_cancelled && b.session->is_reusable();
        if (!b.is_borrowed) {
            pooled_session leased{std::move(b.session), std::move(b.in_child), b.origin, {}, false};
            if (is_sound) b.rm->pool().give(std::move(leased));
            leased = {};     // closed, unless it was given back
            b.seat.leave();  // only now: whoever is called next shall find it
            continue;
        }
        if (b.was_cancelled) lose(b);
        b.session.reset();
        if (!b.on_release) continue;
        call_release(b.on_release, b,
                     is_sound ? assent::release::keep : assent::release::must_close);
    }
}

void engine::call_release(release_function const& on_release, branch const& b,
                          assent::release what) const noexcept
{
    try {
        on_release(b.handle, what);
    } catch (std::exception const& e) {
        shared_.tell(severity::warning, "on_release.threw", b.rm->name(), b.id.text(), e.what());
    } catch (...) {
        shared_.tell(severity::warning, "on_release.threw", b.rm->name(), b.id.text(), "?");
    }
}

ending engine::report(global_transaction& tx) noexcept
{
    ending told;
    told.verdict = tx.coordinator.outcome();
    for (std::size_t i = 0; i < tx.branches.size(); ++i) {
        branch const& b = *tx.branches[i];
        if (tx.coordinator.state(i) != branch_state::in_doubt) continue;
        told.who =
            b.rm->driver().capabilities().has_one_phase_witness && !b.last_reply.witness.empty()
                ? resolver::database
                : resolver::nobody;
    }
    describe(tx, told);
    std::lock_guard const held{tx.mutex};
    switch (told.verdict) {
        case verdict::committed:
        case verdict::committed_pending:
            tx.status = assent::status::committed;
            shared_.outcomes.note(tx.id, known_outcome::committed);
            break;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            tx.status = assent::status::rolled_back;
            shared_.outcomes.note(tx.id, known_outcome::rolled_back);
            if (!tx.branches.empty()) shared_.log->note_rolled_back(tx.id);
            told.is_confirmed = told.verdict == verdict::rolled_back;
            told.is_retryable = told.is_confirmed && (!tx.cause || tx.cause->is_transient);
            break;
        default:
            tx.status = assent::status::unknown;
    }
    return told;
}

/// The words of an ending; without memory for all of them, as many as there is memory for.
void engine::describe(global_transaction& tx, ending& told) noexcept
try {
    for (std::size_t i = 0; i < tx.branches.size(); ++i) {
        branch const& b = *tx.branches[i];
        told.branches.push_back({b.rm->name(), b.id, b.last_verb, b.last_reply.code,
                                 b.last_reply.native_code, b.last_reply.sqlstate, b.last_reply.text,
                                 std::string{protocol::name_of(tx.coordinator.state(i))}});
    }
    std::lock_guard const held{tx.mutex};
    if (tx.cause) told.what = tx.cause->text;
} catch (std::exception const& e) {
    shared_.tell(severity::warning, "transaction.not_described", {}, tx.id.text(), e.what());
}

void engine::run_after_completion(global_transaction& tx) noexcept
{
    for (auto const& each : tx.synchronizations) {
        if (!each.after_completion) continue;
        try {
            each.after_completion(tx.status);
        } catch (std::exception const& e) {
            shared_.tell(severity::warning, "after_completion.threw", {}, tx.id.text(), e.what());
        } catch (...) {
            shared_.tell(severity::warning, "after_completion.threw", {}, tx.id.text(), "?");
        }
    }
}

}  // namespace assent::engine
