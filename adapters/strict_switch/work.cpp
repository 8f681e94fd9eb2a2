// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// work.cpp -- the application's side of a strict switch, and table 6-3: a switch that registers
// asks the transaction manager, when a thread first works, which branch the work belongs to.

#include <algorithm>

#include <assent/error.hpp>

#include "adapters/strict_switch/resource.hpp"

// A program that never drives a switch which registers need not have them.
extern "C" {
extern int ax_reg(int rmid, XID* xid, long flags) __attribute__((weak));
extern int ax_unreg(int rmid, long flags) __attribute__((weak));
}

namespace assent::inline v0::testing::strict {

namespace {

[[noreturn]] void refuse(std::string const& why)
{
    throw error{errc::invalid_state, "strict switch: " + why};
}

}  // namespace

/// The rmid under which this thread has it open.  @pre  the mutex is held.
resource::caller resource::self() const
{
    auto const here = std::this_thread::get_id();
    auto const at = std::find_if(controls_.begin(), controls_.end(), [&](auto const& each) {
        return each.first.second == here && each.second.is_open && each.second.life == life_;
    });
    if (at == controls_.end()) refuse("this thread has not opened it, or it has failed since");
    return at->first;
}

void resource::add(std::string const& row, std::int64_t delta)
{
    std::unique_lock held{mutex_};
    auto const who = self();
    if ((flags_ & TMREGISTER) != 0 && controls_[who].associated.empty() &&
        !controls_[who].is_outside) {
        register_work(held, who);
    }
    auto const& in = controls_[who].associated;
    if (!in.empty()) {
        branches_[in].adds[row] += delta;
        return;
    }
    rows_[row] += delta;
    save();
}

/// Table 6-3: D0 or D3, to D1 or D2.
void resource::register_work(std::unique_lock<std::mutex>& held, caller const& who)
{
    if (ax_reg == nullptr) refuse("no transaction manager exports ax_reg");
    XID given{};
    held.unlock();
    int const answer = ax_reg(who.first, &given, TMNOFLAGS);
    held.lock();
    bool const is_none = given.formatID == -1;
    if (answer == TM_OK && is_none) {
        controls_[who].is_outside = true;
        return;
    }
    if (answer < 0 || is_none) refuse("ax_reg answered " + std::to_string(answer));
    auto const key = key_of(given);
    bool const is_known = branches_.count(key) != 0;
    bool const is_suspended = controls_[who].suspended.count(key) != 0;
    bool const fits = answer == TM_OK     ? !is_known
                      : answer == TM_JOIN ? is_known && !is_suspended
                                          : answer == TM_RESUME && is_suspended;
    if (!fits) {
        violations_.push_back("ax_reg " + text_of(key) + ": " + std::to_string(answer) +
                              ", which is not how it stands here");
        refuse("ax_reg gave a branch that it cannot have");
    }
    associate(key, who);
}

void resource::begin_outside()
{
    std::unique_lock held{mutex_};
    auto const who = self();
    if (!controls_[who].associated.empty()) refuse("this thread is associated with a branch");
    if ((flags_ & TMREGISTER) != 0 && !controls_[who].is_outside) register_work(held, who);
    if (!controls_[who].associated.empty()) refuse("ax_reg gave a branch");
    controls_[who].is_outside = true;
}

void resource::end_outside()
{
    std::unique_lock held{mutex_};
    auto const who = self();
    if (!controls_[who].is_outside) refuse("this thread is not at work outside");
    bool const registers = (flags_ & TMREGISTER) != 0 && ax_unreg != nullptr;
    controls_[who].is_outside = false;
    held.unlock();
    int const answer = registers ? ax_unreg(who.first, TMNOFLAGS) : TM_OK;
    if (answer != TM_OK) refuse("ax_unreg answered " + std::to_string(answer));
}

void resource::die(bool stays_dead)
{
    std::lock_guard const held{mutex_};
    ++life_;
    is_dead_ = stays_dead;
    for (auto at = branches_.begin(); at != branches_.end();) {
        bool const is_kept = at->second.is_prepared || at->second.heuristic != 0;
        at = is_kept ? std::next(at) : branches_.erase(at);
    }
}

void resource::revive()
{
    std::lock_guard const held{mutex_};
    is_dead_ = false;
}

void resource::complete_calls(bool is_on)
{
    std::lock_guard const held{mutex_};
    completes_ = is_on;
}

void resource::settle(std::string const& text, bool by_commit)
{
    std::lock_guard const held{mutex_};
    auto const at = std::find_if(branches_.begin(), branches_.end(), [&](auto const& each) {
        return each.second.is_prepared && text_of(each.first) == text;
    });
    if (at == branches_.end()) refuse("no such branch is prepared");
    finish(at, by_commit);
}

}  // namespace assent::inline v0::testing::strict
