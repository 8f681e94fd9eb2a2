// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_tables.cpp -- who may do what when: C193, tables 6-1, 6-2 and 6-4.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "tests/contract/exported_switch_suite.hpp"

namespace assent::contract {

TEST_P(exported_switch, AnswersNothingBeforeItIsOpened)
{
    auto bank = monitor();
    XID const x = next_name();
    std::vector<XID> page;

    EXPECT_EQ(bank.close(), XA_OK);
    EXPECT_EQ(bank.start(x), XAER_PROTO);
    EXPECT_EQ(bank.end(x), XAER_PROTO);
    EXPECT_EQ(bank.prepare(x), XAER_PROTO);
    EXPECT_EQ(bank.commit(x), XAER_PROTO);
    EXPECT_EQ(bank.rollback(x), XAER_PROTO);
    EXPECT_EQ(bank.forget(x), XAER_PROTO);
    EXPECT_EQ(bank.recover(page, 1, TMSTARTRSCAN), XAER_PROTO);
    EXPECT_EQ(target().handle(1), nullptr);
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    EXPECT_EQ(bank.open(), XA_OK);
    EXPECT_EQ(elsewhere([&] { return bank.start(x); }), XAER_PROTO) << "each thread opens it";
    EXPECT_EQ(bank.close(), XA_OK);
    EXPECT_EQ(bank.start(x), XAER_PROTO);
}

TEST_P(exported_switch, KeepsTheTableOfAssociations)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    XID const y = next_name();

    // T0
    EXPECT_EQ(target().handle(1), nullptr);
    EXPECT_EQ(bank.end(x), XAER_NOTA);
    EXPECT_EQ(bank.start(x, TMRESUME), XAER_NOTA);
    EXPECT_EQ(bank.start(x, TMJOIN), XAER_NOTA);
    ASSERT_EQ(bank.start(x), XA_OK);
    // T1
    EXPECT_NE(target().handle(1), nullptr);
    EXPECT_EQ(bank.start(x), XAER_PROTO);
    EXPECT_EQ(bank.start(y), XAER_PROTO);
    EXPECT_EQ(bank.end(y), XAER_NOTA);
    EXPECT_EQ(bank.close(), XAER_PROTO);
    EXPECT_EQ(bank.prepare(x), XAER_PROTO);
    EXPECT_EQ(bank.commit(x), XAER_PROTO);
    EXPECT_EQ(bank.commit(x, TMONEPHASE), XAER_PROTO);
    EXPECT_EQ(bank.rollback(x), XAER_PROTO);
    EXPECT_EQ(bank.forget(x), XAER_PROTO);
    EXPECT_TRUE(bank.recover().empty());
    target().insert(1, 1);
    ASSERT_EQ(bank.end(x, TMSUSPEND), XA_OK);
    // T2
    EXPECT_EQ(target().handle(1), nullptr);
    EXPECT_EQ(bank.end(x, TMSUSPEND), XAER_PROTO);
    EXPECT_EQ(bank.close(), XAER_PROTO);
    EXPECT_EQ(bank.start(x), XAER_DUPID);
    EXPECT_EQ(bank.start(x, TMJOIN), XAER_PROTO);
    EXPECT_EQ(bank.prepare(x), XAER_PROTO);
    ASSERT_EQ(bank.start(x, TMRESUME), XA_OK);
    target().insert(1, 2);
    ASSERT_EQ(bank.end(x, TMSUSPEND), XA_OK);
    // Meanwhile another one, on a connection of its own.
    ASSERT_EQ(bank.start(y), XA_OK) << target().message();
    target().insert(1, 4);
    ASSERT_EQ(bank.end(y), XA_OK);
    ASSERT_EQ(bank.end(x, TMSUCCESS), XA_OK);
    EXPECT_EQ(bank.start(x, TMRESUME), XAER_PROTO);
    ASSERT_EQ(bank.start(x, TMJOIN), XA_OK);
    target().insert(1, 3);
    ASSERT_EQ(bank.end(x), XA_OK);

    EXPECT_EQ(bank.rollback(y), XA_OK) << target().message();
    EXPECT_EQ(bank.commit(x, TMONEPHASE), XA_OK) << target().message();
    EXPECT_EQ(target().count(1) + target().count(2) + target().count(3), 3);
    EXPECT_EQ(target().count(4), 0);
}

