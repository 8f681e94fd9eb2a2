// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_question.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "adapters/dialects/subject.hpp"

namespace assent::odbc_adapter {

namespace {

// SQLite's own codes.
constexpr int sqlite_busy = 5;
constexpr int sqlite_locked = 6;
constexpr int sqlite_constraint = 19;

// A commit elsewhere keeps readers out while it syncs, which takes a slow disk a while.
constexpr std::chrono::seconds patience{3};
constexpr std::chrono::milliseconds between_attempts{10};

bool is_busy_code(int code) noexcept
{
    return code == sqlite_busy || code == sqlite_locked;
}

}  // namespace

bool is_busy(execution const& said) noexcept
{
    return is_busy_code(said.native_code);
}

bool is_constraint(execution const& said) noexcept
{
    return said.native_code == sqlite_constraint;
}

execution sqlite_question::repeat(std::string const& sql, deadline until)
{
    until = std::min(until, bound_);
    for (;;) {
        execution said = asked_.execute(sql);
        if (said.is_ok || !is_busy(said) || deadline::clock::now() >= until) return said;
        // Nobody tells when a lock on a file is let go.
        std::this_thread::sleep_for(between_attempts);
    }
}

table sqlite_question::ask(std::string const& sql)
{
    execution said = repeat(sql, deadline::clock::now() + patience);
    if (!said.is_ok) fail(said);
    return said.tables.empty() ? table{} : std::move(said.tables.front());
}

std::string sqlite_question::ask_value(std::string const& sql)
{
    table const rows = ask(sql);
    if (rows.empty() || rows.front().empty()) return {};
    return rows.front().front().value_or(std::string{});
}

bool sqlite_question::within(deadline until, std::function<void()> const& work)
{
    bound_ = until;
    bool is_done = true;
    try {
        work();
    } catch (driver_error const& error) {
        bound_ = deadline::max();
        is_done = !is_busy_code(error.native_code());
        if (is_done) throw;
    }
    bound_ = deadline::max();
    return is_done;
}

void sqlite_question::write(std::function<void()> const& work)
{
    // From here on nobody else writes, so that what `work` reads stays so.
    ask("BEGIN IMMEDIATE");
    try {
        work();
        ask("COMMIT");  // which waits for those who read
    } catch (...) {
        undo();
        throw;
    }
}

void sqlite_question::note_place()
{
    for (row const& each : ask("PRAGMA database_list")) {
        if (each.size() > 2 && each[1] == "main") path_ = each[2].value_or(std::string{});
    }
    if (path_.empty()) {
        fail("the database is in memory, where nothing outlives the process: name a file");
    }
    place_ = file_place::of(path_);
}

bool sqlite_question::is_in_place() const noexcept
{
    return place_.is_known() && file_place::of(path_) == place_;
}

void sqlite_question::require_in_place() const
{
    if (is_in_place()) return;
    fail("the file " + path_ + " was moved, replaced or removed while it was open");
}

std::string sqlite_question::identity()
{
    bool const is_there = ask_value(
                              "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND "
                              "name = 'assent_identity'") == "1";
    if (!is_there) return {};
    std::string const value = ask_value("SELECT value FROM main.assent_identity WHERE id = 1");
    return value.empty() ? value : "sqlite:" + value;
}

bool sqlite_question::undo()
{
    if (asked_.execute_anyway("ROLLBACK").is_ok) return true;
    // It is refused where SQLite has rolled back by itself; there a transaction can begin.
    bool const was_idle = asked_.execute_anyway("BEGIN").is_ok;
    is_sound_ = is_sound_ && was_idle && asked_.execute_anyway("ROLLBACK").is_ok;
    return is_sound_;
}

void sqlite_question::fail(std::string const& why) const
{
    throw driver_error(dialects::subject(name_) + why);
}

void sqlite_question::fail(execution const& said) const
{
    std::string const busy = is_busy(said) ? "; another connection keeps the file locked" : "";
    throw driver_error(
        dialects::subject(name_) + "SQLite refused a request of the manager: " + said.text + busy,
        said.sqlstate, said.native_code, said.is_lost);
}

}  // namespace assent::odbc_adapter
