// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_refusals.cpp -- bad input: a clear code, and nothing begun.

#include <string>

#include "tests/contract/exported_switch_suite.hpp"

namespace assent::contract {

TEST_P(exported_switch, RefusesBadArguments)
{
    auto bank = monitor();
    auto& entries = target().entries();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID null{};
    null.formatID = -1;
    XID no_gtrid = next_name();
    no_gtrid.gtrid_length = 0;
    XID long_gtrid = next_name();
    long_gtrid.gtrid_length = 65;
    XID long_bqual = next_name();
    long_bqual.bqual_length = 65;
    XID negative = next_name();
    negative.bqual_length = -1;

    for (XID const& x : {null, no_gtrid, long_gtrid, long_bqual, negative}) {
        EXPECT_EQ(bank.start(x), XAER_INVAL);
        EXPECT_EQ(bank.end(x), XAER_INVAL);
        EXPECT_EQ(bank.prepare(x), XAER_INVAL);
        EXPECT_EQ(bank.commit(x), XAER_INVAL);
        EXPECT_EQ(bank.rollback(x), XAER_INVAL);
        EXPECT_EQ(bank.forget(x), XAER_INVAL);
    }
    EXPECT_EQ(entries.xa_start_entry(nullptr, 1, TMNOFLAGS), XAER_INVAL);
    EXPECT_EQ(entries.xa_recover_entry(nullptr, 1, 1, TMSTARTRSCAN), XAER_INVAL);
    EXPECT_EQ(entries.xa_recover_entry(&null, -1, 1, TMSTARTRSCAN), XAER_INVAL);
    XID const x = next_name();
    EXPECT_EQ(bank.start(x, TMJOIN | TMRESUME), XAER_INVAL);
    EXPECT_EQ(bank.start(x, TMONEPHASE), XAER_INVAL);
    EXPECT_EQ(bank.start(x, TMASYNC), XAER_ASYNC);
    EXPECT_EQ(bank.end(x, TMNOFLAGS), XAER_INVAL);
    EXPECT_EQ(bank.end(x, TMSUCCESS | TMFAIL), XAER_INVAL);
    EXPECT_EQ(bank.end(x, TMSUSPEND | TMMIGRATE), XAER_INVAL);
    EXPECT_EQ(bank.prepare(x, TMONEPHASE), XAER_INVAL);
    EXPECT_EQ(bank.prepare(x, TMASYNC), XAER_ASYNC);
    EXPECT_EQ(bank.commit(x, TMJOIN), XAER_INVAL);
    EXPECT_EQ(bank.rollback(x, TMFAIL), XAER_INVAL);
    int handle = 0;
    int value = 0;
    EXPECT_EQ(entries.xa_complete_entry(&handle, &value, 1, TMNOWAIT), XAER_PROTO);
    EXPECT_EQ(entries.xa_complete_entry(&handle, &value, 1, TMJOIN), XAER_INVAL);
    EXPECT_EQ(entries.xa_complete_entry(nullptr, nullptr, 1, TMNOFLAGS), XAER_INVAL);

    EXPECT_EQ(target().handle(1), nullptr) << "nothing was begun";
    EXPECT_TRUE(bank.recover().empty());
}

TEST_P(exported_switch, RefusesToBeOpenedBadly)
{
    auto& entries = target().entries();
    auto bank = monitor();
    std::string const secret = target().server().password();
    auto const refuses = [&](std::string const& info, int code) {
        EXPECT_EQ(bank.open(info), code) << info;
        std::string const why = target().message();
        EXPECT_FALSE(why.empty());
        EXPECT_EQ(why.find(secret), std::string::npos) << why;
        EXPECT_EQ(bank.start(next_name()), XAER_PROTO);
    };

    EXPECT_EQ(entries.xa_open_entry(nullptr, 1, TMNOFLAGS), XAER_INVAL);
    refuses(std::string(256, 'x'), XAER_INVAL);
    refuses(target().malformed_info(), XAER_INVAL);
    refuses("[no_such_word] " + target().info(), XAER_INVAL);
    refuses("[timeout=0] " + target().info(), XAER_INVAL);
    refuses("[timeout=3601] " + target().info(), XAER_INVAL);
    refuses("[timeout=1", XAER_INVAL);
    refuses(target().info_with_wrong_password(), XAER_RMERR);
    refuses("[timeout=5] " + target().info(1), XAER_RMERR);  // nobody listens on port 1
    EXPECT_EQ(bank.open(TMASYNC), XAER_ASYNC);
    EXPECT_EQ(bank.open(TMJOIN), XAER_INVAL);
    ASSERT_EQ(bank.open("[timeout=5] " + target().info()), XA_OK) << target().message();
    EXPECT_STREQ(target().message(), "");
    EXPECT_EQ(bank.open(target().info()), XAER_INVAL) << "open with another xa_info";
    EXPECT_EQ(elsewhere([&] { return bank.open(target().info()); }), XAER_INVAL);
}

TEST_P(exported_switch, RefusesADatabaseThatForgetsItsVotes)
{
    auto const forgetful = target().make_forgetful();
    std::string const info = target().info_of(*forgetful);
    auto bank = monitor(1, info);

    EXPECT_EQ(bank.open(), XAER_RMERR);
    EXPECT_NE(std::string{target().message()}.find("allow_non_durable"), std::string::npos)
        << target().message();

    auto lax = monitor(1, "[allow_non_durable] " + info);
    EXPECT_EQ(lax.open(), XA_OK) << target().message();
    EXPECT_EQ(lax.close(), XA_OK);
}

}  // namespace assent::contract
