// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_identity.hpp -- who a session is: of which server, database and role.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SESSION_IDENTITY_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SESSION_IDENTITY_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <assent/driver.hpp>

#include "adapters/dialects/postgresql/question.hpp"

namespace assent::postgresql_dialect {

/// Who a session was when it was opened or lent; a branch must begin as the same.  Names are in the
/// server's own encoding, whatever that of the client is.
struct session_identity
{
    std::string user;   ///< the current role
    std::string login;  ///< under which the server lists the session, whatever role it took since
    std::string login_number;  ///< of that role; a name can change
    std::string database;
    std::string server;  ///< server_facts::identity
    /// Of the server; another one after every restart and every crash.  No session outlives it.
    std::string life;
    /// The timeline that is written now, as in the names of the WAL's files; empty on a standby.
    std::string timeline;
    std::string start;           ///< server_facts::server_start
    std::uint64_t process = 0;   ///< pg_backend_pid(), as the server says
    bool is_deferrable = false;  ///< default_transaction_deferrable
    bool is_proxied = false;

    server_life life_of_server() const;
};

/// What cannot change while a server's process lives, and is dear to ask: of which database of
/// which cluster it is, and as whom it logged in.
struct known_process
{
    std::string server;
    std::string login_number;
    std::uint64_t process = 0;
    std::string start;

    explicit known_process(session_identity const& who);
    /// Whether `who`, which was asked in cheap words, is this process.
    bool is(session_identity const& who) const;
};

/// The columns by which every session says who it is: role, database, identity, process, which life
/// of the server it is part of, timeline, login, the server's start,
/// whether transactions are deferrable by default.
/// @param known  of the process that answers, if it is that: else the answer says that it is not.
std::string who_columns(known_process const* known = nullptr);
inline constexpr std::size_t who_width = 9;

// SQL for one column, which a plain role may read.
/// Of the cluster and the database; see server.hpp.
extern char const identity_column[];
/// The timeline of the WAL that is written now: pg_control learns of a promotion later.
extern char const timeline_column[];
/// When the server started, in microseconds since 1970.
extern char const start_column[];

/// server_life::instance: a standby has its primary's identity, and so has what it was promoted
/// from.
std::string instance_of(std::string const& identity, std::string const& timeline);

/// Why a standby is refused.
extern char const on_a_standby[];

/// @param columns  the values of who_columns(), first in the row.
session_identity read_who(row const& columns);

/// What is wrong with a session for work: it is of another server, database or role, or of another
/// member of the same cluster.
std::string difference(session_identity const& who, server_facts const& expected);

/// The same of its login: a session of another one cannot be seen to be ours, so that it could
/// neither be ended nor waited for.
std::string login_difference(session_identity const& who, session_identity const& manager);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_SESSION_IDENTITY_HPP
