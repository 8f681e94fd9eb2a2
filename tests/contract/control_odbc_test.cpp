// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_odbc_test.cpp -- MariaDB and MySQL through ODBC: each property at each position, by hand
// and by the adapter.

#include "tests/contract/control_odbc.hpp"
#include <algorithm>
#include <string_view>

#include "tests/contract/control_mysql.hpp"
#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

class control_odbc : public contract
{
};
ASSENT_ON_EACH_MYSQL(control_odbc, odbc_mysql_target);

TEST_P(control_odbc, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    auto& my = dynamic_cast<odbc_mysql_target&>(target());
    auto administrator = mysql_client::administrator(my.server());
    for (auto const& sql : control_tables())
        administrator.query(sql);
    auto const expected = facts();
    driver().decisions()->ensure(*open(session_purpose::manage), in_seconds(10));
    std::string const where = mysql_string(my.server());
    experiment what;
    // Of the others, some put MariaDB's driver out of step, or leave its connection locked.
    for (auto const& each : plain_mysql_properties(my.kind() == server_kind::mariadb)) {
        for (std::string_view const kept :
             {"LAST_INSERT_ID()", "ROW_COUNT()", "FOUND_ROWS()", "SHOW WARNINGS", "user variables",
              "locks by name", "SET TIMESTAMP", "SET INSERT_ID", "SET TRANSACTION", "autocommit"}) {
            if (each.name == kept) what.properties.push_back(each);
        }
    }
    if (my.kind() == server_kind::mysql) {
        // A statement that warned leaves MariaDB's driver out of step with a MySQL, also by hand.
        auto const at = std::find_if(
            what.properties.begin(), what.properties.end(),
            [](property const& each) { return std::string_view{each.name} == "SHOW WARNINGS"; });
        what.properties.erase(at);
    }
    what.positions = {position::after_start,     position::across_one_phase,
                      position::after_rollback,  position::after_two_phases,
                      position::after_one_phase, position::after_commit_row};
    what.before_each = [&] {
        for (auto const& sql : control_cleaning())
            administrator.query(sql);
    };
    what.by_hand = [&] { return by_odbc(std::make_shared<odbc_client>(where), xa_by_hand()); };
    what.by_adapter = [&] {
        auto const lent = std::make_shared<odbc_client>(where);
        return by_odbc(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                           return driver().borrow(lent->get(), expected, in_seconds(10));
                       }));
    };
    what.page = "odbc.md";
    what.door = my.kind() == server_kind::mariadb ? "on MariaDB" : "on MySQL";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
