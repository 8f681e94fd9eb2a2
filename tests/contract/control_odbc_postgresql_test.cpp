// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_odbc_postgresql_test.cpp -- PostgreSQL through ODBC: each property at each position, by
// hand and by the adapter.

#include "tests/contract/control_odbc.hpp"
#include "tests/contract/control_postgresql.hpp"
#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

class control_odbc_postgresql : public postgresql_case
{
protected:
    std::string where()
    {
        return dynamic_cast<odbc_postgresql_target&>(target()).connect_string(0);
    }
};
INSTANTIATE_TEST_SUITE_P(psqlodbc, control_odbc_postgresql,
                         ::testing::Values(&the_only<odbc_postgresql_target, edition::installed>));

TEST_P(control_odbc_postgresql, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    pg().administer(control_table());
    auto const expected = facts();
    driver().decisions()->ensure(*open(session_purpose::manage), in_seconds(10));
    experiment what;
    what.properties = postgresql_properties();
    what.properties.push_back({"the client's own view", {}, {}});
    what.positions = {position::after_start,      position::after_row_start,
                      position::across_one_phase, position::after_rollback,
                      position::after_two_phases, position::after_one_phase,
                      position::after_commit_row};
    what.before_each = [this] { pg().administer(control_cleaning_postgresql()); };
    what.by_hand = [&] {
        return by_odbc(std::make_shared<odbc_client>(where()), blocks_by_hand());
    };
    what.by_adapter = [&] {
        auto const lent = std::make_shared<odbc_client>(where());
        return by_odbc(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                           return driver().borrow(lent->get(), expected, in_seconds(10));
                       }));
    };
    what.page = "odbc.md";
    what.door = "on PostgreSQL";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
