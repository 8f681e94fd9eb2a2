// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_test.cpp -- what is answered where a server says less than it knows, or is another one.

#include <gtest/gtest.h>
#include <xopen/xa.h>

#include <thread>

#include "adapters/switch_out/resource.hpp"
#include "tests/unit/switch_out/fake_database.hpp"

namespace assent::switch_out {

namespace {

class SwitchResource : public ::testing::Test
{
protected:
    SwitchResource()
    {
        world() = {};
        world().reached = &server;
    }
    ~SwitchResource() override { bank.close(1, TMNOFLAGS); }

    XID x(char number)
    {
        XID made{};
        made.formatID = 7;
        made.gtrid_length = 1;
        made.data[0] = number;
        return made;
    }
    static dialects::branch_name name(XID const& of) { return name_of(&of); }
    int open() { return bank.open("a", 1, TMNOFLAGS); }
    int start(XID const& y) { return bank.start(&y, 1, TMNOFLAGS); }
    void work(XID const& y)
    {
        EXPECT_EQ(open(), XA_OK) << resource::message();
        EXPECT_EQ(start(y), XA_OK) << resource::message();
        EXPECT_EQ(bank.end(&y, 1, TMSUCCESS), XA_OK);
    }
    int prepare(XID const& y) { return bank.prepare(&y, 1, TMNOFLAGS); }
    /// Opened again, as behind XAER_RMFAIL.
    int commit(XID const& y, long flags = TMNOFLAGS)
    {
        EXPECT_EQ(open(), XA_OK) << resource::message();
        return bank.commit(&y, 1, flags);
    }
    int rollback(XID const& y)
    {
        EXPECT_EQ(open(), XA_OK) << resource::message();
        return bank.rollback(&y, 1, TMNOFLAGS);
    }
    static reply said(xa_code code, reply_detail detail = reply_detail::none)
    {
        reply made;
        made.code = code;
        made.detail = detail;
        return made;
    }
    reply const none = said(xa_code::nota);
    reply const lost = said(xa_code::rmfail, reply_detail::reply_lost);
    reply const undone = said(xa_code::nota, reply_detail::may_be_undone);

