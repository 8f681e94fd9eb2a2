// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcome.hpp -- how a global transaction ended, and what is known of it.

#ifndef ASSENT_OUTCOME_HPP
#define ASSENT_OUTCOME_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <assent/xa.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// The good ends of commit() and rollback(); every other end is an exception.
enum class outcome : std::uint8_t {
    /// Returned only together with an error code, which says more.
    unknown = 0,
    /// Every branch is committed.
    committed = 1,
    /// The decision to commit is on disk and final; a branch has yet to confirm it, and will, as
    /// soon as its database answers.  Do not repeat the work.
    committed_pending = 2,
    /// Nothing happened anywhere, ever.
    rolled_back = 3,
};

/// What transaction_manager::outcome() knows of a gtrid.
enum class known_outcome : std::uint8_t {
    unknown = 0,  ///< no record; absence of a decision is not a rollback
    pending = 1,  ///< not decided yet, or in doubt until the log is opened again
    committed = 2,
    rolled_back = 3,  ///< a rollback was recorded
};

/// JTA's status of a transaction; it never goes backwards.
enum class status : std::uint8_t {
    active = 0,
    marked_rollback = 1,
    prepared = 2,
    committed = 3,
    rolled_back = 4,
    unknown = 5,
    no_transaction = 6,
    preparing = 7,
    committing = 8,
    rolling_back = 9,
};

/// What one branch answered last.
struct branch_report
{
    std::string resource_manager;  ///< the name of its resource manager
    xid branch;                    ///< the branch's name, as the database lists it
    verb last_verb = verb::start;  ///< the verb that was sent last
    xa_code code = xa_code::ok;    ///< what was answered to it
    int native_code = 0;           ///< the server's own number; 0 where the server has none
    std::string sqlstate;          ///< five characters, or empty
    std::string text;              ///< the server's words
    std::string state;             ///< "prepared", "rolled back", "heuristic hazard", ...
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_OUTCOME_HPP
