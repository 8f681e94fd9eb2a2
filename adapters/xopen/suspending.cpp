// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// suspending.cpp -- tables 6-2 and 6-3: a thread leaves a branch for now, and works on another one.
//
//   at work --xa_end(TMSUSPEND)--> suspended ----------------xa_start(TMRESUME)--> at work
//           --xa_end(TMSUSPEND|TMMIGRATE)--> adrift, adopted --xa_start(TMRESUME)-->
//
//           --xa_end(TMSUCCESS)--> ended, adopted --xa_start(TMJOIN)-------------->
//
//   suspended --xa_end(TMSUCCESS, TMFAIL)--> free
//   adrift    -- no xa_end: it is resumed first
//   ended     -- that was it
//
// A switch that registers is resumed by its own ax_reg.  It is never asked to let a branch migrate,
// since what is adrift could not be ended there without work.

#include <algorithm>

#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/thread_opening.hpp"

namespace assent::xopen_switch {

std::vector<std::pair<xid, association>>::iterator thread_opening::find(xid const& branch) noexcept
{
    return std::find_if(suspended_.begin(), suspended_.end(),
                        [&](auto const& each) { return each.first == branch; });
}

void thread_opening::forget_suspended(xid const& branch) noexcept
{
    auto const at = find(branch);
    if (at != suspended_.end()) suspended_.erase(at);
}

void thread_opening::adopt(xid const& branch, association as)
{
    make_room_to_undo();
    suspended_.emplace_back(branch, as);
}

int thread_opening::suspend(bool is_to_be_joined, association& becomes)
{
    suspended_.reserve(suspended_.size() + 1);  // afterwards there must be a place for it
    auto const branch = *at_work_on_;
    becomes = as_;
    int answer = XA_OK;
    if (as_ == association::associated) {  // else there is nothing to let go of
        bool const migrates = !registers() && (is_.entries.flags & TMNOMIGRATE) == 0;
        long const how = is_to_be_joined ? TMSUCCESS : migrates ? TMSUSPEND | TMMIGRATE : TMSUSPEND;
        answer = call(is_.entries.xa_end_entry, branch, how);
        bool const stays = !is_to_be_joined && (!migrates || answer == XA_NOMIGRATE);
        becomes = stays             ? association::suspended
                  : is_to_be_joined ? association::ended
                                    : association::adrift;
    }
    bool const is_its_own =
        becomes == association::suspended || (becomes == association::expected && !is_to_be_joined);
    if (is_its_own && answer == XA_OK) answer = XA_NOMIGRATE;
    bool const is_kept = is_its_own && answer == XA_NOMIGRATE;
    if (is_kept) suspended_.emplace_back(branch, becomes);
    if (is_kept || is_dissociated(answer)) be_free();
    return answer;
}

int thread_opening::resume(xid const& branch)
{
    auto const was = find(branch)->second;
    if (registers()) {
        if (is_outside_) return XAER_OUTSIDE;
        at_work_on_ = branch;
        as_ = was;
        forget_suspended(branch);
        return XA_OK;
    }
    int const answer =
        call(is_.entries.xa_start_entry, branch, was == association::ended ? TMJOIN : TMRESUME);
    if (answer == XA_OK) {
        at_work_on_ = branch;
        as_ = association::associated;
    }
    if (is_dissociated(answer)) forget_suspended(branch);
    return answer;
}

int thread_opening::end_suspended(xid const& branch, long how)
{
    auto const at = find(branch);
    if (at == suspended_.end()) return XAER_PROTO;
    int answer = XAER_PROTO;
    if (at->second == association::expected || at->second == association::ended) {
        answer = XA_OK;
    } else if (at->second == association::suspended) {
        answer = call(is_.entries.xa_end_entry, branch, how);
    }
    if (is_dissociated(answer)) forget_suspended(branch);
    if (at_work_on_ || !has(branch)) return answer;
    if (answer == XAER_PROTO && !registers()) {
        // It is adrift; or the switch wants it to be resumed first, as Berkeley DB does, though the
        // tables do not.
        answer = resume(branch);
        if (answer == XA_OK) return end_work(how);
    }
    // Where it is refused the thread goes on without it: it is free, and closing the switch would
    // be refused as well, since the thread has suspended it.
    return answer;
}

}  // namespace assent::xopen_switch
