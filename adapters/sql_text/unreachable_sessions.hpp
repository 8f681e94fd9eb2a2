// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// unreachable_sessions.hpp -- sessions that had to be cut, though their socket could not be told
// from others: the manager ends them at the server, with its next question there.
//
//   session: add --> [ids] --end_all: each is ended by its number--> gone
//                                   +--the server refuses--> tell: a warning of the next scan
//            add_committing --> the same, once the server shows that it runs nothing
//            note_kept -----> tell: nothing here ends it
//
// Invariant: a session that may be executing a COMMIT is never ended.  MariaDB, which could
// not write its binary log, would roll back what was decided.
//
// It also keeps the sessions whose client's call did not return even so: those connections were
// given back all the same.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

namespace assent::sql_text {

/// So long it is looked again whether a session that may be committing runs nothing: one that its
/// COMMIT never reached is idle from the start, and one that executed it holds nothing afterwards.
inline constexpr std::chrono::minutes committing_watch{1};

/// Thread safety: every member may be called from several threads at once.
class unreachable_sessions
{
public:
    void add(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        ids_.insert(id);
    }

    /// One whose COMMIT, in one phase, was sent: its branch is in no list, and if the COMMIT never
    /// arrived, nobody else would end what it holds.
    void add_committing(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        committing_.emplace(id, deadline::max());
    }

    /// One that was told to commit a prepared branch: should it keep that branch, recovery sees to
    /// it, and remembers that its absence proves nothing.
    void note_kept(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        told_.push_back(kept(id));
    }

    /// What the scan shall say of a connection that was given back while a call on it ran.
    void note_left(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        told_.push_back("a lent connection" +
                        (id == 0 ? std::string{} : ", session " + std::to_string(id) + ",") +
                        " was given back although its client's call had not returned; what that "
                        "call uses must not be freed before it has");
    }

    /// Has `end` end each of them, on `manage`, and `end_idle` those that may be committing, unless
    /// they run something; it answers whether it did.  One that the server refuses to end is for
    /// the operator: its number may be somebody else's by now, for as long as he likes.
    /// @throws driver_error  what `end` threw, where `manage` is of no use any more; the others are
    /// kept.
    template <typename End, typename EndIdle>
    void end_all(driver_session const& manage, End end, EndIdle end_idle)
    {
        end_each(manage, ids_, [&](std::uint64_t id) { end(id); });
        end_each(manage, committing_, [&](auto const& one) {
            auto const& [id, until] = one;
            if (end_idle(id)) return;
            auto const now = deadline::clock::now();
            if (until == deadline::max()) note_kept(id);
            auto const last = until == deadline::max() ? now + committing_watch : until;
            std::lock_guard const hold(mutex_);
            if (now < last) committing_.emplace(id, last);
        });
    }

    /// Tells the operator, once, which ones could not be ended, and which were left.
    void tell(scan_result& seen)
    {
        std::lock_guard const hold(mutex_);
        for (auto& each : std::exchange(told_, {}))
            seen.warnings.push_back(std::move(each));
    }

private:
    template <typename Noted, typename End>
    void end_each(driver_session const& manage, Noted& from, End const& end)
    {
        Noted left;
        {
            std::lock_guard const hold(mutex_);
            left.swap(from);
        }
        while (!left.empty()) {
            auto const one = *left.begin();
            try {
                end(one);
            } catch (driver_error const& error) {
                std::lock_guard const hold(mutex_);
                if (!manage.is_reusable()) {
                    from.insert(left.begin(), left.end());
                    throw;
                }
                told_.push_back("session " + std::to_string(number_of(one)) +
                                ", which was cut, could not be ended: " + error.what());
            }
            left.erase(left.begin());
        }
    }
    static std::uint64_t number_of(std::uint64_t id) { return id; }
    static std::uint64_t number_of(std::pair<std::uint64_t const, deadline> const& one)
    {
        return one.first;
    }
    static std::string kept(std::uint64_t id)
    {
        return "session " + std::to_string(id) +
               ", whose socket could not be cut, is not ended: if it is still there, it may be "
               "executing a COMMIT";
    }

    std::mutex mutex_;
    std::set<std::uint64_t> ids_;
    std::map<std::uint64_t, deadline> committing_;  // until when each is asked for; max: not yet
    std::vector<std::string> told_;                 // sentences, for the next scan
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP
