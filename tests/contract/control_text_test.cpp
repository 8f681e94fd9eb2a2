// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_text_test.cpp -- MariaDB and MySQL through a client that shows no handle: each property
// at each position, by hand and by the adapter.

#include "tests/contract/control_text.hpp"
#include "tests/contract/control_mysql.hpp"
#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

class control_text : public text_session
{
};
ASSENT_ON_EACH_MYSQL(control_text, text_mysql_target);

TEST_P(control_text, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    auto& my = dynamic_cast<text_mysql_target&>(target());
    auto administrator = mysql_client::administrator(my.server());
    for (auto const& sql : control_tables())
        administrator.query(sql);
    auto const expected = facts();
    experiment what;
    what.properties = plain_mysql_properties(my.kind() == server_kind::mariadb);
    what.positions = {position::after_start, position::across_one_phase, position::after_rollback,
                      position::after_two_phases, position::after_one_phase};
    what.before_each = [&] {
        for (auto const& sql : control_cleaning())
            administrator.query(sql);
    };
    what.by_hand = [&] { return text_side(my.open_text(), xa_by_hand()); };
    what.by_adapter = [&] {
        std::shared_ptr<sql_session> const lent = my.open_text();
        return text_side(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                             return driver().borrow(lent.get(), expected, in_seconds(10));
                         }));
    };
    what.page = "sql_session.md";
    what.door = my.kind() == server_kind::mariadb ? "on MariaDB" : "on MySQL";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
