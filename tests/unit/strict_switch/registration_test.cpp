// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// registration_test.cpp -- table 6-3: a switch that registers asks which branch its work is of.
// This program is the transaction manager that it asks.

#include <optional>

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace {

struct manager
{
    std::optional<XID> branch;  // none: the null XID
    int answer = TM_OK;
    int registered = 0, unregistered = 0;
};

manager& asked()
{
    static manager one;
    return one;
}

}  // namespace

extern "C" int ax_reg(int, XID* xid, long)
{
    ++asked().registered;
    if (asked().branch) {
        *xid = *asked().branch;
    } else {
        *xid = {};
        xid->formatID = -1;
    }
    return asked().answer;
}

extern "C" int ax_unreg(int, long)
{
    ++asked().unregistered;
    return TM_OK;
}

namespace switch_test {
namespace {

class registering : public switches
{
protected:
    void SetUp() override
    {
        asked() = {};
        switch_options chosen;
        chosen.registers = true;
        make(chosen);
        ASSERT_EQ(open(), XA_OK);
    }
    void TearDown() override { close(); }
};

TEST_F(registering, IsNotStartedByItsManager)
{
    EXPECT_EQ(start(name("a")), XAER_PROTO);
    EXPECT_EQ(count_of_violations(), 1u);
}

TEST_F(registering, AsksOnceForEachPieceOfWork)
{
    asked().branch = name("a");
    bank().add("alice", 1);
    bank().add("alice", 1);
    EXPECT_EQ(asked().registered, 1);
    EXPECT_EQ(end(name("a")), XA_OK);

    asked().branch = name("b");
    bank().add("alice", 1);
    EXPECT_EQ(asked().registered, 2);
    EXPECT_EQ(end(name("b")), XA_OK);
    EXPECT_EQ(commit(name("a"), TMONEPHASE), XA_OK);
    EXPECT_EQ(commit(name("b"), TMONEPHASE), XA_OK);
    EXPECT_EQ(bank().value("alice"), 3);
}

TEST_F(registering, WorksForItselfOutsideAnyTransaction)
{
    bank().add("alice", 1);
    bank().add("alice", 1);
    EXPECT_EQ(asked().registered, 1);
    EXPECT_EQ(bank().value("alice"), 2);
    bank().end_outside();
    EXPECT_EQ(asked().unregistered, 1);
    EXPECT_THROW(bank().end_outside(), assent::error);
}

TEST_F(registering, ResumesWhatItSuspended)
{
    asked().branch = name("a");
    bank().add("alice", 1);
    ASSERT_EQ(end(name("a"), TMSUSPEND), XA_OK);
    EXPECT_THROW(bank().add("alice", 1), assent::error);  // TM_OK would begin it anew
    EXPECT_EQ(count_of_violations(), 1u);
    asked().answer = TM_RESUME;
    bank().add("alice", 1);
    EXPECT_EQ(end(name("a")), XA_OK);
    EXPECT_EQ(rollback(name("a")), XA_OK);
}

TEST_F(registering, JoinsWhatAnotherThreadBegan)
{
    asked().branch = name("a");
    bank().add("alice", 1);
    elsewhere([&] {
        asked().answer = TM_JOIN;
        bank().add("alice", 1);
        EXPECT_EQ(end(name("a")), XA_OK);
    });
    EXPECT_EQ(end(name("a")), XA_OK);
    EXPECT_EQ(commit(name("a"), TMONEPHASE), XA_OK);
    EXPECT_EQ(bank().value("alice"), 2);
    EXPECT_EQ(count_of_violations(), 0u);
}

TEST_F(registering, ARefusalIsNoWork)
{
    asked().answer = TMER_TMERR;
    asked().branch = name("a");
    EXPECT_THROW(bank().add("alice", 1), assent::error);
    EXPECT_EQ(bank().value("alice"), 0);
    EXPECT_EQ(bank().unfinished(), 0u);
}

}  // namespace
}  // namespace switch_test
