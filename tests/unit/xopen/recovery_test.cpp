// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_test.cpp -- what a manager finds when it is opened again, and how it lists a switch.

#include <cstring>
#include <set>

#include <xopen/xa.h>
#include <assent/driver.hpp>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

/// A branch that somebody prepares under a number of his own.
class stranger
{
public:
    explicit stranger(strict_switch& at) : at_(at), info_(at.info())
    {
        EXPECT_EQ(at_.entries().xa_open_entry(info_.data(), rmid, TMNOFLAGS), XA_OK);
    }
    ~stranger() { EXPECT_EQ(at_.entries().xa_close_entry(info_.data(), rmid, TMNOFLAGS), XA_OK); }
    stranger(stranger const&) = delete;
    stranger& operator=(stranger const&) = delete;

    void prepare(XID name)
    {
        EXPECT_EQ(at_.entries().xa_start_entry(&name, rmid, TMNOFLAGS), XA_OK);
        at_.add("bolts", -1);
        EXPECT_EQ(at_.entries().xa_end_entry(&name, rmid, TMSUCCESS), XA_OK);
        EXPECT_EQ(at_.entries().xa_prepare_entry(&name, rmid, TMNOFLAGS), XA_OK);
    }

    static XID name(std::string const& gtrid, std::string const& bqual, long format)
    {
        XID made{};
        made.formatID = format;
        made.gtrid_length = static_cast<long>(gtrid.size());
        made.bqual_length = static_cast<long>(bqual.size());
        std::memcpy(made.data, (gtrid + bqual).data(), gtrid.size() + bqual.size());
        return made;
    }

private:
    static constexpr int rmid = 1'000'000;
    strict_switch& at_;
    std::string info_;
};

TEST_F(switched, NamesHaveOurFormatAndLayoutAndZerosBehindThem)
{
    std::string text;
    bills.on(switch_call::prepare).before([&] {
        ASSERT_EQ(stock.prepared().size(), 1u);
        text = stock.prepared().front();
    });
    auto tx = begin_work();
    tx.commit();
    // The strict switch refuses an XID whose unused bytes are not zero.
    auto const read = assent::xid::parse(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->global, tx.id());
}

TEST_F(switched, EachBranchHasANameOfItsOwn)
{
    std::vector<assent::xid> all;
    for (auto* const bank : {&stock, &bills}) {
        bank->on(switch_call::commit).times(2).before([&all, bank] {
            for (auto const& each : bank->prepared())
                all.push_back(*assent::xid::parse(each));
        });
    }
    auto first = begin_work();
    first.commit();
    auto second = begin_work();
    second.commit();

    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].global, all[1].global);
    EXPECT_NE(all[0].branch.text(), all[1].branch.text()) << "loosely coupled";
    EXPECT_NE(all[1].global, all[2].global);
    // Each is of 81 bytes at fixed places, so that none differs from another in a length only.
    std::set<std::string> texts;
    for (auto const& each : all)
        texts.insert(std::string{each.global.text()} + std::string{each.branch.text()});
    EXPECT_EQ(texts.size(), 4u);
}

TEST_F(switched, BranchesOfOthersAreCountedAndLeftAlone)
{
    stranger other{stock};
    other.prepare(stranger::name("foreign", "branch", assent::assent_format_id));
    other.prepare(stranger::name("another", "branch", 12));
    // Our layout under another format id is somebody's who copied it.
    assent::xid const copied{assent::gtrid::make({}), assent::bqual::make({1, 1, 1})};
    other.prepare(
        stranger::name(std::string{copied.global.text()}, std::string{copied.branch.text()}, 12));

    auto const driver = stocks->driver();
    auto const manage = driver->connect(assent::session_purpose::manage, {});
    auto const listed = driver->scan(*manage, {});
    EXPECT_EQ(listed.foreign_count, 3u);
    EXPECT_TRUE(listed.ours.empty());

    EXPECT_EQ(begin_work().commit(), outcome::committed);
    EXPECT_EQ(stock.prepared().size(), 3u);
}

class lists : public switched, public ::testing::WithParamInterface<int>
{
};

