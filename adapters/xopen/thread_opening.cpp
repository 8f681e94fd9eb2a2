// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/thread_opening.hpp"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>

#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/codes.hpp"

namespace assent::xopen_switch {

namespace {

// Of a resource manager that answers xa_rollback without meaning: with so many branches of the
// thread's there, it begins no other one.
constexpr std::size_t to_undo_max = 16;
constexpr std::chrono::milliseconds first_undo_pause{10};
constexpr std::chrono::milliseconds longest_undo_pause{60'000};

/// Whether the thread has closed them: destructors of other variables may run after that.
thread_local bool are_closed = false;

/// All of one thread, which closes them when it ends.
struct openings
{
    std::map<switch_instance*, std::shared_ptr<thread_opening>> all;

    openings() = default;
    openings(openings const&) = delete;
    openings& operator=(openings const&) = delete;
    ~openings()
    {
        for (auto const& each : all)
            each.second->close();
        are_closed = true;
    }
};

/// @return null: the thread is ending, and has closed them.
openings* of_this_thread()
{
    if (are_closed) return nullptr;
    thread_local openings mine;
    return &mine;
}

}  // namespace

std::shared_ptr<thread_opening> thread_opening::of(switch_instance& is)
{
    auto* const mine = of_this_thread();
    if (mine == nullptr) {
        throw driver_error("this thread is ending, and has closed its switches");
    }
    auto& one = mine->all[&is];
    if (!one || one->is_forked()) one = std::make_shared<thread_opening>(is);
    return one;
}

thread_opening* thread_opening::of_rmid(int rmid) noexcept
{
    auto const* const mine = of_this_thread();
    if (mine == nullptr) return nullptr;
    for (auto const& [is, opening] : mine->all) {
        if (is->rmid() == rmid) return opening.get();
    }
    return nullptr;
}

thread_opening::thread_opening(switch_instance& is) : is_(is), process_(::getpid()) {}

bool thread_opening::is_here() const noexcept
{
    auto const* const mine = of_this_thread();
    if (mine == nullptr) return false;
    auto const at = mine->all.find(&is_);
    return at != mine->all.end() && at->second.get() == this && !is_forked();
}

bool thread_opening::is_forked() const noexcept
{
    return ::getpid() != process_;
}

void thread_opening::require_open(std::string const& resource_manager)
{
    require_completed(resource_manager);
    open_again(resource_manager);
    give_up_left();
    undo_again(deadline::clock::now());
    // What had to be ended may have cost the opening.
    open_again(resource_manager);
}

/// Where it is not open.
void thread_opening::open_again(std::string const& resource_manager)
{
    if (is_lost_) {
        int const answer = is_.entries.xa_close_entry(is_.info.data(), is_.rmid(), TMNOFLAGS);
        // Where it does not close, the thread may still be associated: what it did next would be
        // done in the old branch.  XAER_RMFAIL is R0 as well.
        if (answer != XA_OK && answer != XAER_RMFAIL) {
            auto const* const kept = at_work_on_          ? &*at_work_on_
                                     : suspended_.empty() ? nullptr
                                                          : &suspended_.front().first;
            throw driver_error(
                dialects::subject(resource_manager) + words_of("xa_close", answer) +
                    (kept != nullptr ? ", and does not let go of " + kept->text() : "") +
                    ": nothing is done there on this thread until it closes; use another thread",
                {}, answer);
        }
        is_lost_ = false;
        lose_its_own();
    }
    if (!is_open_) {
        int const answer = is_.entries.xa_open_entry(is_.info.data(), is_.rmid(), TMNOFLAGS);
        if (answer != XA_OK) {
            throw driver_error(
                dialects::subject(resource_manager) + words_of("xa_open", answer) +
                    ": the resource manager is down, or its xa_info string is wrong; its own log "
                    "may say which",
                {}, answer);
        }
        is_open_ = true;
    }
}

/// What XAER_RMFAIL means is the same after every routine: state R0, and no association.
int thread_opening::heard(int answer) noexcept
{
    if (answer != XAER_RMFAIL) return answer;
    is_open_ = false;
    is_lost_ = true;
    is_outside_ = false;
    lose_its_own();
    return answer;
}

void thread_opening::be_free() noexcept
{
    at_work_on_.reset();
    as_ = association::expected;
}

namespace {

/// What does not go with the opening of a thread.
bool is_nobodys(std::pair<xid, association> const& each) noexcept
{
    return each.second == association::adrift || each.second == association::ended;
}

}  // namespace

void thread_opening::lose_its_own() noexcept
{
    be_free();
    suspended_.erase(std::remove_if(suspended_.begin(), suspended_.end(), std::not_fn(is_nobodys)),
                     suspended_.end());
}

bool thread_opening::owes(xid const& branch) const noexcept
{
    return is_open_ ? has(branch)
                    : std::any_of(suspended_.begin(), suspended_.end(), [&](auto const& each) {
                          return each.first == branch && is_nobodys(each);
                      });
}

bool thread_opening::has(xid const& branch) const noexcept
{
    return at_work_on_ == branch ||
           std::any_of(suspended_.begin(), suspended_.end(),
                       [&](auto const& each) { return each.first == branch; });
}

bool thread_opening::has_unused(xid const& branch) const noexcept
{
    if (at_work_on_ == branch) return as_ == association::expected;
    return std::count(suspended_.begin(), suspended_.end(),
                      std::pair{branch, association::expected}) != 0;
}

int thread_opening::call(int (*routine)(XID*, int, long), xid const& branch, long flags)
{
    if (!is_open_) return XAER_PROTO;
    XID name = name_of(branch);
    return heard(routine(&name, is_.rmid(), flags));
}

int thread_opening::start(xid const& branch)
{
    make_room_to_undo();
    if (registers()) return expect(branch);
    int const answer = call(is_.entries.xa_start_entry, branch, TMNOFLAGS);
    if (answer == XA_OK || may_have_begun(answer)) {
        at_work_on_ = branch;
        as_ = association::associated;
    }
    return answer;
}

int thread_opening::end(xid const& branch, long how)
{
    return at_work_on_ == branch ? end_work(how) : end_suspended(branch, how);
}

int thread_opening::end_work(long how)
{
    if (as_ == association::expected || as_ == association::ended) {
        be_free();
        return XA_OK;
    }
    int const answer = call(is_.entries.xa_end_entry, *at_work_on_, how);
    if (is_dissociated(answer)) {
        be_free();
    } else if (how == TMFAIL) {
        require_let_go();
    }
    return answer;
}

/// It does not let go of the thread.  It is closed, which ends that; until then it is at work.
void thread_opening::require_let_go() noexcept
{
    is_open_ = false;
    is_lost_ = true;
}

int thread_opening::prepare(xid const& branch, long flags)
{
    return call(is_.entries.xa_prepare_entry, branch, flags);
}

int thread_opening::commit(xid const& branch, long flags)
{
    return call(is_.entries.xa_commit_entry, branch, flags);
}

int thread_opening::rollback(xid const& branch, long flags)
{
    return call(is_.entries.xa_rollback_entry, branch, flags);
}

int thread_opening::forget(xid const& branch, long flags)
{
    return call(is_.entries.xa_forget_entry, branch, flags);
}

int thread_opening::recover(std::vector<XID>& page, long flags)
{
    if (!is_open_) return XAER_PROTO;
    auto const room = static_cast<long>(page.size());
    return heard(is_.entries.xa_recover_entry(page.data(), room, is_.rmid(), flags));
}

int thread_opening::give_up(xid const& branch) noexcept
{
    if (!is_open_ || !has(branch)) return XAER_RMFAIL;
    bool const is_known = !has_unused(branch);
    if (is_known && !is_completed_by_now()) return XAER_RMFAIL;
    end(branch, TMFAIL);
    if (!is_known) return XA_OK;  // nothing was done in it
    return is_open_ && !has(branch) ? undo(branch) : XAER_RMFAIL;
}

int thread_opening::undo(xid const& branch) noexcept
{
    return undone(branch, rollback(branch));
}

int thread_opening::undone(xid const& branch, int answer) noexcept
{
    to_undo_.erase(std::remove_if(to_undo_.begin(), to_undo_.end(),
                                  [&](auto const& each) { return each.branch == branch; }),
                   to_undo_.end());
    if (may_be_there(answer) && to_undo_.size() < to_undo_.capacity()) {
        to_undo_.push_back({branch, {}, first_undo_pause});
    }
    return answer;
}

bool thread_opening::has_too_many_to_undo() const noexcept
{
    return to_undo_.size() >= to_undo_max;
}

/// Afterwards there must be a place for each branch that the thread has or had.
void thread_opening::make_room_to_undo()
{
    to_undo_.reserve(to_undo_.size() + suspended_.size() + to_undo_max);
}

/// Those that are due by `now`, and ever more rarely.  None is given up: nobody else knows of it.
void thread_opening::undo_again(deadline now) noexcept
{
    for (auto at = to_undo_.begin(); at != to_undo_.end() && is_open_;) {
        bool const is_due = at->again <= now;
        if (is_due && !may_be_there(rollback(at->branch))) {
            at = to_undo_.erase(at);
            continue;
        }
        if (is_due) {
            at->again = deadline::clock::now() + at->pause;
            at->pause = std::min(2 * at->pause, longest_undo_pause);
        }
        ++at;
    }
}

void thread_opening::leave(xid const& branch,
                           std::shared_ptr<ports::session_numbers::held const> number)
{
    std::lock_guard const held{mutex_};
    if (!is_over_) left_.emplace_back(branch, std::move(number));
}

bool thread_opening::is_left(xid const& branch)
{
    std::lock_guard const held{mutex_};
    return std::any_of(left_.begin(), left_.end(),
                       [&](auto const& each) { return each.first == branch; });
}

/// What cannot be ended while the thread is at work on another branch stays for the next time.
void thread_opening::give_up_left(may_call routines) noexcept
{
    decltype(left_) due;
    {
        std::lock_guard const held{mutex_};
        due.swap(left_);
    }
    due.remove_if([&](auto const& each) {
        if (routines == may_call::no && has(each.first) && !has_unused(each.first)) return false;
        give_up(each.first);
        return !owes(each.first);
    });
    std::lock_guard const held{mutex_};
    left_.splice(left_.begin(), due);
}

/// The call goes on after the thread: what it was asked for may still be done, so that its session
/// counts as present for as long as this process lives.
void thread_opening::leave_unclosed() noexcept
{
    std::lock_guard const held{mutex_};
    is_over_ = is_left_unanswered_ = true;
    if (kept_) kept_->keep();
    for (auto const& each : left_) {
        if (each.second) each.second->keep();
    }
    left_.clear();
}

bool thread_opening::is_left_unanswered()
{
    std::lock_guard const held{mutex_};
    return is_left_unanswered_;
}

/// Whatever the thread was at work on can never commit: nobody else can end it.
void thread_opening::close() noexcept
{
    if (is_forked()) return;
    if (is_outstanding() && !is_answered_at_last()) {
        leave_unclosed();
        return;
    }
    give_up_left();
    if (at_work_on_) give_up(xid{*at_work_on_});
    while (!suspended_.empty()) {
        auto const branch = suspended_.back().first;
        give_up(branch);
        forget_suspended(branch);
    }
    undo_again(deadline::max());  // for the last time
    {
        std::lock_guard const held{mutex_};
        is_over_ = true;
        left_.clear();
    }
    if (!is_open_ && !is_lost_) return;
    is_.entries.xa_close_entry(is_.info.data(), is_.rmid(), TMNOFLAGS);
    is_open_ = false;
}

}  // namespace assent::xopen_switch
