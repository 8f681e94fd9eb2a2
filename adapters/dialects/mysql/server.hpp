// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- what the manager asks a server outside of any branch.
//
//   opening.hpp    what sessions of ours are told
//   server.cpp     preflight, identity, scan
//   sessions.cpp   the guardian's lock, the sessions of our account
//   past.cpp       what tells that the server was restored
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
// Which of those that have this identity: a replica has its primary's assent_identity, and a copied
// data directory the server_uuid's file may have been copied with:
//
//   MySQL     @@server_uuid
//   MariaDB   @@server_id, @@hostname, @@port and @@datadir
//
// Invariant: a question that is not answered in full, by the deadline, throws.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect {

// SQL for one column.
/// The connection's account without its host: what the process list shows as `user`.
extern char const user_column[];
/// The database, in the one spelling that the server uses for it.
extern char const database_column[];
/// The column as UTF-8, whatever character set the session has its results in.
std::string as_bytes(std::string const& column);

/// Whether the client library's id of this session is the server's own, of which the greeting
/// carries 32 bits.
bool is_same_session(std::uint64_t client_side, std::uint64_t server_side) noexcept;

/// Why a MySQL that keeps prepared branches with their sessions is refused.
extern char const detach_is_off[];

/// Why prepared branches are not safe on a server of this version; empty where they are.
std::string why_unsafe(bool mariadb, std::string_view version);

/// @param allow_non_durable  accepts a server that may lose an acknowledged vote at power loss.
server_facts read_facts(question& q, bool allow_non_durable);
scan_result read_branches(question& q);
/// Those that a foreign manager may have prepared on this server, in whichever database.
dialects::any_branch_list list_any(question& q);

/// The node's row of the table assent_past.
/// @return nothing where the account may not read it.
std::optional<kept_past> read_past(question& q, std::uint64_t node);
/// Makes the table where it is missing and the account may.
/// @return false where the server refused.
bool keep_past(question& q, std::uint64_t node, kept_past const& past);
/// For an administrator: the table.
char const* past_ddl() noexcept;

/// Who answers, without listing anything.
struct server_answer
{
    std::string identity;  ///< empty: a MariaDB without its table
    bool is_writable = false;
    /// Whether a binary log says it again after a crash.
    bool has_binlog = false;
    server_life life;
    /// Of MariaDB: what a replica has another of than its primary, and no restart changes.
    std::string history;
};
server_answer read_answer(question& q);

/// For an administrator: the table that gives a MariaDB its identity.
char const* identity_ddl() noexcept;

enum class whose_session : std::uint8_t { ours, lent };

/// Checks a connection for work against `expected`, after what the client library knows.
/// @param seen  which server answers, and which of its lives: of a lent session the start is empty,
///              since nothing that may be asked there tells it.
/// @return whether the session's number is the server's own.
bool check_work_session(question& q, server_facts const& expected, whose_session whose,
                        server_life& seen);

/// Which server answers, and which of its lives.
server_life read_life(question& q);

/// @return the lock, as an SQL expression, for renew_guard(); nothing when another session has it.
std::optional<std::string> take_guard(question& q, std::uint64_t node);
void renew_guard(question& q, std::string const& lock);
/// Which session has it, in words; empty: none.
std::string guard_holder(question& q, std::uint64_t node);
session_presence find_session(question& q, std::uint64_t id);
/// Those older than session `first`, which the asking session may be younger than.
session_presence find_sessions_before(question& q, std::uint64_t first);
/// All of our account but the asking one.
std::vector<std::uint64_t> other_sessions(question& q);
/// @return false when there was no statement to cancel; nothing was sent then.
bool cancel_running(question& q, std::uint64_t id, dialects::cancelled_sessions& cancelled);
void kill_session(question& q, std::uint64_t id);
/// The same where it has run nothing for two seconds.  @return whether it was ended.
bool kill_idle_session(question& q, std::uint64_t id);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_SERVER_HPP
