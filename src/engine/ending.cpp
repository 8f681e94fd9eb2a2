// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ending.cpp -- commit() and rollback(): the only loop over the coordinator.
//
//   drive:  while the coordinator has a stage:  send its verb to every branch   } overlapped
//                                               collect every reply             }
//           between the votes and phase 2:      decide (deciding.cpp), the one forced write
//   after:  hand over what is unfinished, release connections, report
//
// Nothing here knows what a reply means; the transition table does.
//
// The one invariant: once drive() was entered nothing throws.  Memory that runs out before the
// commit point is a no vote; behind it, words and the caller's waiting are what is given up.

#include <algorithm>
#include <exception>
#include <list>
#include <utility>

#include "engine/engine.hpp"
#include "engine/heuristics.hpp"
#include "protocol/assert.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;
using protocol::stage;
using protocol::verdict;

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
