// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// pages_test.cpp -- every block of C++ or C on a page stands, word for word, in an example that is
// compiled and run, and every block of CMake in a project that is configured; every link to a file
// of the project leads somewhere; the operator's page names every event that is for him.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path const root = ASSENT_ROOT;

std::string read(fs::path const& path)
{
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Without blanks, so that a page may break lines as it likes.
std::string words(std::string const& text)
{
    std::string dense;
    std::copy_if(text.begin(), text.end(), std::back_inserter(dense),
                 [](unsigned char c) { return std::isspace(c) == 0; });
    return dense;
}

std::vector<fs::path> files(std::vector<fs::path> const& under, std::string const& extension)
{
    std::vector<fs::path> found;
    for (auto const& folder : under) {
        for (auto const& entry : fs::recursive_directory_iterator{root / folder}) {
            if (entry.path().extension() == extension) found.push_back(entry.path());
        }
    }
    return found;
}

std::vector<fs::path> pages()
{
    auto all = files({"docs", "src", "adapters", "recovery", "tests", "docker"}, ".md");
    for (auto const& entry : fs::directory_iterator{root}) {
        if (entry.path().extension() == ".md") all.push_back(entry.path());
    }
    return all;
}

/// Expects that every block of `language` on a page stands in one of `sources`.
/// @return how many there are.
int expect_in(std::vector<fs::path> const& sources, std::string const& language)
{
    std::vector<std::string> dense;
    for (auto const& path : sources)
        dense.push_back(words(read(path)));
    std::string const mark = "```" + language + '\n';
    int blocks = 0;
    for (auto const& page : pages()) {
        std::string const text = read(page);
        for (std::size_t at = text.find(mark); at != std::string::npos;
             at = text.find(mark, at + 1)) {
            auto const begin = at + mark.size();
            std::string const block = words(text.substr(begin, text.find("```", begin) - begin));
            bool const is_there = std::any_of(
                dense.begin(), dense.end(),
                [&](std::string const& source) { return source.find(block) != std::string::npos; });
            EXPECT_TRUE(is_there) << page << ": nothing that is tested has\n" << block;
            ++blocks;
        }
    }
    return blocks;
}

TEST(Pages, EveryBlockOfCodeIsCompiled)
{
    auto sources = files({"docs/examples"}, ".cpp");
    auto const headers = files({"docs/examples"}, ".hpp");
    sources.insert(sources.end(), headers.begin(), headers.end());
    EXPECT_GT(expect_in(sources, "cpp"), 5);
}

TEST(Pages, EveryBlockOfCIsCompiled)
{
    EXPECT_GT(expect_in(files({"docs/examples"}, ".c"), "c"), 2);
}

TEST(Pages, EveryBlockOfCMakeIsConfigured)
{
    EXPECT_GT(expect_in(files({"tests/consumer"}, ".txt"), "cmake"), 1);
}

TEST(Pages, EveryLinkLeadsSomewhere)
{
    std::regex const link{R"(\]\(([^)#& ]+)(#[^)]*)?\))"};
    int links = 0;
    for (auto const& page : pages()) {
        std::string const text = read(page);
        for (std::sregex_iterator at{text.begin(), text.end(), link}, end; at != end; ++at) {
            std::string const target = (*at)[1];
            if (target.find("://") != std::string::npos) continue;
            EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page << ": " << target;
            ++links;
        }
    }
    EXPECT_GT(links, 20);
}

TEST(Pages, EveryAlarmAndWarningIsExplainedToTheOperator)
{
    std::string const page = read(root / "docs/guide/operating.md");
    std::regex const told{"severity::(alarm|warning),\"([a-z_.]+)\""};
    int events = 0;
    for (auto const& path : files({"src"}, ".cpp")) {
        std::string const source = words(read(path));
        for (std::sregex_iterator at{source.begin(), source.end(), told}, end; at != end; ++at) {
            EXPECT_NE(page.find("`" + (*at)[2].str() + "`"), std::string::npos) << (*at)[2];
            ++events;
        }
    }
    EXPECT_GT(events, 10);
}

}  // namespace