TEST_P(exported_switch, KeepsTheTableOfBranches)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();

    XID const none = next_name();
    EXPECT_EQ(bank.prepare(none), XAER_NOTA);
    EXPECT_EQ(at_last([&] { return bank.commit(none); }), XAER_NOTA);
    EXPECT_EQ(bank.commit(none, TMONEPHASE), XAER_NOTA);
    EXPECT_EQ(bank.rollback(none), XAER_NOTA);
    EXPECT_EQ(bank.forget(none), XAER_NOTA);
    XID const idle = work(bank, 1);
    EXPECT_EQ(bank.start(idle), XAER_DUPID);
    EXPECT_EQ(bank.commit(idle), XAER_PROTO);
    EXPECT_EQ(bank.forget(idle), XAER_PROTO);
    EXPECT_EQ(bank.prepare(idle), XA_OK) << target().message();
    EXPECT_EQ(bank.prepare(idle), XAER_PROTO);
    EXPECT_EQ(bank.commit(idle, TMONEPHASE), XAER_PROTO);
    EXPECT_EQ(bank.start(idle), XAER_DUPID);
    EXPECT_EQ(bank.start(idle, TMJOIN), XAER_PROTO);
    EXPECT_EQ(bank.end(idle), XAER_PROTO);
    EXPECT_EQ(bank.forget(idle), XAER_PROTO);
    EXPECT_EQ(bank.commit(idle), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 1);
}

TEST_P(exported_switch, LetsAnyThreadEndWhatIsIdleOrPrepared)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const joined = work(bank, 1);
    XID const one_phase = work(bank, 2);
    XID const voted = prepared(bank, 3);

    elsewhere([&] {
        EXPECT_EQ(bank.open(), XA_OK) << target().message();
        EXPECT_EQ(bank.start(joined, TMJOIN), XA_OK);
        target().insert(1, 4);
        EXPECT_EQ(bank.end(joined), XA_OK);
        EXPECT_EQ(bank.prepare(joined), XA_OK) << target().message();
        EXPECT_EQ(bank.commit(one_phase, TMONEPHASE), XA_OK) << target().message();
        EXPECT_EQ(bank.commit(voted), XA_OK) << target().message();
        return bank.close();
    });

    EXPECT_EQ(bank.commit(joined), XA_OK) << target().message();
    EXPECT_EQ(target().count(1) + target().count(2) + target().count(3) + target().count(4), 4);
}

TEST_P(exported_switch, LetsOneThreadAtATimeWorkOnABranch)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    ASSERT_EQ(bank.start(x), XA_OK);

    elsewhere([&] {
        EXPECT_EQ(bank.open(), XA_OK) << target().message();
        EXPECT_EQ(bank.start(x), XAER_DUPID);
        EXPECT_EQ(bank.start(x, TMJOIN), XAER_RMERR);
        EXPECT_EQ(bank.start(x, TMRESUME), XAER_PROTO);
        EXPECT_EQ(bank.end(x), XAER_PROTO);
        return bank.prepare(x);
    });

    EXPECT_EQ(bank.end(x), XA_OK);
    EXPECT_EQ(bank.rollback(x), XA_OK) << target().message();
}

TEST_P(exported_switch, TellsTheSecondOfTwoThreadsToAskAgain)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = prepared(bank, 1);
    std::promise<void> go;
    std::promise<int> first;
    auto const told = go.get_future().share();
    std::atomic_flag is_answered = ATOMIC_FLAG_INIT;
    std::vector<std::promise<int>> opened(2);
    std::vector<std::future<int>> answers;
    for (auto& each : opened) {
        answers.push_back(std::async(std::launch::async, [&] {
            each.set_value(bank.open());
            told.wait();
            int const answer = bank.commit(x);
            if (!is_answered.test_and_set()) first.set_value(answer);
            return answer;
        }));
    }
    for (auto& each : opened)
        EXPECT_EQ(each.get_future().get(), XA_OK);

    target().server().freeze();  // whoever comes first waits for it
    go.set_value();
    auto answered = first.get_future();
    bool const is_quick = answered.wait_for(std::chrono::seconds{20}) == std::future_status::ready;
    target().server().thaw();

    ASSERT_TRUE(is_quick);
    EXPECT_EQ(answered.get(), XA_RETRY);
    int const one = answers[0].get();
    int const other = answers[1].get();
    EXPECT_EQ(std::min(one, other), XA_OK);
    EXPECT_EQ(std::max(one, other), XA_RETRY);
    EXPECT_EQ(target().count(1), 1);
}

