// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- the port to a database: what an adapter implements, and nothing more.
//
//   resource_manager_driver   one database: opens sessions, tells who the server is, lists the
//                    branches in doubt, holds the node's guardian lock, ends sessions.
//
//   driver_session   one connection, and XA's verbs on it (driver_session.hpp).
//
//   decision_table   optional: a database that can hold commit rows (decision_table.hpp).
//
//   branch_table     optional: a database that can hold reservations (branch_table.hpp).
//
//   task_table       optional: a database that can hold messages (task_table.hpp).
//
// What its members speak of is in xa.hpp (verbs and replies) and server.hpp (who the server is).
// Users include resource_manager.hpp instead, by the header of their database.

#ifndef ASSENT_DRIVER_HPP
#define ASSENT_DRIVER_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <assent/branch_table.hpp>
#include <assent/decision_table.hpp>
#include <assent/driver_session.hpp>
#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/inbox_table.hpp>
#include <assent/lane_table.hpp>
#include <assent/resource_manager.hpp>
#include <assent/server.hpp>
#include <assent/sql_session.hpp>
#include <assent/task_table.hpp>

namespace assent {
inline namespace v0 {

/// What a resource manager can do; declared, never guessed.
struct driver_capabilities
{
    /// It can prepare.  A resource manager that cannot takes part alone, or with its commit row.
    bool is_two_phase = true;
    /// A prepared branch stays tied to the session that prepared it until that session commits it
    /// or is gone (MariaDB).  Recovery then finishes it limits::detach_settle after presence() said
    /// that the session is gone, and not before.
    bool stays_attached_after_prepare = false;
    /// A one-phase commit whose reply was lost can be asked about (PostgreSQL).
    bool has_one_phase_witness = false;
    /// A branch belongs to the thread that began it (X/Open switches): its transaction is ended on
    /// that thread, and on no other.
    bool is_thread_bound = false;
    /// Each transaction is serializable, and none can be begun at another level (SQLite).
    bool is_always_serializable = false;
    /// Its verbs run the application's code (reservations, tcc.hpp; half messages,
    /// half_message.hpp).  No handle is leased or lent:
    /// work is a call, in a branch of its own.  It votes also where it is alone, because a commit
    /// that fails is repeated, which only a decision allows; and what has a heuristic outcome on
    /// record is sent nothing more by itself, since that would run the code again.
    bool runs_handlers = false;
};

/// Whether `name` may name a resource manager: 1 to 64 printable ASCII characters, no blank.  The
/// log, the program's command line and the servers' lists of connections would not keep any other
/// name whole.
ASSENT_EXPORT bool is_good_name(std::string_view name) noexcept;

/// Checks a name as each constructor of a resource manager, and transaction_manager::add(), do.
/// @return the name.
/// @throws driver_error  errc::bad_argument: not is_good_name().  The same call fails again.
ASSENT_EXPORT std::string const& require_name(std::string const& name);

/// One database, as the engine sees it.
///
/// Each member that takes a deadline asks the server.  It throws driver_error when the server
/// refused, or has not answered in full by then.  It is safe to call it again, unless must_close()
/// says that a borrowed connection is of no more use.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT resource_manager_driver
{
public:
    virtual ~resource_manager_driver() = default;

    /// The name given by the user; is_good_name() holds for it.
    virtual std::string const& name() const noexcept = 0;
    /// What the database can do.  Once a server was seen, the answer does not change.
    virtual driver_capabilities capabilities() const noexcept = 0;

    /// Opens a session of the manager's own.
    /// @throws driver_error  by `until` at the latest; what() names the resource manager and the
    ///                       cause.
    virtual std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) = 0;

    /// Wraps a connection of the application.  Checks that it is idle, outside any transaction,
    /// without pending results, pipeline or auto-reconnect, and that its account, server and
    /// database are those that `expected` names.  Sets FD_CLOEXEC on its socket.
    /// @throws driver_error  what() names what is wrong; must_close() if bytes were sent in vain.
    virtual std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                                   deadline until) = 0;

    /// Wraps a connection whose client shows no handle, as borrow() does; what only the client
    /// could tell is not checked.  Not every driver can do this.
    virtual std::unique_ptr<driver_session> borrow_session(sql_session& lent,
                                                           server_facts const& expected,
                                                           deadline until);

    /// Said before preflight() where an earlier run knew this resource manager: a table that the
    /// driver itself keeps there must be there still, and is not made anew, empty.
    virtual void note_known() noexcept {}

