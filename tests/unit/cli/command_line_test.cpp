// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace assent::cli;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::variant<request, reply_only> parse(std::vector<char const*> words)
{
    words.insert(words.begin(), "assent");
    return parse_command_line(static_cast<int>(words.size()), words.data());
}

request asked(std::vector<char const*> words)
{
    auto const parsed = parse(std::move(words));
    if (auto const* const only = std::get_if<reply_only>(&parsed)) {
        ADD_FAILURE() << only->text;
        return {};
    }
    return std::get<request>(parsed);
}

reply_only refused(std::vector<char const*> words)
{
    return std::get<reply_only>(parse(std::move(words)));
}

TEST(CommandLine, TakesOptionsBeforeAndAfterTheCommand)
{
    auto const before = asked({"--config", "x.toml", "--json", "status"});
    auto const after = asked({"scan", "-c", "x.toml", "--json"});

    EXPECT_EQ(before.command, "status");
    EXPECT_EQ(before.config, "x.toml");
    EXPECT_TRUE(before.is_json);
    EXPECT_EQ(after.command, "scan");
    EXPECT_TRUE(after.is_json);
}

TEST(CommandLine, WatchesAtAnIntervalOrAtItsOwn)
{
    EXPECT_FALSE(asked({"-c", "x", "status"}).watch_interval);
    EXPECT_EQ(asked({"-c", "x", "status", "--watch"}).watch_interval, 2s);
    EXPECT_EQ(asked({"-c", "x", "status", "--watch=0.5"}).watch_interval, 500ms);
    EXPECT_EQ(asked({"-c", "x", "status", "--watch", "--json"}).watch_interval, 2s);
    EXPECT_EQ(refused({"-c", "x", "status", "--watch=0"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "status", "--watch=often"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "scan", "--watch"}).status, 2);
}

TEST(CommandLine, WritesAReportAsHtmlIntoAFileOrNot)
{
    auto const file = asked({"-c", "x", "report", "--html", "out.html"});
    auto const standard = asked({"-c", "x", "report", "--html", "--offline"});

    EXPECT_EQ(file.output, "out.html");
    EXPECT_FALSE(file.is_offline);
    EXPECT_EQ(standard.output, "");
    EXPECT_TRUE(standard.is_offline);
    EXPECT_THAT(refused({"-c", "x", "report"}).text, HasSubstr("--html is required"));
    EXPECT_THAT(refused({"-c", "x", "--json", "report", "--html"}).text, HasSubstr("excludes"));
}

TEST(CommandLine, HasTheLimitsOfTheLibraryForRecover)
{
    auto const plain = asked({"-c", "x", "recover"});
    auto const given =
        asked({"-c", "x", "recover", "--timeout", "1.5", "--presumed-abort-delay", "0"});

    EXPECT_EQ(plain.timeout, 60s);
    EXPECT_EQ(plain.presumed_abort_delay, 7s);
    EXPECT_EQ(given.timeout, 1500ms);
    EXPECT_EQ(given.presumed_abort_delay, 0s);
}

TEST(CommandLine, TakesTheTransactionToShow)
{
    EXPECT_EQ(asked({"-c", "x", "show", "asn1"}).transaction, "asn1");
    EXPECT_EQ(refused({"-c", "x", "show"}).status, 2);
}

TEST(CommandLine, TakesWhatAPersonDecides)
{
    auto const plain = asked({"-c", "x", "forget", "asn1"});
    auto const given = asked({"-c", "x", "forget", "asn1", "--branch", "orders", "--dry-run",
                              "--yes", "--reason", "repaired"});

    EXPECT_EQ(plain.command, "forget");
    EXPECT_EQ(plain.transaction, "asn1");
    EXPECT_EQ(plain.resource_manager, "");
    EXPECT_FALSE(plain.is_dry_run);
    EXPECT_FALSE(plain.is_confirmed);
    EXPECT_EQ(given.resource_manager, "orders");
    EXPECT_TRUE(given.is_dry_run);
    EXPECT_TRUE(given.is_confirmed);
    EXPECT_EQ(given.reason, "repaired");
    auto const resolve = asked({"-c", "x", "resolve", "asn1", "--branch", "orders", "--rollback"});
    EXPECT_EQ(resolve.command, "resolve");
    EXPECT_EQ(resolve.resource_manager, "orders");
    EXPECT_FALSE(resolve.is_commit);
    EXPECT_TRUE(asked({"-c", "x", "resolve", "asn1", "--branch", "o", "--commit"}).is_commit);
    EXPECT_EQ(refused({"-c", "x", "resolve", "asn1", "--branch", "orders"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "resolve", "asn1", "--commit"}).status, 2);
    EXPECT_EQ(
        refused({"-c", "x", "resolve", "asn1", "--branch", "o", "--commit", "--rollback"}).status,
        2);
    for (auto const* const command : {"retire", "rebind"}) {
        EXPECT_EQ(asked({"-c", "x", command, "orders", "--dry-run"}).resource_manager, "orders");
        EXPECT_EQ(refused({"-c", "x", command}).status, 2);
    }
    EXPECT_EQ(refused({"-c", "x", "forget"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "forget", "asn1", "--commit"}).status, 2);
}

