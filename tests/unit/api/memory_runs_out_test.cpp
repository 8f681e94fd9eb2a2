// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_runs_out_test.cpp -- each allocation of a beginning fails in turn, and no transaction is
// left that nobody can end.

#include "tests/unit/api/api_fixture.hpp"
#include "tests/unit/engine/rationed_memory.hpp"

namespace {

using namespace api_test;
using engine_test::rations;

/// @return how many allocations failed before there was enough memory.
int fail_each(std::function<void(doors&)> const& begin)
{
    doors at;
    at.begin_work("first").commit();  // whatever is allocated only once
    int nth = 1;
    for (bool has_failed = true; has_failed && nth < 1000; ++nth) {
        SCOPED_TRACE("allocation " + std::to_string(nth));
        rations = {nth, 1, 0, false};
        try {
            begin(at);
        } catch (std::bad_alloc const&) {
        }
        has_failed = rations.has_failed;
        rations = {};
        EXPECT_EQ(at.tm->state().live_transactions, 0u) << "nobody can end it";
    }
    at.begin_work("last").commit();
    at.expect_clean();
    return nth;
}

TEST(MemoryRunsOut, InABeginAndNoTransactionIsLeftToNobody)
{
    EXPECT_GT(fail_each([](doors& at) { at.tm->begin(); }), 3);
}

TEST(MemoryRunsOut, InARunAndNoTransactionIsLeftToNobody)
{
    EXPECT_GT(fail_each([](doors& at) { at.tm->run([](assent::transaction&) {}); }), 3);
}

TEST(MemoryRunsOut, InAUserTransactionAndNoTransactionIsLeftToNobody)
{
    EXPECT_GT(fail_each([](doors& at) {
                  assent::user_transaction door{*at.tm};
                  door.begin();
                  engine_test::spare const here;
                  door.rollback();
              }),
              3);
}

/// It is left because there is none, and what it began must not be committed.
TEST(MemoryRunsOut, InAScopeThatHadJoinedAndNothingIsCommitted)
{
    doors at;

    auto const leave_joined = [&] {
        assent::required(*at.tm, [] {
            rations = {1, 1000, 0, false};
            throw std::bad_alloc{};
        });
    };

    auto const work = [&] {
        at.tm->current()->lease(*at.accounts)->set("row", 1);
        try {
            leave_joined();
        } catch (std::bad_alloc const&) {
        }
        rations = {};
    };
    EXPECT_THROW(assent::required(*at.tm, work), assent::rolled_back_error);

    EXPECT_EQ(at.bank.value("row"), std::nullopt);
}

/// The work's own transactions, of other managers, take the room that was there.
TEST(MemoryRunsOut, AtTheEndOfASuspensionAndTheThreadHasItsTransactionAgain)
{
    doors at;
    std::vector<std::unique_ptr<doors>> others;
    for (int i = 0; i < 4; ++i)
        others.push_back(std::make_unique<doors>());
    assent::user_transaction ut{*at.tm};
    ut.begin();
    auto const* const outer = at.tm->current();

    // Each makes the thread's list one longer; at one of them it is full.
    for (auto const& other : others) {
        assent::not_supported(*at.tm, [&other] {
            assent::user_transaction{*other->tm}.begin();
            rations = {1, 1000, 0, false};
        });
        rations = {};
        EXPECT_EQ(at.tm->current(), outer);
    }

    for (auto const& other : others)
        assent::user_transaction{*other->tm}.rollback();
    EXPECT_EQ(ut.rollback(), outcome::rolled_back);
}

TEST(MemoryRunsOut, AnErrorWithoutWordsNeedsNone)
{
    using assent::in_doubt_error;
    bool is_told = false;

    rations = {1, 1000, 0, false};
    try {
        throw in_doubt_error{std::string{}, {}, {}, assent::resolver::nobody};
    } catch (in_doubt_error const& e) {
        is_told = e.code() == errc::in_doubt && *e.what() == '\0';
    } catch (std::bad_alloc const&) {
    }
    bool const has_asked = rations.has_failed;
    rations = {};

    EXPECT_TRUE(is_told);
    EXPECT_FALSE(has_asked) << "an outcome is told, whatever memory there is";
}

}  // namespace
