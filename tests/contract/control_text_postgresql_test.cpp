// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_text_postgresql_test.cpp -- PostgreSQL through a client that shows no handle: each
// property at each position, by hand and by the adapter.

#include "tests/contract/control_postgresql.hpp"
#include "tests/contract/control_text.hpp"
#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

class control_text_postgresql : public postgresql_case
{
protected:
    std::shared_ptr<sql_session> client()
    {
        return dynamic_cast<text_postgresql_target&>(target()).open_text();
    }
};
ASSENT_ON_EACH_POSTGRESQL(control_text_postgresql, text_postgresql_target);

TEST_P(control_text_postgresql, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    pg().administer(control_table());
    auto const expected = facts();
    experiment what;
    what.properties = postgresql_properties();
    what.positions = {position::after_start, position::across_one_phase, position::after_rollback,
                      position::after_two_phases, position::after_one_phase};
    what.before_each = [this] { pg().administer(control_cleaning_postgresql()); };
    what.by_hand = [&] { return text_side(client(), blocks_by_hand()); };
    what.by_adapter = [&] {
        auto const lent = client();
        return text_side(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                             return driver().borrow(lent.get(), expected, in_seconds(10));
                         }));
    };
    what.page = "sql_session.md";
    what.door = "on PostgreSQL";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
