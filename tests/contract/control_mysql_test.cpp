// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_mysql_test.cpp -- MariaDB and MySQL, each property at each position, by hand and by the
// adapter.

#include <set>

#include "tests/contract/control_mysql.hpp"
#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

// What no two sessions, or no two moments, have in common.
bool is_moving(std::string const& name)
{
    static std::set<std::string> const moving = {"timestamp", "pseudo_thread_id", "statement_id",
                                                 "last_gtid", "rand_seed1",       "rand_seed2",
                                                 "identity",  "last_insert_id"};
    return moving.count(name) != 0 || name.compare(0, 5, "gtid_") == 0;
}

/// All rows, or the error's number.
std::string all_of(MYSQL* on, std::string const& sql)
{
    bool const are_variables = sql == "variables";
    std::string const asked = are_variables ? "show session variables" : sql;
    std::string text;
    if (mysql_real_query(on, asked.data(), asked.size()) != 0) {
        return "error " + std::to_string(mysql_errno(on));
    }
    do {
        if (mysql_field_count(on) == 0) continue;
        MYSQL_RES* const rows = mysql_store_result(on);
        while (MYSQL_ROW const row = mysql_fetch_row(rows)) {
            if (are_variables && is_moving(row[0])) continue;
            for (unsigned i = 0; i < mysql_num_fields(rows); ++i)
                text.append(row[i] == nullptr ? "NULL" : row[i]).append(" ");
        }
        mysql_free_result(rows);
    } while (mysql_more_results(on) && mysql_next_result(on) == 0);
    return text;
}

std::string view_of(MYSQL* on)
{
    char const* const info = mysql_info(on);
    return std::to_string(mysql_insert_id(on)) + " " + std::to_string(mysql_affected_rows(on)) +
           " " + std::to_string(mysql_field_count(on)) + " " + std::to_string(mysql_errno(on)) +
           " " + mysql_sqlstate(on) + " " + (info == nullptr ? "" : info) + " " +
           mysql_character_set_name(on) + (reconnects(on) ? " reconnects" : "");
}

std::unique_ptr<control_side> on(std::shared_ptr<mysql_client> const& client,
                                 std::unique_ptr<control_side> side)
{
    side->run = [client](std::string const& sql) { return all_of(client->get(), sql); };
    side->client_view = [client] { return view_of(client->get()); };
    return side;
}

}  // namespace

class control_mysql : public mysql_case
{
protected:
    std::shared_ptr<mysql_client> client()
    {
        return std::make_shared<mysql_client>(mysql_client::account(server(), "accounts"));
    }
};
ASSENT_ON_EACH_SERVER(control_mysql);

TEST_P(control_mysql, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    for (auto const& sql : control_tables())
        administrator().query(sql);
    auto const manage = open(session_purpose::manage);
    auto const expected = driver().preflight(*manage, in_ms(10'000));
    driver().decisions()->ensure(*manage, in_ms(10'000));
    experiment what;
    what.properties = mysql_properties();
    what.positions = {position::after_start,      position::after_row_start,
                      position::across_one_phase, position::after_rollback,
                      position::after_two_phases, position::after_one_phase,
                      position::after_commit_row};
    what.before_each = [this] {
        for (auto const& sql : control_cleaning())
            administrator().query(sql);
    };
    what.by_hand = [this] { return on(client(), xa_by_hand()); };
    what.by_adapter = [&] {
        auto const lent = client();
        return on(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                      return driver().borrow(lent->get(), expected, in_ms(10'000));
                  }));
    };
    what.page = is_mariadb() ? "mariadb.md" : "mysql.md";
    what.door = "by hand";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
