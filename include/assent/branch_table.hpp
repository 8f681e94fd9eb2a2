// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branch_table.hpp -- optional: a database that can hold reservations, in its table assent_branch.
//
//   attempt    BEGIN, insert(row)   the application's work      COMMIT
//   vote       contains(name)
//   confirm    BEGIN, take(name)    the application's confirm   COMMIT     or cancel
//
// The transactions around them are begun and ended by the session's own verbs (start,
// commit_one_phase, rollback), which check that they are still the same at their end.  Where the
// client joins messages, BEGIN has the row with it (insert_at_start, take_at_start), and others are
// asked while the vote is under way (ask_contains).

#ifndef ASSENT_BRANCH_TABLE_HPP
#define ASSENT_BRANCH_TABLE_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver_session.hpp>
#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// One row of the table assent_branch: a reservation that was neither confirmed nor cancelled yet.
struct branch_row
{
    xid name;             ///< of its branch; the key
    std::string manager;  ///< the name of the resource manager whose handlers settle it
    std::string payload;  ///< bytes of the application's
};

/// Optional: what a database must do to hold reservations (docs/guide/reservations.md).  The table
/// has the columns xid (primary key), manager and payload; its rows survive what the database's own
/// commits survive.
///
/// Each member throws driver_error when the server refused, or has not answered by `until`; it is
/// safe to call it again, but for a session with must_close(), or whose transaction has failed.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT branch_table
{
public:
    virtual ~branch_table() = default;

    /// Makes the table where it is missing and the account may do so.  Refuses a table that would
    /// lose rows, or a server that refuses to write them.
    /// @throws driver_error  what() has the statement that makes the table.
    virtual void ensure_branches(driver_session& manage, deadline until) = 0;

    /// Inserts `row` in the transaction that start began on `session`.  From there on that
    /// transaction's commit waits for the disk.
    virtual void insert(driver_session& session, branch_row const& row, deadline until) = 0;

    /// Deletes the row of that name in the transaction that start began on `session`, at the level
    /// READ COMMITTED.  From there on its commit waits for the disk.  Whoever is at the same row
    /// meanwhile waits for this transaction's end.
    /// @return the row; nothing where no committed row of that name is there.
    virtual std::optional<branch_row> take(driver_session& session, xid const& name,
                                           deadline until) = 0;

    /// Whether the committed row is there.  @pre  the session is in no transaction.
    virtual bool contains(driver_session& session, xid const& name, deadline until) = 0;

    /// Has the next start on `session` insert `row` too, in the transaction that it begins and in
    /// its own message; what insert() promises holds from there on.  That start answers ok where
    /// the row is inserted, and else is refused and leaves no transaction.  Sends nothing by
    /// itself.
    /// @return false: not with start, so insert() is to be called behind it.
    virtual bool insert_at_start(driver_session& session, branch_row const& row)
    {
        static_cast<void>(session);
        static_cast<void>(row);
        return false;
    }

    /// The same of take(): the start answers ok whether the row is there or not, and taken()
    /// gives it.
    /// @return false: not with start, so take() is to be called behind it.
    virtual bool take_at_start(driver_session& session, xid const& name)
    {
        static_cast<void>(session);
        static_cast<void>(name);
        return false;
    }
    /// What the start that take_at_start() was for has taken; once.
    /// @pre  that start was answered OK.
    /// @throws driver_error  also where take_at_start() is written, and this is not: what was taken
    ///                       must not seem never to have been there.
    virtual std::optional<branch_row> taken(driver_session& session, xid const& name)
    {
        static_cast<void>(session);
        static_cast<void>(name);
        throw driver_error("nothing was taken with start: the adapter lacks taken()");
    }

    /// Sends what contains() sends, and does not wait.
    /// @return false: nothing was sent, so contains() is to be called.
    virtual bool ask_contains(driver_session& session, xid const& name)
    {
        static_cast<void>(session);
        static_cast<void>(name);
        return false;
    }
    /// Waits for the answer to ask_contains().
    /// @return as contains().
    /// @throws driver_error  also where ask_contains() is written, and this is not.
    virtual bool hear_contains(driver_session& session, deadline until)
    {
        static_cast<void>(session);
        static_cast<void>(until);
        throw driver_error("nothing was asked: the adapter lacks hear_contains()");
    }

    /// The names of all committed rows of a resource manager.
    /// @throws driver_error  also where the table is missing: it is never an empty one.
    virtual std::vector<xid> list_branches(driver_session& manage, std::string_view manager,
                                           deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_BRANCH_TABLE_HPP
