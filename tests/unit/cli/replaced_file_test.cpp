// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/replaced_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "recovery/cli/failure.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace {

using namespace assent::cli;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string text_of(std::string const& file)
{
    std::ostringstream read;
    read << std::ifstream{file}.rdbuf();
    return read.str();
}

TEST(ReplacedFile, IsReplacedAsAWholeOrSaysWhyNot)
{
    assent::testing::temporary_directory const at;
    std::string const file = at.path() + "/assent.prom";
    replace_file(file, "first\n", for_umask);
    replace_file(file, "second\n", for_umask);

    EXPECT_EQ(text_of(file), "second\n");
    auto const files = fs::directory_iterator{at.path()};
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);
    try {
        replace_file(at.path() + "/none/assent.prom", "third\n", for_umask);
        ADD_FAILURE() << "there is no such directory";
    } catch (failure const& e) {
        EXPECT_EQ(e.code(), exit_code::failed);
        EXPECT_THAT(e.what(), HasSubstr("/none/assent.prom cannot be written"));
    }
}

TEST(ReplacedFile, IsTheOwnersAlsoWhereEverybodyCouldReadTheOldOne)
{
    assent::testing::temporary_directory const at;
    std::string const file = at.path() + "/report.html";
    std::ofstream{file} << "old\n";
    fs::permissions(file, fs::perms{0644});

    replace_file(file, "new\n", for_owner);

    EXPECT_EQ(fs::status(file).permissions(), fs::perms{0600});
    EXPECT_EQ(text_of(file), "new\n");
}

TEST(ReplacedFile, LeavesAloneWhatALinkInItsPlaceLeadsTo)
{
    assent::testing::temporary_directory const at;
    std::string const other = at.path() + "/other";
    std::string const file = at.path() + "/report.html";
    std::ofstream{other} << "other\n";
    fs::create_symlink(other, file);

    replace_file(file, "new\n", for_owner);

    EXPECT_EQ(text_of(other), "other\n");
    EXPECT_FALSE(fs::is_symlink(file));
}

}  // namespace
