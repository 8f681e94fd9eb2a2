// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// identity_test.cpp -- the identity in a file, and the numbers of sessions that nobody can see.

#include <fstream>
#include <set>
#include <thread>

#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/identity_file.hpp"
#include "ports/session_numbers.hpp"
#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

using assent::session_presence;
using assent::ports::session_numbers;
using assent::xopen_switch::identity_in;
using ::testing::HasSubstr;

TEST(XopenIdentity, IsMadeOnceAndStays)
{
    api_test::temporary_directory const home;
    std::string const path = home.path() + "/assent_identity";

    auto const made = identity_in("stock", path);
    EXPECT_EQ(made.size(), 32u);
    EXPECT_EQ(identity_in("stock", path), made);
    std::filesystem::remove(path);
    EXPECT_NE(identity_in("stock", path), made);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{home.path()}, {}), 1);
}

TEST(XopenIdentity, IsOneForAllWhoMakeItAtOnce)
{
    api_test::temporary_directory const home;
    std::string const path = home.path() + "/assent_identity";
    std::vector<std::string> read(8);
    std::vector<std::thread> all;
    for (auto& each : read)
        all.emplace_back([&] { each = identity_in("stock", path); });
    for (auto& each : all)
        each.join();
    EXPECT_EQ((std::set<std::string>{read.begin(), read.end()}).size(), 1u);
}

TEST(XopenIdentity, AFileThatHoldsNoneIsRefused)
{
    api_test::temporary_directory const home;
    std::string const path = home.path() + "/assent_identity";
    for (std::string const& text :
         {std::string{}, std::string{"\n"}, std::string{"two\nlines\n"}, std::string(101, 'x')}) {
        std::ofstream{path, std::ios::trunc} << text;
        auto const e = thrown_by<assent::driver_error>([&] { identity_in("stock", path); });
        EXPECT_THAT(e.what(), HasSubstr("holds no identity"));
    }
    auto const e = thrown_by<assent::driver_error>(
        [&] { identity_in("stock", home.path() + "/none/assent_identity"); });
    EXPECT_THAT(e.what(), HasSubstr("cannot be made"));
}

TEST(XopenNumbers, OfWhatIsOfThisProcessAllIsKnown)
{
    auto const at_once = session_numbers::statement{0ms};
    auto const all = std::make_shared<session_numbers>();
    auto first = all->take();
    auto const second = all->take();
    auto const id = first->id();
    EXPECT_NE(id, second->id());
    EXPECT_NE(id, 0u);
    EXPECT_EQ(all->presence(id, at_once), session_presence::present);
    first.reset();
    EXPECT_EQ(all->presence(id, at_once), session_presence::gone);
    EXPECT_EQ(all->presence(second->id(), at_once), session_presence::present);
    EXPECT_EQ(all->presence(id ^ (std::uint64_t{1} << 40), at_once), session_presence::gone);
    EXPECT_EQ(all->before(second->id(), at_once), session_presence::gone);
    EXPECT_EQ(all->before(second->id() + 1, at_once), session_presence::present);
}

TEST(XopenNumbers, OfWhatMayGoOnItIsWaitedFor)
{
    auto const all = std::make_shared<session_numbers>();
    all->expect(1h);
    auto one = all->take();
    auto const id = one->id();
    one.reset();
    EXPECT_EQ(all->presence(id, 1h), session_presence::present);
    EXPECT_EQ(all->before(id, 1h), session_presence::present);
}

TEST(XopenNumbers, WithoutAStatementNothingIsEverGone)
{
    auto const all = std::make_shared<session_numbers>();
    auto one = all->take();
    auto const id = one->id();
    one.reset();
    EXPECT_EQ(all->presence(id, std::nullopt), session_presence::unknown);
    EXPECT_EQ(all->before(id, std::nullopt), session_presence::unknown);
}

TEST(XopenNumbers, WhatHasJustEndedIsWaitedForAsWell)
{
    auto const all = std::make_shared<session_numbers>();
    all->expect(50ms);
    all->open();
    std::this_thread::sleep_for(60ms);
    auto one = all->take();
    auto const worker = all->take(false);
    auto const next = all->take();
    EXPECT_EQ(all->before(next->id(), 50ms), session_presence::present);
    EXPECT_EQ(all->before(worker->id() + 1, 1h), session_presence::present);
    one.reset();
    EXPECT_EQ(all->before(next->id(), 1h), session_presence::present);
    EXPECT_TRUE(
        becomes_true([&] { return all->before(next->id(), 50ms) == session_presence::gone; }));
}

TEST(XopenNumbers, EarlierProcessesAreMeasuredFromTheOpeningOfTheLog)
{
    auto const all = std::make_shared<session_numbers>();
    auto const one = all->take();
    auto const other = one->id() ^ (std::uint64_t{1} << 40);
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(all->presence(other, 1ms), session_presence::present) << "no log was opened";
    all->open();
    EXPECT_EQ(all->presence(other, 1h), session_presence::present);
    EXPECT_TRUE(becomes_true([&] { return all->presence(other, 1ms) == session_presence::gone; }));
}

TEST(XopenNumbers, WhatIsKeptStaysPresent)
{
    auto const all = std::make_shared<session_numbers>();
    auto one = all->take();
    auto const id = one->id();
    one->keep();
    one.reset();
    EXPECT_EQ(all->presence(id, 0ms), session_presence::present);
}

TEST(XopenCodes, ANameThatLostItsLengthsIsRead)
{
    using namespace assent::xopen_switch;
    assent::xid const ours{assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 9, 5}),
                           assent::bqual::make({3, 1, 77})};
    XID name = name_of(ours);
    EXPECT_EQ(parse(name), ours);
    name.formatID = name.gtrid_length = name.bqual_length = 0;  // as Berkeley DB gives it back
    EXPECT_EQ(parse(name), ours);
    name.data[100] = 'x';
    EXPECT_FALSE(parse(name).has_value());
    name = name_of(ours);
    name.bqual_length = 23;
    EXPECT_FALSE(parse(name).has_value());
}

TEST(XopenCodes, AnUnknownAnswerSaysItsNumber)
{
    using namespace assent::xopen_switch;
    EXPECT_EQ(words_of("xa_commit", XAER_RMERR), "xa_commit answered XAER_RMERR");
    EXPECT_THAT(words_of("xa_commit", 42), HasSubstr("42, which XA has no name for"));
    EXPECT_EQ(reply_of("xa_commit", XAER_RMFAIL).detail, assent::reply_detail::reply_lost);
}

}  // namespace
}  // namespace xopen_test
