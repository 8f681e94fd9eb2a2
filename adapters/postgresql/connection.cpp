// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.cpp -- PQconnectStart and its polling, and the settings of a session.

#include "adapters/postgresql/connection.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "adapters/dialects/postgresql/opening.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/postgresql/error.hpp"
#include "adapters/postgresql/hosts.hpp"
#include "adapters/postgresql/question.hpp"
#include "adapters/postgresql/watch.hpp"

namespace assent::postgresql_adapter {

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

[[noreturn]] void fail_to_connect(connect_method const& source, std::string const& why,
                                  std::string const& sqlstate)
{
    throw driver_error(dialects::subject(source.name) + "cannot connect: " + why +
                           " (check the address, the account and that the server runs)",
                       sqlstate);
}

connection_ptr start_at(connect_method const& source, connection_parameters const& host,
                        session_purpose purpose)
{
    // "fallback": a name that the user gave, here or in the environment, stays.
    std::string const name = "assent:" + source.name.substr(0, 40) + ":" + word_for(purpose);
    std::vector<char const*> keywords{"fallback_application_name"};
    std::vector<char const*> values{name.c_str()};
    for (auto const& [keyword, value] : host) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    int const expands_dbname = host.size() == 1 ? 1 : 0;  // then it is the whole string
    return connection_ptr{PQconnectStartParams(keywords.data(), values.data(), expands_dbname)};
}

/// The server may be a black hole: every step waits for the socket, and only until the deadline.
/// (The resolver behind a host name is libpq's to call, and has limits of its own.)
/// @return why it is not connected; empty when it is.
std::string finish_connecting(PGconn* connection, deadline until)
{
    if (connection == nullptr) return "no connection was made";
    if (PQstatus(connection) == CONNECTION_OK) return {};
    if (PQstatus(connection) == CONNECTION_BAD) return text_of(connection);
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED) return text_of(connection);
        bool is_ready = false;
        bool const wants_read = step == PGRES_POLLING_READING;
        if (!wait_for_socket(PQsocket(connection), wants_read, !wants_read, until, is_ready)) {
            return text_of(connection);
        }
        if (!is_ready) return "the server did not answer in time";
        step = PQconnectPoll(connection);
    }
    return {};
}

/// Where in its source the server found it out, which is of no use here: "LOCATION:  auth_failed,
/// auth.c:317" is the last of the words, and the first of these is in the language of the client.
void drop_location(std::string& why)
{
    auto const file = why.rfind(".c:");
    auto const label_end = file == std::string::npos ? file : why.rfind(":  ", file);
    if (label_end == std::string::npos) return;
    auto const label = why.find_last_of(" \n", label_end);
    if (label != std::string::npos) why.erase(label);
}

/// Takes the SQLSTATE out of a failure that libpq words with PQERRORS_VERBOSE, which is the only
/// way to have it of a connection that was refused: "FATAL:  28P01: password ... LOCATION:  ...".
std::string take_sqlstate(std::string& why)
{
    constexpr std::string_view before = ":  ";
    constexpr std::string_view behind = ": ";
    constexpr std::size_t width = 5;
    for (auto at = why.find(before); at != std::string::npos; at = why.find(before, at + 1)) {
        auto const begin = at + before.size();
        std::string code = why.substr(begin, width);
        bool const is_code =
            code.size() == width && why.compare(begin + width, behind.size(), behind) == 0 &&
            code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
        if (!is_code) continue;
        why.erase(begin, width + behind.size());
        drop_location(why);
        return code;
    }
    return {};
}

/// One host after the other, until one lets us in.
connection_ptr connect_by_string(connect_method const& source, session_purpose purpose,
                                 deadline until)
{
    auto const [hosts, each_at_most] = take_apart(source.conninfo);
    std::string why;
    std::string sqlstate;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        auto const now = std::chrono::steady_clock::now();
        auto const share = (until - now) / static_cast<int>(hosts.size() - i);
        deadline end = now + share;
        if (each_at_most && hosts.size() > 1) end = std::min(end, now + *each_at_most);
        auto connection = start_at(source, hosts[i], purpose);
        if (connection) PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
        std::string failure = finish_connecting(connection.get(), end);
        if (failure.empty()) {
            PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
            return connection;
        }
        sqlstate = take_sqlstate(failure);
        if (!why.empty()) why += "; ";
        why += failure;
    }
    fail_to_connect(source, why, sqlstate);
}

}  // namespace

void check_conninfo(std::string const& conninfo)
{
    take_apart(conninfo);
}

connection_ptr open_connection(connect_method const& source, session_purpose purpose,
                               deadline until)
{
    connection_ptr connection;
    if (source.connect) {
        connection.reset(source.connect());
        std::string const why = finish_connecting(connection.get(), until);
        if (!why.empty()) fail_to_connect(source, why, {});
    } else {
        connection = connect_by_string(source, purpose, until);
    }
    if (!set_close_on_exec(PQsocket(connection.get()))) {
        throw driver_error(dialects::subject(source.name) + "the connection has no socket");
    }
    if (purpose != session_purpose::work) {
        PQsetNoticeReceiver(connection.get(), swallow_notice, nullptr);
    }
    return connection;
}

row ask_who(wire& connection, deadline until, std::string const& sql, std::string const& doing)
{
    try {
        return question{connection, until}.one_row(
            postgresql_dialect::statements::without_waiting + sql, who_width, doing);
    } catch (driver_error const& error) {
        throw driver_error(error.why(), error.what() + advice_for_opening(error), error.sqlstate(),
                           error.native_code(), error.must_close());
    }
}

session_identity identify(wire const& connection, row const& columns)
{
    session_identity who = read_who(columns);
    who.is_proxied = who.process != static_cast<std::uint64_t>(PQbackendPID(connection.get()));
    return who;
}

session_identity look_at(PGconn* lent, deadline until, std::string const& doing)
{
    wire connection{lent, false};
    auto const ask = [&](known_process const* known) {
        return identify(connection,
                        ask_who(connection, until, "SELECT " + who_columns(known), doing));
    };
    auto const watched = watch::on(lent);
    auto const* const known = watched == nullptr ? nullptr : watched->known_at(PQsocket(lent));
    if (known != nullptr) {
        auto who = ask(known);
        if (!who.is_proxied && known->is(who)) return who;
    }
    auto who = ask(nullptr);
    if (watched != nullptr) watched->note(PQsocket(lent), who);
    return who;
}

session_identity introduce(wire& connection, connect_method const& source, session_purpose purpose,
                           deadline until)
{
    std::string const doing = dialects::subject(source.name) + "opening a session";
    if (PQserverVersion(connection.get()) < 140000) {
        throw driver_error(doing + ": PostgreSQL 14 or newer is needed");
    }
    std::string sql = "SELECT " + who_columns() + settings_for(purpose);
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
    return identify(connection, ask_who(connection, until, sql, doing));
}

}  // namespace assent::postgresql_adapter
