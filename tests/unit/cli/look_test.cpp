// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What the commands that look, and recover, say of a log that they cannot read or may not own: what
// is wrong, what to do, and that nothing was changed.

#include "recovery/cli/look.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <assent/testing.hpp>

#include "recovery/cli/recover.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "tests/unit/cli/acting.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::HasSubstr;

/// A closed log.
class Look : public ::testing::Test
{
protected:
    Look() { desk_.open_log(); }

    /// Each command that reads the log refuses with the same.
    void expect_refused(configuration const& from, exit_code code, std::string const& said) const
    {
        std::vector<std::function<void()>> const commands{
            [&] { look(from); }, [&] { scan(from, std::vector<assent::resource_manager>{}); },
            [&] { recover(from, {}, {}); }};
        for (auto const& command : commands) {
            auto const why = refused(command);
            EXPECT_EQ(why.code(), code) << why.what();
            EXPECT_THAT(why.what(), HasSubstr(said));
        }
    }
    std::string segment() const { return desk_.from.log_directory + "/0000000000000001.seg"; }

    acting_desk desk_;
};

TEST_F(Look, ADirectoryThatIsNotThereOrIsNone)
{
    auto from = desk_.from;
    from.log_directory = desk_.from.log_directory + "-not-there";
    expect_refused(from, exit_code::misused, "there is no log in");
    EXPECT_FALSE(std::filesystem::exists(from.log_directory));

    std::ofstream{from.log_directory} << "a file";
    expect_refused(from, exit_code::misused, "is not a directory; check log_directory in");
}

TEST_F(Look, ALogOfAnotherNode)
{
    auto from = desk_.from;
    from.node_label = "bank";

    expect_refused(from, exit_code::misused, "is the log of node \"shop\"");
}

TEST_F(Look, ADirectoryThatThisUserMayNotRead)
{
    ::chmod(desk_.from.log_directory.c_str(), 0);
    // Root may read everything.
    pid_t const child = ::fork();
    if (child == 0) {
        constexpr ::uid_t nobody = 65'534;
        if (::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);
        try {
            look(desk_.from);
        } catch (failure const& e) {
            bool const is_said =
                std::string{e.what()}.find("run as the user who owns the log's directory") !=
                std::string::npos;
            ::_exit(is_said && e.code() == exit_code::failed ? 0 : 3);
        }
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::chmod(desk_.from.log_directory.c_str(), 0700);

    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Look, ADamagedLogHasNoMirrorAndSomethingToRun)
{
    auto* const file = std::fopen(segment().c_str(), "r+");
    ASSERT_NE(file, nullptr);
    std::fseek(file, 200, SEEK_SET);
    std::fputc('x', file);
    std::fclose(file);

    expect_refused(desk_.from, exit_code::failed, "no second copy of itself (no mirror)");
    expect_refused(desk_.from, exit_code::failed, "assent log verify");
}

TEST_F(Look, ALiveOwnerIsNamedAndLeftAlone)
{
    auto const owner = desk_.open_log();
    auto const epoch = desk_.seen().newest.writer.epoch;

    auto const told = recover(desk_.from, {}, {});

    EXPECT_EQ(told.code, exit_code::owned);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(told.attention.back(),
                HasSubstr("process " + std::to_string(::getpid()) + " owns the log"));
    EXPECT_EQ(make_status(desk_.from, desk_.seen()).code, exit_code::fine);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, epoch) << "nothing was opened";
}

}  // namespace
