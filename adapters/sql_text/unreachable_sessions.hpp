// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// unreachable_sessions.hpp -- sessions that had to be cut, though their socket could not be told
// from others: the manager ends them at the server, with its next question there.
//
//   session: add --> [ids] --end_all: each is ended by its number--> gone
//                                   +--the server refuses--> tell: a warning of the next scan

#ifndef ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <assent/resource_manager.hpp>

namespace assent::sql_text {

/// Thread safety: every member may be called from several threads at once.
class unreachable_sessions
{
public:
    void add(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        ids_.insert(id);
    }

    /// Has `end` end each of them, on `manage`.  One that the server refuses to end is for the
    /// operator: its number may be somebody else's by now, for as long as he likes.
    /// @throws driver_error  what `end` threw, where `manage` is of no use any more; the others are
    /// kept.
    template <typename End>
    void end_all(driver_session const& manage, End end)
    {
        auto left = take();
        while (!left.empty()) {
            std::uint64_t const id = *left.begin();
            try {
                end(id);
            } catch (driver_error const& error) {
                std::lock_guard const hold(mutex_);
                if (!manage.is_reusable()) {
                    ids_.insert(left.begin(), left.end());
                    throw;
                }
                not_ended_.push_back("session " + std::to_string(id) +
                                     ", which was cut, could not be ended: " + error.what());
            }
            left.erase(id);
        }
    }

    /// Tells the operator, once, which ones could not be ended.
    void tell(scan_result& seen)
    {
        std::lock_guard const hold(mutex_);
        for (auto& each : std::exchange(not_ended_, {}))
            seen.warnings.push_back(std::move(each));
    }

private:
    std::set<std::uint64_t> take()
    {
        std::lock_guard const hold(mutex_);
        return std::exchange(ids_, {});
    }

    std::mutex mutex_;
    std::set<std::uint64_t> ids_;
    std::vector<std::string> not_ended_;  // sentences, for the next scan
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_UNREACHABLE_SESSIONS_HPP
