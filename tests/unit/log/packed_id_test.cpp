// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// packed_id_test.cpp -- the numbers of a gtrid and a bqual are its text, in every respect.

#include "log/packed_id.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace assent::testing {
namespace {

using log::packed_bqual;
using log::packed_gtrid;

constexpr std::uint64_t bits48 = 0xffffffffffffULL;

/// Few values for each field, so that many ids differ in one of them only.
std::vector<gtrid> many_gtrids()
{
    std::vector<gtrid> all{gtrid{}};
    std::mt19937_64 random(7);
    auto const one_of = [&](std::vector<std::uint64_t> const& values) {
        return values[random() % values.size()];
    };
    for (int i = 0; i < 2'000; ++i) {
        gtrid::fields parts;
        parts.place = static_cast<decision_place>(one_of({'l', 'r', 'x'}));
        parts.place_resource_manager = static_cast<std::uint16_t>(one_of({0, 1, 0xffff}));
        parts.node = one_of({1, 0x00000000ffffffffULL, 0x0000000100000000ULL, ~0ULL});
        parts.epoch = static_cast<std::uint32_t>(one_of({1, 0x7fffffff, 0xffffffff}));
        parts.nonce = one_of({1, 0x100000000, bits48});
        parts.sequence = one_of({1, 2, 0xffffffff, bits48});
        all.push_back(gtrid::make(parts));
    }
    return all;
}

TEST(PackedGtrid, ComesBackAsTheSameText)
{
    for (gtrid const& one : many_gtrids()) {
        packed_gtrid const packed(one);
        EXPECT_EQ(gtrid(packed).text(), one.text());
        EXPECT_EQ(packed.is_null(), one.is_null());
        EXPECT_EQ(packed, one);
        auto const parts = one.parts();
        EXPECT_EQ(packed.position(), (ports::position{parts.epoch, parts.sequence}));
    }
    EXPECT_EQ(packed_gtrid{}, gtrid{});
}

TEST(PackedGtrid, HasTheOrderOfTheTexts)
{
    auto texts = many_gtrids();
    std::vector<packed_gtrid> packed(texts.begin(), texts.end());

    std::sort(texts.begin(), texts.end());
    std::sort(packed.begin(), packed.end());

    EXPECT_TRUE(std::equal(packed.begin(), packed.end(), texts.begin(), texts.end()));
}

TEST(PackedBqual, ComesBackAsTheSameText)
{
    for (std::uint64_t session : {0ULL, 1ULL, 0xffffffffULL, 0x100000000ULL, ~0ULL}) {
        for (std::uint16_t id : {0, 1, 0xffff}) {
            for (std::uint16_t branch : {0, 64, 0xffff}) {
                auto const one = bqual::make({id, branch, session});
                packed_bqual const packed(one);
                EXPECT_EQ(bqual(packed).text(), one.text());
                EXPECT_EQ(packed, one);
                EXPECT_EQ(packed.parts().session, session);
            }
        }
    }
    EXPECT_EQ(packed_bqual{}, bqual{});
}

}  // namespace
}  // namespace assent::testing
