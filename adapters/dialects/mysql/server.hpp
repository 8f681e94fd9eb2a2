// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- what the manager asks a server outside of any branch.
//
//   server.cpp     preflight, identity, scan
//   sessions.cpp   the guardian's lock, the sessions of our account
//
// Who the server is:
//
//   MySQL     mysql:<@@server_uuid>/<database>
//   MariaDB   mariadb:<random, from assent_identity>/<database>
//
// When it started: unix_timestamp() and the status variable Uptime are both computed from the time
// at which the one statement that asks for them began, so their difference is exact: 26833 reads
// in four seconds gave one value.  Two starts within one second look alike, which is the safe side:
// sessions of the earlier one are then looked for, not taken as gone.
//
// The one invariant: a question that is not answered in full, by the deadline, throws.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/resource_manager.hpp>

#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect {

// SQL for one column.
/// The connection's account without its host: what the process list shows as `user`.
extern char const user_column[];
/// The database, in the one spelling that the server uses for it.
extern char const database_column[];

/// Whether the client library's id of this session is the server's own, of which the greeting
/// carries 32 bits.
bool is_same_session(std::uint64_t client_side, std::uint64_t server_side) noexcept;

/// Sets what a session of ours needs for its purpose.
void prepare_session(question& q, session_purpose purpose);

/// The statements that tell a session for work, after a reset, what it is told now: a reset undoes
/// what prepare_session() set, and may take the client's character set; the chosen database it
/// leaves as it is.
/// @pre  the session was just prepared, and nobody else used it.
std::vector<std::string> what_was_told(question& q);

/// Why prepared branches are not safe on a server of this version; empty where they are.
std::string why_unsafe(bool mariadb, std::string_view version);

/// @param allow_non_durable  accepts a server that may lose an acknowledged vote at power loss.
server_facts read_facts(question& q, bool allow_non_durable);
scan_result read_branches(question& q);

/// Who answers, without listing anything.
struct server_answer
{
    std::string identity;  ///< empty: a MariaDB without its table
    bool is_writable = false;
    /// Whether a binary log says it again after a crash.
    bool has_binlog = false;
};
server_answer read_answer(question& q);

/// For an administrator: the table that gives a MariaDB its identity.
char const* identity_ddl() noexcept;

/// Checks a connection for work, lent or opened, against `expected`, after what the client library
/// knows.
/// @return whether the session's number is the server's own.
bool check_work_session(question& q, server_facts const& expected);

/// @return the lock, as an SQL expression, for renew_guard(); nothing when another session has it.
std::optional<std::string> take_guard(question& q, std::uint64_t node);
void renew_guard(question& q, std::string const& lock);
session_presence find_session(question& q, std::uint64_t id);
session_presence find_older_sessions(question& q);
/// @return false when there was no statement to cancel; nothing was sent then.
bool cancel_running(question& q, std::uint64_t id, dialects::cancelled_sessions& cancelled);
void kill_session(question& q, std::uint64_t id);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP
