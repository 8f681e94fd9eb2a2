// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.cpp -- PQconnectStart and its polling; settings; bounded queries.

#include "adapters/postgresql/connection.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "adapters/postgresql/error.hpp"

namespace assent::pg {

namespace {

char const* word_for(session_purpose purpose)
{
    switch (purpose) {
        case session_purpose::work:
            return "work";
        case session_purpose::manage:
            return "manage";
        case session_purpose::guardian:
            return "guardian";
    }
    return "unknown";
}

void swallow_notice(void*, PGresult const*) {}

[[noreturn]] void fail_to_connect(connection_source const& source, PGconn const* connection)
{
    std::string why = connection != nullptr ? text_of(connection) : "no connection was made";
    throw driver_error("resource manager '" + source.name + "': cannot connect: " + why +
                       " (check the address, the account and that the server runs)");
}

connection_ptr start_by_conninfo(connection_source const& source, session_purpose purpose)
{
    // "fallback": a name that the user gave, here or in the environment, stays.
    std::string const name = "assent:" + source.name.substr(0, 40) + ":" + word_for(purpose);
    char const* const keywords[] = {"dbname", "fallback_application_name", nullptr};
    char const* const values[] = {source.conninfo.c_str(), name.c_str(), nullptr};
    return connection_ptr{PQconnectStartParams(keywords, values, 1)};
}

/// The server may be a black hole: every step waits for the socket, and only until the deadline.
/// (The resolver behind a host name is libpq's to call, and has limits of its own.)
void finish_connecting(connection_source const& source, PGconn* connection, deadline until)
{
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED) fail_to_connect(source, connection);
        bool is_ready = false;
        bool const wants_read = step == PGRES_POLLING_READING;
        if (!wait_for_socket(PQsocket(connection), wants_read, !wants_read, until, is_ready)) {
            fail_to_connect(source, connection);
        }
        if (!is_ready) {
            throw driver_error("resource manager '" + source.name +
                               "': the server did not answer in time while connecting (check the "
                               "address and firewalls)");
        }
        step = PQconnectPoll(connection);
    }
}

}  // namespace

void check_conninfo(std::string const& conninfo)
{
    char* ignored = nullptr;  // libpq's message quotes the string, and with it perhaps a password
    PQconninfoOption* const parsed = PQconninfoParse(conninfo.c_str(), &ignored);
    PQfreemem(ignored);
    if (parsed == nullptr) {
        throw driver_error(
            "the connection string is malformed or names an option that libpq does not know (it "
            "is not shown, because it may hold a password)");
    }
    PQconninfoFree(parsed);
}

connection_ptr open_connection(connection_source const& source, session_purpose purpose,
                               deadline until)
{
    connection_ptr connection{source.connect ? source.connect()
                                             : start_by_conninfo(source, purpose).release()};
    if (connection == nullptr) fail_to_connect(source, nullptr);
    if (PQstatus(connection.get()) == CONNECTION_BAD) fail_to_connect(source, connection.get());
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        finish_connecting(source, connection.get(), until);
    }
    if (!set_close_on_exec(PQsocket(connection.get()))) {
        throw driver_error("resource manager '" + source.name + "': the connection has no socket");
    }
    if (purpose != session_purpose::work) {
        PQsetNoticeReceiver(connection.get(), swallow_notice, nullptr);
    }
    return connection;
}

table question::ask(std::string const& sql, std::string const& doing)
{
    // Whatever leaves this function early leaves an answer on the wire.
    struct stop_on_error
    {
        wire& which;
        bool is_whole = false;
        ~stop_on_error()
        {
            if (!is_whole) which.poison();
            which.settle();
        }
    } stop{connection_};

    if (!connection_.send(sql)) {
        throw driver_error(doing + ": " + connection_.why(), {}, 0, true);
    }
    table rows;
    result_ptr failure;
    for (;;) {
        result_ptr result;
        switch (connection_.next(until_, result)) {
            case wire::event::silence:
                throw driver_error(doing + ": no answer in time", {}, 0, true);
            case wire::event::broken:
                throw driver_error(doing + ": " + connection_.why(), {}, 0, true);
            case wire::event::end:
                stop.is_whole = true;
                if (failure == nullptr) return rows;
                throw driver_error(doing + ": " + text_of(failure.get()),
                                   std::string{sqlstate_of(failure.get())});
            case wire::event::result:
                break;
        }
        if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
            if (is_fatal(result.get())) {
                throw driver_error(doing + ": " + text_of(result.get()),
                                   std::string{sqlstate_of(result.get())}, 0, true);
            }
            failure = std::move(result);
            continue;
        }
        for (int r = 0; r < PQntuples(result.get()); ++r) {
            row values;
            for (int i = 0; i < PQnfields(result.get()); ++i) {
                bool const is_null = PQgetisnull(result.get(), r, i) != 0;
                values.push_back(is_null ? std::nullopt
                                         : std::optional<std::string>{
                                               std::in_place, PQgetvalue(result.get(), r, i)});
            }
            rows.push_back(std::move(values));
        }
    }
}

session_identity identify(wire const& connection, row const& columns)
{
    session_identity who = read_who(columns);
    who.is_proxied = who.process != static_cast<std::uint64_t>(PQbackendPID(connection.get()));
    return who;
}

session_identity introduce(wire& connection, connection_source const& source,
                           session_purpose purpose, deadline until)
{
    std::string const doing = "resource manager '" + source.name + "': opening a session";
    if (PQserverVersion(connection.get()) < 140000) {
        throw driver_error(doing + ": PostgreSQL 14 or newer is needed");
    }
    std::string sql = std::string{"SELECT "} + who_columns + settings_for(purpose);
    char const* const given = PQparameterStatus(connection.get(), "application_name");
    if (given == nullptr || *given == '\0') {
        std::string const name = "assent:" + source.name.substr(0, 40) + ":" + word_for(purpose);
        std::unique_ptr<char, decltype(&PQfreemem)> const quoted{
            PQescapeLiteral(connection.get(), name.data(), name.size()), &PQfreemem};
        if (quoted != nullptr) {
            sql += std::string{", pg_catalog.set_config('application_name', "} + quoted.get() +
                   ", false)";
        }
    }
    return identify(connection, question{connection, until}.one_row(sql, who_width, doing));
}

}  // namespace assent::pg
