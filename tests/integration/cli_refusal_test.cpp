// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What the program says when it is used or configured wrongly: a sentence that says what to do,
// exit status 2, and never a secret.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/file_log.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* canary = "hunter2-canary";

/// Without servers: most refusals come before anything is connected to.
class CliRefusal : public ::testing::Test
{
protected:
    std::string log() const { return desk_.path("log"); }

    /// A log that knows `accounts`, a PostgreSQL database.
    void make_log() const
    {
        assent::log::file_log_options how;
        how.node_label = "test";
        how.allowed_file_systems = {"tmpfs", "overlay"};
        assent::log::file_log made{log(), how};
        made.bind("accounts", "postgresql", "server-a");
    }

    std::string head() const
    {
        return "log_directory = \"" + log() + "\"\nnode_label = \"test\"\n";
    }

    std::string with(std::string const& kind, std::string const& source) const
    {
        return head() + "[[resource_manager]]\nname = \"accounts\"\nkind = \"" + kind + "\"\n" +
               source + "\n";
    }

    answer run(std::string const& config, std::vector<std::string> words) const
    {
        auto const path = desk_.file("assent.toml", config);
        words.insert(words.begin(), {"--config", path});
        auto const told = run_assent(words);
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(canary)));
        return told;
    }

    void expect_misused(answer const& told, std::string const& said) const
    {
        EXPECT_EQ(told.status, 2) << told.out << told.err;
        EXPECT_EQ(told.out, "");
        EXPECT_THAT(told.err, HasSubstr("assent: "));
        EXPECT_THAT(told.err, HasSubstr(said));
    }

    desk desk_;
};

TEST_F(CliRefusal, WrongUsage)
{
    EXPECT_EQ(run_assent({}).status, 2);
    EXPECT_EQ(run_assent({"status"}).status, 2);
    EXPECT_EQ(run_assent({"--config", "x", "stauts"}).status, 2);
    EXPECT_EQ(run_assent({"--help"}).status, 0);
}

TEST_F(CliRefusal, AConfigurationThatIsMissing)
{
    expect_misused(run_assent({"--config", desk_.path("none.toml"), "status"}),
                   "none.toml\" cannot be opened: No such file or directory");
}

TEST_F(CliRefusal, AnUnknownKey)
{
    make_log();

    expect_misused(run(head() + "lable = 1\n", {"status"}),
                   "assent.toml:3: unknown key \"lable\"; did you mean");
}

TEST_F(CliRefusal, ALogThatDoesNotExist)
{
    expect_misused(run(head(), {"status"}), "there is no log in \"" + log() + "\"");
    expect_misused(run(head(), {"recover"}), "check log_directory in " + desk_.path("assent.toml"));
    // Looking for a log, or recovering one, never makes one.
    EXPECT_NE(::access(log().c_str(), F_OK), 0);
}

TEST_F(CliRefusal, ADirectoryWithoutALog)
{
    EXPECT_EQ(::mkdir(log().c_str(), 0700), 0);

    expect_misused(run(head(), {"recover"}), "there is no log in");
}

TEST_F(CliRefusal, TheLogOfAnotherNode)
{
    make_log();
    auto other = head();
    other.replace(other.find("\"test\""), 6, "\"toast\"");

    expect_misused(run(other, {"recover"}), "is the log of node \"test\"");
}

TEST_F(CliRefusal, AnotherKindThanTheLogHas)
{
    make_log();

    expect_misused(run(with("mysql", "connect = \"host=db\""), {"status"}),
                   "the log knows \"accounts\" as postgresql");
}

TEST_F(CliRefusal, ASecretThatCannotBeHad)
{
    make_log();
    auto const open = desk_.file("open", std::string{"password="} + canary, 0644);

    expect_misused(run(with("postgresql", "connect_file = \"" + open + "\""), {"scan"}),
                   "chmod 0600");
    expect_misused(run(with("postgresql", "connect_env = \"ASSENT_NOT_SET\""), {"scan"}),
                   "ASSENT_NOT_SET, which connect_env names, is not set");
    // A look at the log alone needs no secret.
    EXPECT_EQ(run(with("postgresql", "connect_env = \"ASSENT_NOT_SET\""), {"status"}).status, 0);
}

TEST_F(CliRefusal, AConnectStringThatIsMalformed)
{
    make_log();
    auto const own = desk_.file("own", std::string{"hots=db password="} + canary);

    expect_misused(run(with("postgresql", "connect_file = \"" + own + "\""), {"scan"}),
                   "resource manager \"accounts\"");
    expect_misused(run(with("postgresql", "connect_file = \"" + own + "\""), {"recover"}),
                   "resource manager \"accounts\"");
}

TEST_F(CliRefusal, ATransactionThatIsNone)
{
    make_log();

    expect_misused(run(head(), {"show", "7"}), "this is no transaction of Assent");
}

TEST_F(CliRefusal, InJsonIsOneJsonValueAndASentence)
{
    auto const told = run(head(), {"--json", "scan"});

    EXPECT_EQ(told.status, 2);
    EXPECT_EQ(told.json().at("exit_code"), 2);
    EXPECT_EQ(told.json().at("command"), "scan");
    EXPECT_EQ("assent: " + told.json().at("error").get<std::string>() + "\n", told.err);
}

TEST_F(CliRefusal, ADamagedLogIsAFailure)
{
    make_log();
    auto const segment = log() + "/0000000000000001.seg";
    ASSERT_EQ(::truncate(segment.c_str(), 100), 0);

    auto const told = run(head(), {"status"});

    EXPECT_EQ(told.status, 1);
    EXPECT_THAT(told.err, HasSubstr(segment));
}

TEST_F(CliRefusal, AWrongPasswordIsNotShown)
{
    bank shop;
    shop.stop_looking();
    make_log();
    auto conninfo = shop.accounts_conninfo();
    auto const right = shop.postgresql().password();
    ASSERT_NE(conninfo.find(right), std::string::npos);
    conninfo.replace(conninfo.find(right), right.size(), canary);
    auto const file = desk_.file("connect", conninfo);

    auto const told = run(with("postgresql", "connect_file = \"" + file + "\""), {"scan"});

    EXPECT_EQ(told.status, 1);
    EXPECT_THAT(told.out, HasSubstr("it could not be asked"));
}

}  // namespace
