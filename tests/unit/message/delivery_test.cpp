// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// delivery_test.cpp -- what a message says on its way, and what is refused as none.

#include <gtest/gtest.h>

#include <assent/delivery.hpp>
#include <assent/driver.hpp>

namespace {

using namespace assent::message;

delivery one()
{
    delivery made;
    made.at = {std::string(source_size, 'c'), "shop", 63, std::string(position_size, '2'),
               std::string(position_size, '1')};
    made.id = "an id";
    made.gtrid = "a transaction";
    made.key = "a key";
    made.window = 12;
    made.headers = {{"colour", "red"}, {"colour", std::string("\0", 1)}};
    made.body = std::string("\0\xff", 2);
    return made;
}

TEST(Delivery, SaysOnItsWayWhatItIs)
{
    auto const there = from_parcel(to_parcel(one()));
    EXPECT_EQ(there.at.source, one().at.source);
    EXPECT_EQ(there.at.to, "shop");
    EXPECT_EQ(there.at.lane, 63u);
    EXPECT_EQ(there.at.position, one().at.position);
    EXPECT_EQ(there.at.previous, one().at.previous);
    EXPECT_EQ(there.id, "an id");
    EXPECT_EQ(there.gtrid, "a transaction");
    EXPECT_EQ(there.key, "a key");
    EXPECT_EQ(there.window, 12u);
    EXPECT_EQ(there.headers, one().headers);
    EXPECT_EQ(there.body, one().body);
}

TEST(Delivery, RefusesWhatNoRelayHasSent)
{
    auto const headers = to_parcel(one()).headers;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        auto changed = to_parcel(one());
        if (changed.headers[i].first == "colour" || changed.headers[i].first == "assent-gtrid" ||
            changed.headers[i].first == "assent-key") {
            continue;
        }
        changed.headers[i].second = "x";
        EXPECT_THROW(from_parcel(changed), assent::driver_error) << headers[i].first;
    }
    for (std::size_t i = 0; i + 2 < headers.size(); ++i) {
        auto changed = to_parcel(one());
        changed.headers.erase(changed.headers.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_THROW(from_parcel(changed), assent::driver_error) << headers[i].first;
    }
    auto backwards = one();
    backwards.at.previous = backwards.at.position;
    EXPECT_THROW(from_parcel(to_parcel(backwards)), assent::driver_error);
}

}  // namespace
