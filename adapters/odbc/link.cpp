// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/link.hpp"

#include <array>
#include <utility>

#include "adapters/odbc/connect_string.hpp"
#include "adapters/odbc/error.hpp"

namespace assent::odbc_adapter {

namespace {

SQLPOINTER number(std::uintptr_t value) noexcept
{
    return reinterpret_cast<SQLPOINTER>(value);  // NOLINT(performance-no-int-to-ptr): ODBC's way
}

std::string text_info(SQLHDBC connection, SQLUSMALLINT what)
{
    std::array<SQLCHAR, 256> text{};
    SQLSMALLINT length = 0;
    SQLRETURN const got =
        SQLGetInfo(connection, what, text.data(), static_cast<SQLSMALLINT>(text.size()), &length);
    if (!SQL_SUCCEEDED(got)) return {};
    return reinterpret_cast<char const*>(text.data());
}

void note_failure(SQLSMALLINT kind, SQLHANDLE of, execution& into)
{
    into.is_ok = false;
    auto const why = diagnose(kind, of);
    into.text = why ? why->text : "the driver failed and gave no message";
    if (!why) return;
    into.sqlstate = why->sqlstate;
    into.native_code = why->native_code;
}

bool is_binary(SQLHSTMT statement, SQLUSMALLINT column) noexcept
{
    SQLLEN type = SQL_UNKNOWN_TYPE;
    SQLColAttribute(statement, column, SQL_DESC_CONCISE_TYPE, nullptr, 0, nullptr, &type);
    return type == SQL_BINARY || type == SQL_VARBINARY || type == SQL_LONGVARBINARY;
}

/// Behind each call that may wait for the server: whether what it was called on may still be used.
bool is_gone(link const& on, execution& into)
{
    if (!on.is_left()) return false;
    into.is_ok = false;
    return true;
}

/// One column of the row at the cursor, in as many pieces as it needs.  Bytes stay bytes: as text
/// they would come in hexadecimal.
std::optional<std::string> read_column(link const& on, SQLHSTMT statement, SQLUSMALLINT column,
                                       execution& into)
{
    bool const is_text = !is_binary(statement, column);
    std::string value;
    std::array<char, 1024> piece{};
    std::size_t const room = is_text ? piece.size() - 1 : piece.size();  // text ends in a NUL
    for (;;) {
        SQLLEN left = 0;
        SQLRETURN const got = SQLGetData(
            statement, column, static_cast<SQLSMALLINT>(is_text ? SQL_C_CHAR : SQL_C_BINARY),
            piece.data(), static_cast<SQLLEN>(piece.size()), &left);
        if (is_gone(on, into)) return std::nullopt;
        if (got == SQL_NO_DATA) return value;
        if (!SQL_SUCCEEDED(got)) {
            note_failure(SQL_HANDLE_STMT, statement, into);
            return std::nullopt;
        }
        if (left == SQL_NULL_DATA) return std::nullopt;
        bool const is_more = left == SQL_NO_TOTAL || static_cast<std::size_t>(left) > room;
        value.append(piece.data(), is_more ? room : static_cast<std::size_t>(left));
        if (!is_more) return value;
    }
}

table read_table(link const& on, SQLHSTMT statement, SQLSMALLINT columns, execution& into)
{
    table rows;
    for (;;) {
        SQLRETURN const got = SQLFetch(statement);
        if (is_gone(on, into)) return rows;
        if (got == SQL_NO_DATA) return rows;
        if (!SQL_SUCCEEDED(got)) {
            note_failure(SQL_HANDLE_STMT, statement, into);
            return rows;
        }
        row& one = rows.emplace_back();
        for (SQLUSMALLINT i = 1; i <= static_cast<SQLUSMALLINT>(columns); ++i) {
            one.push_back(read_column(on, statement, i, into));
            if (!into.is_ok) return rows;
        }
    }
}

/// What one statement of a message came to.
void read_result(link const& on, SQLHSTMT statement, SQLRETURN got, execution& into)
{
    if (!SQL_SUCCEEDED(got) && got != SQL_NO_DATA) {
        note_failure(SQL_HANDLE_STMT, statement, into);
        return;
    }
    if (got == SQL_SUCCESS_WITH_INFO && into.sqlstate.empty()) {
        if (auto const warned = diagnose(SQL_HANDLE_STMT, statement)) {
            into.sqlstate = warned->sqlstate;
            into.text = warned->text;
        }
    }
    SQLSMALLINT columns = 0;
    SQLNumResultCols(statement, &columns);
    if (columns > 0) into.tables.push_back(read_table(on, statement, columns, into));
}

database_kind kind_of(SQLHDBC connection)
{
    std::string const name = text_info(connection, SQL_DBMS_NAME);
    if (name == "PostgreSQL") return database_kind::postgresql;
    if (name == "SQLite") return database_kind::sqlite;
    if (name == "MariaDB") return database_kind::mariadb;
    // A proxy or an old driver may call a MariaDB a MySQL; its version says what it is.
    if (name == "MySQL") {
        bool const is_mariadb =
            text_info(connection, SQL_DBMS_VER).find("MariaDB") != std::string::npos;
        return is_mariadb ? database_kind::mariadb : database_kind::mysql;
    }
    throw driver_error("this adapter does not know a database that calls itself \"" + name +
                       "\"; it knows PostgreSQL, MariaDB, MySQL and SQLite");
}

}  // namespace

odbc_link::odbc_link(std::unique_ptr<scoped_handle> environment, SQLHDBC opened, bool is_ours,
                     std::shared_ptr<gate> passes)
    : link(std::move(passes)),
      environment_(std::move(environment)),
      handle_(opened),
      is_ours_(is_ours)
{
}

std::unique_ptr<odbc_link> odbc_link::borrow(SQLHDBC lent, std::shared_ptr<gate> passes)
{
    std::unique_ptr<odbc_link> borrowed(new odbc_link(nullptr, lent, false, std::move(passes)));
    borrowed->set_kind(kind_of(lent));
    return borrowed;
}

odbc_link::~odbc_link()
{
    if (!is_ours_) return;
    SQLDisconnect(handle_);
    SQLFreeHandle(SQL_HANDLE_DBC, handle_);
}

std::unique_ptr<odbc_link> odbc_link::open(connect_method const& source, session_purpose purpose,
                                           std::shared_ptr<gate> passes, unsigned seconds)
{
    if (source.connect) {
        SQLHDBC const given = source.connect();
        if (given == SQL_NULL_HDBC) throw driver_error("the connect function gave no connection");
        std::unique_ptr<odbc_link> opened(new odbc_link(nullptr, given, true, std::move(passes)));
        opened->set_kind(kind_of(given));
        return opened;
    }
    // An environment each: where the driver manager is told to lock them, a connection that hangs
    // would hold up all others.
    auto environment = std::make_unique<scoped_handle>(SQL_HANDLE_ENV, nullptr);
    SQLSetEnvAttr(environment->get(), SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    SQLHDBC raw = SQL_NULL_HDBC;
    if (environment->get() == SQL_NULL_HANDLE ||
        !SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, environment->get(), &raw))) {
        throw driver_error("the ODBC driver manager gives no handles");
    }
    SQLSetConnectAttr(raw, SQL_ATTR_LOGIN_TIMEOUT, number(seconds), 0);
    std::string const text = complete(source.where, purpose, seconds);
    SQLRETURN const got =
        SQLDriverConnect(raw, nullptr, characters(text), static_cast<SQLSMALLINT>(text.size()),
                         nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
    if (SQL_SUCCEEDED(got)) {
        std::unique_ptr<odbc_link> opened(
            new odbc_link(std::move(environment), raw, true, std::move(passes)));
        opened->set_kind(kind_of(raw));
        return opened;
    }
    execution failed;
    note_failure(SQL_HANDLE_DBC, raw, failed);
    SQLFreeHandle(SQL_HANDLE_DBC, raw);
    throw driver_error(
        "cannot connect: " + failed.text +
            "; check DRIVER or DSN, the address and the account, or whether the file is there",
        failed.sqlstate, failed.native_code);
}

execution odbc_link::execute_each(std::initializer_list<std::string_view> statements)
{
    std::string message;
    for (std::string_view const each : statements)
        message.append(message.empty() ? "" : "; ").append(each);
    return execute(message);
}

execution odbc_link::run(std::string const& sql)
{
    execution said;
    scoped_handle statement{SQL_HANDLE_STMT, handle_};
    if (statement.get() == SQL_NULL_HANDLE) {
        // MariaDB's driver refuses here already when the connection is lost.
        note_failure(SQL_HANDLE_DBC, handle_, said);
        said.is_lost = is_lost(said);
        return said;
    }
    said.is_ok = true;
    SQLRETURN got =
        SQLExecDirect(statement.get(), characters(sql), static_cast<SQLINTEGER>(sql.size()));
    // SQL_NO_DATA of the first is a statement that found no row.
    for (bool is_first = true; !is_gone(*this, said) && said.is_ok; is_first = false) {
        if (!is_first && got == SQL_NO_DATA) break;
        read_result(*this, statement.get(), got, said);
        if (said.is_ok) got = SQLMoreResults(statement.get());
    }
    if (is_left()) {
        statement.forget();  // with its connection it may be gone
        said.is_lost = true;
        return said;
    }
    if (!said.is_ok) said.is_lost = is_lost(said);
    return said;
}

bool odbc_link::is_lost(execution const& failed) const noexcept
{
    // MariaDB's driver is not asked: it would ask the server, and perhaps reconnect.
    return sql_text::is_lost_by_code(kind(), failed) ||
           (kind() == database_kind::postgresql && is_dead());
}

std::string odbc_link::info(SQLUSMALLINT what) const
{
    return text_info(handle_, what);
}

std::string odbc_link::versions() const
{
    return info(SQL_DRIVER_NAME) + " " + info(SQL_DRIVER_VER) + ", driver manager " +
           info(SQL_DM_VER);
}

std::optional<bool> odbc_link::has_autocommit() const noexcept
{
    if (is_left()) return std::nullopt;
    SQLULEN on = SQL_AUTOCOMMIT_OFF;
    SQLGetConnectAttr(handle_, SQL_ATTR_AUTOCOMMIT, &on, 0, nullptr);
    return static_cast<SQLUINTEGER>(on) == SQL_AUTOCOMMIT_ON;
}

bool odbc_link::is_dead() const noexcept
{
    SQLULEN dead = SQL_CD_FALSE;
    SQLRETURN const got = SQLGetConnectAttr(handle_, SQL_ATTR_CONNECTION_DEAD, &dead, 0, nullptr);
    return SQL_SUCCEEDED(got) && static_cast<SQLUINTEGER>(dead) == SQL_CD_TRUE;
}

}  // namespace assent::odbc_adapter
