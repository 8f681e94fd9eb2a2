// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches.hpp -- the branches of one database that this process works on (C193, table 6-4).
//
//   xa_start --> active --xa_end--> idle --xa_prepare--> prepared --xa_commit, xa_rollback-->
//   (none)
//                  ^----- join -------+                     settled --xa_forget--> (none)
//
// A branch holds its connection while the database ties it to one: until it is prepared, and with
// MariaDB until it has ended.  What is prepared elsewhere, or before this process began, is not
// here: it is ended by its name alone.
//
// Invariant: what is `ending` or `finishing` belongs to the one call that claimed it.  The table is
// guarded by the process's lock.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_BRANCHES_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_BRANCHES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <assent/server.hpp>

#include "adapters/dialects/branch_name.hpp"
#include "adapters/switch_out/connection.hpp"

namespace assent::switch_out {

/// Prepared branches that are remembered although no connection is theirs, so that calls which the
/// tables forbid are told from unknown names.  Another process may end them without telling.
inline constexpr std::size_t remembered_max = 4096;

/// A session, by the server's number, which says nothing without the server's life.
struct session_mark
{
    std::uint64_t id = 0;  ///< 0: none, or not known
    server_life life;
};

struct branch
{
    enum class step : std::uint8_t {
        active,     ///< a thread is associated with it, or has suspended it
        idle,       ///< no thread is
        ending,     ///< a call is under way, which votes or ends it unprepared
        finishing,  ///< a call is under way, which ends what is prepared
        prepared,   ///< it voted yes; or nobody knows, and it is ended as if it had
        settled,    ///< heuristically completed
    };

    dialects::branch_name name;
    step at = step::ending;
    std::shared_ptr<connection> on;  ///< null: of none any more
    bool must_roll_back = false;     ///< TMFAIL
    int heuristic = 0;               ///< of a settled one
    /// Whoever first asked to end it by its name; the session that prepared it is older.
    session_mark first_asked;
    /// Was told to prepare it, or to commit it in one phase, and was not heard: while it is there
    /// the server may carry that out yet, and that it is not listed proves nothing.
    std::optional<session_mark> unheard;
    /// MariaDB began to commit it, and may have undone it: its absence is no proof of an end.
    bool may_be_undone = false;
    bool is_remembered = false;  ///< among branch_table::remember()'s

    /// What is known of it is known here only.
    bool is_doubtful() const noexcept { return may_be_undone || unheard; }
};
using branch_ptr = std::shared_ptr<branch>;

/// Thread safety: under process_lock().
class branch_table
{
public:
    /// Null: unknown.
    branch_ptr find(dialects::branch_name const& name) const
    {
        auto const at = all_.find(name);
        return at == all_.end() ? nullptr : at->second;
    }
    /// A new one, which is `ending` until its caller says what it is.  @pre  unknown.
    branch_ptr add(dialects::branch_name const& name)
    {
        auto made = std::make_shared<branch>();
        made->name = name;
        all_.emplace(name, made);
        return made;
    }
    void forget(dialects::branch_name const& name) noexcept { all_.erase(name); }
    /// It is prepared, and of no connection: the oldest of such may be forgotten for it.
    /// One of which MariaDB may have undone a commit is not.
    void remember(branch_ptr const& prepared)
    {
        prepared->at = branch::step::prepared;
        if (std::exchange(prepared->is_remembered, true)) return;
        remembered_.push_back(prepared);
        if (remembered_.size() <= remembered_max) return;
        auto const oldest = remembered_.front().lock();
        remembered_.pop_front();
        if (!oldest) return;
        oldest->is_remembered = false;
        bool const is_such =
            oldest->at == branch::step::prepared && oldest->on == nullptr && !oldest->may_be_undone;
        if (is_such && find(oldest->name) == oldest) forget(oldest->name);
    }

    /// `listed`, and what xa_forget has not been asked of: no database lists that any more, and a
    /// monitor that recovers would never hear of it (C193, xa_recover).
    std::vector<dialects::branch_name> with_settled(std::vector<dialects::branch_name> listed) const
    {
        for (auto const& [name, one] : all_) {
            bool const is_missing = one->at == branch::step::settled &&
                                    std::find(listed.begin(), listed.end(), name) == listed.end();
            if (is_missing) listed.push_back(name);
        }
        return listed;
    }

    /// Whether one would be lost with the table: it has a connection, or waits for xa_forget.
    bool are_needed() const noexcept
    {
        return std::any_of(all_.begin(), all_.end(), [](auto const& each) {
            branch const& one = *each.second;
            return one.on != nullptr || one.at == branch::step::settled;
        });
    }
    /// What is in doubt, of a table in whose place this one comes.  @pre  no call is under way
    /// there.
    void inherit(branch_table const& former)
    {
        for (auto const& [name, one] : former.all_) {
            if (one->is_doubtful() && all_.emplace(name, one).second) remember_anew(one);
        }
    }

private:
    void remember_anew(branch_ptr const& one)
    {
        one->is_remembered = false;
        remember(one);
    }

    std::map<dialects::branch_name, branch_ptr> all_;
    std::deque<std::weak_ptr<branch>> remembered_;
};

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_BRANCHES_HPP
