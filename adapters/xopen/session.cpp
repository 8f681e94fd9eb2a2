// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/session.hpp"

#include <exception>

#include "adapters/dialects/replies.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/driver.hpp"

namespace assent::xopen_switch {

using dialects::lost;
using dialects::make_reply;

namespace {

/// What xa_end answered, or the xa_rollback after it, as the answer to PREPARE: XA_RDONLY is a vote
/// in xa_prepare's answer, and in no other.
reply no_vote(char const* routine, int answer)
{
    reply made = reply_of(routine, answer);
    if (answer > XA_OK && !is_settled(answer)) made.code = xa_code::proto;
    return made;
}

/// @pre  in the handler of `e`.
reply lost_by(std::exception const& e) noexcept
{
    try {
        return lost(e.what());
    } catch (std::exception const&) {
        return lost("out of memory");  // so short that it needs none
    }
}

reply out_of_turn()
{
    return make_reply(xa_code::proto, "the branch is not in a state for that; nothing was sent");
}

reply under_way()
{
    return make_reply(xa_code::proto,
                      "an earlier call of this thread is under way still; nothing was sent");
}

}  // namespace

session::session(std::string const& resource_manager, std::shared_ptr<thread_opening> on,
                 std::shared_ptr<ports::session_numbers::held const> number, bool moves_by_join)
    : resource_manager_(resource_manager),
      on_(std::move(on)),
      number_(std::move(number)),
      id_(number_->id()),
      moves_by_join_(moves_by_join)
{
}

session::~session()
{
    sever();
}

server_life session::life() const
{
    return {{}, no_server};
}

void* session::native_handle() noexcept
{
    return on_ ? &on_->instance().shown : nullptr;
}

thread_opening& session::opening() const
{
    if (on_ && on_->is_here() && !is_abandoned_) return *on_;
    throw driver_error(errc::invalid_state,
                       dialects::subject(resource_manager_) +
                           "a switch is called by the thread that opened it, and by no other");
}

bool session::is_reusable() const noexcept
{
    return !is_severed_ && !is_abandoned_ && !is_prepared_ && !begun_ && !asked_ && on_ &&
           on_->is_open();
}

/// What only can wait works in collect(), after the other databases were asked as well.
void session::submit(verb v, xid const& x) noexcept
{
    asked_ = {v, x};
    is_sent_ = false;
    ready_.reset();
    if (v == verb::start || !on_ || !on_->is_asynchronous()) return;
    try {
        come_here();
        if (why_not()) return;
        ready_ = make_ready(v, x);
        if (!ready_) ready_ = begun_as(v, x, send(v, x, TMASYNC));
    } catch (std::exception const& e) {
        ready_ = lost_by(e);
    }
}

std::optional<reply> session::collect(deadline until) noexcept
{
    try {
        ready_ = answer(until);
        if (!ready_) return std::nullopt;
    } catch (std::exception const& e) {
        // Memory, or xa_open: whether anything was done is as unknown as after a lost reply.
        ready_ = lost_by(e);
    }
    asked_.reset();
    return std::exchange(ready_, std::nullopt);
}

/// @return nothing: it is not there by `until`.
std::optional<reply> session::answer(deadline until)
{
    if (!asked_) return make_reply(xa_code::proto, "collect without submit");
    auto const [what, branch] = *asked_;
    come_here();
    if (auto why = why_not()) return why;
    if (ready_) return ready_;
    if (what == verb::start) return start(branch);
    if (!on_->is_outstanding()) {
        if (auto known = make_ready(what, branch)) return known;
        return heard(what, branch, send(what, branch, TMNOFLAGS));
    }
    auto const told = on_->complete(until);
    if (!told) return std::nullopt;
    return heard(what, branch, *told);
}

/// Why nothing can be asked here.
std::optional<reply> session::why_not() const
{
    if (is_severed_ || is_abandoned_ || !on_) return lost("it was given up");
    if (ready_ || on_->is_here()) return std::nullopt;
    if (asked_ && asked_->first == verb::commit_one_phase && !is_sent_) {
        return make_reply(xa_code::rbother,
                          "it was not asked to commit, and never will be: its thread has closed "
                          "the switch");
    }
    return make_reply(
        xa_code::proto,
        "a branch of a switch is ended by the thread that began it; nothing was sent");
}

/// Everything that comes before the verb's own routine.
/// @return the answer, where that is not called.
std::optional<reply> session::make_ready(verb v, xid const& x)
{
    // Nothing else is called before that, and no other answer is taken for this one's.
    if (!on_->is_completed_by_now()) {
        return v == verb::prepare ? under_way() : lost(under_way().text);
    }
    bool const is_end_of_work = v == verb::prepare || v == verb::commit_one_phase;
    bool const is_unused = v != verb::commit && v != verb::forget && ends_unused(x);
    if (is_unused) {
        return v == verb::prepare ? make_reply(xa_code::rdonly, "nothing was done in it") : reply{};
    }
    if (is_end_of_work) {
        if (begun_ != x) return out_of_turn();
        auto refused = end_work(x);
        if (!refused || v == verb::prepare) return refused;
        return not_committed(std::move(*refused));
    }
    if (v != verb::rollback && begun_ == x) return out_of_turn();
    is_undoing_ = begun_ == x;
    if (is_undoing_) {
        begun_.reset();
        if (on_->has(x)) on_->end(x, TMFAIL);
        if (on_->owes(x)) {
            on_->leave(x, number_);
            return lost(
                "it is suspended, and could not be ended on this thread now: it is "
                "rolled back when this thread next uses the switch, or ends");
        }
    }
    // A thread that lost its opening has lost none of what is prepared.
    on_->require_open(resource_manager_);
    return std::nullopt;
}

/// The verb's own routine.
int session::send(verb v, xid const& x, long flags)
{
    is_sent_ = true;
    switch (v) {
        case verb::prepare:
            return on_->prepare(x, flags);
        case verb::commit_one_phase:
            return on_->commit(x, flags | TMONEPHASE);
        case verb::commit:
            return on_->commit(x, flags);
        case verb::rollback:
            return on_->rollback(x, flags);
        default:
            return on_->forget(x, flags);
    }
}

/// The answer to TMASYNC: a handle, which is positive, or an error.
std::optional<reply> session::begun_as(verb v, xid const& x, int answer)
{
    if (answer <= 0) return heard(v, x, answer);
    bool const is_end =
        v == verb::commit_one_phase || (v == verb::rollback && std::exchange(is_undoing_, false));
    on_->await(answer, is_end ? std::optional{x} : std::nullopt);
    return std::nullopt;
}

reply session::heard(verb v, xid const& x, int answer)
{
    char const* const routine = v == verb::prepare    ? "xa_prepare"
                                : v == verb::rollback ? "xa_rollback"
                                : v == verb::forget   ? "xa_forget"
                                                      : "xa_commit";
    if (v == verb::prepare) {
        is_prepared_ = answer == XA_OK;
    } else if (answer == XA_OK) {
        is_prepared_ = false;
    }
    if (v == verb::rollback && std::exchange(is_undoing_, false)) on_->undone(x, answer);
    // It is in doubt, whatever this answers: such an answer may have come after the effect.  But it
    // must not keep its locks.
    if (v == verb::commit_one_phase && may_be_there(answer)) on_->undo(x);
    return reply_of(routine, answer);
}

reply session::start(xid const& x)
{
    branch_modes const modes = std::exchange(next_, {});
    if (modes.level || modes.may) {
        return make_reply(xa_code::inval,
                          "a switch cannot be told an isolation level, or to read only: choose "
                          "that by the resource manager's own means");
    }
    if (auto why = why_busy()) return *why;
    if (on_->has_too_many_to_undo()) {
        return make_reply(xa_code::proto,
                          "the resource manager has not rolled back what this thread has given up "
                          "there: it answers xa_rollback, again and again, as XA does not; nothing "
                          "is begun there on this thread until it has; use another thread");
    }
    int answer = on_->start(x);
    if (answer == XAER_RMFAIL) {
        // Nothing was begun.  The resource manager may have been restarted since this thread
        // last called it.
        on_->require_open(resource_manager_);
        answer = on_->start(x);
    }
    if (answer == XA_OK) {
        begun_ = x;
        return {};
    }
    // It knows the branch, and that it can only be rolled back; the thread is free.
    if (is_rolled_back(answer)) on_->undo(x);
    if (on_->has(x)) give_up(x);
    return reply_of("xa_start", answer);
}

std::optional<reply> session::why_busy() const
{
    if (!on_->at_work_on()) return std::nullopt;
    return make_reply(xa_code::proto,
                      "this thread is at work on another branch of this switch, " +
                          on_->at_work_on()->text() +
                          ": end or suspend that transaction first, or use another thread");
}

/// An answer that was lost need not be one of the switch's: where the thread has lost the branch,
/// it has left it.
reply session::suspend(xid const& x) noexcept
{
    try {
        if (auto why = why_not()) return *why;
        if (!on_->is_completed_by_now()) return under_way();
        if (begun_ != x || on_->at_work_on() != x) {
            return lost("the switch was opened again since the branch began");
        }
        auto becomes = association::suspended;
        int const answer = on_->suspend(moves_by_join_, becomes);
        if (answer == XA_OK) nobodys_as_ = becomes;
        auto made = reply_of("xa_end", answer);
        // It means something where TMMIGRATE was asked for, and nowhere else.
        if (answer == XA_NOMIGRATE && on_->at_work_on() == x) made.code = xa_code::proto;
        return made;
    } catch (std::exception const& e) {
        return lost_by(e);
    }
}

reply session::resume(xid const& x) noexcept
{
    try {
        come_here();
        if (auto why = why_not()) return *why;
        if (!on_->is_completed_by_now()) return under_way();
        if (begun_ != x || !on_->has(x)) {
            return make_reply(xa_code::proto,
                              "the branch was lost while it was suspended, or could not be");
        }
        if (auto why = why_busy()) return *why;
        return reply_of("xa_start", on_->resume(x));
    } catch (std::exception const& e) {
        return lost_by(e);
    }
}

/// A branch that is no thread's is the calling one's from here on, still suspended.
void session::come_here()
{
    if (!nobodys_as_ || !begun_) return;
    auto here = thread_opening::of(on_->instance());
    here->require_open(resource_manager_);
    here->adopt(*begun_, *nobodys_as_);
    on_ = std::move(here);
    nobodys_as_.reset();
}

/// A resource manager that registers, and never did: it has nothing of the branch, and knows no
/// name to be asked by.
bool session::ends_unused(xid const& x)
{
    if (begun_ != x || !on_->has_unused(x)) return false;
    on_->end(x, TMSUCCESS);
    begun_.reset();
    return true;
}

/// xa_end(TMSUCCESS).
/// @return nothing where it succeeded; else the answer to PREPARE: no vote.
std::optional<reply> session::end_work(xid const& x)
{
    if (!on_->has(x)) {
        return make_reply(xa_code::proto, "the switch was opened again since the branch began");
    }
    int const ended = on_->end(x, TMSUCCESS);
    if (ended == XA_OK) {
        begun_.reset();
        return std::nullopt;
    }
    if (!is_rolled_back(ended)) return no_vote("xa_end", ended);
    // It can only be rolled back now, and has to be.  What that answers is the branch's end.
    begun_.reset();
    int const undone = on_->undo(x);
    if (undone == XA_OK || is_rolled_back(undone)) return reply_of("xa_end", ended);
    return no_vote("xa_rollback", undone);
}

/// What a commit in one phase answers that was not asked for, because xa_end was refused.  A
/// rollback that nobody confirmed must not pass for one: whoever runs the work again would
/// otherwise do so beside a branch that may still hold its locks, or that was settled otherwise.
reply session::not_committed(reply refused)
{
    std::string const why = "it was not asked to commit: " + refused.text;
    if (begun_) {
        auto const left = *std::exchange(begun_, std::nullopt);
        int const undone = give_up(left);
        if (undone == XA_OK || is_rolled_back(undone)) return make_reply(xa_code::rbother, why);
        refused = reply_of("xa_rollback", undone);
    }
    if (is_settled(static_cast<int>(refused.code))) return refused;
    return lost(why + "; that it was rolled back was not confirmed");
}

/// @return what xa_rollback answered; XAER_RMFAIL: not yet, the thread does it later.
int session::give_up(xid const& x)
{
    int const undone = on_->give_up(x);
    if (on_->owes(x)) on_->leave(x, number_);
    return undone;
}

/// Whoever can: its thread, now or later.
void session::let_go() noexcept
{
    if (!begun_ || is_abandoned_) return;
    try {
        come_here();
        if (on_->is_here()) {
            give_up(*begun_);
        } else {
            on_->leave(*begun_, number_);
        }
    } catch (std::exception const&) {
        // Without memory the thread ends it all the same, when it ends itself.  What is no
        // thread's stays until the process ends, and is not called gone before.
        if (nobodys_as_ && number_) number_->keep();
    }
    begun_.reset();
}

void session::sever() noexcept
{
    if (on_ && asked_ && is_sent_ && on_->is_here() && on_->is_outstanding()) on_->keep(number_);
    if (on_ && asked_ && number_ && on_->is_left_unanswered()) number_->keep();
    is_severed_ = true;
    ready_.reset();
    let_go();
    number_.reset();
}

}  // namespace assent::xopen_switch
