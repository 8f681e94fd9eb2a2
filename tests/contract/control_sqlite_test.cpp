// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_sqlite_test.cpp -- SQLite: each property at each position, by hand and by the adapter.

#include "tests/contract/control_odbc.hpp"
#include "tests/contract/sqlite_target.hpp"

namespace assent::contract {

namespace {

std::vector<property> sqlite_properties()
{
    std::string const three = "INSERT INTO numbered (c) VALUES (1), (2), (3)";
    return {
        {"last_insert_rowid()", {three}, {"SELECT last_insert_rowid()"}},
        {"changes()", {three}, {"SELECT changes()"}},
        {"changes() of none",
         {three, "DELETE FROM numbered WHERE id = 4711"},
         {"SELECT changes()"}},
        {"total_changes()", {three}, {"SELECT total_changes()"}},
        {"temporary tables", {"CREATE TEMP TABLE scratch (k)"}, {"SELECT count(*) FROM scratch"}},
        {"temporary schema", {}, {"SELECT count(*) FROM temp.sqlite_master"}},
        {"PRAGMA foreign_keys", {"PRAGMA foreign_keys = 1"}, {"PRAGMA foreign_keys"}},
        {"PRAGMA recursive_triggers",
         {"PRAGMA recursive_triggers = 1"},
         {"PRAGMA recursive_triggers"}},
        {"PRAGMA synchronous", {}, {"PRAGMA synchronous"}},
        {"PRAGMA journal_mode", {}, {"PRAGMA journal_mode"}},
        {"attached databases", {}, {"SELECT count(*) FROM pragma_database_list"}},
        {"data_version", {}, {"PRAGMA data_version"}},
    };
}

}  // namespace

class control_sqlite : public contract
{
};
INSTANTIATE_TEST_SUITE_P(sqliteodbc, control_sqlite, ::testing::Values(&make_sqlite_target));

TEST_P(control_sqlite, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    std::string const where = sqlite_string(the_sqlite()->path());
    auto const expected = facts();
    driver().decisions()->ensure(*open(session_purpose::manage), in_seconds(10));
    auto const client = [&] {
        auto opened = std::make_shared<odbc_client>(where);
        opened->query("PRAGMA synchronous = EXTRA");
        return opened;
    };
    client()->query("CREATE TABLE IF NOT EXISTS numbered (id INTEGER PRIMARY KEY, c INTEGER)");
    experiment what;
    what.properties = sqlite_properties();
    what.positions = {position::after_start,      position::after_row_start,
                      position::across_one_phase, position::after_rollback,
                      position::after_one_phase,  position::after_commit_row};
    what.before_each = [&] { client()->query("DELETE FROM numbered"); };
    what.by_hand = [&] {
        return by_odbc(client(),
                       std::make_unique<by_hand>(
                           std::vector<std::string>{"BEGIN IMMEDIATE"}, [](position how) {
                               return std::vector<std::string>{
                                   how == position::after_rollback ? "ROLLBACK" : "COMMIT"};
                           }));
    };
    what.by_adapter = [&] {
        auto const lent = client();
        return by_odbc(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                           return driver().borrow(lent->get(), expected, in_seconds(10));
                       }));
    };
    what.page = "odbc.md";
    what.door = "in SQLite";
    expect_what_the_page_says(what);
    client()->query("DROP TABLE numbered");
}

}  // namespace assent::contract
