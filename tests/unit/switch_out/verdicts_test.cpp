// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// verdicts_test.cpp -- no reply becomes more than it says: every code and every detail, for each
// routine.

#include <gtest/gtest.h>
#include <xopen/xa.h>

#include <vector>

#include "adapters/switch_out/verdicts.hpp"

namespace assent::switch_out {

namespace {

reply said(xa_code code, reply_detail detail = reply_detail::none)
{
    reply made;
    made.code = code;
    made.detail = detail;
    return made;
}

std::vector<reply> every_reply()
{
    std::vector<reply> all;
    for (int code = -12; code < 112; ++code) {
        for (int detail = 0; detail <= 6; ++detail)
            all.push_back(said(static_cast<xa_code>(code), static_cast<reply_detail>(detail)));
    }
    return all;
}

bool says_rolled_back(reply const& r)
{
    return r.code >= xa_code::rbrollback && r.code <= xa_code::rbtransient &&
           r.detail == reply_detail::none;
}

bool is_rolled_back(int answer)
{
    return answer >= XA_RBBASE && answer <= XA_RBEND;
}

TEST(SwitchVerdicts, SayOkOnlyWhereTheReplyDoes)
{
    for (reply const& r : every_reply()) {
        EXPECT_EQ(of_prepare(r).answer == XA_OK, r.is_ok());
        EXPECT_EQ(of_one_phase(r).answer == XA_OK, r.is_ok());
        bool const is_read_only = r.detail == reply_detail::read_only_owner_left;
        EXPECT_EQ(of_commit(r, true).answer == XA_OK, r.is_ok());
        EXPECT_EQ(of_commit(r, false).answer == XA_OK, r.is_ok() || is_read_only);
        EXPECT_EQ(of_undoing(r).answer == XA_OK, r.is_ok() || says_rolled_back(r));
        EXPECT_EQ(of_rollback(r).answer == XA_OK, r.is_ok() || says_rolled_back(r) || is_read_only);
        EXPECT_EQ(of_start(r) == XA_OK, r.code == xa_code::ok);
    }
}

TEST(SwitchVerdicts, SayRolledBackOnlyWhereTheReplyDoes)
{
    for (reply const& r : every_reply()) {
        EXPECT_EQ(is_rolled_back(of_prepare(r).answer), says_rolled_back(r));
        EXPECT_EQ(is_rolled_back(of_one_phase(r).answer), says_rolled_back(r));
        EXPECT_FALSE(is_rolled_back(of_commit(r, true).answer));
        EXPECT_FALSE(is_rolled_back(of_commit(r, false).answer));
        // XA's xa_commit means it so.
        EXPECT_NE(of_one_phase(r).answer, XAER_RMERR);
        EXPECT_NE(of_commit(r, true).answer, XAER_RMERR);
        EXPECT_NE(of_commit(r, false).answer, XAER_RMERR);
        EXPECT_NE(of_rollback(r).answer, XAER_RMERR);
    }
}

TEST(SwitchVerdicts, ForgetABranchOnlyWhereItIsOver)
{
    for (reply const& r : every_reply()) {
        for (verdict const v : {of_prepare(r), of_one_phase(r), of_undoing(r), of_commit(r, true),
                                of_commit(r, false), of_rollback(r)}) {
            bool const is_over = v.answer == XA_OK || is_rolled_back(v.answer);
            EXPECT_TRUE(v.then != fate::over || is_over) << v.answer;
            EXPECT_EQ(v.answer == XAER_NOTA, v.then == fate::unlisted) << v.answer;
            EXPECT_TRUE(v.answer != XAER_RMFAIL || v.then == fate::unknown ||
                        v.then == fate::in_doubt);
        }
    }
}

TEST(SwitchVerdicts, AskTheListOfWhatTheDatabaseDoesNotKnow)
{
    auto const none = said(xa_code::nota);
    auto const undone = said(xa_code::nota, reply_detail::may_be_undone);

    EXPECT_EQ(of_commit(none, true).then, fate::unlisted);
    EXPECT_EQ(of_rollback(none).then, fate::unlisted);
    EXPECT_EQ(of_commit(undone, true).then, fate::unlisted);
    absence const gone;
    absence listed, suspect, restored;
    listed.is_listed = true;
    suspect.may_be_undone = true;
    restored.is_past_lost = true;
    EXPECT_EQ(after_list(verb::commit, listed).answer, XA_RETRY);
    EXPECT_EQ(after_list(verb::rollback, listed).answer, XAER_RMFAIL);
    for (verb const how : {verb::commit, verb::rollback}) {
        EXPECT_EQ(after_list(how, listed).then, fate::prepared) << "since when is remembered";
        EXPECT_EQ(after_list(how, gone).answer, XAER_NOTA);
        EXPECT_EQ(after_list(how, suspect).answer, XA_HEURHAZ);
        EXPECT_EQ(after_list(how, suspect).then, fate::settled);
    }
    EXPECT_EQ(after_list(verb::commit, restored).answer, XA_HEURHAZ);
    EXPECT_EQ(after_list(verb::rollback, restored).answer, XAER_NOTA);
    suspect.is_listed = true;
    EXPECT_EQ(after_list(verb::commit, suspect).answer, XA_RETRY);
}

TEST(SwitchVerdicts, KeepInDoubtWhatMayBeCarriedOutYet)
{
    auto const lost = said(xa_code::rmfail, reply_detail::reply_lost);

    EXPECT_EQ(of_prepare(lost).then, fate::in_doubt);
    EXPECT_EQ(of_one_phase(lost).then, fate::in_doubt);
    EXPECT_EQ(of_undoing(lost).then, fate::unknown);
    EXPECT_EQ(of_commit(lost, true).then, fate::unknown);
}

TEST(SwitchVerdicts, TellAHazardAsOne)
{
    auto const left = said(xa_code::proto, reply_detail::left_behind);

    EXPECT_EQ(of_prepare(left).answer, XAER_RMERR);
    EXPECT_EQ(of_prepare(left).then, fate::settled);
    EXPECT_EQ(of_one_phase(left).answer, XA_HEURHAZ);
    EXPECT_EQ(of_undoing(left).answer, XA_HEURHAZ);
    EXPECT_EQ(of_rollback(left).answer, XA_HEURHAZ);
    EXPECT_EQ(of_commit(said(xa_code::rbrollback), true).answer, XA_HEURRB);
    EXPECT_EQ(of_commit(said(xa_code::rbrollback, reply_detail::read_only_owner_left), true).answer,
              XA_HEURHAZ);
    EXPECT_EQ(of_commit(said(xa_code::retry, reply_detail::busy), true).answer, XA_RETRY);
    EXPECT_EQ(of_rollback(said(xa_code::retry, reply_detail::busy)).answer, XAER_RMFAIL);
}

}  // namespace

}  // namespace assent::switch_out
