// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/sql_session_target.hpp"

#include <stdexcept>
#include <utility>

namespace assent::contract {

namespace {

sql_session& text_of(void* session)
{
    return *static_cast<sql_session*>(session);
}

/// Whether a statement was cancelled, or its session ended.
bool is_ended(sql_answer const& said)
{
    return !said.is_ok && (said.is_lost || said.sqlstate == "57014" || said.sqlstate == "57P01" ||
                           said.native_code == 1317 || said.native_code == 1927 ||
                           said.native_code == 2013 || said.native_code == 2006);
}

std::future<bool> run_on_thread(driver_session& session, std::string sql)
{
    return std::async(std::launch::async, [handle = session.native_handle(), sql = std::move(sql)] {
        return is_ended(text_of(handle).run(sql));
    });
}

std::string insert_into(char const* table, int key, char const* more)
{
    return std::string{"INSERT INTO "} + table + " VALUES (" + std::to_string(key) + more + ")";
}

}  // namespace

std::string run_text(void* session, std::string const& sql)
{
    auto const said = text_of(session).run(sql);
    if (!said.is_ok) throw std::runtime_error(sql + ": " + said.text);
    return said.rows.empty() ? std::string{} : said.rows.front().front().value_or(std::string{});
}

void* lent_texts::keep(std::unique_ptr<sql_session> opened)
{
    void* const session = opened.get();
    all_.emplace(session, std::move(opened));
    return session;
}

// ---- PostgreSQL ------------------------------------------------------------------------------

std::shared_ptr<resource_manager_driver> text_postgresql_target::driver()
{
    return make_lending_driver(native(), [conninfo = server().conninfo()] {
        return open_postgresql_text(conninfo + " connect_timeout=2");
    });
}

void text_postgresql_target::write_row(driver_session& session, int key)
{
    run_text(session.native_handle(), insert_into("entry", key, ""));
}

std::future<bool> text_postgresql_target::run_blocked(driver_session& session)
{
    block();
    auto running = run_on_thread(session, waits);
    wait_until_blocked(session.id());
    return running;
}

void* text_postgresql_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_database;
    void* const handle = lent_.keep(
        open_postgresql_text(server_for(kind).conninfo(is_other ? "orders" : "accounts")));
    if (kind == handle_kind::in_transaction) run_text(handle, "BEGIN");
    return handle;
}

bool text_postgresql_target::is_usable(void* handle)
{
    return text_of(handle).run("SELECT 1").is_ok;
}

// ---- MariaDB and MySQL -----------------------------------------------------------------------

std::string text_mysql_target::client_version()
{
    std::string const connector = connector_version();
    bool const by_connector = kind() == server_kind::mariadb && !connector.empty();
    return "sql_session over " + (by_connector ? connector : mysql_target::client_version());
}

std::unique_ptr<sql_session> text_mysql_target::open_text(testing::private_server const& at,
                                                          std::string const& database) const
{
    return kind() == server_kind::mariadb ? open_connector_text(at, database)
                                          : open_mysql_text(at, database);
}

std::shared_ptr<resource_manager_driver> text_mysql_target::driver()
{
    return make_lending_driver(native(), [this] { return open_text(server(), "accounts"); });
}

void text_mysql_target::write_row(driver_session& session, int key)
{
    run_text(session.native_handle(), insert_into("t", key, ", 0"));
}

std::future<bool> text_mysql_target::run_blocked(driver_session& session)
{
    block();
    auto running = run_on_thread(session, waits);
    wait_until_blocked(session.id());
    return running;
}

void* text_mysql_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_database;
    void* const handle = lent_.keep(open_text(server_for(kind), is_other ? "orders" : "accounts"));
    if (kind == handle_kind::in_transaction) run_text(handle, "BEGIN");
    return handle;
}

bool text_mysql_target::is_usable(void* handle)
{
    return text_of(handle).run("SELECT 1").is_ok;
}

}  // namespace assent::contract
