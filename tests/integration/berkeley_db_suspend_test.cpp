// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// berkeley_db_suspend_test.cpp -- somebody else's switch, suspended and resumed: what is written
// meanwhile is in the other branch, and one that is ended while it is suspended ends.

#include <gtest/gtest.h>

#include <optional>

#include <assent/scopes.hpp>
#include <assent/xopen.hpp>

#include "restored_switch.hpp"
#include "stock.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using assent::outcome;

class berkeley_db_suspended : public ::testing::Test
{
protected:
    berkeley_db_suspended()
    {
        tm.begin().lease(stocks);
        table.emplace();
    }
    void begin_bound(char const* row)
    {
        ut.begin();
        work_on(row);
    }
    void work_on(char const* row)
    {
        tm.current()->lease(stocks);
        table->add(row, 1);
    }

    api_test::temporary_directory home, log;
    assent::transaction_manager tm{assent::options{}
                                       .log_directory(log.path())
                                       .node_label("suspended")
                                       .limits(api_test::quick())
                                       .allow_file_system("tmpfs")};
    assent::xopen::resource_manager stocks{
        tm.add(assent::xopen::resource_manager{"stock", restored_switch(), home.path(),
                                               assent::xopen::options{}
                                                   .identity_file(home.path() + "/assent_identity")
                                                   .unguarded()
                                                   .sessions_end_within(0ms)})};
    std::optional<stock_table> table;
    assent::user_transaction ut{tm};
};

// Each row on a page of its own would be needed to work side by side: Berkeley DB locks pages, and
// a thread that waits for itself is a deadlock.  So what is suspended has written nothing yet.

TEST_F(berkeley_db_suspended, WorkIsDoneInTheBranchThatTheThreadIsAtWorkOn)
{
    ut.begin();
    tm.current()->lease(stocks);
    assent::requires_new(tm, [&] { work_on("inner"); });
    EXPECT_EQ(table->count("inner"), 1);
    work_on("outer");
    ut.rollback();
    EXPECT_EQ(table->count("inner"), 1) << "the other branch's";
    EXPECT_EQ(table->count("outer"), 0);
}

TEST_F(berkeley_db_suspended, IsEndedWithoutBeingResumed)
{
    begin_bound("committed");
    EXPECT_EQ(tm.suspend()->commit(), outcome::committed);
    begin_bound("rolled back");
    EXPECT_EQ(tm.suspend()->rollback(), outcome::rolled_back);
    begin_bound("dropped");
    tm.suspend();
    begin_bound("after");
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(table->count("committed"), 1);
    EXPECT_EQ(table->count("rolled back"), 0);
    EXPECT_EQ(table->count("dropped"), 0);
    EXPECT_EQ(table->count("after"), 1);
}

}  // namespace
