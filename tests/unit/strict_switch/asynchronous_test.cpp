// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asynchronous_test.cpp -- table 6-5: a call is begun with TMASYNC, and completed once.

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace switch_test {
namespace {

using ::testing::IsEmpty;

class asynchronous : public switches
{
protected:
    void SetUp() override
    {
        switch_options chosen;
        chosen.is_asynchronous = true;
        make(chosen);
        ASSERT_EQ(bank().entries().xa_open_entry(info().data(), rmid, TMNOFLAGS), XA_OK);
    }
    void TearDown() override { bank().entries().xa_close_entry(info().data(), rmid, TMNOFLAGS); }

    std::string info() { return bank().info(); }
    int begin(XID x) { return bank().entries().xa_start_entry(&x, rmid, TMASYNC); }
    int complete(int& handle, int& answer, long flags = TMNOFLAGS)
    {
        return bank().entries().xa_complete_entry(&handle, &answer, rmid, flags);
    }

    static constexpr int rmid = 5'000;
};

TEST_F(opened, IsRefusedByASwitchThatIsNot)
{
    EXPECT_EQ(start(name("a"), TMASYNC), XAER_ASYNC);
    EXPECT_EQ(count_of_violations(), 1u);
}

TEST_F(asynchronous, GivesAHandleAndLaterTheAnswer)
{
    int handle = begin(name("a"));
    ASSERT_GT(handle, 0);
    int answer = -1;
    EXPECT_EQ(complete(handle, answer, TMNOWAIT), XA_RETRY);
    EXPECT_EQ(answer, -1);
    EXPECT_EQ(complete(handle, answer), XA_OK);
    EXPECT_EQ(answer, XA_OK);
    EXPECT_EQ(complete(handle, answer), XAER_PROTO);
    EXPECT_EQ(count_of_violations(), 1u);
    auto x = name("a");
    EXPECT_EQ(bank().entries().xa_end_entry(&x, rmid, TMSUCCESS), XA_OK);
}

TEST_F(asynchronous, OneIsOutstandingAtATime)
{
    auto x = name("a");
    int handle = begin(x);
    EXPECT_EQ(begin(name("b")), XAER_ASYNC);
    EXPECT_EQ(bank().entries().xa_end_entry(&x, rmid, TMSUCCESS), XAER_PROTO);
    EXPECT_EQ(bank().entries().xa_close_entry(info().data(), rmid, TMNOFLAGS), XAER_PROTO);
    int other = handle + 1;
    int answer = -1;
    EXPECT_EQ(complete(other, answer), XAER_INVAL);
    EXPECT_EQ(complete(other, answer, TMMULTIPLE), XA_OK);
    EXPECT_EQ(other, handle);
    EXPECT_EQ(bank().entries().xa_end_entry(&x, rmid, TMSUCCESS), XA_OK);
}

TEST_F(asynchronous, AScriptedErrorOfItsCompletionLosesTheCall)
{
    int handle = begin(name("a"));
    int answer = -1;
    bank().on(switch_call::complete).answer(xa_code::inval);
    EXPECT_EQ(complete(handle, answer), XAER_INVAL);
    auto x = name("a");
    EXPECT_EQ(bank().entries().xa_end_entry(&x, rmid, TMSUCCESS), XA_OK);
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(asynchronous, ARefusalNeedsNoCompletion)
{
    auto x = name("none");
    EXPECT_EQ(bank().entries().xa_commit_entry(&x, rmid, TMASYNC), XAER_NOTA);
    EXPECT_THAT(bank().violations(), IsEmpty());
    int handle = begin(x);
    int answer = -1;
    EXPECT_EQ(complete(handle, answer), XA_OK);
    EXPECT_EQ(bank().entries().xa_end_entry(&x, rmid, TMSUCCESS), XA_OK);
}

}  // namespace
}  // namespace switch_test
