// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.hpp -- the port to a database: what an adapter implements, and nothing more.
//
//   driver_session   one connection.  Each XA verb is split in two, as XA's own asynchronous mode
//                    (TMASYNC, xa_complete):
//
//                        session.submit(verb::prepare, x);             sends, does not wait
//                        ... submit to the other databases ...
//                        session.collect(x_deadline) -> reply          one answer, by a deadline
//
//   resource_manager_driver   one database: opens sessions, tells who the server is, lists the
//                    branches in doubt, holds the node's guardian lock, ends sessions.
//
//   decision_table   optional: a database that can hold commit rows, in its table assent_decision.
//
//   resource_manager what users hold: a cheap handle on a shared driver.
//
//   connection_source   the application's own pool, for leases.
//
// The one invariant: a reply says what the server said, or that nothing was heard.  Adapters map
// by meaning (see reply_detail), never guess, and never turn silence into success.

#ifndef ASSENT_RESOURCE_MANAGER_HPP
#define ASSENT_RESOURCE_MANAGER_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <assent/export.hpp>
#include <assent/sql_session.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// The end of a wait, on the monotonic clock.
using deadline = std::chrono::steady_clock::time_point;

/// XA's return codes (C193, xa.h), by their numbers.
enum class xa_code : int {
    ok = 0,
    rdonly = 3,
    retry = 4,
    heurmix = 5,
    heurrb = 6,
    heurcom = 7,
    heurhaz = 8,
    nomigrate = 9,
    rbrollback = 100,
    rbcommfail = 101,
    rbdeadlock = 102,
    rbintegrity = 103,
    rbother = 104,
    rbproto = 105,
    rbtimeout = 106,
    rbtransient = 107,
    async = -2,
    rmerr = -3,
    nota = -4,
    inval = -5,
    proto = -6,
    rmfail = -7,
    dupid = -8,
    outside = -9,
};

/// What happened that XA has no code for.
enum class reply_detail : std::uint8_t {
    none = 0,
    /// The connection broke, or was severed, after the request may have been sent.
    reply_lost = 1,
    /// The mark taken at start is gone: the session left the branch behind our back (the user's
    /// own COMMIT, a silent reconnect), and work may be permanent.  code is xa_code::proto.
    left_behind = 2,
    /// MariaDB's 1402 on a prepared branch: it had written nothing and its owner left.
    /// code is xa_code::rbrollback.
    read_only_owner_left = 3,
    /// The server is processing this branch for somebody else, or keeps it for the session that
    /// prepared it: ask again later.  code is xa_code::retry.
    busy = 4,
};

/// The answer to one verb on one branch.
struct reply
{
    xa_code code = xa_code::ok;
    reply_detail detail = reply_detail::none;
    int native_code = 0;   ///< the server's errno; 0 where the server has none
    std::string sqlstate;  ///< five characters, or empty
    std::string text;      ///< the server's words; never SQL text, never a secret
    /// One-phase only: the server-side transaction id to ask about when the reply is lost
    /// (PostgreSQL's xid8).  Empty: the branch wrote nothing, or the server has no such thing.
    std::string witness;

    bool is_ok() const noexcept { return code == xa_code::ok && detail == reply_detail::none; }
};

/// XA's verbs.  xa_end travels inside prepare, commit_one_phase and rollback.
enum class verb : std::uint8_t {
    start = 1,
    prepare = 2,
    commit = 3,
    commit_one_phase = 4,
    rollback = 5,
    forget = 6,
};

/// A driver could not do what was asked; what() says what to do about it.
class ASSENT_EXPORT driver_error : public std::runtime_error
{
public:
    /// `must_close` is true when bytes were sent on a borrowed connection, whose state is
    /// therefore unknown: its owner must close it.
    explicit driver_error(std::string const& what, std::string sqlstate = {}, int native_code = 0,
                          bool must_close = false)
        : std::runtime_error(what),
          sqlstate_(std::move(sqlstate)),
          native_code_(native_code),
          must_close_(must_close)
    {
    }

    std::string const& sqlstate() const noexcept { return sqlstate_; }
    int native_code() const noexcept { return native_code_; }
    bool must_close() const noexcept { return must_close_; }

private:
    std::string sqlstate_;
    int native_code_;
    bool must_close_;
};

