// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leaving.cpp -- how a transaction leaves its caller, after the outcome: what is unfinished is
// handed over to the keepers (the background workers of each database), the connections are given
// back, and the outcome is reported.
//
// Invariant: nothing here throws, or changes what was decided.  Where memory runs out,
// words are given up before work is, and work waits for the log's next opening before it is
// forgotten.

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <list>
#include <memory>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "engine/giving_back.hpp"
#include "engine/termination.hpp"
#include "protocol/assert.hpp"
#include "recovery/handing_over.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::verdict;
using shared::pooled_session;

namespace {

constexpr char no_std_exception[] = "it threw something that is no std::exception";

/// What an application's callback threw: its type.  Its words may hold anything that the
/// application works with, and an observer writes what it hears into logs.
void tell_thrown(context const& shared, std::string_view event, std::string_view resource_manager,
                 std::string_view id, std::exception const& thrown) noexcept
{
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> const name{
        abi::__cxa_demangle(typeid(thrown).name(), nullptr, nullptr, &status), &std::free};
    shared.tell(severity::warning, event, resource_manager, id,
                name ? name.get() : typeid(thrown).name());
}

// Small allocations that failed may succeed a moment later, when other threads have ended.
constexpr int hand_over_tries_max = 3;

}  // namespace

/// What remains to be done when every branch has answered, or nobody waits for it any more.
void termination::settle() noexcept
{
    hand_over();
    shared_.tell(severity::debug, "transaction.ended", {}, tx_.id.text(), {});
    release();
}

/// Notes in the log what is finished, and leaves the rest to the keepers.
void termination::hand_over() noexcept
{
    tx_.room.release();
    std::list<due_branch> left;
    std::vector<std::uint16_t> places;
    for (int tries = 1;; ++tries) {
        try {
            left = unfinished();
            places = recovery::places_of(left);
            break;
        } catch (std::exception const& e) {
            if (tries < hand_over_tries_max) continue;
            // It stays live, so that nobody presumes anything of it.
            tx_.is_undecided = true;
            tx_.left = left_as::unknown;
            shared_.tell(severity::alarm, "transaction.left", {}, tx_.id.text(), e.what());
            return;
        }
    }
    if (tx_.is_undecided) {
        tx_.left = left_as::in_doubt;
        return;
    }
    if (left.empty()) {
        shared_.live.leave(tx_);
        return;
    }
    auto const self = shared_.live.find(tx_.id);
    ASSENT_ASSERT(self != nullptr);
    recovery::hand_over(shared_, self, std::move(left), std::move(places));
}

/// What the keepers must finish.  May be repeated.
std::list<due_branch> termination::unfinished()
{
    auto const how = tx_.coordinator.outcome();
    bool const is_decided =
        how == verdict::committed || how == verdict::committed_pending || how == verdict::heuristic;
    std::list<due_branch> left;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch& b = *tx_.branches[i];
        auto const state = tx_.coordinator.state(i);
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
        // Only now: the log drops a decision when all its branches are noted as finished, and a
        // branch that is still prepared then has no decision to commit by.
        if (is_final && !b.is_record_due && !b.is_forget_due) {
            if (is_decided && state != branch_state::read_only) shared_.note_finished(b.id);
            continue;
        }
        if (awaits_row) shared_.rows.ask({tx_.id});
        if (b.rm->driver().capabilities().stays_attached_after_prepare ||
            state == branch_state::rollback_verify) {
            lose(b);
        }
        due_branch item = recovery::due_of(b);
        item.state = state;
        item.reign = b.reign;
        item.may_be_turned = b.last_reply.detail == reply_detail::may_be_undone;
        item.last_reply = b.last_reply;
        item.is_forget_due = b.is_forget_due;
        item.was_told = b.is_record_due;
        left.push_back(std::move(item));
    }
    return left;
}

/// Gives every connection back, last enlisted first, but for those that are still to answer.
void termination::release() noexcept
{
    for (std::size_t i = tx_.branches.size(); i-- != 0;) {
        if (process_.is_forked()) return;  // by an on_release: the rest is the parent's
        branch& b = *tx_.branches[i];
        if (!b.session || protocol::is_outstanding(tx_.coordinator.state(i))) continue;
        bool const is_sound = b.is_connected && !b.was_cancelled && b.session->is_reusable();
        if (!b.is_borrowed) {
            pooled_session leased{std::move(b.session), std::move(b.in_child), b.origin, {}, false};
            // One of a thread is of no use to whoever comes next.
            bool const is_bound = b.rm->driver().capabilities().is_thread_bound;
            if (is_sound && !is_bound) b.rm->pool().give(std::move(leased));
            leased = {};     // closed, unless it was given back
            b.seat.leave();  // only now: whoever is called next shall find it
            continue;
        }
        if (b.was_cancelled) lose(b);
        // Before the owner is told, who may at once use the handle on another thread, or free it.
        b.session.reset();
        if (!b.on_release) continue;
        give_back(shared_, b.on_release, b,
                  is_sound ? assent::release::keep : assent::release::must_close);
        if (!process_.is_forked()) b.on_release = nullptr;
    }
}

