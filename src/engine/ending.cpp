// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ending.cpp -- commit() and rollback(): the only loop over the coordinator.
//
//   drive:  while the coordinator has a stage:  send its verb to every branch   } overlapped,
//                                               collect every reply             } hearing.cpp
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

bool is_transient(reply const& refusal) noexcept
{
    switch (refusal.code) {
        case xa_code::rbcommfail:
        case xa_code::rbdeadlock:
        case xa_code::rbtimeout:
        case xa_code::rbtransient:
            return true;
        default:
            return is_retryable_sqlstate(refusal.sqlstate);
    }
}

namespace {

shared::phase_time* time_of(stage what, shared::phase_times& all) noexcept
{
    switch (what) {
        case stage::preparing:
            return &all.preparing;
        case stage::deciding:
            return &all.deciding;
        case stage::one_phase:
        case stage::committing:
            return &all.committing;
        case stage::rolling_back:
            return &all.rolling_back;
        default:
            return nullptr;
    }
}

/// From its construction to its end is one phase.
class timed
{
public:
    timed(context& shared, stage what) noexcept
        : shared_(shared), into_(time_of(what, shared.phases)), begun_(shared.time.now())
    {
    }
    timed(timed const&) = delete;
    timed& operator=(timed const&) = delete;
    ~timed()
    {
        if (into_ != nullptr) into_->add(shared_.time.now() - begun_);
    }

private:
    context& shared_;
    shared::phase_time* const into_;
    deadline const begun_;
};

}  // namespace

ending termination::run()
{
    if (intent_ != intent::destroy) require_thread(tx_);
    if (tx_.is_in_end) {
        throw error{errc::invalid_state,
                    "a callback cannot end its transaction; before_completion may throw, or call "
                    "set_rollback_only()",
                    tx_.id};
    }
    in_end const marked{tx_};
    if (intent_ == intent::commit) {
        run_before_completion();
        do_last_works(shared_, process_, tx_);
        enlist_last(shared_, process_, tx_);
        process_.require();  // a callback may have forked: in the child nothing goes on
    }
    begin_ending();
    give_up_elsewhere();
    drive();
    tx_.is_completed = true;
    ending told = report();
    if (parted_.empty()) {
        settle();
    } else {
        leave_behind();
    }
    run_after_completion();
    process_.require();
    return told;
}

/// Destroyed on another thread than its thread-bound branches': they are left to their thread, and
/// nothing is sent for them here.
void termination::give_up_elsewhere() noexcept
{
    if (tx_.is_here()) return;
    for (auto const& b : tx_.branches) {
        if (b->rm->driver().capabilities().is_thread_bound) lose(*b);
    }
}

void termination::run_before_completion()
{
    {
        std::lock_guard const held{tx_.mutex};
        if (tx_.is_ending || tx_.cause || shared_.time.now() >= tx_.until) return;
    }
    // By index: a callback may register more.  Who is interposed waits for all others, also for
    // those that another interposed one registers.
    auto const& ordinary = tx_.synchronizations;
    auto const& interposed = tx_.interposed;
    for (std::size_t i = 0, j = 0; i < ordinary.size() || j < interposed.size();) {
        auto const& next = i < ordinary.size() ? ordinary[i++] : interposed[j++];
        auto const before = next.before_completion;
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
            if (now == stage::preparing && !may_prepare()) {
                coordinator.veto();
                continue;
            }
            timed const lasts{shared_, now};  // only now: where nothing was sent is no phase
            if (now == stage::deciding) {
                decide();
                continue;
            }
            if (now == stage::committing && may_part()) {
                if (part()) return;
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

/// Whether the votes can come to anything, asked before the first branch prepares and takes its
/// locks into an uncertain state.  Marks the transaction where they cannot.
///
/// The log must have noted the start of the server that each branch is in: where it has not, the
/// server was restarted, and the scanner is still to hear of it.  Recovery takes an epoch's
/// sessions for gone where the server's start is not the noted one, and would finish a branch that
/// a session of this start can still prepare.
///
/// Where there will be votes, each must count: the guardians of the databases are asked, from
/// memory.  They are asked again when the decision is made.
bool termination::may_prepare()
{
    auto const writes = [](auto const& b) { return !b->modes.is_read_only(); };
    bool const will_vote = std::count_if(tx_.branches.begin(), tx_.branches.end(), writes) > 1;
    for (auto const& b : tx_.branches) {
        if (!b->rm->is_noted(b->life)) {
            tx_.mark_rollback_only({why_elsewhere(*b), true});
            return false;
        }
        if (will_vote && writes(b) && !b->rm->is_guarded()) {
            tx_.mark_rollback_only({b->rm->why_unguarded(), false});
            return false;
        }
    }
    return true;
}

/// Memory ran out in the middle of a stage: what was sent is as good as unanswered, and before the
/// commit point that is a reason not to commit.
void termination::give_up_stage() noexcept
{
    parted_.clear();
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
            return std::max(tx_.wait_end(now), now + bounds.phase2_wait);
        case stage::rolling_back:
            return now +
                   (intent_ == intent::destroy ? bounds.destructor_wait : bounds.rollback_wait);
        default:
            return tx_.wait_end(now);
    }
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
    // Behind the caller all others' replies would wait for this one: the keepers do it.
    if (!b.is_forget_due || !b.is_connected || is_behind_) return;
    b.session->submit(verb::forget, b.id);
    auto const forgotten = b.session->collect(shared_.time.now() + shared_.bounds.server_call);
    b.is_forget_due = !forgotten || (!forgotten->is_ok() && forgotten->code != xa_code::nota);
    if (!forgotten) lose(b);
}

}  // namespace assent::engine
