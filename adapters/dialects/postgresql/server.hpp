// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- what the manager asks a server outside of any branch.
//
//   session_identity.hpp   who a session is
//   opening.hpp            what sessions of ours are told
//   server.cpp             preflight, scan, the witness of a one-phase commit
//   sessions.cpp           the guardian's lock, the sessions of our account
//
//   identity       system_identifier "/" oid of the database: the cluster's own number, made by
//                  initdb, the same on its standbys and after restarts, ports and addresses
//   guardian lock  pg_try_advisory_lock(node xor 0x417373656e740001) in that database
//
// Invariant: an answer that did not come whole is an exception, never "nothing there".

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP

#include <cstdint>
#include <optional>
#include <string>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/postgresql/question.hpp"
#include "adapters/dialects/postgresql/session_identity.hpp"

namespace assent::postgresql_dialect::server {

/// Whether `p.gid` is a name of ours.  The length is looked at first, because a pattern that counts
/// takes ten times as long.
inline constexpr char is_our_gid[] =
    "(pg_catalog.octet_length(p.gid) OPERATOR(pg_catalog.=) 82"
    " AND p.gid OPERATOR(pg_catalog.~) '^asn1[.0-9a-z]*$')";

// `asking` is who the session is that asks.
server_facts preflight(question& manage, session_identity const& asking, bool allow_non_durable);
scan_result scan(question& manage);
/// Those that a foreign manager may have prepared in this database, whichever role did.
dialects::any_branch_list list_any(question& manage);

/// The node's lock, and the session of the server that has it.
struct guard
{
    std::int64_t key = 0;
    std::string session;  ///< process and start
};

/// @return nothing when another session has it.
std::optional<guard> try_guard(question& guardian, std::uint64_t node);
/// Behind a proxy the next statement may run in another session, or this one may have been reset.
void heartbeat(question& guardian, std::optional<guard> const& held);
/// Who has the lock, in words.
std::string guard_holder(question& any, std::uint64_t node);

session_presence presence(question& manage, session_identity const& asking, std::uint64_t id);
session_presence older_sessions(question& ours, session_identity const& asking);
void cancel_statement(question& manage, session_identity const& asking, std::uint64_t id);
void end_session(question& manage, session_identity const& asking, std::uint64_t id);

witness_state ask_witness(question& manage, session_identity const& asking,
                          std::string const& witness);

}  // namespace assent::postgresql_dialect::server

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SERVER_HPP
