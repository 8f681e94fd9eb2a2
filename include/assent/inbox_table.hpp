// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox_table.hpp -- optional: a database that can hold inboxes, in its table assent_inbox: one row
// for each lane that a consumer receives, which says up to where it has come.

#ifndef ASSENT_INBOX_TABLE_HPP
#define ASSENT_INBOX_TABLE_HPP

#include <cstdint>
#include <string>

#include <assent/driver_session.hpp>
#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

/// A move of one lane: from the message before to the next one.
struct inbox_move
{
    std::string name;      ///< of the row: printable ASCII, 160 characters at the most
    std::string previous;  ///< forty digits, as the row must be
    std::string position;  ///< forty digits, as it is to be
};

/// What the row was found to be.
struct inbox_finding
{
    bool has_moved = false;  ///< it was as it had to be, and moves with the branch
    std::string last;        ///< else: where it is; empty: there is none
};

/// Optional: what a database must do to hold inboxes.
///
/// Each member throws driver_error when the server refused, or has not answered by `until`.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT inbox_table
{
public:
    virtual ~inbox_table() = default;

    /// Makes the table where it is missing and the account may do so.
    /// @throws driver_error  what() has the statement that makes it.
    virtual void ensure_inbox(driver_session& manage, deadline until) = 0;

    /// In the branch that is active on `session`: moves the row from `previous` to `position`;
    /// where there is none, and `previous` is the beginning of a lane, it is made.  A row that
    /// another transaction keeps is waited for, no longer than a server-side limit and `until`:
    /// what is found is what is committed.
    /// @throws driver_error  SQLSTATE 55P03: another transaction keeps the row.
    ///                       errc::invalid_state: nothing was sent, since the session cannot take
    ///                       it now.
    virtual inbox_finding move_inbox(driver_session& session, inbox_move const& what,
                                     deadline until) = 0;

    /// In the branch that is active on `session`: the row is at `position`, wherever it was.
    /// @throws driver_error  as move_inbox().
    virtual void set_inbox(driver_session& session, std::string const& name,
                           std::string const& position, deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_INBOX_TABLE_HPP