TEST_P(lists, AreWholeWhateverTheirLength)
{
    stranger other{stock};
    for (int i = 0; i < GetParam(); ++i) {
        assent::xid const id{assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 1,
                                                  static_cast<std::uint64_t>(i + 1)}),
                             assent::bqual::make({1, 1, 1})};
        other.prepare(stranger::name(std::string{id.global.text()}, std::string{id.branch.text()},
                                     assent::assent_format_id));
    }
    auto const driver = stocks->driver();
    auto const manage = driver->connect(assent::session_purpose::manage, {});
    auto listed = driver->scan(*manage, {}).ours;
    std::sort(listed.begin(), listed.end());
    EXPECT_EQ(listed.size(), static_cast<std::size_t>(GetParam()));
    EXPECT_EQ(std::unique(listed.begin(), listed.end()), listed.end());
}

INSTANTIATE_TEST_SUITE_P(around_pages, lists, ::testing::Values(0, 1, 63, 64, 65, 128, 200));

TEST(XopenLists, OneThatFailsIsNone)
{
    api_test::temporary_directory const home;
    strict_switch bank{{home.path() + "/bank", false, false, false}};
    auto const driver =
        assent::xopen::resource_manager{"bank", bank.entries(), bank.info(), declared("a bank")}
            .driver();
    for (xa_code const code : {xa_code::rmerr, xa_code::inval, xa_code::proto, xa_code::rmfail}) {
        auto const manage = driver->connect(assent::session_purpose::manage, {});
        bank.on(switch_call::recover).answer_without_effect(code);
        auto const e = thrown_by<assent::driver_error>([&] { driver->scan(*manage, {}); });
        EXPECT_THAT(e.what(), ::testing::HasSubstr("xa_recover answered"));
    }
    bank.on(switch_call::recover).times(1).answer_without_effect(static_cast<xa_code>(65));
    auto const manage = driver->connect(assent::session_purpose::manage, {});
    auto const e = thrown_by<assent::driver_error>([&] { driver->scan(*manage, {}); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("65 names where 64"));
    EXPECT_TRUE(driver->scan(*manage, {}).ours.empty());
    EXPECT_THAT(bank.violations(), ::testing::IsEmpty());
}

TEST_F(switched, WhatWasDecidedIsCommittedByTheNextManager)
{
    bills.on(switch_call::commit).before([this] { bills.stay_dead(); });
    auto tx = std::make_unique<assent::transaction>(begin_work());
    EXPECT_EQ(tx->commit(), outcome::committed_pending);
    tx.reset();
    tm.reset();

    bills.revive();
    open();
    EXPECT_TRUE(becomes_drained());
    expect_work(1);
}

TEST_F(switched, WhatEndedHeuristicallyBeforeTheCrashIsRecordedAndForgotten)
{
    bills.on(switch_call::commit).answer(xa_code::heurmix);
    bills.on(switch_call::forget).before([this] { bills.stay_dead(); });
    auto tx = std::make_unique<assent::transaction>(begin_work());
    EXPECT_THROW(tx->commit(), assent::heuristic_error);
    tx.reset();
    tm.reset();
    ASSERT_EQ(bills.heuristics().size(), 1u);

    bills.revive();
    open();
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(bills.heuristics().size(), 0u);
    EXPECT_EQ(tm->state().heuristics, 1u);
    EXPECT_EQ(stock.value("bolts"), -1);
}

TEST_F(switched, AnotherIdentityUnderTheNameIsRefused)
{
    ASSERT_EQ(begin_work().commit(), outcome::committed);
    tm.reset();
    tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                           .log_directory(log.path())
                                                           .node_label("switched")
                                                           .limits(bounds())
                                                           .allow_file_system("tmpfs"));
    auto const other = tm->add(assent::xopen::resource_manager{
        "stock", stock.entries(), stock.info(), declared("another stock")});
    ASSERT_TRUE(becomes_true([this] {
        auto const now = tm->state().resource_managers;
        return std::any_of(now.begin(), now.end(), [](auto const& rm) {
            return rm.why.find("not the server it was bound to") != std::string::npos;
        });
    }));
    auto tx = tm->begin(assent::begin_options{}.timeout(500ms));
    auto const e = thrown_by<assent::error>([&] { tx.lease(other); });
    EXPECT_EQ(e.why(), errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("not the server it was bound to"));
}

}  // namespace
}  // namespace xopen_test
