// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// statements.hpp -- the fixed words that a session sends, and the replies they can lead to.
//
// Every function, operator and type is qualified with pg_catalog, because the search path is the
// application's.  (EXTRACT, CURRENT_USER, CAST and CASE are grammar, not names.)

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_STATEMENTS_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_STATEMENTS_HPP

#include <string>

#include <assent/driver.hpp>

#include "adapters/dialects/hexadecimal.hpp"

namespace assent::postgresql_dialect::statements {

/// When the transaction began, in microseconds.  An integer, and of the epoch: its text does not
/// change with SET TIME ZONE or RESET ALL.
#define ASSENT_PG_BEGUN_AT                                         \
    "CAST(EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) " \
    "OPERATOR(pg_catalog.*) 1000000 AS pg_catalog.int8)"

inline constexpr char const* begun_at = ASSENT_PG_BEGUN_AT;

/// READ UNCOMMITTED is READ COMMITTED here, under its own name.
inline std::string begin(branch_modes const& modes)
{
    std::string sql = "BEGIN";
    if (modes.level) sql.append(" ISOLATION LEVEL ").append(name_of(*modes.level));
    if (modes.may) sql += modes.is_read_only() ? " READ ONLY" : " READ WRITE";
    return sql;
}

/// The mark where the client library has a watch: a setting, which ends with its transaction.  It
/// is no query, so that no snapshot is taken before the application's first statement.
inline std::string begin_marked(branch_modes const& modes, std::string const& mark_literal)
{
    return begin(modes) + "; SET LOCAL assent.mark = " + mark_literal;
}
/// Before a question of ours that is a transaction by itself: a query in a deferrable read-only
/// one, which the session's defaults may make of it, waits for the transactions of all others.
inline constexpr char const* without_waiting = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ";

/// ... and fails where row security would hide rows, instead of finding none.
inline constexpr char const* seeing_all = "SET LOCAL row_security = off; ";

/// Instead of a query at the end of a branch whose transaction may be deferrable: the mark, and two
/// settings.  None of them takes a snapshot.
inline constexpr char const* show_deferrable =
    "SHOW assent.mark; SHOW transaction_deferrable; SHOW transaction_read_only";

/// Behind it where the branch will carry a commit row.  It is no query either.
inline constexpr char const* show_access = "; SHOW transaction_read_only";
inline constexpr char const* show_mark = "SHOW assent.mark";
/// The session never had a mark.
inline constexpr char const* no_such_setting = "42704";

/// So that the branch is owned by the login, which the manager's own connections are.  Deferred
/// triggers would otherwise run as the login too.
#define ASSENT_PG_DEFERRED_FIRST "SET CONSTRAINTS ALL IMMEDIATE; "
inline constexpr char const* become_login = "SET SESSION AUTHORIZATION DEFAULT";
inline constexpr char const* owned_by_login =
    ASSENT_PG_DEFERRED_FIRST "SET SESSION AUTHORIZATION DEFAULT; ";
/// ... until the transaction ends here: the session is somebody else's.
inline constexpr char const* owned_by_login_locally =
    ASSENT_PG_DEFERRED_FIRST "SET LOCAL SESSION AUTHORIZATION DEFAULT; ";
#undef ASSENT_PG_DEFERRED_FIRST

/// What COMMIT PREPARED is answered where the session has another role than the branch.
inline constexpr char const* not_permitted = "42501";
inline constexpr char const* read_role =
    "SELECT pg_catalog.current_setting('role'), "
    "pg_catalog.current_setting('session_authorization')";

/// What is asked before COMMIT of one phase: the mark, and the name under which the server
/// remembers the transaction's fate.  It travels before COMMIT in a message of its own: in the same
/// one it would be lost with COMMIT's reply.  An application that turned synchronous_commit off did
/// not mean the global transaction: its "committed" must survive a crash of the server.
#define ASSENT_PG_DURABLY                                                                  \
    ", CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) " \
    "'off' THEN pg_catalog.set_config('synchronous_commit', 'local', true) END"
#define ASSENT_PG_WITNESS \
    ", CAST(pg_catalog.pg_current_xact_id_if_assigned() AS pg_catalog.text)" ASSENT_PG_DURABLY

inline constexpr char const* read_mark_and_witness =
    "SELECT pg_catalog.current_setting('assent.mark', true)" ASSENT_PG_WITNESS;
/// The same where the mark is the transaction's start.
inline constexpr char const* read_witness = "SELECT " ASSENT_PG_BEGUN_AT ASSENT_PG_WITNESS;

/// A column for the guard where no witness is asked for.
inline constexpr char const* durable_column = ASSENT_PG_DURABLY;

#undef ASSENT_PG_WITNESS
#undef ASSENT_PG_DURABLY
#undef ASSENT_PG_BEGUN_AT

/// A branch that was declared read-only votes by these, around the witness: whatever COMMIT could
/// still fail by has run, and the application did not make it a writer (SET TRANSACTION READ WRITE
/// is allowed before its first query).  Serializable or not, the COMMIT of what only read cannot
/// fail: only a transaction that others read from, or that wrote, is ever cancelled there.
inline constexpr char const* before_read_vote = "SET CONSTRAINTS ALL IMMEDIATE; ";
inline constexpr char const* is_read_only_column =
    ", pg_catalog.current_setting('transaction_read_only')";

inline reply still_open()
{
    reply answer;
    answer.code = xa_code::rdonly;
    answer.detail = reply_detail::still_open;
    answer.text = "the branch is read-only: it ends with the outcome";
    return answer;
}

/// ASCII as an SQL expression, which the server takes byte by byte, whatever its encoding is.
inline std::string ascii_text(std::string_view text)
{
    return "pg_catalog.convert_from(pg_catalog.decode('" + dialects::to_digits(text) +
           "', 'hex'), 'UTF8')";
}

/// An SQL expression that is 1 where `condition` holds, and fails elsewhere, so that what stands
/// behind it in the message is not run.  (A cast that should fail is the superuser's to make.)
inline std::string only_where(std::string const& condition)
{
    return "1 OPERATOR(pg_catalog./) CASE WHEN " + condition + " THEN 1 ELSE 0 END";
}
inline constexpr char const* guard_failed = "22012";

inline std::string guard(std::string const& mark_literal)
{
    return only_where("pg_catalog.current_setting('assent.mark', true) OPERATOR(pg_catalog.=) " +
                      mark_literal);
}

inline constexpr char const* is_read_only = "25006";
inline constexpr char const* row_is_read_only =
    "the application made the transaction read only (by default_transaction_read_only, or by SET "
    "TRANSACTION), so that its commit row cannot be written in it: begin without the commit row, "
    "or "
    "with begin_options{}.read_only(false)";

/// What a start is answered where its row could not be written.
inline reply no_row_here()
{
    reply answer;
    answer.code = xa_code::rmerr;
    answer.sqlstate = is_read_only;
    answer.text = row_is_read_only;
    return answer;
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

/// The transaction is another one, and all that can have been done since start is undone.
inline reply rolled_back_within()
{
    reply answer;
    answer.code = xa_code::rbrollback;
    answer.text = "the session rolled the branch's transaction back and went on in another one";
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
