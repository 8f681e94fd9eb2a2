// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error_test.cpp -- one family of errors: caught by one base, compared by one code.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include <assent/assent.hpp>

#include "tests/thrown_by.hpp"

namespace {

using assent::errc;
using assent::testing::thrown_by;

// One handler is enough, whether it knows this library or only the standard one.
static_assert(std::is_base_of_v<std::system_error, assent::error>);
static_assert(std::is_base_of_v<assent::error, assent::rolled_back_error>);
static_assert(std::is_base_of_v<assent::error, assent::heuristic_error>);
static_assert(std::is_base_of_v<assent::error, assent::in_doubt_error>);
static_assert(std::is_base_of_v<assent::error, assent::driver_error>);

TEST(Error, ItsCodeIsAStandardOneAndComparesWithErrc)
{
    assent::error const e{errc::twin, "a copy was seen"};

    std::error_code const code = e.code();
    EXPECT_EQ(code, errc::twin);
    EXPECT_NE(code, errc::closed);
    EXPECT_EQ(&code.category(), &assent::assent_category());
    EXPECT_EQ(code.value(), 12);
    EXPECT_EQ(code.message(), "a copy of this log is, or was, at work");
}

TEST(Error, WhyIsForASwitch)
{
    auto const is_worth_waiting = [](assent::error const& e) {
        switch (e.why()) {
            case errc::unavailable:
            case errc::log_full:
                return true;
            default:
                return false;
        }
    };

    EXPECT_TRUE(is_worth_waiting(assent::error{errc::log_full, ""}));
    EXPECT_FALSE(is_worth_waiting(assent::error{errc::closed, ""}));
}

TEST(Error, ItsWordsAreNoMoreThanWhatWasSaid)
{
    assent::in_doubt_error const e{"in doubt: ask later", {}, {}, assent::resolver::nobody};

    EXPECT_STREQ(e.what(), "in doubt: ask later");
    EXPECT_EQ(e.code(), errc::in_doubt);
    EXPECT_STREQ(static_cast<std::exception const&>(e).what(), "in doubt: ask later");
    EXPECT_STREQ(assent::error(errc::closed, "").what(), "");
}

TEST(Error, ACopySaysTheSame)
{
    assent::driver_error const first{errc::bad_argument, "no such key", "08001", 2003, true};

    assent::driver_error const copy = first;  // NOLINT: a copy is what is tested

    EXPECT_STREQ(copy.what(), "no such key");
    EXPECT_EQ(copy.code(), errc::bad_argument);
    EXPECT_EQ(copy.sqlstate(), "08001");
    EXPECT_EQ(copy.native_code(), 2003);
    EXPECT_TRUE(copy.must_close());
}

TEST(Error, ADriversIsOfTheFamily)
{
    auto const refused = thrown_by<assent::error>([] { throw assent::driver_error{"it is down"}; });

    EXPECT_EQ(refused.code(), errc::unavailable) << "unless the driver says otherwise";
    EXPECT_STREQ(refused.what(), "it is down");
    EXPECT_FALSE(refused.is_retryable());
    EXPECT_TRUE(refused.id().is_null());
}

TEST(Error, EachCodeHasWordsAndAnErrorOfItsOwn)
{
    std::vector<std::string> words;
    for (int value = 1; value <= static_cast<int>(errc::wrong_thread); ++value) {
        assent::error const e{static_cast<errc>(value), "x"};
        EXPECT_EQ(e.code().value(), value);
        EXPECT_EQ(e.why(), static_cast<errc>(value));
        EXPECT_THAT(words, ::testing::Not(::testing::Contains(e.code().message())));
        words.push_back(e.code().message());
    }
}

}  // namespace
