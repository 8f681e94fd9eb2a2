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

#ifndef ASSENT_ADAPTERS_MYSQL_SERVER_HPP
#define ASSENT_ADAPTERS_MYSQL_SERVER_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <assent/mysql.hpp>

#include "adapters/mysql/session.hpp"

namespace assent::mysql_adapter {

/// A question to one server on behalf of one resource manager.
class question
{
public:
    question(session& asked, std::string const& resource_manager, deadline until);

    /// The rows of each statement in `sql`, which may be several on a connection of ours.
    /// @throws driver_error  after which the session cannot be used.
    std::vector<std::vector<row>> ask(std::string const& sql);

    /// The only row, of at least `columns` columns, of a single statement.
    row one_row(std::string const& sql, std::size_t columns);

    [[noreturn]] void fail(std::string const& why) const;
    [[noreturn]] void fail(answer const& said, std::string const& why) const;

    bool is_mariadb() const noexcept;
    MYSQL* handle() const noexcept { return asked_.connection().handle(); }
    session& asked() const noexcept { return asked_; }

private:
    session& asked_;
    std::string resource_manager_;
    deadline until_;
};

/// The field, or an empty text for NULL.
std::string_view text_of(row const& from, std::size_t column);
std::uint64_t number_of(row const& from, std::size_t column);

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

/// Why prepared branches are not safe on a server of this version; empty where they are.
std::string why_unsafe(bool mariadb, std::string_view version);

server_facts read_facts(question& q, mysql::safety_options const& safety);
scan_result read_branches(question& q);

/// Checks a connection for work, lent or opened, against `expected`, after what the client library
/// knows.
void check_work_session(question& q, server_facts const& expected);

bool take_guard(question& q, std::uint64_t node);
void renew_guard(question& q);
session_presence find_session(question& q, std::uint64_t id);
session_presence find_older_sessions(question& q);
/// @return false when there was no statement to cancel; nothing was sent then.
bool cancel_running(question& q, std::uint64_t id, cancelled_sessions& cancelled);
void kill_session(question& q, std::uint64_t id);

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_SERVER_HPP
