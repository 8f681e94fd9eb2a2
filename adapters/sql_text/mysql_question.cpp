// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/mysql_question.hpp"

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"

namespace assent::sql_text {

namespace {

constexpr unsigned no_such_procedure = 1305;
constexpr unsigned procedure_exists = 1304;

/// FNV-1a, in hexadecimal.
std::string digest(std::string const& of)
{
    std::uint64_t value = 14695981039346656037U;
    for (unsigned char const c : of)
        value = (value ^ c) * 1099511628211U;
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    return text;
}

}  // namespace

my::answer to_answer(execution said)
{
    my::answer answer;
    answer.sqlstate = std::move(said.sqlstate);
    answer.text = std::move(said.text);
    if (!said.tables.empty()) answer.rows = std::move(said.tables.front());
    if (said.is_ok) return answer;
    answer.code = static_cast<unsigned>(said.native_code);
    // The driver's own errors have no number: CR_UNKNOWN_ERROR, CR_SERVER_LOST.
    if (answer.code == 0) answer.code = 2000;
    if (said.is_lost && !my::is_connection_lost(answer.code)) answer.code = 2013;
    return answer;
}

my::table mysql_question::ask(std::string const& sql)
{
    auto all = ask_all(asked_, sql);
    return all.empty() ? my::table{} : std::move(all.front());
}

std::vector<my::table> mysql_question::ask_branches(std::string const& identity_sql)
{
    if (is_mariadb()) {
        return ask_all(asked_, "BEGIN NOT ATOMIC " + identity_sql + "; XA RECOVER; END");
    }
    // The first table says for which question the procedure was made: another version of this
    // library may ask another one.
    std::string const made_for = digest(identity_sql);
    for (int attempt = 0;; ++attempt) {
        std::vector<my::table> seen;
        try {
            seen = ask_all(*reopen_(), "CALL assent_recover()");
        } catch (driver_error const& error) {
            if (error.native_code() != static_cast<int>(no_such_procedure)) throw;
        }
        bool const is_ours = seen.size() == 3 && seen[0].size() == 1 && !seen[0].front().empty() &&
                             seen[0].front().front() == made_for;
        if (is_ours) {
            seen.erase(seen.begin());
            return seen;
        }
        if (attempt > 0) fail("the procedure assent_recover was replaced meanwhile");
        make_procedure(identity_sql, made_for);
    }
}

bool mysql_question::may_list()
{
    if (is_mariadb()) return true;
    my::row const seen = one_row(
        "select count(*) from information_schema.routines where routine_schema = database() "
        "and routine_name = 'assent_recover'",
        1);
    return my::number_of(seen, 0) != 0;
}

void mysql_question::learn()
{
    my::row const seen =
        one_row("select " + my::as_bytes("version()") + ", " + my::as_bytes("connection_id()"), 2);
    version_ = my::version_number(my::text_of(seen, 0));
    id_ = my::number_of(seen, 1);
}

std::vector<my::table> mysql_question::ask_all(link& of, std::string const& sql)
{
    execution said = of.execute(sql);
    if (said.is_ok) return std::move(said.tables);
    fail(to_answer(std::move(said)), "the server refused a request of the manager");
}

void mysql_question::make_procedure(std::string const& who, std::string const& made_for)
{
    constexpr char drop[] = "DROP PROCEDURE IF EXISTS assent_recover";
    std::string const create =
        "CREATE PROCEDURE assent_recover() SQL SECURITY INVOKER BEGIN "
        "SELECT '" +
        made_for + "'; " + who + "; XA RECOVER; END";
    try {
        ask(drop);
        ask(create);
    } catch (driver_error const& error) {
        if (error.native_code() == static_cast<int>(procedure_exists)) return;
        fail(std::string("ODBC shows the prepared branches of a MySQL only through a "
                         "procedure, which cannot be created (") +
             error.what() + "); let an administrator run, in this database: " + drop + "; " +
             create + "  Or reach this database by the native adapter");
    }
}

}  // namespace assent::sql_text
