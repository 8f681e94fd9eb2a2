// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_table.hpp -- optional: a database that can hold commit rows, in its table
// assent_decision.

#ifndef ASSENT_DECISION_TABLE_HPP
#define ASSENT_DECISION_TABLE_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver_session.hpp>
#include <assent/export.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// What a row of the table assent_decision says of the transaction whose name is its key.
enum class row_kind : char {
    commit = 'c',   ///< the transaction commits, on the branches that the content lists
    abort = 'a',    ///< it never will: the row takes the place of a commit row that may yet arrive
    horizon = 'h',  ///< speaks of no single transaction: it says up to where rows were deleted
};

/// One row.  An adapter stores the content as it is: it is text, in lower-case hexadecimal.
struct decision_row
{
    gtrid name;                        ///< the key
    row_kind kind = row_kind::commit;  ///< what the row says
    std::string content;               ///< a commit row's branches, or a horizon's position
};

/// Optional: what a database must do to hold commit rows (docs/guide/commit-row.md), the decisions
/// of transactions whose last resource it is.  The table has the columns gtrid (primary key), kind
/// and content; its rows survive what the database's own commits survive.
///
/// Invariant: a name has one row for ever, the first that was committed.  Whoever inserts
/// the same name while another transaction has inserted it waits for that transaction's end.
///
/// Each member that takes a deadline throws driver_error when the server refused, or has not
/// answered by then; it is safe to call it again.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT decision_table
{
public:
    virtual ~decision_table() = default;

    /// Makes the table where it is missing and the account may do so.  Refuses a table that would
    /// lose rows.
    /// @throws driver_error  what() has the statement that makes the table.
    virtual void ensure(driver_session& manage, deadline until) = 0;

    /// Says that the branch that is started next on `session` will carry a row.  If no row can be
    /// written in the transaction that this start begins, because the application or the server
    /// made it read only, the start is refused, and the refusal says so.  Sends nothing by itself.
    virtual void announce(driver_session& session) = 0;

    /// Says that the next commit_one_phase on `session`, on which a branch of ours is active, first
    /// checks the branch's mark, then inserts `row` in the same transaction, then commits: row and
    /// work become permanent together, or neither does.  Sends nothing by itself.
    /// That commit answers ok; or XA_RB* or left_behind where neither can ever become permanent;
    /// any other answer means that only the row itself can tell.
    virtual void carry(driver_session& session, decision_row const& row) = 0;

    /// Inserts an abort row named `row_name` in a transaction of its own, unless there is a row of
    /// that name.  Waits up to five seconds for a row of that name that is not committed yet.
    /// @return the committed row of that name, which stays for good, whatever arrives later.
    ///         Nothing when the wait was in vain.
    /// @throws driver_error  also where the table is missing: this call never makes it.
    virtual std::optional<decision_row> fence(driver_session& manage, gtrid const& row_name,
                                              deadline until) = 0;

    /// Reads the committed rows whose names begin with `prefix`, in the order of names, no more
    /// than `at_most`.
    /// @return no rows where the table is missing.
    virtual std::vector<decision_row> list(driver_session& manage, std::string_view prefix,
                                           std::size_t at_most, deadline until) = 0;

    /// Replaces the row that has the name of `horizon_row`, or inserts it, and deletes the rows
    /// named in `gone`, all in one transaction.
    virtual void prune(driver_session& manage, decision_row const& horizon_row,
                       std::vector<gtrid> const& gone, deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_DECISION_TABLE_HPP