TEST_P(exported_switch, LetsAnotherProcessEndWhatIsPrepared)
{
    auto bank = monitor();
    auto other = monitor(2);  // shares nothing with it
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    ASSERT_EQ(other.open(), XA_OK) << target().message();
    XID const x = prepared(bank, 1);
    XID const y = prepared(bank, 2);

    if (target().sees_prepared_names()) {
        EXPECT_EQ(other.start(x), XAER_DUPID) << target().message();
    }
    if (target().keeps_prepared()) {
        // "No such branch" would be taken for "finished".
        EXPECT_EQ(other.commit(x), XA_RETRY) << target().message();
        EXPECT_NE(std::string{target().message()}.find("still there"), std::string::npos)
            << "nothing is sent while the session that prepared it may be ending";
        EXPECT_EQ(other.rollback(y), XAER_RMFAIL) << target().message();
        ASSERT_EQ(other.open(), XA_OK) << target().message();
        EXPECT_TRUE(other.lists(x) && other.lists(y));
        ASSERT_EQ(bank.commit(x), XA_OK) << target().message();
        ASSERT_EQ(bank.rollback(y), XA_OK) << target().message();
    } else {
        EXPECT_EQ(other.commit(x), XA_OK) << target().message();
        EXPECT_EQ(other.rollback(y), XA_OK) << target().message();
        EXPECT_EQ(at_last([&] { return bank.commit(x); }), XAER_NOTA);
        EXPECT_EQ(bank.rollback(y), XAER_NOTA);
    }
    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(target().count(2), 0);
}

TEST_P(exported_switch, DoesNotTakeAnothersVoteForItsOwn)
{
    if (target().sees_prepared_names()) GTEST_SKIP() << "xa_start refuses the name";
    auto other = monitor(2);  // shares nothing with it
    auto bank = monitor();
    ASSERT_EQ(other.open(), XA_OK) << target().message();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = prepared(other, 1);
    ASSERT_EQ(bank.start(x), XA_OK) << target().message();
    target().insert(1, 2);
    ASSERT_EQ(bank.end(x), XA_OK);

    int const answer = bank.prepare(x);

    EXPECT_TRUE(answer >= XA_RBBASE && answer <= XA_RBEND) << answer << target().message();
    EXPECT_EQ(other.commit(x), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(target().count(2), 0);
}

TEST_P(exported_switch, LeavesTheApplicationsOwnTransactionAlone)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    ASSERT_EQ(bank.start(x), XA_OK);
    void* const kept = target().handle(1);
    ASSERT_EQ(bank.end(x), XA_OK);
    ASSERT_EQ(bank.commit(x, TMONEPHASE), XA_OK) << target().message();

    ASSERT_TRUE(target().accepts(kept, "BEGIN"));
    EXPECT_EQ(bank.start(next_name()), XAER_OUTSIDE) << target().message();
    EXPECT_TRUE(target().accepts(kept, "COMMIT"));

    EXPECT_EQ(bank.rollback(work(bank, 1)), XA_OK) << target().message();
}

TEST_P(exported_switch, SaysThatABranchWhichWasLeftIsAHazard)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    XID const y = next_name();

    ASSERT_EQ(bank.start(x), XA_OK);
    target().insert(1, 1);
    target().leave_branch(1, x);
    ASSERT_EQ(bank.end(x), XA_OK);
    EXPECT_EQ(bank.prepare(x), XAER_RMERR) << target().message();
    EXPECT_EQ(bank.rollback(x), XA_HEURHAZ);
    EXPECT_EQ(bank.rollback(x), XA_HEURHAZ) << "until it is forgotten";
    EXPECT_TRUE(bank.lists(x)) << "a monitor that recovers must hear of it";
    EXPECT_EQ(bank.forget(x), XA_OK);
    EXPECT_FALSE(bank.lists(x));
    EXPECT_EQ(bank.rollback(x), XAER_NOTA);
    ASSERT_EQ(bank.start(y), XA_OK);
    target().insert(1, 2);
    target().leave_branch(1, y);
    ASSERT_EQ(bank.end(y), XA_OK);
    EXPECT_EQ(bank.commit(y, TMONEPHASE), XA_HEURHAZ) << target().message();
    EXPECT_EQ(bank.forget(y), XA_OK);

    EXPECT_EQ(target().count(1) + target().count(2), 2);
}

}  // namespace assent::contract