/// Who the server is, as read by preflight.
struct server_facts
{
    std::string kind;          ///< "postgresql", "mysql", "mariadb", "memory"
    std::string identity;      ///< survives restarts, ports and addresses; at most 120 bytes
    std::string server_start;  ///< changes when the server restarts
    /// Changes when the server may have lost a part of its past: a failover, a restore
    /// (PostgreSQL's timeline).  Empty where the server cannot tell; at most 16 bytes.
    std::string history;
    std::string version;
    std::string user;  ///< the account that the manager's own connections use
    std::string database;
    bool is_proxied = false;  ///< the session id the client sees is not the server's own
};

/// What one scan saw: XA RECOVER, pg_prepared_xacts.
struct scan_result
{
    std::vector<xid> ours;          ///< every listed name that has our layout, any node
    std::size_t foreign_count = 0;  ///< listed names that have not; never touched
    std::string identity;           ///< of the server that answered this very scan
    bool is_writable_primary = false;
    /// What an operator should know about this server: a sentence each.
    std::vector<std::string> warnings;
};

enum class session_presence : std::uint8_t {
    gone = 1,  ///< proved: no such session, and the branch can no longer be reached by it
    present = 2,
    unknown = 3,  ///< proxied, or the right to see sessions is missing
};

/// The fate of a one-phase commit whose reply was lost (PostgreSQL's pg_xact_status).
enum class witness_state : std::uint8_t {
    committed = 1,
    rolled_back = 2,
    in_progress = 3,
    unknown = 4
};

/// What a session is opened for; it decides the server-side settings.
enum class session_purpose : std::uint8_t {
    work = 1,      ///< leased to the application
    manage = 2,    ///< scans, phase 2 after a lost connection, cancels
    guardian = 3,  ///< holds the node's lock under a server-side lease of ten seconds
};

/// One connection to one database, used by one thread at a time.  The destructor of a session
/// that the manager opened closes it; that of a borrowed one never touches the handle.
class ASSENT_EXPORT driver_session
{
public:
    virtual ~driver_session() = default;

    /// The server's name for this session (pg_backend_pid, CONNECTION_ID), from the client
    /// library, without a round trip.  0: unknown.
    virtual std::uint64_t id() const noexcept = 0;

    /// PGconn*, MYSQL*, ...
    virtual void* native_handle() noexcept = 0;

    /// The socket, for the fork handler; -1 when there is none.
    virtual int descriptor() const noexcept = 0;

    /// The next branch that is started here is read-only, and the server refuses its writes.
    /// Sends nothing by itself.
    virtual void declare_read_only() noexcept = 0;

    /// Sends the request for `v` on branch `x` and does not wait.  start takes the mark that
    /// every later end of the branch on this session checks.  A failure to send is a reply.
    /// @pre  no reply is outstanding.
    virtual void submit(verb v, xid const& x) noexcept = 0;

    /// Waits for the reply to the last submit.
    /// @return nothing when `until` passed first: the reply is still outstanding, and collect
    ///         may be called again.
    virtual std::optional<reply> collect(deadline until) noexcept = 0;

    /// Whether the last reply left the connection idle, outside any transaction, with its
    /// protocol in step, and never cancelled, so that it may serve another transaction.
    virtual bool is_reusable() const noexcept = 0;

    /// Asks the server to undo what was done to the session besides transactions (settings,
    /// temporary tables, prepared statements, locks of the session), so that whoever uses it next
    /// finds it as it was opened.  Sends, does not wait.  Where this cannot be done, or the session
    /// was opened by the application's own function, nothing happens.
    /// @pre  is_reusable(): nothing was left prepared here, since a reset would let go of it.
    virtual void submit_reset() noexcept {}

    /// Waits for the answer to submit_reset(), if one is due.
    /// @return false when it was refused, or not there by `until`: the session is of no more use.
    virtual bool collect_reset(deadline until) noexcept
    {
        static_cast<void>(until);
        return true;
    }

    /// Cuts the connection with shutdown(2) so that the server lets go of the branch; the handle
    /// stays its owner's to close.  Outstanding and later replies are reply_lost.
    virtual void sever() noexcept = 0;

    /// In a forked child: forgets the connection without sending or shutting down anything.  The
    /// destructor must not touch the handle afterwards.
    virtual void abandon() noexcept = 0;
};

