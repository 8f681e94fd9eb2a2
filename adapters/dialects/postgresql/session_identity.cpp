// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/session_identity.hpp"

#include <algorithm>

namespace assent::postgresql_dialect {

char const identity_column[] =
    "(SELECT c.system_identifier FROM pg_catalog.pg_control_system() c) "
    "OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) "
    "(SELECT CAST(d.oid AS pg_catalog.text) FROM pg_catalog.pg_database d "
    "WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())";

char const timeline_column[] =
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE "
    "pg_catalog.substr(pg_catalog.pg_walfile_name("
    "pg_catalog.pg_current_wal_lsn()), 1, 8) END";

char const start_column[] =
    "CAST(EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()) "
    "OPERATOR(pg_catalog.*) 1000000 AS pg_catalog.int8)";

char const on_a_standby[] =
    "the server is a hot standby: connect to the primary (for libpq: "
    "target_session_attrs=read-write)";

namespace {

// A crash that the server's parent process survives leaves its start time as it was, and throws
// the statistics away; an operator who resets those only makes a witness worth nothing.
constexpr char life_column[] =
    "pg_catalog.concat(EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()), '/', "
    "EXTRACT(epoch FROM pg_catalog.pg_stat_get_bgwriter_stat_reset_time()))";

}  // namespace

known_process::known_process(session_identity const& who)
    : server(who.server), login_number(who.login_number), process(who.process), start(who.start)
{
}

bool known_process::is(session_identity const& who) const
{
    return process == who.process && start == who.start;
}

namespace {

/// A role's number and its present name.
std::string login_of(std::string const& number)
{
    return "pg_catalog.concat(" + number + ", '/', " +
           as_bytes("pg_catalog.pg_get_userbyid(" + number + ")") + ")";
}

// Neither SET ROLE nor SET SESSION AUTHORIZATION changes this one.
std::string login_column()
{
    return "(SELECT " + login_of("s.usesysid") +
           " FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)";
}

}  // namespace

std::string who_columns(known_process const* known)
{
    std::string const identity = known == nullptr ? identity_column : '\'' + known->server + '\'';
    std::string const login = known == nullptr
                                  ? login_column()
                                  : login_of("CAST(" + known->login_number + " AS pg_catalog.oid)");
    return as_bytes("current_user") + ", " + as_bytes("pg_catalog.current_database()") + ", " +
           identity + ", pg_catalog.pg_backend_pid(), " + life_column + ", " + timeline_column +
           ", " + login + ", " + start_column +
           ", pg_catalog.current_setting('default_transaction_deferrable')";
}

session_identity read_who(row const& columns)
{
    session_identity who;
    who.user = bytes_of(value_of(columns, 0));
    who.database = bytes_of(value_of(columns, 1));
    who.server = value_of(columns, 2);
    who.life = value_of(columns, 4);
    who.timeline = value_of(columns, 5);
    std::string const login = value_of(columns, 6);
    auto const slash = std::min(login.find('/'), login.size());
    who.login_number = login.substr(0, slash);
    who.login = bytes_of(login.substr(std::min(slash + 1, login.size())));
    who.start = value_of(columns, 7);
    who.is_deferrable = value_of(columns, 8) == "on";
    who.process = static_cast<std::uint64_t>(number_of(columns, 3));
    return who;
}

std::string instance_of(std::string const& identity, std::string const& timeline)
{
    return identity.substr(0, identity.find('/')) + '/' + timeline;
}

server_life session_identity::life_of_server() const
{
    return {instance_of(server, timeline), start};
}

std::string difference(session_identity const& who, server_facts const& expected)
{
    if (who.database != expected.database) {
        return "it is connected to the database '" + who.database + "', not '" + expected.database +
               "'";
    }
    if (who.server != expected.identity) {
        return "it is connected to another server (identity " + who.server + ", expected " +
               expected.identity + ")";
    }
    if (who.user != expected.user) {
        return "its role is '" + who.user + "', and that of the manager's own connections is '" +
               expected.user + "': only the role that prepares a branch may finish it";
    }
    if (who.timeline != expected.history) {
        // The same cluster, so the same identity; but a branch there is not listed here.
        return who.timeline.empty() ? on_a_standby
                                    : "it is on timeline " + who.timeline + " of the server, not " +
                                          expected.history +
                                          ": a standby was promoted meanwhile, or a former "
                                          "primary still runs";
    }
    return {};
}

std::string login_difference(session_identity const& who, session_identity const& manager)
{
    if (who.login == manager.login) return {};
    return "it logged in as '" + who.login + "', and the manager's own connections as '" +
           manager.login +
           "': whatever role it took since, the manager could not tell that the session is its own";
}

}  // namespace assent::postgresql_dialect
