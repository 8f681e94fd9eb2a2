// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ending.cpp -- commit() and rollback(): the only loop over the coordinator.
//
//   drive:  while the coordinator has a stage:  send its verb to every branch   } overlapped
//                                               collect every reply             }
//           between the votes and phase 2:      decide (deciding.cpp), the one forced write
//   after:  leaving.cpp
//
// Nothing here knows what a reply means; the transition table does.
//
// The one invariant: once drive() was entered nothing throws.  Memory that runs out before the
// commit point is a no vote; behind it, words and the caller's waiting are what is given up.

#include <algorithm>
#include <exception>
#include <utility>

#include "engine/engine.hpp"
#include "engine/heuristics.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;
using protocol::stage;

namespace {

bool is_transient(reply const& vote) noexcept
{
    switch (vote.code) {
        case xa_code::rbcommfail:
        case xa_code::rbdeadlock:
        case xa_code::rbtimeout:
        case xa_code::rbtransient:
            return true;
        default:
            return is_retryable_sqlstate(vote.sqlstate);
    }
}

/// The steps of an ending, as events; a crash test kills the process in them.
std::string_view step_name(branch const& b, engine::step at) noexcept
{
    verb const what = b.last_verb;
    struct names
    {
        std::string_view before, sent, reply;
    };
    constexpr names prepare{"branch.prepare", "branch.prepare.sent", "branch.prepare.reply"};
    constexpr names commit{"branch.commit", "branch.commit.sent", "branch.commit.reply"};
    constexpr names one_phase{"branch.one_phase", "branch.one_phase.sent",
                              "branch.one_phase.reply"};
    constexpr names row{"branch.commit_row", "branch.commit_row.sent", "branch.commit_row.reply"};
    constexpr names rollback{"branch.rollback", "branch.rollback.sent", "branch.rollback.reply"};
    constexpr names other{"branch.other", "branch.other.sent", "branch.other.reply"};

    names const& of = b.carries_row                    ? row
                      : what == verb::prepare          ? prepare
                      : what == verb::commit           ? commit
                      : what == verb::commit_one_phase ? one_phase
                      : what == verb::rollback         ? rollback
                                                       : other;
    return at == engine::step::before ? of.before : at == engine::step::sent ? of.sent : of.reply;
}

/// Marks a transaction while it is being ended, callbacks included.
struct in_end
{
    explicit in_end(global_transaction& ending) noexcept : tx(ending) { tx.is_in_end = true; }
    ~in_end() { tx.is_in_end = false; }
    global_transaction& tx;
};

}  // namespace

ending engine::end(global_transaction& tx, intent what)
{
    require_same_process();
    if (tx.is_in_end) {
        throw error{errc::invalid_state,
                    "a callback cannot end its transaction; before_completion may throw, or call "
                    "set_rollback_only()",
                    tx.id};
    }
    in_end const marked{tx};
    if (what == intent::commit) {
        run_before_completion(tx);
        enlist_last(tx);
    }
    {
        std::lock_guard const held{tx.mutex};
        if (tx.is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", tx.id};
        }
        if (!tx.cause && what == intent::commit && shared_.time.now() >= tx.until) {
            tx.cause = rollback_cause{"its deadline passed", false};
        }
        tx.is_ending = true;
    }
    for (auto const& b : tx.branches) {
        std::lock_guard const held{b->lock};  // waits for a cancel that is under way
        b->is_cancellable = false;
        if (b->lease) b->lease->end();
    }
    drive(tx, what);
    tx.is_completed = true;
    ending told = report(tx);
    hand_over(tx);
    shared_.tell(severity::debug, "transaction.ended", {}, tx.id.text(), {});
    release(tx);
    run_after_completion(tx);
    return told;
}

void engine::run_before_completion(global_transaction& tx)
{
    {
        std::lock_guard const held{tx.mutex};
        if (tx.is_ending || tx.cause || shared_.time.now() >= tx.until) return;
    }
    // By index: a callback may register more.
    for (std::size_t i = 0; i < tx.synchronizations.size(); ++i) {
        auto const before = tx.synchronizations[i].before_completion;
        if (!before) continue;
        try {
            before();
        } catch (std::exception const& e) {
            tx.mark_rollback_only({std::string{"before_completion threw: "} + e.what(), false});
        } catch (...) {
            tx.mark_rollback_only({"before_completion threw", false});
        }
        if (tx.is_rollback_only()) break;
    }
}

void engine::drive(global_transaction& tx, intent what) noexcept
{
    auto& coordinator = tx.coordinator;
    if (what == intent::commit) {
        coordinator.commit(tx.is_rollback_only());
    } else {
        coordinator.rollback();
    }
    for (;;) {
        auto const now = coordinator.advance();
        switch (now) {
            case stage::ended:
            case stage::undecided:
                return;
            case stage::preparing:
                tx.status = assent::status::preparing;
                break;
            case stage::one_phase:
            case stage::committing:
                tx.status = assent::status::committing;
                break;
            case stage::rolling_back:
                tx.status = assent::status::rolling_back;
                break;
            default:
                break;
        }
        try {
            if (now == stage::deciding) {
                decide(tx);
                continue;
            }
            exchange(tx, stage_end(tx, what));
            for (std::size_t i = 0; i < tx.branches.size(); ++i) {
                if (coordinator.state(i) == branch_state::in_doubt) ask_witness(tx, i);
            }
        } catch (std::exception const& e) {
            shared_.tell(severity::warning, "transaction.interrupted", {}, tx.id.text(), e.what());
            give_up_stage(tx);
        }
    }
}

