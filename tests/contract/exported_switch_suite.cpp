// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_suite.cpp -- each verb, and names of each length.

#include "tests/contract/exported_switch_suite.hpp"

#include <cstring>
#include <set>
#include <vector>

namespace assent::contract {

void exported_switch::SetUp()
{
    target_ = GetParam()();
    if (auto const why = target_->why_missing(); !why.empty()) GTEST_SKIP() << why;
    target_->reset();
}

void exported_switch::TearDown()
{
    if (!target_ || !target_->why_missing().empty()) return;
    for (int rmid = 1; rmid < 5; ++rmid)
        monitor(rmid).close();
}

XID exported_switch::next_name()
{
    static int given = 0;
    return foreign_name(7, "gtrid" + std::to_string(++given), "bqual");
}

XID exported_switch::work(foreign_monitor& by, int key)
{
    XID const x = next_name();
    EXPECT_EQ(by.start(x), XA_OK) << target().message();
    target().insert(by.rmid(), key);
    EXPECT_EQ(by.end(x), XA_OK);
    return x;
}

XID exported_switch::prepared(foreign_monitor& by, int key)
{
    XID const x = work(by, key);
    EXPECT_EQ(by.prepare(x), XA_OK) << target().message();
    return x;
}

TEST_P(exported_switch, DeclaresWhatItDoes)
{
    auto const& entries = target().entries();

    EXPECT_EQ(entries.version, 0);
    EXPECT_EQ(entries.flags, TMNOMIGRATE);
    EXPECT_LT(::strnlen(entries.name, RMNAMESZ), std::size_t{RMNAMESZ});
}

TEST_P(exported_switch, CommitsInTwoPhases)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();

    XID const x = work(bank, 1);
    EXPECT_EQ(target().count(1), 0);
    EXPECT_EQ(bank.prepare(x), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 0);
    EXPECT_TRUE(bank.lists(x));

    EXPECT_EQ(bank.commit(x), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 1);
    EXPECT_FALSE(bank.lists(x));
    EXPECT_EQ(at_last([&] { return bank.commit(x); }), XAER_NOTA);
    EXPECT_EQ(bank.close(), XA_OK);
}

TEST_P(exported_switch, CommitsInOnePhase)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();

    XID const x = work(bank, 1);
    EXPECT_EQ(bank.commit(x, TMONEPHASE), XA_OK) << target().message();

    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(bank.commit(x, TMONEPHASE), XAER_NOTA);
}

TEST_P(exported_switch, RollsBackBeforeAndAfterTheVote)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();

    EXPECT_EQ(bank.rollback(work(bank, 1)), XA_OK) << target().message();
    EXPECT_EQ(bank.rollback(prepared(bank, 2)), XA_OK) << target().message();

    EXPECT_EQ(target().count(1) + target().count(2), 0);
    EXPECT_TRUE(bank.recover().empty());
}

TEST_P(exported_switch, SaysLessThanCommittedOfWhatTheApplicationGaveUp)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    XID const y = next_name();

    ASSERT_EQ(bank.start(x), XA_OK);
    target().insert(1, 1);
    EXPECT_EQ(bank.end(x, TMFAIL), XA_OK);
    EXPECT_EQ(bank.prepare(x), XA_RBROLLBACK) << target().message();
    EXPECT_EQ(bank.rollback(x), XAER_NOTA);
    ASSERT_EQ(bank.start(y), XA_OK);
    target().insert(1, 2);
    EXPECT_EQ(bank.end(y, TMFAIL), XA_OK);
    EXPECT_EQ(bank.commit(y, TMONEPHASE), XA_RBROLLBACK) << target().message();

    EXPECT_EQ(target().count(1) + target().count(2), 0);
}

TEST_P(exported_switch, RollsBackWhereAStatementFailedTheTransaction)
{
    if (!target().fails_whole()) GTEST_SKIP() << "a failed statement is undone alone";
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();

    ASSERT_EQ(bank.start(x), XA_OK);
    target().insert(1, 1);
    EXPECT_FALSE(target().accepts(target().handle(1), "SELECT no_such_column"));
    EXPECT_EQ(bank.end(x), XA_OK);

    EXPECT_EQ(bank.prepare(x), XA_RBROLLBACK) << target().message();
    EXPECT_EQ(target().count(1), 0);
    EXPECT_TRUE(bank.recover().empty());
}

