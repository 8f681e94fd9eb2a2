// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_examination.cpp -- what a SQLite file, and this process beside it, are fit for.
//
// A force is not measured: the one writer that SQLite has at a time would be us, and the
// application would wait, or be told that its database is busy.

#include "adapters/dialects/checks.hpp"
#include "adapters/odbc/sqlite.hpp"

namespace assent::odbc_adapter {

namespace {

using level = finding_level;

void add_place(examination& into, std::string const& path, bool allow_non_durable)
{
    bool const is_ours = is_writable(path);
    into.add("writable primary", is_ours ? level::ok : level::error, path,
             is_ours ? "" : "let the account that runs the application write this file");
    std::string const strict = why_unsafe_place(path, false);
    bool const is_accepted = allow_non_durable && why_unsafe_place(path, true).empty();
    if (strict.empty()) {
        into.add("file system", level::ok, "safe");
    } else {
        into.add("file system", is_accepted ? level::warning : level::error,
                 is_accepted ? "unsafe, accepted by allow_non_durable" : "unsafe", strict);
    }
}

}  // namespace

examination sqlite_speaker::examine(bool allow_non_durable)
{
    question_.require_in_place();
    examination told;
    told.kind = "sqlite";
    told.version = question_.ask_value("SELECT sqlite_version()");
    told.identity = question_.identity();
    told.add("version", level::ok, told.version);
    add_place(told, question_.path(), allow_non_durable);
    std::string const journal = question_.ask_value("PRAGMA journal_mode");
    std::string const why = why_not_durable(journal, question_.ask_value("PRAGMA synchronous"));
    told.findings.push_back(
        dialects::accepted({"journal_mode", why.empty() ? level::ok : level::error, journal, why},
                           dialects::risk::vote, allow_non_durable));
    told.add("two phases", level::advice, "none",
             "SQLite can be the only database of a transaction, or the one whose commit row "
             "decides; else it votes no");
    told.add("identity", level::ok,
             told.identity.empty() ? "none yet: the first start of the application makes it"
                                   : told.identity);
    bool const has_rows = question_.ask_value(
                              "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND "
                              "name = 'assent_decision'") == "1";
    told.add("table of commit rows", level::ok,
             has_rows ? "there" : "not there; the first commit row makes it");
    told.add("client", level::ok, link_.versions());
    told.round_trip = dialects::measure(dialects::round_trips, [&] {
        return dialects::time_of([&] { question_.ask("SELECT 1"); });
    });
    told.why_no_force = "SQLite has one writer at a time, and the application would wait for it";
    return told;
}

}  // namespace assent::odbc_adapter
