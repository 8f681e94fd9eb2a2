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
// Invariant: once drive() was entered nothing throws.  Memory that runs out before the
// commit point is a no vote; behind it, words and the caller's waiting are what is given up.

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "engine/enlistment.hpp"
#include "engine/termination.hpp"
#include "recovery/heuristics.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;
using protocol::stage;
using shared::rollback_cause;

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

/// Marks a transaction while it is being ended, callbacks included.
struct in_end
{
    explicit in_end(global_transaction& ending) noexcept : tx(ending) { tx.is_in_end = true; }
    ~in_end() { tx.is_in_end = false; }
    global_transaction& tx;
};

}  // namespace

ending termination::run()
{
    if (tx_.is_in_end) {
        throw error{errc::invalid_state,
                    "a callback cannot end its transaction; before_completion may throw, or call "
                    "set_rollback_only()",
                    tx_.id};
    }
    in_end const marked{tx_};
    if (intent_ == intent::commit) {
        run_before_completion();
        enlist_last(shared_, process_, tx_);
        process_.require();  // a callback may have forked: in the child nothing goes on
    }
    begin_ending();
    drive();
    tx_.is_completed = true;
    ending told = report();
    hand_over();
    shared_.tell(severity::debug, "transaction.ended", {}, tx_.id.text(), {});
    release();
    run_after_completion();
    process_.require();
    return told;
}

void termination::run_before_completion()
{
    {
        std::lock_guard const held{tx_.mutex};
        if (tx_.is_ending || tx_.cause || shared_.time.now() >= tx_.until) return;
    }
    // By index: a callback may register more.
    for (std::size_t i = 0; i < tx_.synchronizations.size(); ++i) {
        auto const before = tx_.synchronizations[i].before_completion;
        if (!before) continue;
        try {
            before();
        } catch (std::exception const& e) {
            tx_.mark_rollback_only({std::string{"before_completion threw: "} + e.what(), false});
        } catch (...) {
            tx_.mark_rollback_only({"before_completion threw", false});
        }
        if (process_.is_forked() || tx_.is_rollback_only()) break;
    }
}

/// From here on nobody cancels, and it can neither get a branch nor expire.
void termination::begin_ending()
{
    {
        std::lock_guard const held{tx_.mutex};
        if (tx_.is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", tx_.id};
        }
        if (!tx_.cause && intent_ == intent::commit && shared_.time.now() >= tx_.until) {
            tx_.cause = rollback_cause{"its deadline passed", false};
        }
        tx_.is_ending = true;
    }
    for (auto const& b : tx_.branches) {
        std::lock_guard const held{b->lock};  // waits for a cancel that is under way
        b->is_cancellable = false;
        if (b->lease) b->lease->end();
    }
}

void termination::drive() noexcept
{
    auto& coordinator = tx_.coordinator;
    if (intent_ == intent::commit) {
        coordinator.commit(tx_.is_rollback_only());
    } else {
        coordinator.rollback();
    }
    for (;;) {
        auto const now = coordinator.advance();
        if (now == stage::ended || now == stage::undecided) return;
        note_status(now);
        try {
            if (now == stage::deciding) {
                decide();
                continue;
            }
            if (now == stage::preparing && !may_prepare()) {
                coordinator.veto();
                continue;
            }
            exchange(stage_end());
            for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
                if (coordinator.state(i) == branch_state::in_doubt) ask_witness(i);
            }
        } catch (std::exception const& e) {
            shared_.tell(severity::warning, "transaction.interrupted", {}, tx_.id.text(), e.what());
            give_up_stage();
        }
    }
}

void termination::note_status(stage now) noexcept
{
    switch (now) {
        case stage::preparing:
            tx_.status = assent::status::preparing;
            break;
        case stage::one_phase:
        case stage::ending_reads:
        case stage::committing:
            tx_.status = assent::status::committing;
            break;
        case stage::rolling_back:
            tx_.status = assent::status::rolling_back;
            break;
        default:
            break;
    }
}

/// Whether the log has noted the start of the server that each branch is in.  Marks the transaction
/// where it has not: the server was restarted, and the scanner is still to hear of it.  Recovery
/// takes an epoch's sessions for gone where the server's start is not the noted one, and would
/// finish a branch that a session of this start can still prepare.
bool termination::may_prepare()
{
    for (auto const& b : tx_.branches) {
        if (b->rm->is_noted(b->life)) continue;
        tx_.mark_rollback_only({why_elsewhere(*b), true});
        return false;
    }
    return true;
}

/// Memory ran out in the middle of a stage: what was sent is as good as unanswered, and before the
/// commit point that is a reason not to commit.
void termination::give_up_stage() noexcept
{
    auto& coordinator = tx_.coordinator;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        if (!protocol::is_outstanding(coordinator.state(i))) continue;
        lose(*tx_.branches[i]);
        coordinator.on_reply(i, reply_class::silent);
    }
    switch (coordinator.now()) {
        case stage::preparing:
        case stage::deciding:
            tx_.mark_rollback_only({"memory ran out", false});
            coordinator.veto();
            break;
        default:
            break;
    }
}

deadline termination::stage_end() const
{
    auto const now = shared_.time.now();
    auto const& bounds = shared_.bounds;
    switch (tx_.coordinator.now()) {
        case stage::committing:
        case stage::ending_reads:
            return now + bounds.phase2_wait;
        case stage::one_phase:
            return std::max(tx_.until, now + bounds.phase2_wait);
        case stage::rolling_back:
            return now +
                   (intent_ == intent::destroy ? bounds.destructor_wait : bounds.rollback_wait);
        default:
            return tx_.until;
    }
}

/// Sends the stage's verb to every branch, then collects every reply.
void termination::exchange(deadline until)
{
    auto& coordinator = tx_.coordinator;
    auto const count = tx_.branches.size();
    for (std::size_t i = 0; i < count; ++i) {
        branch& b = *tx_.branches[i];
        verb next{};
        if (!coordinator.send(i, next)) continue;
        b.last_verb = next;
        if (!b.is_connected) continue;
        tell_step(b, step::before);
        // Before PREPARE leaves: a term that begins while it is under way would hide a gap in which
        // a copy of this log may have rolled the branch back.
        if (next == verb::prepare) b.asked_in_term = b.rm->guard_term();
        b.session->submit(next, b.id);
        tell_step(b, step::sent);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (protocol::is_outstanding(coordinator.state(i))) hear(i, until);
    }
}

/// Collects the reply of branch `i`, whose verb is out.
void termination::hear(std::size_t i, deadline until)
{
    branch& b = *tx_.branches[i];
    if (!b.is_connected) {
        apply(i, reply_class::rmfail);
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
            apply(i, protocol::classify(b.last_reply));
            return;
        }
        if (cut) b.last_reply.witness = std::move(cut->witness);
        apply(i, reply_class::silent);
        return;
    }
    b.last_reply = std::move(*answer);
    tell_step(b, step::reply);
    bool const is_lost = b.last_reply.detail == reply_detail::reply_lost;
    if (is_lost) lose(b);
    apply(i, protocol::classify(b.last_reply));
}

/// The steps of an ending, as events; a crash test kills the process in them.
std::string_view termination::step_name(branch const& b, step at) noexcept
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
    return at == step::before ? of.before : at == step::sent ? of.sent : of.reply;
}

void termination::tell_step(branch const& b, step at) const
{
    if (!shared_.is_observed()) return;
    shared_.tell(severity::debug, step_name(b, at), b.rm->name(), b.id.text(),
                 at == step::reply ? std::string_view{b.last_reply.text} : std::string_view{});
}

void termination::apply(std::size_t i, reply_class on)
{
    auto const before = tx_.coordinator.state(i);
    auto const in = tx_.coordinator.now();
    auto const then = tx_.coordinator.on_reply(i, on);
    note_cause(i, in);
    if (before == branch_state::ending_voted_read && on != reply_class::ok) {
        branch const& b = *tx_.branches[i];
        shared_.tell(severity::warning, "branch.read_only.end_lost", b.rm->name(), b.id.text(),
                     b.last_reply.text);
    }
    if (then == protocol::follow_up::record) record(i);
}

/// What the reply of branch `i` in that stage says against committing, if anything.
void termination::note_cause(std::size_t i, stage in)
{
    branch const& b = *tx_.branches[i];
    auto const state = tx_.coordinator.state(i);
    std::string_view says;
    if (in == stage::preparing) {
        bool const is_yes = state == branch_state::prepared || state == branch_state::read_only ||
                            state == branch_state::reads_voted;
        if (!is_yes) says = "voted no";
    } else if (in == stage::one_phase || in == stage::deciding) {
        if (state == branch_state::rolled_back) says = "rolled back";
    }
    if (says.empty()) return;
    tx_.mark_rollback_only(
        {"\"" + b.rm->name() + "\" " + std::string{says} + ": " + b.last_reply.text,
         is_transient(b.last_reply)});
}

/// A heuristic of branch `i`; once it is on record the server may forget it.  In the other order a
/// crash in between would leave databases that differ, and nobody who knows.
void termination::record(std::size_t i)
{
    branch& b = *tx_.branches[i];
    auto const state = tx_.coordinator.state(i);
    b.is_record_due = !recovery::record_heuristic(shared_, b.rm->name(), b.id, state, b.last_reply);
    if (b.is_record_due) return;
    b.is_forget_due = recovery::is_forget_due(b.last_reply);
    if (!b.is_forget_due || !b.is_connected) return;
    b.session->submit(verb::forget, b.id);
    auto const forgotten = b.session->collect(shared_.time.now() + shared_.bounds.server_call);
    b.is_forget_due = !forgotten || (!forgotten->is_ok() && forgotten->code != xa_code::nota);
    if (!forgotten) lose(b);
}

}  // namespace assent::engine
