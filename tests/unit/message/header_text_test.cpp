// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/header_text.hpp"

#include <gtest/gtest.h>

#include <assent/error.hpp>

namespace assent::messages {

TEST(HeaderText, GivesBackWhateverBytesTheValuesHave)
{
    std::string every;
    for (int c = 0; c < 256; ++c)
        every += static_cast<char>(c);
    header_list const headers{{"type", "a/b=c"}, {"type", ""}, {"every", every}};

    EXPECT_EQ(from_text(to_text(headers)), headers);
}

TEST(HeaderText, IsPrintableButForTheEndsOfItsLines)
{
    EXPECT_EQ(to_text({{"n", "a b\n"}, {"m", "z"}}), "n=a%20b%0a\nm=z\n");
    EXPECT_EQ(to_text({}), "");
}

TEST(HeaderText, RefusesWhatItDidNotWrite)
{
    for (char const* text : {"n=a", "n\n", "n=%0\n", "n=%zz\n", "n=a b\n"})
        EXPECT_THROW(from_text(text), driver_error) << text;
}

}  // namespace assent::messages
