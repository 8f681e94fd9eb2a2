// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// statements.hpp -- the fixed words that a session sends, and the replies they can lead to.
//
// Every function, operator and type is qualified with pg_catalog, because the search path is the
// application's.  (EXTRACT, CURRENT_USER, CAST and CASE are grammar, not names.)

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_STATEMENTS_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_STATEMENTS_HPP

#include <string>

#include <assent/resource_manager.hpp>

namespace assent::postgresql_dialect::statements {

/// When the transaction began, in microseconds.  An integer, and of the epoch: its text does not
/// change with SET TIME ZONE or RESET ALL.
#define ASSENT_PG_BEGUN_AT                                         \
    "CAST(EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) " \
    "OPERATOR(pg_catalog.*) 1000000 AS pg_catalog.int8)"

inline constexpr char const* begun_at = ASSENT_PG_BEGUN_AT;

/// The portal ends with its transaction; in a failed one it can still be asked for.
inline constexpr char const* mark_portal = "assent_mark";
inline constexpr char const* declare_mark =
    "DECLARE assent_mark CURSOR FOR SELECT " ASSENT_PG_BEGUN_AT
    ", current_user, pg_catalog.current_database()";
inline constexpr char const* fetch_mark = "FETCH 1 FROM assent_mark";

/// The mark, and the name under which the server remembers the transaction's fate.  It travels
/// before COMMIT in a message of its own: in the same one it would be lost with COMMIT's reply.
/// An application that turned synchronous_commit off did not mean the global transaction: its
/// "committed" must survive a crash of the server.
inline constexpr char const* read_witness =
    "SELECT " ASSENT_PG_BEGUN_AT
    ", CAST(pg_catalog.pg_current_xact_id_if_assigned() AS pg_catalog.text)"
    ", CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'"
    " THEN pg_catalog.set_config('synchronous_commit', 'local', true) END";

#undef ASSENT_PG_BEGUN_AT

/// They come back inside the error with which the guard stops PREPARE TRANSACTION.
inline constexpr char const* left_behind_token = "assent:left_behind";
inline constexpr char const* other_role_token = "assent:other_role";

/// An SQL expression of text: '1' while this is still the transaction that began at `mark`, of the
/// same role in the same database; else one of the tokens.
inline std::string guard(std::string const& mark, std::string const& is_other_role)
{
    return std::string{"CASE WHEN "} + begun_at + " OPERATOR(pg_catalog.<>) " + mark + " THEN '" +
           left_behind_token + "' WHEN " + is_other_role + " THEN '" + other_role_token +
           "' ELSE '1' END";
}

inline reply left_behind()
{
    reply answer;
    answer.code = xa_code::proto;
    answer.detail = reply_detail::left_behind;
    answer.text =
        "the session ended the branch's transaction behind the manager's back (COMMIT, ROLLBACK, "
        "COMMIT AND CHAIN); work may be permanent";
    return answer;
}

inline reply other_role()
{
    reply answer;
    answer.code = xa_code::rbproto;
    answer.text =
        "the session changed its role or database (SET ROLE), so the manager's own connections "
        "could not finish the branch";
    return answer;
}

}  // namespace assent::postgresql_dialect::statements

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_STATEMENTS_HPP
