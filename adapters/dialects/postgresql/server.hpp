// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- the questions that the manager asks a PostgreSQL server: who are you, may a vote
// rest on you, which branches are prepared, which sessions are there.
//
//   identity       system_identifier "/" oid of the database: the cluster's own number, made by
//                  initdb, the same on its standbys and after restarts, ports and addresses
//   guardian lock  pg_try_advisory_lock(node xor 0x417373656e740001) in that database
//
// The one invariant: an answer that did not come whole is an exception, never "nothing there".

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <assent/resource_manager.hpp>

namespace assent::postgresql_dialect {

/// One row of text a row of the result; an absent value is NULL.
using row = std::vector<std::optional<std::string>>;
using table = std::vector<row>;

/// How the dialect asks a server something, by whatever client library.
class question
{
public:
    virtual ~question() = default;
    question() = default;
    question(question const&) = delete;
    question& operator=(question const&) = delete;

    /// Asks, and reads the whole answer.  @throws driver_error that begins with `doing`;
    /// must_close() when the answer did not come whole.
    virtual table ask(std::string const& sql, std::string const& doing) = 0;

    /// The first row's values.  @throws driver_error  when there is none, or too few values.
    row one_row(std::string const& sql, std::size_t width, std::string const& doing);
};

/// Who a session was when it was opened or lent; a branch must begin as the same.
struct session_identity
{
    std::string user;   ///< the current role
    std::string login;  ///< under which the server lists the session, whatever role it took since
    std::string database;
    std::string server;  ///< server_facts::identity
    /// Of the server; another one after every restart and every crash.  No session outlives it.
    std::string life;
    /// The timeline that is written now, as in the names of the WAL's files; empty on a standby.
    std::string timeline;
    std::uint64_t process = 0;  ///< pg_backend_pid(), as the server says
    bool is_proxied = false;
};

/// The columns by which every session says who it is: role, database, identity, process, which life
/// of the server it is part of, timeline, login.
extern char const* const who_columns;
inline constexpr std::size_t who_width = 7;

/// @param columns  the values of who_columns, first in the row.
session_identity read_who(row const& columns);

/// What is wrong with a session for work: it is of another server, database or role, or of another
/// member of the same cluster.
std::string difference(session_identity const& who, server_facts const& expected);

/// The same of its login: a session of another one cannot be seen to be ours, so that it could
/// neither be ended nor waited for.
std::string login_difference(session_identity const& who, session_identity const& manager);

/// What the manager's own sessions run under: further columns of a query, or nothing.
std::string settings_for(session_purpose purpose);

/// What to do where a session could not even say who it is; empty when nothing is known.
std::string advice_for_opening(driver_error const& failure);

namespace server {

// `asking` is who the session is that asks.
server_facts preflight(question& manage, session_identity const& asking, bool allow_non_durable);
scan_result scan(question& manage);

/// @return the lock's key for heartbeat(); nothing when another session has it.
std::optional<std::int64_t> try_guard(question& guardian, std::uint64_t node);
void heartbeat(question& guardian, std::optional<std::int64_t> key);

session_presence presence(question& manage, session_identity const& asking, std::uint64_t id);
session_presence older_sessions(question& ours, session_identity const& asking);
void cancel_statement(question& manage, session_identity const& asking, std::uint64_t id);
void end_session(question& manage, session_identity const& asking, std::uint64_t id);

witness_state ask_witness(question& manage, session_identity const& asking,
                          std::string const& witness);

}  // namespace server

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP
