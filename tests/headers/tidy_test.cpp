// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tidy_test.cpp -- the tree is tidy, and an untidy file would be seen.

#include "tests/headers/tidy.hpp"

#include <gtest/gtest.h>

#include <iostream>

#include "tests/headers/scratch_tree.hpp"

namespace assent::testing {
namespace {

TEST(Tidy, HoldsForEveryFile)
{
    auto const report = check_tidiness(ASSENT_ROOT);

    for (auto const& each : report.violations)
        ADD_FAILURE() << each;
    for (auto const& each : report.long_files)
        std::cout << "long: " << each << '\n';
    EXPECT_GT(report.files, 40u);
}

std::string const copyright =
    "// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0\n";

std::vector<std::string> complaints_about(std::string const& file, std::string const& text)
{
    scratch_tree const tree;
    tree.write(file, text);
    auto report = check_tidiness(tree.root());
    EXPECT_EQ(report.files, 1u);
    return report.violations;
}

std::string const guarded = copyright +
                            "\n#ifndef ASSENT_LOG_A_HPP\n#define ASSENT_LOG_A_HPP\n\n#endif  // "
                            "ASSENT_LOG_A_HPP\n";

TEST(Tidy, AcceptsATidyFile)
{
    EXPECT_TRUE(complaints_about("src/log/a.hpp", guarded).empty());
    EXPECT_TRUE(complaints_about("src/log/a.cpp", copyright + "int a;\n").empty());
}

TEST(Tidy, RefusesAGuardThatDoesNotFollowThePath)
{
    EXPECT_EQ(complaints_about("src/log/b.hpp", guarded).size(), 1u);
    EXPECT_EQ(complaints_about("include/assent/a.hpp", guarded).size(), 1u);
    EXPECT_EQ(complaints_about("tests/log/a.hpp", guarded).size(), 1u);
    auto const of_xopen = copyright + "\n#ifndef A_H\n#define A_H\n\n#endif /* A_H */\n";
    EXPECT_TRUE(complaints_about("include/xopen/a.h", of_xopen).empty());
    EXPECT_EQ(complaints_about("include/xopen/b.h", of_xopen).size(), 1u);
}

TEST(Tidy, RefusesUntidyLines)
{
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + std::string(101, 'a') + "\n").size(), 1u);
    EXPECT_TRUE(complaints_about("src/a.cpp", copyright + std::string(100, 'a') + "\n").empty());
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "\tint a;\n").size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "int a; \n").size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "// caf\xc3\xa9\n").size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "int a;").size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "int a;\n\n").size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", copyright + "int a;\r\n").size(), 1u);
}

TEST(Tidy, LetsATableBeALittleWider)
{
    std::string const off = copyright + "// clang-format off\n";
    std::string const on = "// clang-format on\n";
    std::string const wide = std::string(120, 'a') + "\n";

    EXPECT_TRUE(complaints_about("src/a.cpp", off + wide + on).empty());
    EXPECT_EQ(complaints_about("src/a.cpp", off + on + wide).size(), 1u);
    EXPECT_EQ(complaints_about("src/a.cpp", off + "a" + wide + on).size(), 1u);
}

TEST(Tidy, RefusesWordsThatAreNotForReaders)
{
    std::string const note = std::string("// TO") + "DO: later\n";
    std::string const path = std::string("see /wo") + "rk/main\n";

    EXPECT_EQ(complaints_about("src/a.cpp", copyright + note).size(), 1u);
    EXPECT_EQ(complaints_about("docs/a.md", path).size(), 1u);
}

TEST(Tidy, RefusesAFileWithoutTheCopyrightLine)
{
    EXPECT_EQ(complaints_about("src/a.cpp", "int a;\n").size(), 1u);
    EXPECT_EQ(complaints_about(".ci/a", "#!/bin/sh\ntrue\n").size(), 1u);
}

TEST(Tidy, LooksAtNothingThatIsNotOurs)
{
    scratch_tree const tree;
    tree.write("build-x/a.cpp", "\tuntidy");
    tree.write(".git/a.cpp", "\tuntidy");
    tree.write("docs/picture.png", "\tuntidy");

    EXPECT_EQ(check_tidiness(tree.root()).files, 0u);
}

TEST(Tidy, NamesFilesThatHoldMoreThanOneNoun)
{
    scratch_tree const tree;
    std::string text = copyright;
    for (int i = 0; i < 500; ++i)
        text += "//\n";
    tree.write("src/a.cpp", text);

    auto const report = check_tidiness(tree.root());

    EXPECT_TRUE(report.violations.empty());
    EXPECT_EQ(report.long_files.size(), 1u);
}

}  // namespace
}  // namespace assent::testing
