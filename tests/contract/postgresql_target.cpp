// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/postgresql_target.hpp"

#include <assent/postgresql.hpp>

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

namespace assent::contract {

namespace {

void expect(bool holds, std::string const& what)
{
    if (!holds) throw std::runtime_error("the target could not " + what);
}

PGconn* connect(std::string const& conninfo)
{
    PGconn* const connection = PQconnectdb(conninfo.c_str());
    if (PQstatus(connection) == CONNECTION_OK) return connection;
    std::string const why = PQerrorMessage(connection);
    PQfinish(connection);
    throw std::runtime_error("the target could not connect: " + why);
}

}  // namespace

plain_connection::plain_connection(std::string const& conninfo) : connection_(connect(conninfo))
{
    PQsetNoticeReceiver(
        connection_, [](void*, PGresult const*) {}, nullptr);
}

std::string plain_connection::run(PGconn* connection, std::string const& sql)
{
    PGresult* const result = PQexec(connection, sql.c_str());
    auto const status = PQresultStatus(result);
    bool const is_row = status == PGRES_TUPLES_OK && PQntuples(result) > 0;
    std::string value = is_row ? PQgetvalue(result, 0, 0) : "";
    std::string const why = PQresultErrorMessage(result);
    PQclear(result);
    expect(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "run a statement: " + why);
    return value;
}

std::string why_missing(edition which)
{
    return which == edition::newest ? testing::private_server::newest_postgresql_missing() : "";
}

std::unique_ptr<testing::private_server> make_server(edition which,
                                                     std::vector<std::string> const& settings)
{
    return which == edition::newest ? testing::private_server::newest_postgresql(settings)
                                    : testing::private_server::postgresql(settings);
}

postgresql_target::postgresql_target(edition which, std::vector<std::string> settings)
    : which_(which), settings_(std::move(settings))
{
}

testing::private_server& postgresql_target::server()
{
    if (server_) return *server_;
    server_ = make_server(which_, settings_);
    plain_connection session{server_->conninfo()};
    session.run("CREATE TABLE entry(key int PRIMARY KEY)");
    session.run("CREATE TABLE gate(key int PRIMARY KEY)");
    return *server_;
}

std::string postgresql_target::client_version()
{
    return "libpq " + std::to_string(PQlibVersion() / 10000) + '.' +
           std::to_string(PQlibVersion() % 10000);
}

std::string postgresql_target::server_version()
{
    if (!why_missing().empty()) return "PostgreSQL (missing)";
    if (version_.empty()) {
        version_ = administer("SHOW server_version");
        version_.erase(std::min(version_.find(' '), version_.size()));
    }
    return "PostgreSQL " + version_;
}

int postgresql_target::major_version()
{
    server_version();
    return std::stoi(version_);
}

void postgresql_target::reset()
{
    blocker_.reset();
    thaw();
    if (!server().is_running()) server().start();
    plain_connection admin{server().superuser_conninfo()};
    for (std::string const database : {"accounts", "orders", "postgres"}) {
        std::string const next =
            "SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE database = '" + database +
            "' LIMIT 1";
        for (std::string left = admin.run(next); !left.empty(); left = admin.run(next))
            administer("ROLLBACK PREPARED " + left, database);
    }
    // Sessions of an earlier test may still be closing; TRUNCATE waits for their locks.
    admin.run("TRUNCATE entry");
}

std::shared_ptr<resource_manager_driver> postgresql_target::driver()
{
    return driver_for("accounts");
}

std::shared_ptr<resource_manager_driver> postgresql_target::driver_for(std::string const& database,
                                                                       std::string const& more)
{
    return postgresql::resource_manager{"accounts", server().conninfo(database) + " " + more}
        .driver();
}

std::string postgresql_target::administer(std::string const& sql, std::string const& database)
{
    return plain_connection{server().superuser_conninfo(database)}.run(sql);
}

std::string postgresql_target::insert(int key)
{
    return "INSERT INTO entry VALUES (" + std::to_string(key) + ")";
}

void postgresql_target::write_row(driver_session& session, int key)
{
    plain_connection::run(static_cast<PGconn*>(session.native_handle()), insert(key));
}

bool postgresql_target::accepts(driver_session& session, std::string const& sql)
{
    PGresult* const said = PQexec(static_cast<PGconn*>(session.native_handle()), sql.c_str());
    auto const status = PQresultStatus(said);
    PQclear(said);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/// Some clients show no rows, and all of them whether a statement failed.
bool postgresql_target::runs_at(driver_session& session, isolation level)
{
    return accepts(session, std::string{"SELECT 1 / CASE WHEN "
                                        "upper(current_setting('transaction_isolation')) = '"} +
                                name_of(level) + "' THEN 1 ELSE 0 END");
}

void postgresql_target::make_read_only(driver_session& session)
{
    ASSERT_TRUE(accepts(session, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"));
}

int postgresql_target::count_rows(int key)
{
    return std::stoi(administer("SELECT count(*) FROM entry WHERE key = " + std::to_string(key)));
}

void postgresql_target::prepare_foreign(int key)
{
    plain_connection session{server().conninfo()};
    session.run("BEGIN");
    session.run(insert(key));
    session.run("PREPARE TRANSACTION 'asn1 of somebody else''s'");
}

void postgresql_target::commit_foreign()
{
    plain_connection{server().conninfo()}.run("COMMIT PREPARED 'asn1 of somebody else''s'");
}

void postgresql_target::kill_session(std::uint64_t id)
{
    std::string const pid = std::to_string(id);
    expect(administer("SELECT pg_terminate_backend(" + pid + ", 10000)") == "t", "kill a session");
}

void postgresql_target::freeze()
{
    is_frozen_ = true;
    server().freeze();
}

void postgresql_target::thaw()
{
    if (is_frozen_) server().thaw();
    is_frozen_ = false;
}

void postgresql_target::crash()
{
    server().kill();
    is_frozen_ = false;
}

void postgresql_target::restart()
{
    server().stop();
    server().start();
}

void postgresql_target::restart_elsewhere()
{
    int const port = server().port();
    server().stop();
    for (int other = port + 1; !server().is_running(); ++other) {
        try {
            server().start_on_port(other);
        } catch (std::runtime_error const&) {
            if (other == port + 20) throw;  // so many ports in a row are nobody's bad luck
        }
    }
}

void postgresql_target::block()
{
    blocker_ = std::make_unique<plain_connection>(server().superuser_conninfo());
    blocker_->run("BEGIN");
    blocker_->run("LOCK TABLE gate");
}

void postgresql_target::wait_until_blocked(std::uint64_t session)
{
    std::string const waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " + std::to_string(session);
    expect(eventually([&] { return administer(waiting) != "0"; }), "block a statement");
}

std::future<bool> postgresql_target::run_blocked(driver_session& session)
{
    block();
    auto* const handle = static_cast<PGconn*>(session.native_handle());
    auto running = std::async(std::launch::async, [handle] {
        PGresult* const result = PQexec(handle, waits);
        char const* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        std::string_view const code = state != nullptr ? state : "";
        bool const is_ended = PQresultStatus(result) == PGRES_FATAL_ERROR &&
                              (code == "57014" || code == "57P01" || code.empty());
        PQclear(result);
        return is_ended;
    });
    wait_until_blocked(session.id());
    return running;
}

testing::private_server& postgresql_target::server_for(handle_kind kind)
{
    if (kind != handle_kind::other_server) return server();
    if (!other_server_) other_server_ = make_server(which_);
    return *other_server_;
}

void* postgresql_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_database;
    PGconn* const connection = connect(server_for(kind).conninfo(is_other ? "orders" : "accounts"));
    if (kind == handle_kind::in_transaction) plain_connection::run(connection, "BEGIN");
    if (kind == handle_kind::busy) {
        expect(PQsendQuery(connection, "SELECT 1") == 1, "make a handle busy");
    }
    return connection;
}

void postgresql_case::fail(driver_session& session)
{
    auto* const handle = static_cast<PGconn*>(session.native_handle());
    PQclear(PQexec(handle, "SELECT 1/0"));
    expect(PQtransactionStatus(handle) == PQTRANS_INERROR, "abort a transaction");
}

bool postgresql_case::waits_for_replica(std::uint64_t session)
{
    return pg().administer(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = " +
               std::to_string(session)) == "1";
}

void postgresql_case::wait_for_replica(std::uint64_t session)
{
    expect(eventually([&] { return waits_for_replica(session); }), "make a session wait");
}

bool postgresql_target::is_usable(void* handle)
{
    PGresult* const result = PQexec(static_cast<PGconn*>(handle), "SELECT 1");
    bool const is_row = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return is_row;
}

}  // namespace assent::contract
