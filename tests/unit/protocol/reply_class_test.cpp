// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reply_class_test.cpp -- what each number and each detail counts as.

#include <map>

#include <gtest/gtest.h>

#include "protocol/reply_class.hpp"

namespace protocol_test {

using assent::reply;
using assent::reply_detail;
using assent::xa_code;
using assent::protocol::classify;
using assent::protocol::reply_class;

namespace {

reply with(int code, reply_detail detail = reply_detail::none)
{
    reply made;
    made.code = static_cast<xa_code>(code);
    made.detail = detail;
    return made;
}

}  // namespace

TEST(ReplyClass, KnowsXasNumbersAndNoOthers)
{
    // By xa.h.  XA_NOMIGRATE, XAER_ASYNC, INVAL, PROTO, DUPID and OUTSIDE answer no verb that ends
    // a branch: they say nothing of it.
    std::map<int, reply_class> const known = {
        {0, reply_class::ok},
        {3, reply_class::rdonly},
        {4, reply_class::retry},
        {5, reply_class::heuristic_mixed},
        {6, reply_class::heuristic_rollback},
        {7, reply_class::heuristic_commit},
        {8, reply_class::heuristic_hazard},
        {100, reply_class::rolled_back},
        {101, reply_class::rolled_back},
        {102, reply_class::rolled_back},
        {103, reply_class::rolled_back},
        {104, reply_class::rolled_back},
        {105, reply_class::rolled_back},
        {106, reply_class::rolled_back},
        {107, reply_class::rolled_back},
        {-3, reply_class::rmerr},
        {-4, reply_class::nota},
        {-7, reply_class::rmfail},
    };

    for (int code = -300; code <= 300; ++code) {
        auto const at = known.find(code);
        EXPECT_EQ(classify(with(code)), at == known.end() ? reply_class::unknown : at->second)
            << code;
    }
    for (int const code : {1397, 1402, 1 << 30, -(1 << 30), 2147483647}) {
        EXPECT_EQ(classify(with(code)), reply_class::unknown) << code;
    }
}

TEST(ReplyClass, ADetailOutranksTheCode)
{
    for (int const code : {0, 3, 4, 7, 100, -3, -4, -6, -7, 55}) {
        auto const as = [code](reply_detail detail) { return classify(with(code, detail)); };
        EXPECT_EQ(as(reply_detail::reply_lost), reply_class::rmfail);
        EXPECT_EQ(as(reply_detail::left_behind), reply_class::left_behind);
        EXPECT_EQ(as(reply_detail::read_only_owner_left), reply_class::read_only_left);
        EXPECT_EQ(as(reply_detail::busy), reply_class::retry);
    }
}

TEST(ReplyClass, StillOpenIsAVoteOfReadOnlyAndNothingElse)
{
    for (int const code : {0, 4, 7, 100, -3, -4, -6, -7, 55}) {
        EXPECT_EQ(classify(with(code, reply_detail::still_open)), reply_class::unknown);
    }
    EXPECT_EQ(classify(with(3, reply_detail::still_open)), reply_class::still_open);
}

TEST(ReplyClass, AnUnknownDetailIsUnknownWhateverTheCode)
{
    EXPECT_EQ(classify(with(0, static_cast<reply_detail>(7))), reply_class::unknown);
    EXPECT_EQ(classify(with(100, static_cast<reply_detail>(255))), reply_class::unknown);
}

}  // namespace protocol_test