TEST(CommandLine, RefusesWrongUsageWithTwo)
{
    EXPECT_EQ(refused({}).status, 2);
    EXPECT_EQ(refused({"status"}).status, 2);
    EXPECT_EQ(refused({"-c", "x"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "stauts"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "status", "scan"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "recover", "--timeout", "-1"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "recover", "--timeout", "soon"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "recover", "--presumed-abort-delay", "6.999"}).status, 2);
    EXPECT_EQ(refused({"-c", "x", "recover", "--presumed-abort-delay", "0.0001"}).status, 2);
    EXPECT_EQ(asked({"-c", "x", "recover", "--presumed-abort-delay", "7"}).presumed_abort_delay,
              7s);
    EXPECT_EQ(refused({"-c", "x", "status", "--timeout", "1"}).status, 2);
    EXPECT_THAT(refused({"status"}).text, HasSubstr("--config is required"));
}

TEST(CommandLine, TheLogsCommandsTakeADirectoryInsteadOfAConfiguration)
{
    auto const plain = asked({"log", "verify", "--directory", "/log"});
    EXPECT_EQ(plain.command, "log verify");
    EXPECT_EQ(plain.directory, "/log");
    EXPECT_FALSE(plain.has_progress);
    EXPECT_TRUE(
        asked({"--json", "log", "--directory", "/log", "stats", "--progress"}).has_progress);
    EXPECT_EQ(asked({"-c", "x", "log", "verify"}).config, "x");
    EXPECT_THAT(refused({"log", "verify"}).text, HasSubstr("--config is required, or --directory"));
    EXPECT_EQ(refused({"log", "verify"}).status, 2);
    EXPECT_EQ(refused({"log", "--directory", "/log"}).status, 2);
    EXPECT_EQ(refused({"status", "--directory", "/log"}).status, 2);
}

TEST(CommandLine, TakesTheFiltersOfADump)
{
    auto const all = asked({"log", "--directory", "/log", "dump"});
    auto const some = asked({"log", "--directory", "/log", "dump", "--gtrid", "asn1", "--type",
                             "decision", "--type", "end", "--unfinished"});

    EXPECT_TRUE(all.types.empty() && all.transaction.empty() && !all.is_unfinished_only);
    EXPECT_EQ(some.transaction, "asn1");
    EXPECT_THAT(some.types, ::testing::ElementsAre("decision", "end"));
    EXPECT_TRUE(some.is_unfinished_only);
    EXPECT_THAT(refused({"log", "--directory", "/log", "dump", "--type", "decisions"}).text,
                HasSubstr("decisions"));
}

TEST(CommandLine, TakesWhatARepairNeeds)
{
    auto const how = asked({"log", "--directory", "/log", "repair", "--salvage-into", "/new",
                            "--reason", "disk", "--yes"});

    EXPECT_EQ(how.command, "log repair");
    EXPECT_EQ(how.salvage_into, "/new");
    EXPECT_EQ(how.reason, "disk");
    EXPECT_TRUE(how.is_confirmed);
    EXPECT_FALSE(asked({"log", "--directory", "/log", "repair"}).is_confirmed);
}

TEST(CommandLine, ExplainsTheExitStatusInItsHelp)
{
    auto const help = refused({"--help"});

    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.text, HasSubstr("Exit status:"));
    EXPECT_THAT(help.text, HasSubstr("  3  nothing was done: a live process owns the log"));
    EXPECT_EQ(refused({"--version"}).status, 0);
}

}  // namespace