TEST_P(exported_switch, CarriesNamesWhole)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    std::string every_byte;
    for (int byte = 0; byte < 256; ++byte)
        every_byte += static_cast<char>(byte);
    int key = 0;
    for (std::size_t gtrid : {1, 2, 3, 63, 64}) {
        for (std::size_t bqual : {0, 1, 62, 63, 64}) {
            // The data alone tells branches apart on some servers.
            auto const from = static_cast<std::size_t>(key) * 7 % 128;
            XID const x =
                foreign_name(5, every_byte.substr(from, gtrid), every_byte.substr(from, bqual));
            SCOPED_TRACE(std::to_string(gtrid) + " and " + std::to_string(bqual));
            ASSERT_EQ(bank.start(x), XA_OK) << target().message();
            target().insert(1, ++key);
            ASSERT_EQ(bank.end(x), XA_OK);
            ASSERT_EQ(bank.prepare(x), XA_OK) << target().message();

            auto const listed = bank.recover();
            ASSERT_EQ(listed.size(), 1U);
            EXPECT_TRUE(is_same(listed[0], x));

            ASSERT_EQ(bank.commit(listed[0]), XA_OK) << target().message();
            ASSERT_EQ(target().count(key), 1);
        }
    }
    // Each byte, as the last of a gtrid and as the first of a bqual.
    for (std::size_t i = 0; i < every_byte.size(); i += 5) {
        XID const x = foreign_name(5, "'\\" + every_byte.substr(i, 1), every_byte.substr(i, 3));
        ASSERT_EQ(bank.start(x), XA_OK) << target().message();
        target().insert(1, ++key);
        ASSERT_EQ(bank.end(x), XA_OK);
        ASSERT_EQ(bank.prepare(x), XA_OK) << target().message();
        ASSERT_TRUE(bank.lists(x)) << i;
        ASSERT_EQ(bank.rollback(x), XA_OK) << target().message();
    }
    EXPECT_TRUE(bank.recover().empty());
}

TEST_P(exported_switch, CarriesEveryFormatId)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();

    for (long const format_id : {0L, 1L, 0x41534e31L, 0x7fffffffL, target().format_id_max()}) {
        SCOPED_TRACE(format_id);
        XID const x = foreign_name(format_id, std::string(64, '\xff'), std::string(64, '\0'));
        ASSERT_EQ(bank.start(x), XA_OK) << target().message();
        target().insert(1, 1);
        ASSERT_EQ(bank.end(x), XA_OK);
        ASSERT_EQ(bank.prepare(x), XA_OK) << target().message();
        EXPECT_TRUE(bank.lists(x));
        XID other = x;
        other.formatID = 3;
        EXPECT_EQ(at_last([&] { return bank.commit(other); }), XAER_NOTA) << target().message();
        ASSERT_EQ(bank.rollback(x), XA_OK) << target().message();
    }
    if (target().format_id_max() == 0x7fffffffffffffffL) return;
    XID const beyond = foreign_name(target().format_id_max() + 1, "a", "b");
    EXPECT_EQ(bank.start(beyond), XAER_RMERR);
    EXPECT_EQ(target().handle(1), nullptr);
    EXPECT_EQ(bank.rollback(work(bank, 2)), XA_OK) << "nothing was begun";
}

TEST_P(exported_switch, ListsByPages)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    constexpr int several = 5;
    std::vector<XID> made;
    made.reserve(several);
    for (int key = 0; key < several; ++key)
        made.push_back(prepared(bank, key));
    target().prepare_others();
    std::vector<XID> page;
    std::set<std::string> seen;
    auto const note = [&] {
        for (XID const& x : page)
            seen.emplace(x.data, sizeof x.data);
    };

    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), XAER_INVAL) << "no scan is open";
    EXPECT_EQ(bank.recover(page, 0, TMSTARTRSCAN), 0);
    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), 2);
    note();
    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), 2);
    note();
    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), 1);
    note();
    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), 0);
    EXPECT_EQ(bank.recover(page, 2, TMENDRSCAN), 0);
    EXPECT_EQ(bank.recover(page, 2, TMNOFLAGS), XAER_INVAL) << "the scan was ended";
    EXPECT_EQ(seen.size(), std::size_t{several});
    EXPECT_EQ(bank.recover(page, 2, TMSTARTRSCAN | TMENDRSCAN), 2);
    EXPECT_EQ(bank.recover(page, 9, TMSTARTRSCAN), several) << "of others nothing is listed";

    for (XID const& x : made)
        EXPECT_EQ(bank.rollback(x), XA_OK) << target().message();
}

}  // namespace assent::contract