/// What a row of the table assent_decision says of the transaction whose name is its key.
enum class row_kind : char {
    commit = 'c',   ///< it commits, on the branches that the content lists
    abort = 'a',    ///< it never will: the row takes the place of a commit row that may yet arrive
    horizon = 'h',  ///< not of one transaction: up to where rows were deleted
};

/// One row.  To an adapter the content is text: lower-case hexadecimal, stored as it is.
struct decision_row
{
    gtrid name;
    row_kind kind = row_kind::commit;
    std::string content;
};

/// Optional: what a database must do to hold commit rows (docs/guide/commit-row.md), the decisions
/// of transactions whose last resource it is.  The table has the columns gtrid (primary key), kind
/// and content; its rows survive what the database's own commits survive.
///
/// The one invariant: a name has one row for ever, the first that was committed.  Whoever inserts
/// the same name while another transaction has inserted it waits for that one's end.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT decision_table
{
public:
    virtual ~decision_table() = default;

    /// Makes the table where it is missing and the account may, and refuses one that would lose
    /// rows.
    /// @throws driver_error  with the statement that makes it.
    virtual void ensure(driver_session& manage, deadline until) = 0;

    /// The next commit_one_phase on `session`, which a branch of ours is active on, first checks
    /// the branch's mark, then inserts `row` in the same transaction, then commits: row and work
    /// become permanent together, or neither.  Sends nothing by itself.
    /// After it: ok, or XA_RB* or left_behind where neither can ever become permanent; anything
    /// else means that nobody but the row knows.
    virtual void carry(driver_session& session, decision_row const& row) = 0;

    /// Inserts an abort row named `which` in a transaction of its own, unless there is a row of
    /// that name; waits for one that is not committed yet, up to five seconds.
    /// @return the row that is there, committed: for good, whatever arrives later.  Nothing when
    ///         the wait was in vain.
    /// @throws driver_error  also where the table is missing: it is never made here.
    virtual std::optional<decision_row> fence(driver_session& manage, gtrid const& which,
                                              deadline until) = 0;

    /// The committed rows whose names begin with `prefix`, in the order of names, `at_most` of
    /// them; none where the table is missing.
    virtual std::vector<decision_row> list(driver_session& manage, std::string_view prefix,
                                           std::size_t at_most, deadline until) = 0;

    /// Puts `horizon_row` in the place of the row of its name, if any, and deletes the rows `gone`,
    /// all in one transaction.
    virtual void prune(driver_session& manage, decision_row const& horizon_row,
                       std::vector<gtrid> const& gone, deadline until) = 0;
};

/// What a resource manager can do; declared, never guessed.
struct driver_capabilities
{
    /// It can prepare.  One that cannot takes part alone, or with its commit row.
    bool is_two_phase = true;
    /// A prepared branch stays tied to the session that prepared it until that session commits it
    /// or is gone (MariaDB).
    bool stays_attached_after_prepare = false;
    /// A one-phase commit whose reply was lost can be asked about (PostgreSQL).
    bool has_one_phase_witness = false;
};

/// One database, as the engine sees it.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT resource_manager_driver
{
public:
    virtual ~resource_manager_driver() = default;

    /// The name given by the user; 1 to 64 printable ASCII bytes.
    virtual std::string const& name() const noexcept = 0;
    virtual driver_capabilities capabilities() const noexcept = 0;

    /// Opens a session of the manager's own.
    /// @throws driver_error  by `until` at the latest; names the resource manager and the cause.
    virtual std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) = 0;

    /// Wraps a connection of the application.  Checks that it is idle, outside any transaction,
    /// without pending results, pipeline or auto-reconnect, of the account `expected` names, and
    /// connected to that very server and database.  Sets FD_CLOEXEC on its socket.
    /// @throws driver_error  naming what is wrong; must_close() if bytes were sent in vain.
    virtual std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                                   deadline until) = 0;

    /// The same for a connection whose client shows no handle; what the client alone could tell is
    /// not checked.  Not every driver can.
    virtual std::unique_ptr<driver_session> borrow_session(sql_session& lent,
                                                           server_facts const& expected,
                                                           deadline until);

    /// Reads who the server is and refuses one on which a vote would not be durable.
    /// @throws driver_error  saying which setting to change, or what could not be reached.
    virtual server_facts preflight(driver_session& manage, deadline until) = 0;

    /// Lists every prepared branch of this database.  A failed or partial scan throws.
    virtual scan_result scan(driver_session& manage, deadline until) = 0;

    /// Tries to take the server-side lock named after the node; does not wait for it.
    virtual bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) = 0;

    /// Renews the guardian's lease.  @throws driver_error  the lock may be lost.
    virtual void heartbeat(driver_session& guardian, deadline until) = 0;

    /// Whether the session `id`, which once worked on a branch of ours, is still there.
    virtual session_presence presence(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// Whether a session of our account, opened before `ours`, may still prepare a branch of that
    /// time: a PREPARE may sit in its socket.  Where the server does not show what a session is
    /// in, each one that is there counts.
    virtual session_presence older_sessions(driver_session& ours, deadline until) = 0;

    /// Cancels the statement that session `id` runs now, after checking that it is of our account.
    virtual void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// Ends session `id` at the server, after checking that it is of our account.
    virtual void end_session(driver_session& manage, std::uint64_t id, deadline until) = 0;

    /// The fate of a one-phase commit, by the witness of its reply.
    virtual witness_state ask_witness(driver_session& manage, std::string const& witness,
                                      deadline until) = 0;

    /// Where commit rows live; null where the database cannot hold any.
    virtual decision_table* decisions() noexcept { return nullptr; }
};

