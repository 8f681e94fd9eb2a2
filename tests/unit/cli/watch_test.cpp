// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What is written of one look after the other: on a terminal, in a file, and what has changed.

#include "recovery/cli/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace {

using namespace assent::cli;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Looks at each text once, a second apart, then ends.
struct shown
{
    std::string text;
    exit_code code = exit_code::fine;
};

shown show(std::vector<watched> const& looks, watch_options how)
{
    std::ostringstream out;
    std::size_t at = 0;
    how.wait_for_next = [&] { return at < looks.size(); };
    auto const code = watch([&] { return looks.at(at++); }, out, how);
    return {out.str(), code};
}

TEST(Watch, WritesABlockWithItsTimeForEachLookIntoAFile)
{
    auto const told = show({{exit_code::attention, "due 1\nowner nobody\n", 1'000},
                            {exit_code::fine, "due 0\nowner nobody\n", 2'000}},
                           {});

    EXPECT_EQ(told.text,
              "1970-01-01 00:00:01 UTC\ndue 1\nowner nobody\n\n"
              "1970-01-01 00:00:02 UTC\ndue 0\nowner nobody\n"
              "\nchanged at 1970-01-01 00:00:02 UTC\n+ due 0\n- due 1\n\n");
    EXPECT_EQ(told.code, exit_code::fine) << "the exit code is that of the last look";
}

TEST(Watch, EndsWithTheCodeOfTheLastLook)
{
    auto const told = show({{exit_code::fine, "a\n", 1}, {exit_code::attention, "b\n", 2}}, {});

    EXPECT_EQ(told.code, exit_code::attention);
}

TEST(Watch, DrawsOverTheLastLookOnATerminalAndKeepsTheLastChange)
{
    watch_options how;
    how.is_terminal = true;
    auto const told = show({{exit_code::fine, "a\nb\n", 1'000},
                            {exit_code::fine, "a\nc\n", 2'000},
                            {exit_code::fine, "a\nc\n", 3'000}},
                           how);

    EXPECT_THAT(told.text, HasSubstr("\x1b[3A\r\x1b[J1970-01-01 00:00:02 UTC\na\nc\n"));
    EXPECT_THAT(told.text, HasSubstr("\x1b[7A\r\x1b[J1970-01-01 00:00:03 UTC\na\nc\n\nchanged at "
                                     "1970-01-01 00:00:02 UTC\n+ c\n- b\n"));
    EXPECT_THAT(told.text, Not(HasSubstr("?1049"))) << "no other screen";
}

TEST(Watch, ShowsNoMoreThanTheTerminalHolds)
{
    watch_options how;
    how.is_terminal = true;
    how.size = [] { return screen_size{5, 10}; };
    auto const told =
        show({{exit_code::fine, "\x1b[31m1234567890123\x1b[0m\n2\n3\n4\n5\n6\n", 1'000}}, how);

    EXPECT_EQ(told.text, "\r\x1b[J1970-01-01\n\x1b[31m1234567890\x1b[0m\n2\n... 4 more\n");
}

TEST(Watch, WritesOneDocumentForEachLookInJson)
{
    watch_options how;
    how.has_changes = false;
    auto const told = show({{exit_code::fine, "{}\n", 1}, {exit_code::fine, "[]\n", 2}}, how);

    EXPECT_EQ(told.text, "{}\n[]\n");
}

TEST(Watch, TellsWhatIsNewAndWhatIsGoneWithoutColours)
{
    EXPECT_THAT(changes_between("a\n", "a\n"), IsEmpty());
    EXPECT_THAT(changes_between("a\nb\nb\n", "b\na\n\x1b[31mc\x1b[0m\n"),
                ElementsAre("+ c", "- b"));
}

TEST(Watch, CountsChangesThatAreTooMany)
{
    std::string many;
    for (std::size_t i = 0; i < changes_max + 3; ++i)
        many += std::to_string(i) + "\n";

    auto const told = show({{exit_code::fine, "", 1}, {exit_code::fine, many, 2}}, {});

    EXPECT_THAT(told.text, HasSubstr("... and 3 more\n"));
}

}  // namespace
