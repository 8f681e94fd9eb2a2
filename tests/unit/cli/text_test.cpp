// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/text.hpp"

#include <gtest/gtest.h>

#include "recovery/cli/nearest.hpp"

namespace {

using namespace assent::cli;

TEST(Text, SaysTimesInUtc)
{
    EXPECT_EQ(utc(0), "-");
    EXPECT_EQ(utc(1767225600000), "2026-01-01 00:00:00 UTC");
    EXPECT_EQ(iso_utc(1767225600007), "2026-01-01T00:00:00.007Z");
    EXPECT_EQ(iso_utc(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Text, SaysNumbers)
{
    EXPECT_EQ(hex(0x1a2b, 8), "00001a2b");
    EXPECT_EQ(bytes(512), "512 B");
    EXPECT_EQ(bytes(16u << 20), "16.0 MiB");
}

TEST(Text, AlignsColumnsWithoutBlanksAtTheEnd)
{
    table list{{"NAME", "STATE"}};
    list.add({"accounts", "finished"});
    list.add({"a", ""});

    EXPECT_EQ(list.text(painter{false}, 1), " NAME      STATE\n accounts  finished\n a\n");
}

TEST(Text, CountsCharactersAndNotBytes)
{
    table list{{"A", "B"}};
    list.add({"\xc3\xa4", "x"});

    EXPECT_EQ(list.text(painter{false}), "A  B\n\xc3\xa4  x\n");
}

TEST(Text, KeepsWhatOthersWroteFromSteeringTheTerminal)
{
    table list{{"A"}};
    list.add({"x\x1b[31my\nz"});

    EXPECT_EQ(list.text(painter{false}), "A\nx [31my z\n");
}

TEST(Text, PaintsOnlyForATerminal)
{
    EXPECT_EQ(painter{true}(colour::red, "x"), "\x1b[31mx\x1b[0m");
    EXPECT_EQ(painter{false}(colour::red, "x"), "x");
    EXPECT_EQ(painter{true}(colour::plain, "x"), "x");
}

TEST(Nearest, FindsWhatWasMeant)
{
    EXPECT_EQ(nearest("kidn", {"name", "kind", "connect"}), "kind");
    EXPECT_EQ(nearest("conect", {"name", "kind", "connect"}), "connect");
    EXPECT_EQ(nearest("", {"name", "connect"}), "name");
    EXPECT_EQ(nearest(std::string(10'000, 'x'), {"name", "kind"}), "name");
}

TEST(Escaped, LeavesNothingThatATerminalActsUpon)
{
    EXPECT_EQ(escaped("plain \"text\""), "plain \"text\"");
    EXPECT_EQ(escaped("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
    EXPECT_EQ(escaped("a\\x1b"), "a\\\\x1b") << "a backslash is not mistaken for an escape";
    EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
              "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(escaped("\xc2\x9b"), "\\xc2\\x9b") << "CSI in one character";
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "turns the writing round";
    EXPECT_EQ(escaped("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escaped("\xc0\x9b\xe0\x82\x9b"), "\\xc0\\x9b\\xe0\\x82\\x9b") << "longer than needed";
    EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate is no character";
    EXPECT_EQ(escaped(std::string("\0x", 2)), "\\x00x");
}

}  // namespace
