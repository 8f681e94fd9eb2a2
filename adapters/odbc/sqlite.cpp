// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite.cpp -- who a SQLite database is, and what the manager asks of it.

#include "adapters/odbc/sqlite.hpp"

#include <unistd.h>

#include <random>
#include <utility>

#include "adapters/odbc/sqlite_branches.hpp"
#include "adapters/odbc/sqlite_rows.hpp"

namespace assent::odbc_adapter {

namespace {

constexpr char create_identity[] =
    "CREATE TABLE IF NOT EXISTS main.assent_identity (id INTEGER PRIMARY KEY, value TEXT NOT NULL)";

std::string hexadecimal(std::uint64_t value)
{
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    return text;
}

std::string random_identity()
{
    std::random_device random;
    std::string text;
    for (int i = 0; i < 2; ++i)
        text += hexadecimal(std::uint64_t{random()} << 32 | random());
    return text;
}

std::string durability_of(sqlite_question& q)
{
    std::string const journal = q.ask_value("PRAGMA journal_mode");
    return why_not_durable(journal, q.ask_value("PRAGMA synchronous"));
}

}  // namespace

void sqlite_speaker::introduce(session_purpose)
{
    question_.note_place();
    question_.ask("PRAGMA synchronous = EXTRA");  // sqliteodbc sets NORMAL
}

void sqlite_speaker::inspect()
{
    question_.note_place();
    execution const begun = link_.execute("BEGIN");
    if (!begun.is_ok)
        question_.fail("the connection is in a transaction: end the transaction first");
    question_.ask("ROLLBACK");
}

void sqlite_speaker::check_work(server_facts const& expected, bool allow_non_durable)
{
    bool const is_same_file = file_place::of(expected.database) == file_place::of(question_.path());
    if (question_.identity() != expected.identity || !is_same_file) {
        question_.fail(
            "the connection leads to another database file, " + question_.path() +
            ", than the manager's own connections: SQLite has no server, the file is what counts");
    }
    question_.require_in_place();
    std::string const why = allow_non_durable ? std::string{} : durability_of(question_);
    if (!why.empty()) question_.fail("the connection's " + why);
}

server_facts sqlite_speaker::preflight(bool allow_non_durable)
{
    server_facts facts;
    facts.kind = "sqlite";
    facts.database = question_.path();
    facts.user = "uid " + std::to_string(geteuid());
    facts.server_start = "no server";
    facts.version = question_.ask_value("SELECT sqlite_version()") + " (" + link_.versions() + ")";
    question_.require_in_place();
    std::string why = why_unsafe_place(question_.path(), allow_non_durable);
    if (why.empty() && !allow_non_durable) why = durability_of(question_);
    if (!why.empty()) question_.fail(why);
    facts.identity = question_.identity();
    if (!facts.identity.empty()) return facts;
    try {
        question_.ask(create_identity);
        question_.ask("INSERT OR IGNORE INTO main.assent_identity VALUES (1, '" +
                      random_identity() + "')");
    } catch (driver_error const& error) {
        question_.fail(
            std::string{"cannot create the table that gives this database an identity ("} +
            error.what() + "); let whoever may write the file run: " + create_identity +
            "; INSERT OR IGNORE INTO assent_identity VALUES (1, lower(hex(randomblob(16))))");
    }
    facts.identity = question_.identity();
    return facts;
}

/// Nothing is prepared, ever; what counts is that it is this database and can be written to.
scan_result sqlite_speaker::scan()
{
    question_.require_in_place();
    scan_result seen;
    seen.identity = question_.identity();
    seen.is_writable_primary =
        question_.ask_value("PRAGMA query_only") == "0" && is_writable(question_.path());
    return seen;
}

bool sqlite_speaker::try_guard(std::uint64_t node)
{
    guard_path_ = question_.path() + "-assent-" + hexadecimal(node);
    return lock_.try_lock(guard_path_);
}

void sqlite_speaker::heartbeat()
{
    if (!lock_.is_held(guard_path_)) question_.fail("the guardian's lock was lost");
}

void sqlite_speaker::cancel_statement(std::uint64_t, dialects::cancelled_sessions&)
{
    question_.fail("SQLite has no sessions that could be cancelled");
}

void sqlite_speaker::end_session(std::uint64_t)
{
    question_.fail("SQLite has no sessions that could be ended");
}

// ---- commit rows -----------------------------------------------------------------------------

void sqlite_speaker::ensure_rows()
{
    sqlite_rows::ensure(question_);
}

std::optional<decision_row> sqlite_speaker::fence(gtrid const& row_name,
                                                  std::chrono::milliseconds wait)
{
    return sqlite_rows::fence(question_, row_name, wait);
}

std::vector<decision_row> sqlite_speaker::list_rows(std::string const& prefix, std::size_t at_most)
{
    return sqlite_rows::list(question_, prefix, at_most);
}

void sqlite_speaker::prune_rows(decision_row const& horizon_row, std::vector<gtrid> const& gone)
{
    sqlite_rows::prune(question_, horizon_row, gone);
}

// ---- reservations ----------------------------------------------------------------------------

void sqlite_speaker::ensure_branches()
{
    sqlite_branches::ensure(question_);
}

void sqlite_speaker::insert(std::string const&, branch_row const& reserved)
{
    sqlite_branches::insert(question_, reserved);
}

std::optional<branch_row> sqlite_speaker::take(std::string const&, xid const& name)
{
    return sqlite_branches::take(question_, name);
}

bool sqlite_speaker::contains(std::string const&, xid const& name)
{
    return sqlite_branches::contains(question_, name);
}

std::vector<xid> sqlite_speaker::list_branches(std::string const& manager)
{
    return sqlite_branches::list(question_, manager);
}

std::unique_ptr<speaker> make_sqlite(link& on, std::string const& resource_manager)
{
    return std::make_unique<sqlite_speaker>(on, resource_manager);
}

}  // namespace assent::odbc_adapter
