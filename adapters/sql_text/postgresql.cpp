// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql.cpp -- who the session is, and the manager's questions.

#include "adapters/sql_text/postgresql.hpp"

#include <utility>

#include "adapters/dialects/postgresql/opening.hpp"
#include "adapters/dialects/postgresql/statements.hpp"

namespace assent::sql_text {

void postgresql_speaker::introduce(session_purpose purpose)
{
    named([&] {
        std::string const doing = "opening a session";
        // 15.0.20 -> 15
        std::string version{"0"};
        version.append(link_.server_version());
        if (std::stoi(version) < 14) {
            throw driver_error(doing + ": PostgreSQL 14 or newer is needed");
        }
        who_ = pg::read_who(question_.one_row(
            "SELECT " + pg::who_columns() + pg::settings_for(purpose), pg::who_width, doing));
        row const names = question_.one_row(std::string{"SELECT "} + role_and_database, 2, doing);
        role_ = names[0].value_or(std::string{});
        database_ = names[1].value_or(std::string{});
    });
}

namespace {

driver_error in_transaction()
{
    return driver_error(
        "the connection is refused: it is in a transaction, or its client begins one before each "
        "statement: end the transaction, and switch autocommit on");
}

}  // namespace

/// Who the connection is.
/// @param is_begun  by us, so that the transaction says nothing of the application's.
void postgresql_speaker::look(bool is_begun)
{
    row const seen = question_.one_row(
        "SELECT " + pg::who_columns() + ", " + role_and_database +
            // Within a transaction block the message is younger than the transaction.
            ", CASE WHEN pg_catalog.transaction_timestamp() OPERATOR(pg_catalog.=)"
            " pg_catalog.statement_timestamp() THEN 1 ELSE 0 END",
        pg::who_width + 3, "the connection is refused");
    who_ = pg::read_who(seen);
    role_ = seen[pg::who_width].value_or(std::string{});
    database_ = seen[pg::who_width + 1].value_or(std::string{});
    if (!is_begun && seen[pg::who_width + 2] != "1") throw in_transaction();
}

void postgresql_speaker::inspect()
{
    named([&] {
        if (link_.has_autocommit()) {
            // A query would take the snapshot of a transaction that is the application's.  BEGIN
            // takes none, and warns.
            execution const begun = link_.execute("BEGIN");
            if (begun.sqlstate == "25001" || begun.sqlstate == "25P02") throw in_transaction();
            if (!begun.is_ok) {
                throw driver_error("the connection is refused: " + begun.text, begun.sqlstate,
                                   begun.native_code, true);
            }
            try {
                look(true);
            } catch (...) {
                link_.execute("ROLLBACK");
                throw;
            }
            execution const undone = link_.execute("ROLLBACK");
            if (undone.is_ok) return;
            throw driver_error("the connection is refused: " + undone.text, undone.sqlstate,
                               undone.native_code, true);
        }
        // A client that shows no warnings.  With autocommit off it begins a transaction with the
        // first look: the second finds it.
        for (int each = 0; each < 2; ++each) {
            try {
                look(false);
            } catch (driver_error const& error) {
                if (error.sqlstate() == "25P02") throw in_transaction();
                throw;
            }
        }
    });
}

void postgresql_speaker::check_work(server_facts const& expected, bool)
{
    named([&] {
        std::string const wrong = pg::difference(who_, expected);
        if (!wrong.empty()) throw driver_error("the connection is refused: " + wrong);
    });
}

peer_view postgresql_speaker::ask_peer()
{
    return named([&] {
        row const seen = question_.one_row(
            "SELECT pg_catalog.host(pg_catalog.inet_client_addr()), pg_catalog.inet_client_port(), "
            "pg_catalog.current_setting('port')",
            3, "opening a session");
        peer_view view;
        std::string const port = seen[2].value_or("0");
        view.server_port = std::stoi(port);
        if (seen[0]) {
            view.by = peer_view::transport::tcp;
            view.address = *seen[0];
            view.port = std::stoi(seen[1].value_or("0"));
        } else {
            view.by = peer_view::transport::local;
            view.server_path = "/.s.PGSQL." + port;
        }
        return view;
    });
}

server_facts postgresql_speaker::preflight(bool allow_non_durable)
{
    return named([&] {
        // A driver that splits messages, or sends each on its own, would take the guard for
        // nothing: what stands behind a query that fails must not be run.
        execution const both = link_.execute("SELECT 1; SELECT 2");
        if (both.is_ok && both.tables.size() != 2) {
            throw driver_error(
                "preflight: the client does not send several statements in one message, on "
                "which the safety of PREPARE TRANSACTION rests; use psqlODBC, and leave Parse and "
                "similar options as they are");
        }
        server_facts facts = pg::server::preflight(question_, who_, allow_non_durable);
        facts.version += " (" + link_.versions() + ")";
        return facts;
    });
}

bool postgresql_speaker::try_guard(std::uint64_t node)
{
    return named([&] {
        auto taken = pg::server::try_guard(question_, node);
        bool const is_taken = taken.has_value();
        if (is_taken) held_ = std::move(taken);
        return is_taken;
    });
}

void postgresql_speaker::cancel_statement(std::uint64_t id, dialects::cancelled_sessions& cancelled)
{
    // Noted before it is sent: a session must not be reused between the two.
    cancelled.add(id);
    named([&] { pg::server::cancel_statement(question_, who_, id); });
}

std::unique_ptr<speaker> make_postgresql(link& on, std::string const& resource_manager,
                                         link_opener const&)
{
    return std::make_unique<postgresql_speaker>(on, resource_manager);
}

}  // namespace assent::sql_text