/// Memory ran out in the middle of a stage: what was sent is as good as unanswered, and before the
/// commit point that is a reason not to commit.
void engine::give_up_stage(global_transaction& tx) noexcept
{
    auto& coordinator = tx.coordinator;
    for (std::size_t i = 0; i < tx.branches.size(); ++i) {
        if (!protocol::is_outstanding(coordinator.state(i))) continue;
        lose(*tx.branches[i]);
        coordinator.on_reply(i, reply_class::silent);
    }
    switch (coordinator.now()) {
        case stage::ending_reads:
        case stage::preparing:
        case stage::deciding:
            tx.mark_rollback_only({"memory ran out", false});
            coordinator.veto();
            break;
        default:
            break;
    }
}

deadline engine::stage_end(global_transaction const& tx, intent what) const
{
    auto const now = shared_.time.now();
    auto const& bounds = shared_.bounds;
    switch (tx.coordinator.now()) {
        case stage::committing:
            return now + bounds.phase2_wait;
        case stage::one_phase:
            return std::max(tx.until, now + bounds.phase2_wait);
        case stage::rolling_back:
            return now + (what == intent::destroy ? bounds.destructor_wait : bounds.rollback_wait);
        default:
            return tx.until;
    }
}

/// Sends the stage's verb to every branch, then collects every reply.
void engine::exchange(global_transaction& tx, deadline until)
{
    auto& coordinator = tx.coordinator;
    auto const count = tx.branches.size();
    for (std::size_t i = 0; i < count; ++i) {
        branch& b = *tx.branches[i];
        verb next{};
        if (!coordinator.send(i, next)) continue;
        b.last_verb = next;
        if (!b.is_connected) continue;
        tell_step(b, step::before);
        b.session->submit(next, b.id);
        tell_step(b, step::sent);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (protocol::is_outstanding(coordinator.state(i))) hear(tx, i, until);
    }
}

/// Collects the reply of branch `i`, whose verb is out.
void engine::hear(global_transaction& tx, std::size_t i, deadline until)
{
    branch& b = *tx.branches[i];
    if (!b.is_connected) {
        apply(tx, i, reply_class::rmfail);
        return;
    }
    auto answer = b.session->collect(until);
    if (!answer) {
        b.last_reply = {};
        b.last_reply.code = xa_code::rmfail;
        b.last_reply.detail = reply_detail::reply_lost;
        b.last_reply.text = "no reply in time";
        lose(b);
        // Once cut, the session says what it had learned: that COMMIT never left, or whom to
        // ask about it.
        auto cut = b.session->collect(until);
        if (cut && cut->detail != reply_detail::reply_lost) {
            b.last_reply = std::move(*cut);
            apply(tx, i, protocol::classify(b.last_reply));
            return;
        }
        if (cut) b.last_reply.witness = std::move(cut->witness);
        apply(tx, i, reply_class::silent);
        return;
    }
    b.last_reply = std::move(*answer);
    tell_step(b, step::reply);
    bool const is_lost = b.last_reply.detail == reply_detail::reply_lost;
    if (is_lost) lose(b);
    apply(tx, i, protocol::classify(b.last_reply));
}

void engine::tell_step(branch const& b, step at) const
{
    if (!shared_.is_observed()) return;
    shared_.tell(severity::debug, step_name(b, at), b.rm->name(), b.id.text(),
                 at == step::reply ? std::string_view{b.last_reply.text} : std::string_view{});
}

void engine::apply(global_transaction& tx, std::size_t i, reply_class on)
{
    branch& b = *tx.branches[i];
    bool const is_vote =
        tx.coordinator.now() == stage::preparing || tx.coordinator.now() == stage::ending_reads;
    bool const is_one_phase =
        tx.coordinator.now() == stage::one_phase || tx.coordinator.now() == stage::deciding;
    auto const then = tx.coordinator.on_reply(i, on);
    auto const state = tx.coordinator.state(i);
    if (is_one_phase && state == branch_state::rolled_back) {
        tx.mark_rollback_only({"\"" + b.rm->name() + "\" rolled back: " + b.last_reply.text,
                               is_transient(b.last_reply)});
    }
    if (is_vote && state != branch_state::prepared && state != branch_state::read_only) {
        tx.mark_rollback_only({"\"" + b.rm->name() + "\" voted no: " + b.last_reply.text,
                               is_transient(b.last_reply)});
    }
    if (then != protocol::follow_up::record) return;
    b.is_record_due = !record_heuristic(shared_, b.rm->name(), b.id, state, b.last_reply);
    if (b.is_record_due || !is_forget_due(b.last_reply) || !b.is_connected) {
        b.is_forget_due = !b.is_record_due && is_forget_due(b.last_reply);
        return;
    }
    b.session->submit(verb::forget, b.id);
    auto const forgotten = b.session->collect(shared_.time.now() + shared_.bounds.server_call);
    b.is_forget_due = !forgotten || (!forgotten->is_ok() && forgotten->code != xa_code::nota);
    if (!forgotten) lose(b);
}

}  // namespace assent::engine
