// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// completing.cpp -- table 6-5: a call that was begun with TMASYNC is completed once, and until then
// its thread calls nothing else of the switch.

#include <algorithm>
#include <thread>
#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/thread_opening.hpp"

namespace assent::xopen_switch {

namespace {

using std::chrono::microseconds;

constexpr microseconds first_pause{20};
constexpr microseconds longest_pause{5'000};
// For whoever ends his thread with a call under way: xa_complete without TMNOWAIT waits for ever.
constexpr std::chrono::seconds closing_wait{2};

}  // namespace

/// xa_complete.
/// @return what it said of itself; on XA_OK `answer` is the call's.
int thread_opening::ask_for_answer(int& answer, long flags) noexcept
{
    int handle = handle_;
    int const told = is_.entries.xa_complete_entry(&handle, &answer, is_.rmid(), flags);
    if (told == XA_RETRY) return told;
    handle_ = 0;
    kept_.reset();
    auto const ended = std::exchange(ending_, std::nullopt);
    if (told == XA_OK && ended) undone(*ended, answer);
    // Who does not know the handle that he gave has lost the call.
    heard(told == XA_OK ? answer : XAER_RMFAIL);
    return told;
}

std::optional<int> thread_opening::complete(deadline until)
{
    for (auto pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
        int answer = 0;
        int const told = ask_for_answer(answer, TMNOWAIT);
        if (told == XA_OK) return answer;
        if (told != XA_RETRY) throw driver_error(words_of("xa_complete", told));
        auto const left = until - deadline::clock::now();
        if (left <= left.zero()) return std::nullopt;
        std::this_thread::sleep_for(std::min<deadline::duration>(pause, left));
    }
}

/// The thread ends, and waits for a bounded time.
bool thread_opening::is_answered_at_last() noexcept
{
    auto const until = deadline::clock::now() + closing_wait;
    int unheard = 0;
    while (ask_for_answer(unheard, TMNOWAIT) == XA_RETRY) {
        if (deadline::clock::now() >= until) return false;
        std::this_thread::sleep_for(longest_pause);
    }
    return true;
}

/// What nobody waited for may be done by now.
bool thread_opening::is_completed_by_now() noexcept
{
    int unheard = 0;
    return !is_outstanding() || ask_for_answer(unheard, TMNOWAIT) != XA_RETRY;
}

void thread_opening::require_completed(std::string const& resource_manager)
{
    if (is_completed_by_now()) return;
    throw driver_error(dialects::subject(resource_manager) +
                       "an earlier call of this thread was not answered in time, and is under way "
                       "still: try again later, or on another thread");
}

}  // namespace assent::xopen_switch
