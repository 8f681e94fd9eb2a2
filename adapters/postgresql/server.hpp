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

#ifndef ASSENT_ADAPTERS_POSTGRESQL_SERVER_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_SERVER_HPP

#include <assent/postgresql.hpp>
#include <assent/resource_manager.hpp>

#include "adapters/postgresql/connection.hpp"
#include "adapters/postgresql/session.hpp"

namespace assent::pg::server {

server_facts preflight(session& manage, postgresql::safety_options const& safety, deadline until);
scan_result scan(session& manage, deadline until);

bool try_guard(session& guardian, std::uint64_t node, deadline until);
void heartbeat(session& guardian, deadline until);

session_presence presence(session& manage, std::uint64_t id, deadline until);
session_presence older_sessions(session& ours, deadline until);
void cancel_statement(session& manage, std::uint64_t id, deadline until);
void end_session(session& manage, std::uint64_t id, deadline until);

witness_state ask_witness(session& manage, std::string const& witness, deadline until);

}  // namespace assent::pg::server

namespace assent::pg {

/// The columns by which every session says who it is: account, database, identity, process, and
/// which life of the server it is part of.
extern char const* const who_columns;
inline constexpr std::size_t who_width = 5;

/// @param columns  the values of who_columns, first in the row.
session_identity read_who(wire const& connection, row const& columns);

}  // namespace assent::pg

#endif  // ASSENT_ADAPTERS_POSTGRESQL_SERVER_HPP
