// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// task_table.hpp -- optional: a database that can hold messages, in its tables assent_task and
// assent_key.
//
//   put     lock(slots of the keys, ascending)   insert(rows)      in the branch, at its very end
//   take    SELECT ... FOR UPDATE SKIP LOCKED    DELETE            in the branch
//
// What is written and deleted there belongs to the branch that is active on the session, and is
// there, or gone, when that branch commits.  Two messages of one key get their ids in the order in
// which their transactions commit: the slot is locked before the first id is given, and until the
// branch has ended.

#ifndef ASSENT_TASK_TABLE_HPP
#define ASSENT_TASK_TABLE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver_session.hpp>
#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

/// How many slots keys fall into: the rows of the table assent_key, from 0 on.
inline constexpr std::uint16_t task_slots = 4096;

/// One row of the table assent_task.  Every text is printable ASCII, whatever its transaction was
/// given.
struct task_row
{
    std::string token;      ///< 32 hexadecimal digits, never given twice: its name for everybody
    std::uint8_t lane = 0;  ///< 0 to 63: what is in one lane can be kept in order
    std::string to;         ///< its destination
    std::string key;        ///< order is kept within a key; empty: it has none
    std::string headers;    ///< as message::queue writes them
    std::string body;       ///< bytes of the application's
    std::string gtrid;      ///< the transaction that wrote it: put_tasks() says that by itself
};

/// Optional: what a database must do to hold messages (docs/guide/messages.md).
///
/// Each member throws driver_error when the server refused, or has not answered by `until`; it is
/// safe to call it again, but for a session with must_close(), or whose transaction has failed.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT task_table
{
public:
    virtual ~task_table() = default;

    /// Makes the tables where they are missing and the account may do so.  Refuses tables that
    /// would lose rows or their order, or a server that refuses to write them.
    /// @throws driver_error  what() has the statements that make the tables.
    virtual void ensure_tasks(driver_session& manage, deadline until) = 0;

    /// In the branch that is active on `session`: locks `slots`, which rise and are less than
    /// task_slots, and then inserts `rows`, whose ids rise in their order.  Waits for each slot
    /// no longer than a server-side limit, and `until`.
    /// @throws driver_error  SQLSTATE 55P03: another transaction keeps a slot. errc::invalid_state:
    ///                       nothing was sent, since the session cannot take it now.
    virtual void put_tasks(driver_session& session, std::vector<task_row> const& rows,
                           std::vector<std::uint16_t> const& slots, deadline until) = 0;

    /// In the branch that is active on `session`, at READ COMMITTED: deletes the row with the
    /// least id that has this destination and that no other transaction has locked.  Waits for
    /// nobody.
    /// @return the row; nothing where there is none.
    /// @throws driver_error  errc::invalid_state: the branch is not known to be at that level;
    ///                       nothing was locked.
    virtual std::optional<task_row> take_task(driver_session& session, std::string_view to,
                                              deadline until) = 0;

    /// Whether slot_holder() can know anybody: where it cannot, nobody connects to ask.
    virtual bool knows_slot_holders() const noexcept = 0;

    /// Which transaction keeps one of these slots now: its gtrid, or words for it; empty where
    /// that cannot be known.  @pre  knows_slot_holders(), and the session is in no transaction.
    virtual std::string slot_holder(driver_session& manage, std::vector<std::uint16_t> const& slots,
                                    deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TASK_TABLE_HPP
