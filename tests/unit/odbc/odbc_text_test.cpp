// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_text_test.cpp -- connect strings, passwords, and what drivers say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <assent/odbc.hpp>

#include "adapters/odbc/connect_string.hpp"
#include "adapters/odbc/error.hpp"
#include "tests/contract/answers.hpp"

namespace assent::odbc_adapter {

namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using contract::refusal;

class secret_file
{
public:
    explicit secret_file(std::string const& content, mode_t mode = 0600)
    {
        char name[] = "/tmp/assent-odbc-secret-XXXXXX";
        int const file = ::mkstemp(name);
        path_ = name;
        std::ofstream{path_, std::ios::binary} << content;
        ::fchmod(file, mode);
        ::close(file);
    }
    secret_file(secret_file const&) = delete;
    secret_file& operator=(secret_file const&) = delete;
    ~secret_file() { ::unlink(path_.c_str()); }

    std::string const& path() const { return path_; }

private:
    std::string path_;
};

TEST(OdbcConnectString, IsReadAsDriverManagersDo)
{
    auto const read = split("DRIVER={My; Driver};Server = db1 ;; pwd={a}}b;c};UID=shop");

    ASSERT_EQ(read.size(), 4u);
    EXPECT_EQ(read[0].key, "DRIVER");
    EXPECT_EQ(read[0].value, "My; Driver");
    EXPECT_EQ(read[0].text, "DRIVER={My; Driver}");
    EXPECT_EQ(read[1].key, "SERVER");
    EXPECT_EQ(read[2].key, "PWD");
    EXPECT_EQ(read[2].value, "a}b;c");
    EXPECT_EQ(read[3].value, "shop");
}

TEST(OdbcConnectString, WhatIsMalformedIsRefusedWithoutQuotingIt)
{
    for (char const* const text :
         {"hunter2", "DRIVER=x;hunter2", "DRIVER=x;=hunter2", "PWD={hunter2", "PWD={hunter2}x"}) {
        std::string const said = refusal([text] { split(text); });
        EXPECT_FALSE(said.empty()) << text;
        EXPECT_THAT(said, Not(HasSubstr("hunter2"))) << text;
    }
}

TEST(OdbcConnectString, ASecretIsQuotedSoThatNothingEndsIt)
{
    for (char const* const secret : {"plain", "a;b", "a}b", "{x}", "}", "}}", " b ", "a=b;PWD=c"}) {
        auto const back = split("PWD=" + quoted(secret));
        ASSERT_EQ(back.size(), 1u) << secret;
        EXPECT_EQ(back[0].value, secret);
    }
}

TEST(OdbcConnectString, OurOwnKeysDoNotReachTheDriver)
{
    auto const where = odbc::parse_connect_string(
        "DRIVER=x;Password_File={/etc/a b};UID=shop;ALLOW_NON_DURABLE=yes");

    EXPECT_EQ(where.connect, "DRIVER=x;UID=shop;");
    EXPECT_EQ(where.password_file, "/etc/a b");
    EXPECT_TRUE(where.safety.allow_non_durable);
}

TEST(OdbcConnectString, OurOwnKeysAreChecked)
{
    auto const parse = [](char const* text) {
        return refusal([text] { odbc::parse_connect_string(text); });
    };

    EXPECT_THAT(parse("ALLOW_NON_DURABLE=maybe"), HasSubstr("yes or no"));
    EXPECT_THAT(parse("PASSWORD_FILE="), HasSubstr("PASSWORD_FILE is empty"));
    EXPECT_THAT(parse("PASSWORD_FILE=a;PASSWORD_FILE=b"), HasSubstr("twice"));
    EXPECT_THAT(parse("PASSWORD_FILE=a;PWD=hunter2"), HasSubstr("both a password"));
    EXPECT_THAT(parse("auto_reconnect=1"), HasSubstr("switch it off"));
    EXPECT_EQ(parse("AUTO_RECONNECT=0"), "");
    EXPECT_THAT(parse("PASSWORD_FILE=a;PWD=hunter2"), Not(HasSubstr("hunter2")));
}

TEST(OdbcConnectString, IsCompletedWithTheFilesPasswordAndABoundOnConnecting)
{
    secret_file const secret{"a;b}c\n"};
    odbc::connect_options where;
    where.connect = "DRIVER=x;UID=shop";
    where.password_file = secret.path();

    EXPECT_THAT(complete(where, session_purpose::work, 7),
                StartsWith("DRIVER=x;UID=shop;PWD={a;b}}c};CONN_TIMEOUT=7;"));
    where.connect = "DRIVER=x;conn_timeout=2;";
    where.password_file.clear();
    EXPECT_THAT(complete(where, session_purpose::work, 7),
                StartsWith("DRIVER=x;conn_timeout=2;Timeout=5000;NoCreat=1;ASSENT_SESSION="));
}

TEST(OdbcConnectString, SqliteNeitherWaitsForLongNorMakesAFile)
{
    odbc::connect_options where;
    where.connect = "DRIVER=x;Timeout=60000;nocreat=0;";

    auto const for_work = complete(where, session_purpose::work, 7);
    auto const for_us = complete(where, session_purpose::manage, 7);
    where.connect = "DSN=ledger;";
    auto const by_name = complete(where, session_purpose::work, 7);

    EXPECT_THAT(for_work, StartsWith("DRIVER=x;Timeout=60000;nocreat=0;CONN_TIMEOUT=7;ASSENT_"));
    EXPECT_THAT(for_us, StartsWith("Timeout=200;DRIVER=x;")) << "the first one counts";
    EXPECT_THAT(by_name, Not(HasSubstr("Timeout="))) << "the DSN may have one";
}

TEST(OdbcConnectString, IsUnlikeAnyOtherSoThatNoPoolGivesItOut)
{
    odbc::connect_options where;
    where.connect = "DRIVER=x;";

    EXPECT_NE(complete(where, session_purpose::work, 1), complete(where, session_purpose::work, 1));
}

TEST(OdbcConnectString, APasswordFileThatOthersMayReadIsRefused)
{
    secret_file const shared{"hunter2", 0640};
    secret_file const long_one{std::string(5000, 'x')};
    auto const with = [](std::string const& path) {
        return refusal([&path] {
            odbc::connect_options where;
            where.password_file = path;
            complete(where, session_purpose::work, 1);
        });
    };

    EXPECT_THAT(with(shared.path()), EndsWith("chmod 600"));
    EXPECT_THAT(with(shared.path()), Not(HasSubstr("hunter2")));
    EXPECT_THAT(with(long_one.path()), HasSubstr("longer"));
    EXPECT_THAT(with("/no/such/file"), HasSubstr("cannot open"));
    EXPECT_THAT(with("/dev/null"), HasSubstr("only its owner"));
}

TEST(OdbcText, AMessageIsItsFirstLineWithoutBracketsSeverityAndRows)
{
    EXPECT_EQ(plain_text("ERROR: duplicate key value;\nError while executing the query"),
              "duplicate key value");
    EXPECT_EQ(plain_text("ERROR: violates \"x\"\nDETAIL: Key (id)=(77) is not present"),
              "violates \"x\"");
    EXPECT_EQ(plain_text("[ma-3.1.15][10.11.19-MariaDB]XAER_NOTA: Unknown XID"),
              "XAER_NOTA: Unknown XID");
    EXPECT_EQ(plain_text("[unixODBC][Driver Manager]Can't open lib"), "Can't open lib");
    EXPECT_EQ(plain_text("[no end"), "[no end");
    EXPECT_EQ(plain_text(""), "");
}

TEST(OdbcResourceManager, RefusesNamesAndStringsThatCannotBe)
{
    EXPECT_THAT(refusal([] { odbc::resource_manager("a b", "DRIVER=x"); }), HasSubstr("printable"));
    EXPECT_THAT(refusal([] { odbc::resource_manager("a", ""); }), HasSubstr("DRIVER or a DSN"));
    EXPECT_THAT(refusal([] { odbc::resource_manager("a", odbc::connect_function{}); }),
                HasSubstr("empty"));
    EXPECT_EQ(odbc::resource_manager("a", "DSN=x").name(), "a");
}

TEST(OdbcHandles, AreNamedAndStandForTheirPointers)
{
    int target = 0;
    odbc::connection const named{&target};
    void* const raw = named;

    EXPECT_EQ(raw, &target);
    EXPECT_EQ(static_cast<odbc::connection>(raw), named);
    static_assert(!std::is_convertible_v<void*, odbc::connection>, "any pointer would pass");
}

}  // namespace

}  // namespace assent::odbc_adapter
