// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// modes_contract.cpp -- a branch is begun as it was asked for, or not at all: isolation level, read
// only or not, and whether a commit row could be written in it.

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

constexpr isolation every_level[] = {isolation::read_uncommitted, isolation::read_committed,
                                     isolation::repeatable_read, isolation::serializable};

}  // namespace

TEST_P(contract, ABranchRunsAtTheLevelThatWasAskedForAndNoOtherOneDoes)
{
    ASSENT_NEEDS(modes);
    auto const session = open(session_purpose::work);
    bool const is_always_serializable = driver().capabilities().is_always_serializable;
    int key = 0;
    for (isolation const level : every_level) {
        xid const x = next_xid(*session);
        session->declare({level, {}});

        auto const said = run(*session, verb::start, x);

        if (is_always_serializable && level != isolation::serializable) {
            EXPECT_EQ(said.code, xa_code::inval) << said.text;
            EXPECT_NE(said.text.find("SERIALIZABLE"), std::string::npos) << said.text;
            EXPECT_TRUE(session->is_reusable()) << "nothing was begun";
            continue;
        }
        ASSERT_TRUE(said.is_ok()) << said.text;
        target().write_row(*session, ++key);
        EXPECT_TRUE(target().runs_at(*session, level)) << name_of(level);
        EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());

        xid const next = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, next).is_ok());
        target().write_row(*session, ++key);
        EXPECT_TRUE(target().runs_at(*session, target().default_level()))
            << name_of(level) << " was asked for one branch only";
        EXPECT_TRUE(run(*session, verb::rollback, next).is_ok());
    }
}

TEST_P(contract, ALevelAndReadOnlyHoldTogetherForOneBranch)
{
    ASSENT_NEEDS(modes);
    auto const session = open(session_purpose::work);
    xid const reader = next_xid(*session);
    session->declare({isolation::serializable, access::read_only});
    ASSERT_TRUE(run(*session, verb::start, reader).is_ok());

    EXPECT_ANY_THROW(target().write_row(*session, 1));

    EXPECT_TRUE(run(*session, verb::rollback, reader).is_ok());
    EXPECT_TRUE(session->is_reusable());
    xid const writer = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, writer).is_ok());
    target().write_row(*session, 2);
    EXPECT_TRUE(run(*session, verb::commit_one_phase, writer).is_ok());
    EXPECT_EQ(target().count_rows(2), 1);
}

/// What was not asked for is left as the connection has it; what was asked for wins.
TEST_P(contract, ABranchThatIsBegunReadWriteWritesThoughItsConnectionReadsOnly)
{
    ASSENT_NEEDS(modes);
    auto const session = open(session_purpose::work);
    target().make_read_only(*session);
    auto const can_write = [&](branch_modes const& modes, int key) {
        xid const x = next_xid(*session);
        session->declare(modes);
        EXPECT_TRUE(run(*session, verb::start, x).is_ok());
        bool is_written = true;
        try {
            target().write_row(*session, key);
        } catch (std::exception const&) {
            is_written = false;
        }
        auto const said = run(*session, is_written ? verb::commit_one_phase : verb::rollback, x);
        EXPECT_TRUE(said.is_ok()) << said.text;
        EXPECT_EQ(target().count_rows(key), is_written ? 1 : 0);
        return is_written;
    };

    EXPECT_FALSE(can_write({}, 1));
    EXPECT_FALSE(can_write({isolation::serializable, {}}, 2));
    EXPECT_TRUE(can_write({{}, access::read_write}, 3));
    EXPECT_TRUE(can_write({isolation::serializable, access::read_write}, 4));
    EXPECT_FALSE(can_write({}, 5)) << "the connection is as its owner made it";
}

TEST_P(contract, CommitRowABranchIsBegunOnlyWhereItsRowCanBeWritten)
{
    if (driver().decisions() == nullptr) GTEST_SKIP() << "this database holds no commit rows";
    auto const manage = open(session_purpose::manage);
    driver().preflight(*manage, in_seconds(10));
    auto& table = *driver().decisions();
    table.ensure(*manage, in_seconds(10));
    auto const session = open(session_purpose::work);
    auto const commit = [&](xid const& x, int key) {
        target().write_row(*session, key);
        table.carry(*session, {x.global, row_kind::commit, "00"});
        auto const said = run(*session, verb::commit_one_phase, x);
        EXPECT_TRUE(said.is_ok()) << said.text;
        EXPECT_EQ(table.list(*manage, x.global.text(), 2, in_seconds(10)).size(), 1u);
    };
    xid x = next_xid(*session);
    table.announce(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    commit(x, 1);

    target().make_read_only(*session);
    x = next_xid(*session);
    table.announce(*session);
    auto const said = run(*session, verb::start, x);

    EXPECT_FALSE(said.is_ok());
    EXPECT_NE(said.text.find("commit row"), std::string::npos) << said.text;
    EXPECT_TRUE(session->is_reusable()) << "nothing was begun";
    x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok()) << "the announcement was for one branch";
    ASSERT_TRUE(run(*session, verb::rollback, x).is_ok());
    x = next_xid(*session);
    session->declare({{}, access::read_write});
    table.announce(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    commit(x, 2);
}

}  // namespace assent::contract
