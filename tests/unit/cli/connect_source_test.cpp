// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/connect_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "recovery/cli/databases.hpp"
#include "recovery/cli/failure.hpp"
#include "tests/unit/cli/scratch_file.hpp"

namespace {

using namespace assent::cli;
using cli_test::scratch_file;
using ::testing::HasSubstr;
using ::testing::Not;

configured_database database(connect_source::place where, std::string value,
                             database_kind kind = database_kind::postgresql)
{
    return {"accounts", kind, {where, std::move(value)}, false};
}

template <class Call>
std::string refusal(Call const& call)
{
    try {
        call();
    } catch (failure const& e) {
        EXPECT_EQ(e.code(), exit_code::misused);
        EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
        return e.what();
    }
    ADD_FAILURE() << "not refused";
    return {};
}

TEST(ConnectSource, SeesAPasswordInEveryForm)
{
    EXPECT_TRUE(holds_password("host=db password=x"));
    EXPECT_TRUE(holds_password("PASSWORD = 'x' host=db"));
    EXPECT_TRUE(holds_password("sslpassword=x"));
    EXPECT_TRUE(holds_password("postgresql://shop:x@db/accounts"));
    EXPECT_TRUE(holds_password("postgresql://shop@db/accounts?password=x"));
    EXPECT_FALSE(holds_password("host=db user=shop password_file=/etc/p database=orders"));
    EXPECT_TRUE(holds_password("DRIVER=x;UID=shop;PWD=x"));
    EXPECT_TRUE(holds_password("Oracle_XA+Acc=P/shop/x+SesTm=60"));
    EXPECT_TRUE(holds_password("DSN=x;Pwd = {x}"));
    EXPECT_FALSE(holds_password("DSN=x;UID=shop;PASSWORD_FILE=/etc/p"));
    EXPECT_FALSE(holds_password("host=db passfile=/etc/p"));
    EXPECT_FALSE(holds_password("postgresql://shop@db:5432/accounts"));
    EXPECT_FALSE(holds_password("postgresql://db:5432/accounts"));
}

TEST(ConnectSource, ReadsAFileOfItsOwnerAndDropsTheLineBreak)
{
    scratch_file const file{"host=db dbname=accounts\n"};

    EXPECT_EQ(resolve(database(connect_source::place::file, file.path())),
              "host=db dbname=accounts");
}

TEST(ConnectSource, RefusesAFileThatOthersMayRead)
{
    scratch_file const file{"password=hunter2\n", 0640};

    EXPECT_THAT(refusal([&] { resolve(database(connect_source::place::file, file.path())); }),
                HasSubstr("chmod 0600"));
}

TEST(ConnectSource, RefusesAFileThatIsMissingOrEmpty)
{
    scratch_file const file{" \n"};

    EXPECT_THAT(refusal([&] { resolve(database(connect_source::place::file, file.path())); }),
                HasSubstr("is empty"));
    EXPECT_THAT(refusal([] { resolve(database(connect_source::place::file, "/no/such")); }),
                HasSubstr("\"/no/such\" cannot be opened"));
    EXPECT_THAT(refusal([] { resolve(database(connect_source::place::file, "/tmp")); }),
                HasSubstr("not a plain file"));
}

TEST(ConnectSource, ReadsTheEnvironment)
{
    ::setenv("ASSENT_CLI_TEST", " host=db ", 1);
    auto const read = resolve(database(connect_source::place::environment, "ASSENT_CLI_TEST"));
    ::unsetenv("ASSENT_CLI_TEST");

    EXPECT_EQ(read, "host=db");
    EXPECT_THAT(
        refusal([] { resolve(database(connect_source::place::environment, "ASSENT_CLI_TEST")); }),
        HasSubstr("ASSENT_CLI_TEST, which connect_env names, is not set"));
}

TEST(ConnectSource, RefusesMalformedConnectStringsWithoutShowingThem)
{
    auto const text = connect_source::place::text;

    EXPECT_THAT(refusal([&] { make_resource_manager(database(text, "hots=db password=hunter2")); }),
                HasSubstr("resource manager \"accounts\""));
    EXPECT_THAT(refusal([&] {
                    make_resource_manager(
                        database(text, "host=db password=hunter2", database_kind::mariadb));
                }),
                HasSubstr("password_file"));
    EXPECT_THAT(
        refusal([&] {
            make_resource_manager(database(text, "host=db databse=hunter2", database_kind::mysql));
        }),
        HasSubstr("unknown key databse"));
}

}  // namespace