inline std::unique_ptr<driver_session> resource_manager_driver::borrow_session(sql_session&,
                                                                               server_facts const&,
                                                                               deadline)
{
    throw driver_error("resource manager " + name() +
                       " takes native handles only: lend one, or take a lease");
}

/// What to do with a connection of the application's when its transaction has ended.
enum class release : std::uint8_t {
    keep = 1,        ///< idle and sound: it may be used again
    must_close = 2,  ///< close it; it was cut, cancelled, or its state is not known
};

/// The application's own pool, as leases see it (resource_manager's leases_from()).
///
/// What one lease acquires is given back exactly once: after the branch's last byte, on the thread
/// that ends the transaction; or, where the branch did not start, at once, on the thread that asked
/// for the lease, and then it must be closed.  A handle that was given back is not touched again.
/// @pre  an acquired connection is as transaction::enlist() wants it: idle, outside any
///       transaction, and it does not reconnect by itself.  Each one is checked.
///
/// Thread safety: both functions may be called from several threads at once, with no lock held.
template <class Handle>
struct connection_source
{
    /// Waits for a connection no longer than `until`; throws when there is none.
    std::function<Handle(deadline until)> acquire;
    /// What it throws is told to the observer, and changes nothing.
    std::function<void(Handle handle, release what)> give_back;
};

/// A user's handle on a database: cheap to copy, compares by identity of the driver.
class ASSENT_EXPORT resource_manager
{
public:
    explicit resource_manager(std::shared_ptr<resource_manager_driver> driver)
        : driver_(std::move(driver))
    {
    }

    std::string const& name() const noexcept { return driver_->name(); }
    std::shared_ptr<resource_manager_driver> const& driver() const noexcept { return driver_; }

    /// Where leases come from; null: from the manager's own pool.  Decided by what is given to
    /// transaction_manager::add().
    std::shared_ptr<connection_source<void*> const> const& source() const noexcept
    {
        return source_;
    }

    friend bool operator==(resource_manager const& a, resource_manager const& b) noexcept
    {
        return a.driver_ == b.driver_;
    }
    friend bool operator!=(resource_manager const& a, resource_manager const& b) noexcept
    {
        return !(a == b);
    }

protected:
    /// @throws driver_error  a function is missing.
    template <class Handle>
    void lease_from(connection_source<Handle> pool)
    {
        if (!pool.acquire || !pool.give_back) {
            throw driver_error("resource manager \"" + name() +
                               "\": a connection source has two functions, acquire and give_back");
        }
        connection_source<void*> untyped;
        untyped.acquire = [acquire = std::move(pool.acquire)](deadline until) {
            return static_cast<void*>(acquire(until));
        };
        untyped.give_back = [give = std::move(pool.give_back)](void* handle, release what) {
            give(static_cast<Handle>(handle), what);
        };
        source_ = std::make_shared<connection_source<void*> const>(std::move(untyped));
    }

private:
    std::shared_ptr<resource_manager_driver> driver_;
    std::shared_ptr<connection_source<void*> const> source_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_RESOURCE_MANAGER_HPP
