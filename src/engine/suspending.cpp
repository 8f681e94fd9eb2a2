// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// suspending.cpp -- a transaction leaves its thread for now, and comes back.
//
//   suspended   its branches that belong to the thread (X/Open switches) let go of it; where all of
//               them may be resumed by any thread, the transaction moves
//   resumed     the thread is at work on each of them again
//
// Invariant: where a thread is not at work on a branch that the application takes it to be at work
// on, an exception has said so: what it did there would be permanent, whatever the outcome.

#include <new>
#include <string>

#include "engine/engine.hpp"

namespace assent::engine {

namespace {

using shared::branch;

bool is_thread_bound(branch const& b)
{
    return b.rm->driver().capabilities().is_thread_bound;
}

/// It is being ended, or has been: its branches are beyond work.
bool is_ending(global_transaction& tx)
{
    std::lock_guard const held{tx.mutex};
    return tx.is_ending;
}

/// Whether the thread is still at work on the branch.
bool has_not_left(reply const& answer) noexcept
{
    bool const is_rolled_back =
        answer.code >= xa_code::rbrollback && answer.code <= xa_code::rbtransient;
    return !answer.is_ok() && answer.code != xa_code::nomigrate && answer.code != xa_code::nota &&
           answer.detail != reply_detail::reply_lost && !is_rolled_back;
}

/// The branch was not suspended, or not resumed: the transaction can only be rolled back, whatever
/// else happens here.
/// @return why.
std::string note_failure(context const& shared, global_transaction& tx, branch& b, bool is_resume,
                         reply const& answer)
{
    if (answer.detail == reply_detail::reply_lost) shared::lose(b);
    try {
        shared.tell(severity::warning, is_resume ? "branch.not_resumed" : "branch.not_suspended",
                    b.rm->name(), b.id.text(), answer.text);
        auto why = '"' + b.rm->name() + "\" did not " + (is_resume ? "resume" : "suspend") +
                   " its branch: " + answer.text;
        tx.mark_rollback_only({why, false});
        return why;
    } catch (std::bad_alloc const&) {
        tx.mark_rollback_only({"out of memory", false});  // so short that it needs none
        throw;
    }
}

/// `stuck` was not left, so that nothing is: the thread goes back to what it has left before that.
/// @return where it did not come back, and why.
std::string come_back(context const& shared, global_transaction& tx, branch const& stuck)
{
    std::string why;
    for (auto const& b : tx.branches) {
        if (b.get() == &stuck) break;
        if (!is_thread_bound(*b)) continue;
        auto const answer = b->session->resume(b->id);
        if (!answer.is_ok()) why += "; and " + note_failure(shared, tx, *b, true, answer);
    }
    return why;
}

}  // namespace

void engine::suspend(global_transaction& tx)
{
    require_same_process();
    if (tx.is_suspended || is_ending(tx)) return;
    require_thread(tx);
    bool may_move = true;
    for (auto const& b : tx.branches) {
        if (!is_thread_bound(*b)) continue;
        auto const answer = b->session->suspend(b->id);
        if (answer.is_ok()) continue;
        may_move = false;
        if (answer.code == xa_code::nomigrate) continue;
        auto const why = note_failure(shared_, tx, *b, false, answer);
        if (!has_not_left(answer)) continue;
        throw error{errc::rollback_only, "rollback-only: " + why + come_back(shared_, tx, *b),
                    tx.id};
    }
    tx.is_suspended = true;
    if (may_move) tx.bound_to = 0;
}

void engine::resume(global_transaction& tx)
{
    require_same_process();
    if (!tx.is_suspended || is_ending(tx)) return;
    require_thread(tx);
    tx.is_suspended = false;
    std::string why;
    for (auto const& b : tx.branches) {
        if (!is_thread_bound(*b)) continue;
        tx.bound_to = shared::this_thread();
        auto const answer = b->session->resume(b->id);
        if (!answer.is_ok()) why = note_failure(shared_, tx, *b, true, answer);
    }
    if (!why.empty()) throw error{errc::rollback_only, "rollback-only: " + why, tx.id};
}

}  // namespace assent::engine