    /// Reads who the server is, and refuses a server on which a vote would not be durable.
    /// @throws driver_error  what() says which setting to change, or what could not be reached.
    virtual server_facts preflight(driver_session& manage, deadline until) = 0;

    /// Lists every prepared branch of this database.  A failed or partial scan throws.
    virtual scan_result scan(driver_session& manage, deadline until) = 0;

    /// Reads what this node has kept in the database, for servers whose `history` does not show
    /// that an older state was restored.
    /// @return nothing where the database keeps nothing, or the account may not see it.
    virtual std::optional<kept_past> read_past(driver_session& manage, std::uint64_t node,
                                               deadline until);

    /// Keeps `past` in the database, durably; a count is never lowered.
    /// @return false where the server refused: then only read_past() can tell less.
    /// @throws driver_error  the server did not answer.
    virtual bool keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                           deadline until);

    /// Tries to take the server-side lock named after the node; does not wait for it.
    virtual bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) = 0;

    /// Renews the lease of the lock that try_guard() took.
    /// @throws driver_error  the lock may be lost.
    virtual void heartbeat(driver_session& guardian, deadline until) = 0;

    /// Whether the session `id`, which once worked on a branch of ours, is still there.
    virtual session_presence presence(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// Whether a session of our account that was opened before session `first` may still prepare a
    /// branch of that time: a PREPARE may sit in its socket.  Where the server does not show what a
    /// session is doing, each session that is there and older counts.
    /// `first` is the number of the first session of this run on that very life of the server:
    /// another resource manager of this run may have sessions there that are older than `ours`.
    /// `ours` takes its place where session numbers do not tell which session is older.
    /// @throws driver_error  the server did not answer.
    virtual session_presence sessions_before(driver_session& ours, std::uint64_t first,
                                             deadline until) = 0;

    /// Cancels the statement that session `id` runs now, after checking that it is of our account.
    virtual void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// Ends session `id` at the server, after checking that it is of our account.
    virtual void end_session(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// Ends session `id` only where the server shows that it runs nothing: a session that runs
    /// something may be executing a COMMIT, and ending it in the middle can undo that (MariaDB).
    /// @return whether the session was ended.
    virtual bool end_idle_session(driver_session& manage, std::uint64_t id, deadline until);

    /// Who holds the guardian's lock that try_guard() did not get, in words; empty: not known.
    virtual std::string guard_holder(driver_session& guardian, std::uint64_t node, deadline until);

    /// Whether the calling thread is at work there outside of any transaction, so that none may be
    /// begun on it (X/Open switches that register).  Asks nobody.
    virtual bool works_outside() const noexcept { return false; }

    /// Asks what became of a one-phase commit, by reply::witness.
    virtual witness_state ask_witness(driver_session& manage, std::string const& witness,
                                      deadline until) = 0;

    /// The manager that this was added to is closing: what the driver runs by itself ends now, or
    /// is cut.  Sessions that are open go on; a later connect() begins anew.
    virtual void end_work() noexcept {}

    /// Whoever keeps that branch there was told by transaction_manager::ask() that it commits, and
    /// may have carried that out by the time it is asked to.
    virtual void note_told(xid const& branch) noexcept { static_cast<void>(branch); }

    /// The table of commit rows; null where the database cannot hold any.
    virtual decision_table* decisions() noexcept { return nullptr; }

    /// The table of reservations; null where the database cannot hold any.
    virtual branch_table* branches() noexcept { return nullptr; }

    /// The tables of messages; null where the database cannot hold any.
    virtual task_table* tasks() noexcept { return nullptr; }

    /// What a relay carries messages away by; null: none is carried from here.
    virtual lane_table* lanes() noexcept { return nullptr; }

    /// What is done of other systems' messages is kept by; null: not here.
    virtual inbox_table* inboxes() noexcept { return nullptr; }
};

inline std::optional<kept_past> resource_manager_driver::read_past(driver_session&, std::uint64_t,
                                                                   deadline)
{
    return std::nullopt;
}

inline bool resource_manager_driver::keep_past(driver_session&, std::uint64_t, kept_past const&,
                                               deadline)
{
    return false;
}

inline bool resource_manager_driver::end_idle_session(driver_session&, std::uint64_t, deadline)
{
    return false;
}

inline std::string resource_manager_driver::guard_holder(driver_session&, std::uint64_t, deadline)
{
    return {};
}

inline std::unique_ptr<driver_session> resource_manager_driver::borrow_session(sql_session&,
                                                                               server_facts const&,
                                                                               deadline)
{
    throw driver_error("resource manager \"" + name() +
                       "\" takes native handles only: lend one, or take a lease");
}

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_DRIVER_HPP
