// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "ports/session_numbers.hpp"

#include <random>
#include <utility>

#include "ports/forks.hpp"

namespace assent::ports {

namespace {

constexpr std::uint64_t low_half = 0xffff'ffff;

std::uint64_t random_run()
{
    std::random_device from;
    std::uint64_t const drawn = from();
    return (drawn & low_half) << 32;
}

/// Where nothing is stated of how long the resource manager goes on, nothing is ever gone.
/// @param when  nothing: it may have been now.
session_presence since(std::optional<deadline> when, session_numbers::statement end_within)
{
    if (!end_within) return session_presence::unknown;
    auto const now = deadline::clock::now();
    return now - when.value_or(now) >= *end_within ? session_presence::gone
                                                   : session_presence::present;
}

}  // namespace

session_numbers::session_numbers(answers said) : said_(said), run_(random_run()) {}

session_numbers::held::held(std::shared_ptr<session_numbers> of, std::uint64_t id)
    : of_(std::move(of)), id_(id), generation_(fork_generation())
{
}

session_numbers::held::~held()
{
    // In a forked child a thread that is not there may have the mutex.
    if (generation_ == fork_generation()) of_->end(id_);
}

void session_numbers::expect(statement end_within)
{
    std::lock_guard const guarded{mutex_};
    if (!end_within) {
        forgets_nothing_ = said_ == answers::told;
        return;
    }
    if (*end_within <= remembered_) return;
    remembered_ = *end_within;
    if (last_ != 0) remembers_since_ = deadline::clock::now();
}

void session_numbers::open()
{
    std::lock_guard const guarded{mutex_};
    opened_ = deadline::clock::now();
}

std::shared_ptr<session_numbers::held const> session_numbers::take(bool can_prepare)
{
    std::uint64_t id = 0;
    {
        std::lock_guard const guarded{mutex_};
        id = run_ | (++last_ & low_half);
    }
    // First, so that it takes back what follows when memory runs out.
    auto made = std::make_shared<held const>(shared_from_this(), id);
    session one;
    one.can_prepare = can_prepare;
    one.is_asking = said_ == answers::not_told;
    one.place.push_back(id);
    std::lock_guard const guarded{mutex_};
    all_.emplace(id, std::move(one));
    return made;
}

void session_numbers::keep(std::uint64_t id) noexcept
{
    std::lock_guard const guarded{mutex_};
    auto const at = all_.find(id);
    if (at != all_.end()) at->second.is_kept = true;
}

void session_numbers::note_asking(std::uint64_t id, bool is_asking) noexcept
{
    std::lock_guard const guarded{mutex_};
    auto const at = all_.find(id);
    if (at != all_.end()) at->second.is_asking = is_asking;
}

void session_numbers::end(std::uint64_t id) noexcept
{
    std::lock_guard const guarded{mutex_};
    auto const now = deadline::clock::now();  // under the mutex: it is the order of ended_
    auto const at = all_.find(id);
    if (at == all_.end() || at->second.is_kept) return;
    if (!at->second.is_asking) {
        all_.erase(at);
        return;
    }
    at->second.ended = now;
    ended_.splice(ended_.end(), at->second.place);
    for (; !ended_.empty() && !forgets_nothing_; ended_.pop_front()) {
        auto const first = all_.find(ended_.front());
        if (now - *first->second.ended < remembered_) return;
        all_.erase(first);
        has_forgotten_ = true;
    }
}

bool session_numbers::is_own(std::uint64_t id) const noexcept
{
    return (id & ~low_half) == run_;
}

session_presence session_numbers::presence(std::uint64_t id, statement end_within) const
{
    std::lock_guard const guarded{mutex_};
    if (!is_own(id)) return earlier(end_within);
    auto const at = all_.find(id);
    if (at != all_.end() && !at->second.ended) return session_presence::present;
    // What is forgotten ended long ago, or before it was known for how long to remember it.
    if (at != all_.end()) return since(at->second.ended, end_within);
    bool const is_answered = said_ == answers::told && !has_forgotten_;
    if (is_answered) return session_presence::gone;
    if (remembers_since_) return since(remembers_since_, end_within);
    return end_within ? session_presence::gone : session_presence::unknown;
}

session_presence session_numbers::before(std::uint64_t first, statement end_within) const
{
    std::lock_guard const guarded{mutex_};
    for (auto at = all_.begin(); at != all_.end() && at->first < first; ++at) {
        if (!at->second.can_prepare) continue;
        if (!at->second.ended) return session_presence::present;
        auto const now = since(at->second.ended, end_within);
        if (now == session_presence::present) return now;
    }
    return earlier(end_within);
}

/// Of another process; also of one that had the log until just before it was opened here.
/// @pre  the mutex is held.
session_presence session_numbers::earlier(statement end_within) const
{
    return since(opened_, end_within);
}

}  // namespace assent::ports
