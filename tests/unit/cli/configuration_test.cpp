// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recovery/cli/failure.hpp"
#include "tests/unit/cli/scratch_file.hpp"

namespace {

using namespace assent::cli;
using cli_test::scratch_file;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const head = "log_directory = \"/log\"\nnode_label = \"shop\"\n";

std::string database(std::string const& lines)
{
    return head + "[[resource_manager]]\n" + lines;
}

/// What the program says of a configuration that it refuses, without the path before the line.
std::string refusal(std::string const& text, mode_t mode = 0600)
{
    scratch_file const file{text, mode};
    try {
        read_configuration(file.path());
    } catch (failure const& e) {
        EXPECT_EQ(e.code(), exit_code::misused);
        std::string const said = e.what();
        EXPECT_EQ(said.find(file.path()), 0u) << said;
        return said.substr(file.path().size());
    }
    ADD_FAILURE() << "accepted: " << text;
    return {};
}

TEST(Configuration, IsReadWhole)
{
    scratch_file const file{head +
                            "allow_file_system = 'tmpfs'\n"
                            "[[resource_manager]]\n"
                            "name = 'accounts'\n"
                            "kind = 'postgresql'\n"
                            "connect_file = '/etc/accounts'\n"
                            "allow_non_durable = true\n"
                            "pools_by_session = true\n"
                            "[[resource_manager]]\n"
                            "name = 'orders'\n"
                            "kind = 'mariadb'\n"
                            "connect = 'host=db2'\n"
                            "[[resource_manager]]\n"
                            "name = 'ledger'\n"
                            "kind = 'mysql'\n"
                            "connect_env = 'LEDGER'\n"
                            "[[resource_manager]]\n"
                            "name = 'archive'\n"
                            "kind = 'odbc'\n"
                            "connect = 'DSN=archive;PASSWORD_FILE=/etc/archive'\n"
                            "reservations = true\n"};

    auto const read = read_configuration(file.path());

    EXPECT_EQ(read.path, file.path());
    EXPECT_EQ(read.log_directory, "/log");
    EXPECT_EQ(read.node_label, "shop");
    EXPECT_EQ(read.allow_file_system, "tmpfs");
    ASSERT_EQ(read.databases.size(), 4u);
    EXPECT_EQ(read.databases[0].name, "accounts");
    EXPECT_EQ(read.databases[0].kind, database_kind::postgresql);
    EXPECT_EQ(read.databases[0].connect.where, connect_source::place::file);
    EXPECT_EQ(read.databases[0].connect.value, "/etc/accounts");
    EXPECT_TRUE(read.databases[0].allow_non_durable);
    EXPECT_TRUE(read.databases[0].pools_by_session);
    EXPECT_FALSE(read.databases[1].pools_by_session);
    EXPECT_EQ(read.databases[1].connect.where, connect_source::place::text);
    EXPECT_FALSE(read.databases[1].allow_non_durable);
    EXPECT_EQ(read.databases[2].connect.where, connect_source::place::environment);
    EXPECT_EQ(read.find("orders")->kind, database_kind::mariadb);
    EXPECT_EQ(read.find("archive")->kind, database_kind::odbc);
    EXPECT_TRUE(read.find("archive")->holds_reservations);
    EXPECT_FALSE(read.find("orders")->holds_reservations);
    EXPECT_EQ(read.find("nobody"), nullptr);
}

TEST(Configuration, NamesTheLineAndTheNearestKeyOfAnUnknownOne)
{
    EXPECT_EQ(refusal("log_directory = '/log'\nnode_lable = 'shop'\n"),
              ":2: unknown key \"node_lable\"; did you mean \"node_label\"?");
    EXPECT_EQ(refusal(database("nam = 'a'\n")), ":4: unknown key \"nam\"; did you mean \"name\"?");
    EXPECT_EQ(refusal(database("name = 'a'\nconect_file = '/a'\n")),
              ":5: unknown key \"conect_file\"; did you mean \"connect_file\"?");
    EXPECT_EQ(refusal(head + "[[resource_managers]]\nname = 'a'\n"),
              ":3: unknown key \"resource_managers\"; did you mean \"resource_manager\"?");
}

TEST(Configuration, RefusesWrongTypes)
{
    EXPECT_THAT(refusal("log_directory = 7\nnode_label = 'shop'\n"),
                HasSubstr(":1: \"log_directory\" must be a string, not of type integer"));
    EXPECT_THAT(refusal(head + "allow_file_system = true\n"),
                HasSubstr(":3: \"allow_file_system\" must be a string, not of type boolean"));
    EXPECT_THAT(refusal(database("name = ['a']\n")), HasSubstr(":4: \"name\" must be a string"));
    EXPECT_THAT(refusal(head + "[resource_manager]\nname = 'a'\n"),
                HasSubstr("write [[resource_manager]], with two brackets"));
    EXPECT_THAT(refusal(head + "resource_manager = [1]\n"), HasSubstr(":3: "));
    EXPECT_THAT(refusal(head + "resource_manager = 1\n"), HasSubstr(":3: "));
    EXPECT_THAT(refusal(database("name = \"a\\u0000b\"\n")), HasSubstr("NUL"));
}

TEST(Configuration, RefusesWhatIsMissingOrEmpty)
{
    EXPECT_THAT(refusal("node_label = 'shop'\n"), HasSubstr("\"log_directory\" is missing"));
    EXPECT_THAT(refusal("log_directory = '/log'\n"), HasSubstr("\"node_label\" is missing"));
    EXPECT_THAT(refusal("log_directory = ''\nnode_label = 'shop'\n"),
                HasSubstr(":1: \"log_directory\" is empty"));
    EXPECT_THAT(refusal("log_directory = 'log'\nnode_label = 'shop'\n"),
                HasSubstr("absolute path"));
    EXPECT_THAT(refusal(database("kind = 'mysql'\n")), HasSubstr(":3: \"name\" is missing"));
    EXPECT_THAT(refusal(database("name = 'a'\n")), HasSubstr("\"kind\" is missing"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'mysql'\n")),
                HasSubstr("\"a\" needs one of connect, connect_file and connect_env"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'mysql'\nconnect = ''\n")),
                HasSubstr("\"connect\" is empty"));
}

TEST(Configuration, RefusesWrongNamesKindsAndSources)
{
    EXPECT_THAT(refusal(database("name = 'a b'\n")), HasSubstr("without blanks"));
    EXPECT_THAT(refusal(database("name = '" + std::string(65, 'a') + "'\n")), HasSubstr("1 to 64"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'postgres'\n")),
                HasSubstr(":5: unknown kind \"postgres\"; did you mean \"postgresql\"?"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'mysql'\nconnect = 'x'\nconnect_env = 'X'\n")),
                HasSubstr(":7: resource manager \"a\" has more than one of"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'mysql'\nconnect_file = 'x'\n")),
                HasSubstr("absolute path"));
}

/// A switch, whose line with that key is left out, or another one.
std::string a_switch(std::string const& without = {}, std::string const& with = {})
{
    std::string lines = "name = 'stock'\nkind = 'xopen'\n";
    for (auto const& [key, value] :
         {std::pair{"library", "'libdb-5.3.so'"}, std::pair{"symbol", "'db_xa_switch'"},
          std::pair{"connect", "'/home'"}, std::pair{"identity_file", "'/home/identity'"},
          std::pair{"sessions_end_within_ms", "250"}, std::pair{"unguarded", "true"}}) {
        if (key != without) lines += std::string{key} + " = " + value + '\n';
    }
    return database(lines + with);
}

TEST(Configuration, ReadsWhatIsSaidOfASwitch)
{
    scratch_file const file{a_switch()};
    auto const read = read_configuration(file.path()).databases.at(0);
    EXPECT_EQ(read.kind, database_kind::xopen);
    EXPECT_EQ(read.connect.value, "/home");
    EXPECT_EQ(read.of_switch.library, "libdb-5.3.so");
    EXPECT_EQ(read.of_switch.symbol, "db_xa_switch");
    EXPECT_EQ(read.of_switch.identity_file, "/home/identity");
    EXPECT_EQ(read.of_switch.identity, "");
    EXPECT_EQ(read.of_switch.sessions_end_within, std::chrono::milliseconds{250});
    EXPECT_TRUE(read.of_switch.is_unguarded);

    scratch_file const least{a_switch("connect")};
    EXPECT_EQ(read_configuration(least.path()).databases.at(0).connect.value, "");
    scratch_file const unsaid{a_switch("sessions_end_within_ms")};
    EXPECT_EQ(read_configuration(unsaid.path()).databases.at(0).of_switch.sessions_end_within,
              std::nullopt);
    scratch_file const named{a_switch("identity_file", "identity = 'the stock'\n")};
    EXPECT_EQ(read_configuration(named.path()).databases.at(0).of_switch.identity, "the stock");
}

TEST(Configuration, RefusesASwitchThatIsNotDeclared)
{
    EXPECT_THAT(refusal(a_switch("library")), HasSubstr("\"library\" is missing"));
    EXPECT_THAT(refusal(a_switch("symbol")), HasSubstr("\"symbol\" is missing"));
    EXPECT_THAT(refusal(a_switch("unguarded")), HasSubstr("unguarded = true"));
    EXPECT_THAT(refusal(a_switch("unguarded", "unguarded = false\n")),
                HasSubstr(":11: a switch has no lock"));
    EXPECT_THAT(refusal(a_switch("identity_file")), HasSubstr("identity or identity_file"));
    EXPECT_THAT(refusal(a_switch({}, "identity = 'x'\n")), HasSubstr("identity or identity_file"));
    EXPECT_THAT(refusal(a_switch("identity_file", "identity_file = 'x'\n")),
                HasSubstr("absolute path"));
    for (auto const* const wrong : {"-1", "99999999999999"}) {
        EXPECT_THAT(refusal(a_switch("sessions_end_within_ms",
                                     std::string{"sessions_end_within_ms = "} + wrong + '\n')),
                    HasSubstr(":11: \"sessions_end_within_ms\" must be 0 to a year"));
    }
    EXPECT_THAT(refusal(a_switch("sessions_end_within_ms", "sessions_end_within_ms = '1s'\n")),
                HasSubstr("must be a whole number, not of type string"));
    EXPECT_THAT(refusal(database("name = 'a'\nkind = 'mysql'\nconnect = 'x'\nsymbol = 'y'\n")),
                HasSubstr(":7: \"symbol\" is for kind = \"xopen\" only"));
}

/// It is run with this user's rights.
TEST(Configuration, LoadsNothingThatOthersMayName)
{
    EXPECT_THAT(refusal(a_switch(), 0620), HasSubstr("chmod go-w"));
    EXPECT_THAT(refusal(a_switch(), 0602), HasSubstr("chmod go-w"));
    scratch_file const readable{a_switch(), 0644};
    EXPECT_EQ(read_configuration(readable.path()).databases.size(), 1u);
}

TEST(Configuration, RefusesTwoResourceManagersOfOneName)
{
    std::string const one = "[[resource_manager]]\nname = 'a'\nkind = 'mysql'\nconnect = 'x=y'\n";

    auto const said = refusal(head + one + one);

    EXPECT_THAT(said, HasSubstr(":8: "));
    EXPECT_THAT(said, HasSubstr("a second resource manager named \"a\""));
    EXPECT_THAT(said, HasSubstr("the first is at line 4"));
}

TEST(Configuration, RefusesWhatIsNotTomlWithoutQuotingIt)
{
    auto const said = refusal(head + "password = hunter2\n");

    EXPECT_THAT(said, HasSubstr(":3:"));
    EXPECT_THAT(said, HasSubstr("not TOML"));
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
}

TEST(Configuration, RefusesAPasswordInAFileThatOthersMayRead)
{
    auto const text = database(
        "name = 'a'\nkind = 'postgresql'\nconnect = 'host=db password=hunter2 dbname=a'\n");

    auto const said = refusal(text, 0644);
    scratch_file const own{text, 0600};

    EXPECT_THAT(said, HasSubstr(":6: \"connect\" holds a password"));
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
    EXPECT_EQ(read_configuration(own.path()).databases.size(), 1u);
}

TEST(Configuration, LetsOthersReadAFileWithoutASecret)
{
    scratch_file const file{
        database("name = 'a'\nkind = 'mysql'\nconnect = 'host=db password_file=/p'\n"), 0644};

    EXPECT_EQ(read_configuration(file.path()).databases.size(), 1u);
}

TEST(Configuration, SaysWhenThereIsNoFile)
{
    try {
        read_configuration("/no/such/assent.toml");
        FAIL() << "read";
    } catch (failure const& e) {
        EXPECT_EQ(e.code(), exit_code::misused);
        EXPECT_THAT(e.what(), HasSubstr("\"/no/such/assent.toml\" cannot be opened"));
    }
    EXPECT_THROW(read_configuration("/"), failure);
    EXPECT_THROW(read_configuration("/dev/zero"), failure);
}

}  // namespace
