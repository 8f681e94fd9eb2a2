// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// speaker.hpp -- what one kind of database is told on one session, whatever its client hides.
//
//   postgresql.cpp   BEGIN and PREPARE TRANSACTION as text; no command tag, no transaction status
//   mysql.cpp        the conversation of the dialect that the native adapter speaks too
//   adapters/odbc/sqlite.cpp   no two phases: BEGIN IMMEDIATE, SAVEPOINT, COMMIT
//
// Every member runs on the session's worker and may block; none knows a deadline.  The gate stops
// what must not be sent any more.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_SPEAKER_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_SPEAKER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/examination.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/sql_text/link.hpp"
#include "adapters/sql_text/peer.hpp"

namespace assent::sql_text {

/// What a session is asked to do with a branch.
struct request
{
    verb what = verb::start;
    dialects::branch_name branch;
    branch_modes modes;  ///< of start
    /// Of a one-phase commit: the statement that inserts its commit row, or nothing.  Of a start
    /// that announces one: a statement that tells whether it could.
    std::string insertion;
};

class speaker
{
public:
    virtual ~speaker() = default;
    speaker(speaker const&) = delete;
    speaker& operator=(speaker const&) = delete;

    /// Gives a fresh connection of the manager's the settings of its purpose, and reads who it is.
    virtual void introduce(session_purpose purpose) = 0;

    /// Reads who a lent connection is, and that it is outside any transaction.
    virtual void inspect() = 0;

    /// The account that logged in, where the server lists sessions by it and not by their role.
    virtual std::string login() const { return {}; }

    /// @throws driver_error  it is not for work on the database that `expected` names, or its work
    /// would not be durable.
    virtual void check_work(server_facts const& expected, bool allow_non_durable) = 0;

    /// The server's number for this session; 0 where there is none.
    virtual std::uint64_t id() const = 0;

    /// Of the server, as it was when the connection was introduced or lent.
    virtual server_life life() const { return {}; }

    virtual peer_view ask_peer() = 0;

    /// Something stands between this session and the server, so that its number means nothing.
    virtual void set_proxied() = 0;

    /// A verb to its end.
    virtual reply run(request const& asked) = 0;

    /// See any_branch_session.
    virtual void let_go() noexcept {}

    /// Whether another branch may begin: nothing is open, and the state is known.
    virtual bool is_clear() = 0;

    /// Whether a commit row may have been inserted into something else than the branch: the session
    /// must be cut, so that it goes with whatever that is.
    virtual bool must_cut() const { return false; }

    /// The session is severed.  Without a server nobody else ends what it holds.
    virtual void undo_severed() noexcept {}

    // The manager's questions; see resource_manager_driver.
    virtual server_facts preflight(bool allow_non_durable) = 0;
    virtual examination examine(bool allow_non_durable) = 0;
    virtual scan_result scan() = 0;
    virtual dialects::any_branch_list list_any()
    {
        throw driver_error("this kind of database prepares no branches");
    }
    virtual std::vector<std::uint64_t> other_sessions()
    {
        throw driver_error("this kind of database keeps no branch for a session");
    }
    virtual std::optional<kept_past> read_past(std::uint64_t node)
    {
        static_cast<void>(node);
        return std::nullopt;
    }
    virtual bool keep_past(std::uint64_t node, kept_past const& past)
    {
        static_cast<void>(node);
        static_cast<void>(past);
        return false;
    }
    virtual bool try_guard(std::uint64_t node) = 0;
    virtual void heartbeat() = 0;
    virtual std::string guard_holder(std::uint64_t node)
    {
        static_cast<void>(node);
        return {};
    }
    virtual session_presence presence(std::uint64_t id) = 0;
    virtual session_presence sessions_before(std::uint64_t first) = 0;
    virtual void cancel_statement(std::uint64_t id, dialects::cancelled_sessions& cancelled) = 0;
    virtual void end_session(std::uint64_t id) = 0;
    virtual bool end_idle_session(std::uint64_t id)
    {
        static_cast<void>(id);
        return false;
    }
    virtual witness_state ask_witness(std::string const& witness) = 0;

    // Commit rows; see decision_table.
    virtual void ensure_rows() = 0;
    /// @param wait  for a row that is not committed yet.
    virtual std::optional<decision_row> fence(gtrid const& row_name,
                                              std::chrono::milliseconds wait) = 0;
    virtual std::vector<decision_row> list_rows(std::string const& prefix, std::size_t at_most) = 0;
    virtual void prune_rows(decision_row const& horizon_row, std::vector<gtrid> const& gone) = 0;

    // Reservations; see branch_table.  `database` is where their table is.
    virtual void ensure_branches() = 0;
    virtual void insert(std::string const& database, branch_row const& row) = 0;
    virtual std::optional<branch_row> take(std::string const& database, xid const& name) = 0;
    virtual bool contains(std::string const& database, xid const& name) = 0;
    virtual std::vector<xid> list_branches(std::string const& manager) = 0;

protected:
    speaker() = default;
};

/// Opens another connection to the same database, for a question that needs a fresh one.
using link_opener = std::function<std::unique_ptr<link>()>;

/// Makes the one that speaks a link's kind of database.
using speaker_maker = std::unique_ptr<speaker> (*)(link& on, std::string const& resource_manager,
                                                   link_opener const& reopen);

std::unique_ptr<speaker> make_postgresql(link& on, std::string const& resource_manager,
                                         link_opener const& reopen);
std::unique_ptr<speaker> make_mysql(link& on, std::string const& resource_manager,
                                    link_opener const& reopen);

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_SPEAKER_HPP
