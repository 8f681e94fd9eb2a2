// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches_test.cpp -- who sees a row of the table assent_branch that is not committed.

#include "tests/unit/memory/memory_fixture.hpp"

namespace memory_test {

namespace {

/// What somebody is told who would take a row that another session has inserted, and not committed.
void expect_of_taking(personality acts_as, bool is_seen)
{
    world w{acts_as};
    auto& table = *w.driver().branches();
    auto const attempting = w.open();
    table.ensure_branches(*attempting, w.in(1s));
    w.run(*attempting, verb::start, name(1));
    table.insert(*attempting, {name(1), "wallets", "30"}, w.in(1s));
    auto const cancelling = w.open();
    w.run(*cancelling, verb::start, name(2));

    if (is_seen) {
        EXPECT_THROW(table.take(*cancelling, name(1), w.in(1s)), assent::driver_error);
    } else {
        EXPECT_EQ(table.take(*cancelling, name(1), w.in(1s)), std::nullopt);
    }

    w.run(*attempting, verb::commit_one_phase, name(1));
    EXPECT_EQ(table.take(*cancelling, name(1), w.in(1s))->payload, "30");
    auto const another = w.open();
    w.run(*another, verb::start, name(3));
    EXPECT_THROW(table.take(*another, name(1), w.in(1s)), assent::driver_error)
        << "one that is deleted, and not committed, is waited for everywhere";
}

}  // namespace

TEST(MemoryBranches, PostgresqlHidesARowThatIsNotCommitted)
{
    expect_of_taking(personality::postgresql, false);
}

TEST(MemoryBranches, MariadbHasItWaitedFor)
{
    expect_of_taking(personality::mariadb, true);
}

}  // namespace memory_test
