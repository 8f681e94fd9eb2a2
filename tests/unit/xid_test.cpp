// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/xid.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace {

assent::gtrid sample()
{
    return assent::gtrid::make(
        {assent::decision_place::log, 0, 0x0123456789abcdef, 7, 0x00a1b2c3d4e5, 0x2a});
}

TEST(Xid, LayoutIsFrozen)
{
    auto const branch = assent::bqual::make({1, 2, 1234});

    EXPECT_EQ(sample().text(), "asn1l00000123456789abcdef0000000700a1b2c3d4e500000000002a");
    EXPECT_EQ(branch.text(), "0001000200000000000004d2");
    EXPECT_EQ(assent::gtrid::length + 1 + assent::bqual::length, 82u);
}

TEST(Xid, RoundTripsEveryField)
{
    auto const parts = assent::gtrid::parse(sample().text())->parts();

    EXPECT_EQ(parts.place, assent::decision_place::log);
    EXPECT_EQ(parts.node, 0x0123456789abcdefu);
    EXPECT_EQ(parts.epoch, 7u);
    EXPECT_EQ(parts.nonce, 0x00a1b2c3d4e5u);
    EXPECT_EQ(parts.sequence, 0x2au);
    assent::xid const whole{sample(), assent::bqual::make({1, 2, ~0ull})};
    EXPECT_EQ(assent::xid::parse(whole.text()), whole);
    EXPECT_EQ(whole.branch.parts().session, ~0ull);
}

TEST(Xid, EveryDigitComesBackFromEveryPlace)
{
    for (std::uint64_t digit = 0; digit < 16; ++digit) {
        for (int place = 0; place < 64; place += 4) {
            auto const all = digit << place;
            auto const short_one = all & 0xffff'ffff'ffffu;
            auto const id = assent::gtrid::make(
                {assent::decision_place::commit_row, static_cast<std::uint16_t>(all), all,
                 static_cast<std::uint32_t>(all), short_one, short_one});
            auto const branch = assent::bqual::make(
                {static_cast<std::uint16_t>(all), static_cast<std::uint16_t>(all), all});

            char text[17];
            std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(all));
            EXPECT_EQ(id.text().substr(9, 16), text);
            EXPECT_EQ(branch.text().substr(8), text);
            EXPECT_EQ(assent::gtrid::parse(id.text()), id);
            EXPECT_EQ(assent::gtrid::make(id.parts()), id);
            EXPECT_EQ(assent::bqual::make(branch.parts()), branch);
            EXPECT_EQ(id.parts().node, all);
            EXPECT_EQ(id.parts().nonce, short_one);
        }
    }
}

TEST(Xid, ParsesNothingThatIsNotExactlyOurs)
{
    std::string const good{sample().text()};

    for (std::size_t i = 0; i < good.size(); ++i) {
        for (char c : {'G', 'A', '\0', '\'', ' ', 'g'}) {
            std::string bad = good;
            bad[i] = c;
            EXPECT_FALSE(assent::gtrid::parse(bad)) << bad;
        }
    }
    EXPECT_FALSE(assent::gtrid::parse(good.substr(1)));
    EXPECT_FALSE(assent::gtrid::parse(good + "0"));
    EXPECT_FALSE(assent::gtrid::parse(""));
    EXPECT_FALSE(assent::gtrid::parse(assent::gtrid{}.text()));
    EXPECT_TRUE(assent::gtrid{}.is_null());
}

}  // namespace