    fake_server server;
    // Forked children look for it, so it is never destroyed.
    resource& bank = *new resource{make_fake};
};

TEST_F(SwitchResource, ChangesNothingForTheOthersWhereItRefusesADatabase)
{
    fake_server stranger;
    stranger.identity = "another";
    work(x('a'));

    world().reached = &stranger;
    int refused = XA_OK;
    std::thread{[&] { refused = open(); }}.join();
    EXPECT_EQ(refused, XAER_RMERR);

    world().reached = &server;
    EXPECT_EQ(start(x('b')), XA_OK) << resource::message();
    XID const b = x('b');
    EXPECT_EQ(bank.end(&b, 1, TMSUCCESS), XA_OK);
    world().reached = &stranger;
    EXPECT_EQ(start(x('c')), XAER_RMFAIL);
    EXPECT_TRUE(stranger.heard.empty());
    world().reached = &server;
}

TEST_F(SwitchResource, CallsNothingGoneThatMayBePreparedYet)
{
    XID const a = x('a');
    work(a);
    server.replies = {lost};
    ASSERT_EQ(prepare(a), XAER_RMFAIL);
    auto const heard = server.heard.size();

    server.replies = {none, none};
    EXPECT_EQ(rollback(a), XAER_RMFAIL);
    EXPECT_EQ(commit(a), XA_RETRY);
    EXPECT_EQ(start(a), XAER_DUPID);
    EXPECT_EQ(server.heard.size(), heard);
    server.presence = session_presence::unknown;
    EXPECT_EQ(rollback(a), XAER_RMFAIL);

    server.presence = session_presence::gone;
    EXPECT_EQ(rollback(a), XAER_NOTA);
    EXPECT_EQ(start(a), XA_OK);
}

TEST_F(SwitchResource, CallsNothingGoneThatMayBeCommittedYet)
{
    XID const a = x('a');
    work(a);
    server.replies = {lost};
    ASSERT_EQ(commit(a, TMONEPHASE), XAER_RMFAIL);

    EXPECT_EQ(commit(a, TMONEPHASE), XAER_RMFAIL);
    EXPECT_EQ(rollback(a), XAER_RMFAIL);
    // A restart has ended every session.
    server.life.start = "later";
    server.replies = {none};
    EXPECT_EQ(rollback(a), XAER_NOTA);
}

class SwitchResourceThatUndoesOnePhase : public SwitchResource
{
protected:
    SwitchResourceThatUndoesOnePhase() { server.one_phase_hazard = "a crash may undo it"; }
    std::vector<verb> endings() const
    {
        std::vector<verb> all;
        for (auto const each : server.heard) {
            if (each == verb::prepare || each == verb::commit || each == verb::commit_one_phase) {
                all.push_back(each);
            }
        }
        return all;
    }
};

TEST_F(SwitchResourceThatUndoesOnePhase, CommitsInTwo)
{
    XID const a = x('a');
    work(a);
    EXPECT_EQ(commit(a, TMONEPHASE), XA_OK);
    EXPECT_EQ(endings(), (std::vector{verb::prepare, verb::commit}));
}

TEST_F(SwitchResourceThatUndoesOnePhase, TellsARefusedVoteAsRolledBack)
{
    XID const a = x('a');
    work(a);
    server.replies = {said(xa_code::rbrollback)};
    EXPECT_EQ(commit(a, TMONEPHASE), XA_RBROLLBACK);
    EXPECT_EQ(endings(), std::vector{verb::prepare});
}

TEST_F(SwitchResourceThatUndoesOnePhase, KeepsInMindWhatMayBePrepared)
{
    XID const a = x('a');
    work(a);
    server.replies = {reply{}, lost};
    EXPECT_EQ(commit(a, TMONEPHASE), XAER_RMFAIL);
    server.life.start = "later";
    server.prepared = {name(a)};
    EXPECT_EQ(rollback(a), XA_OK);
}

TEST_F(SwitchResource, KeepsASuspicionThoughTheListFails)
{
    XID const a = x('a');
    server.replies = {undone, undone, none};
    server.is_list_there = false;
    EXPECT_EQ(commit(a), XAER_RMFAIL);

    server.is_list_there = true;
    server.prepared = {name(a)};
    EXPECT_EQ(commit(a), XA_RETRY);

    server.prepared.clear();
    EXPECT_EQ(commit(a), XA_HEURHAZ);
    EXPECT_EQ(commit(a), XA_HEURHAZ);
    EXPECT_EQ(bank.forget(&a, 1, TMNOFLAGS), XA_OK);
}

TEST_F(SwitchResource, BelievesNoListOfAnotherServer)
{
    XID const a = x('a');
    fake_server replica = server;
    replica.life.instance = "replica";
    ASSERT_EQ(open(), XA_OK);
    world().reached = &replica;
    replica.replies = {none};
    server.replies = {none};

    EXPECT_EQ(bank.commit(&a, 1, TMNOFLAGS), XAER_RMFAIL);
    world().reached = &server;
    server.replies = {none};
    EXPECT_EQ(commit(a), XAER_NOTA);
}

TEST_F(SwitchResource, CallsAHazardWhatMayBeLostWithAPast)
{
    ASSERT_EQ(open(), XA_OK);
    server.history = "2";
    server.replies = {none, none};

    EXPECT_EQ(commit(x('a')), XA_HEURHAZ);
    EXPECT_EQ(rollback(x('b')), XAER_NOTA) << "lost, and so rolled back";
}

TEST_F(SwitchResource, RemembersSinceWhenItAsksToRollBack)
{
    world().keeps_prepared = true;
    XID const a = x('a');
    ASSERT_EQ(open(), XA_OK);
    server.others = {1};  // an elder one, not of this process
    world().last_number = 100;
    EXPECT_EQ(rollback(a), XAER_RMFAIL);

    // A session that came later cannot have prepared it.
    server.others = {world().last_number};
    world().last_number += 10;
    server.replies = {said(xa_code::ok)};
    EXPECT_EQ(rollback(a), XA_OK);
}

TEST_F(SwitchResource, LetsNumbersOfAnEarlierLifeSayNothing)
{
    world().keeps_prepared = true;
    world().last_number = 0xfffffff0U;
    XID const a = x('a');
    ASSERT_EQ(open(), XA_OK);
    server.others = {0xffffffe0U};
    EXPECT_EQ(rollback(a), XAER_RMFAIL);

    server.life.start = "later";
    world().last_number = 20;
    server.others = {5};
    EXPECT_EQ(rollback(a), XAER_RMFAIL) << "it is older than whoever asks in this life";
    server.others.clear();
    EXPECT_EQ(rollback(a), XA_OK) << resource::message();
}

}  // namespace

}  // namespace assent::switch_out
