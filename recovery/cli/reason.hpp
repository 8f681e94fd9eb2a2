// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reason.hpp -- why a branch, a decision or a database is as it is: the one table of all reasons
// for which recovery acts, waits, or leaves something to a person.
//
//   why            what was seen
//   by itself      what happens if nobody does anything
//   for a person   what somebody must do; "nothing" where nothing is needed
//
// Whoever sees one says it, in words and in JSON, by this table.  The names are stable: monitoring
// may ask for them.

#ifndef ASSENT_RECOVERY_CLI_REASON_HPP
#define ASSENT_RECOVERY_CLI_REASON_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace assent::cli {

enum class reason : std::uint8_t {
    none = 0,
    // Recovery ends it.
    due,
    decided,
    decided_in_row,
    undecided,
    aborted_in_row,
    row_missing,
    of_live_process,
    lost_with_past,
    // Recovery waits.
    past_unknown,
    lock_elsewhere,
    twin_at_work,
    row_unread,
    row_unreadable,
    row_given_up,
    row_unknown,
    decided_elsewhere,
    of_other_account,
    session_stays,
    older_sessions,
    server_refused,
    not_confirmed,
    // A person ends it.
    of_twin,
    reappeared,
    salvaged,
    not_voted,
    unbound,
    misplaced,
    heuristic,
    // A database.
    not_answering,
    login_refused,
    right_missing,
    table_missing,
    standby,
    other_database,
    bound_twice,
    not_configured,
    only_application,
    binding_lost,
    given_up,
};

/// Of all reasons, for whoever walks them.
inline constexpr auto last_reason = reason::given_up;

/// As in JSON: `row_missing`.
std::string_view name_of(reason what) noexcept;

struct explanation
{
    reason what = reason::none;
    std::string why;
    std::int64_t since_ms = 0;    ///< 0: not known
    bool is_since_exact = false;  ///< false: not before that
    std::string by_itself;
    std::string for_a_person;
};

/// Who recovers: `process 4711`, or empty where no process owns the log.
/// @param seen  what is put into the texts: a name, a server's words.
explanation explain(reason what, std::string const& owner, std::string const& seen = {});

/// `2026-01-01 12:00:00 UTC`, `after 2026-01-01 12:00:00 UTC`, or `-`.
std::string since_in_words(explanation const& what);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_REASON_HPP