void give_back(context const& shared, release_function<void*> const& on_release, branch const& b,
               assent::release what) noexcept
{
    try {
        on_release(b.handle, what);
    } catch (std::exception const& e) {
        tell_thrown(shared, "on_release.threw", b.rm->name(), b.id.text(), e);
    } catch (...) {
        shared.tell(severity::warning, "on_release.threw", b.rm->name(), b.id.text(),
                    no_std_exception);
    }
}

ending termination::report() noexcept
{
    ending told;
    told.verdict = parted_.empty() ? tx_.coordinator.outcome() : verdict::committed_pending;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch const& b = *tx_.branches[i];
        if (tx_.coordinator.state(i) != branch_state::in_doubt) continue;
        told.who =
            b.rm->driver().capabilities().has_one_phase_witness && !b.last_reply.witness.empty()
                ? resolver::database
                : resolver::nobody;
    }
    // Until the caller is told, a lapse turns what is not confirmed into a doubt.
    bool const is_in_log = tx_.id.parts().place == decision_place::log;
    if (told.verdict == verdict::committed_pending && is_in_log) {
        for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
            if (protocol::is_final(tx_.coordinator.state(i))) tx_.branches[i]->term = 0;
        }
        if (has_lapsed()) {
            told.verdict = verdict::in_doubt;
            told.who = resolver::recovery;
        }
    }
    describe(told);
    std::lock_guard const held{tx_.mutex};
    switch (told.verdict) {
        case verdict::committed:
        case verdict::committed_pending:
            tx_.status = assent::status::committed;
            shared_.outcomes.note(tx_.id, known_outcome::committed);
            break;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            tx_.status = assent::status::rolled_back;
            shared_.outcomes.note(tx_.id, known_outcome::rolled_back);
            if (!tx_.branches.empty()) shared_.log->note_rolled_back(tx_.id);
            told.is_confirmed = told.verdict == verdict::rolled_back;
            told.is_retryable = told.is_confirmed && (!tx_.cause || tx_.cause->is_transient);
            break;
        default:
            tx_.status = assent::status::unknown;
    }
    return told;
}

/// The words of an ending; without memory for all of them, as many as there is memory for.
void termination::describe(ending& told) noexcept
try {
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch const& b = *tx_.branches[i];
        told.branches.push_back({b.rm->name(), b.id, b.last_verb, b.last_reply.code,
                                 b.last_reply.native_code, b.last_reply.sqlstate, b.last_reply.text,
                                 std::string{protocol::name_of(tx_.coordinator.state(i))}});
    }
    {
        std::lock_guard const held{tx_.mutex};
        if (tx_.cause) told.what = tx_.cause->text;
    }
    // Whoever reads that nobody will know must at least learn where, and why.
    for (std::size_t i = 0; told.what.empty() && i < tx_.branches.size(); ++i) {
        if (tx_.coordinator.state(i) != branch_state::in_doubt) continue;
        branch const& b = *tx_.branches[i];
        told.what = "\"" + b.rm->name() + "\" did not answer its commit: " + b.last_reply.text;
    }
} catch (std::exception const& e) {
    shared_.tell(severity::warning, "transaction.not_described", {}, tx_.id.text(), e.what());
}

void termination::run_after_completion() noexcept
{
    for (auto const& each : tx_.interposed)
        tell_completion(each);
    for (auto const& each : tx_.synchronizations)
        tell_completion(each);
    if (process_.is_forked()) return;
    // What is the application's goes on its own thread, though others may still be at work for the
    // transaction.  Taken out first: what is destroyed may ask for the rest.
    std::exchange(tx_.interposed, {});
    std::exchange(tx_.synchronizations, {});
    std::exchange(tx_.last_works, {});
    std::exchange(tx_.resources, {});
}

void termination::tell_completion(synchronization const& whom) const noexcept
{
    if (!whom.after_completion || process_.is_forked()) return;
    try {
        whom.after_completion(tx_.status);
    } catch (std::exception const& e) {
        tell_thrown(shared_, "after_completion.threw", {}, tx_.id.text(), e);
    } catch (...) {
        shared_.tell(severity::warning, "after_completion.threw", {}, tx_.id.text(),
                     no_std_exception);
    }
}

}  // namespace assent::engine
