// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reference_test.cpp -- pages that list something list all of it: the headers, their error codes,
// the words of the glossary with the files where they live, the design decisions with their state,
// the lines of XA, TX and JTA with their tests, and the pages themselves.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path const root = ASSENT_ROOT;

std::string read(fs::path const& path)
{
    std::ifstream in{path};
    EXPECT_TRUE(in.good()) << path;
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// All matches of the pattern's first group, and of the second where it has one.
std::vector<std::pair<std::string, std::string>> all(std::string const& text,
                                                     std::string const& pattern)
{
    std::regex const wanted{pattern, std::regex::ECMAScript | std::regex::multiline};
    std::vector<std::pair<std::string, std::string>> found;
    for (std::sregex_iterator at{text.begin(), text.end(), wanted}, end; at != end; ++at) {
        found.emplace_back((*at)[1], at->size() > 2 ? (*at)[2].str() : std::string{});
    }
    return found;
}

using numbers = std::map<std::string, std::string>;

/// The enumerators of one enum of a public header, with their numbers.
numbers enumerators(std::string const& header, std::string const& name)
{
    std::string const text = read(root / "include/assent" / header);
    auto const begin = text.find("enum class " + name + " ");
    EXPECT_NE(begin, std::string::npos) << header << " has no enum " << name;
    if (begin == std::string::npos) return {};
    numbers all_of;
    for (auto const& [one, number] :
         all(text.substr(begin, text.find("};", begin) - begin), R"(^ +(\w+) = (-?\d+),)")) {
        all_of.emplace(name + "::" + one, number);
    }
    return all_of;
}

/// The rows of the page's tables whose first cell is `name::something`, with their numbers.
numbers rows(std::string const& page, std::string const& name)
{
    numbers all_of;
    for (auto const& [one, rest] : all(page, R"(^\| `()" + name + R"(::\w+)` \|(.*)$)")) {
        std::smatch number;
        EXPECT_TRUE(std::regex_search(rest, number, std::regex{R"((-?\d+) \|)"})) << one;
        EXPECT_TRUE(all_of.emplace(one, number[1]).second) << one << " stands there twice";
    }
    return all_of;
}

TEST(Errors, EveryCodeIsExplainedAndNoOther)
{
    std::string const page = read(root / "docs/reference/errors.md");

    EXPECT_EQ(rows(page, "errc"), enumerators("error.hpp", "errc"));
    EXPECT_EQ(rows(page, "resolver"), enumerators("error.hpp", "resolver"));
    EXPECT_EQ(rows(page, "xa_code"), enumerators("xa.hpp", "xa_code"));
    EXPECT_GE(rows(page, "errc").size(), 15u);
}

TEST(Errors, EveryTypeIsExplained)
{
    std::string const page = read(root / "docs/reference/errors.md");
    std::set<std::string> types;
    for (auto const& header : fs::directory_iterator{root / "include/assent"}) {
        auto const found =
            all(read(header), R"(^class ASSENT_EXPORT (\w+) : public (?:std::\w+|error)$)");
        for (auto const& each : found)
            types.insert(each.first);
    }

    for (auto const& type : types)
        EXPECT_NE(page.find("| `" + type + "` |"), std::string::npos) << type;
    EXPECT_GE(types.size(), 6u);
}

TEST(Headers, EachIsListed)
{
    std::string const page = read(root / "docs/reference/headers.md");
    for (auto const& header : fs::directory_iterator{root / "include/assent"}) {
        std::string const name = "assent/" + header.path().filename().string();
        EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << name;
    }
}

/// `Suite.Name` of each test below a folder; a parametrised one is named without its instances.
std::set<std::string> tests_below(char const* folder)
{
    std::set<std::string> tests;
    for (auto const& file : fs::recursive_directory_iterator{root / folder}) {
        if (file.path().extension() != ".cpp") continue;
        for (auto const& [suite, name] : all(read(file), R"(^TEST(?:_F|_P)?\((\w+),\s+(\w+)\)$)"))
            tests.insert(suite + "." + name);
    }
    return tests;
}

/// The page's lines have the numbers from 1 to `last`, in order, and each names a test that exists,
/// or says why there is none.
void expect_checklist(std::string const& page, int last, std::set<std::string> const& tests)
{
    int expected = 0;
    for (auto const& [number, rest] : all(page, R"(^\| (\d+) \|(.*)$)")) {
        EXPECT_EQ(std::stoi(number), ++expected) << rest;
        auto const named = all(rest, R"(`([A-Za-z]\w+\.[A-Z]\w+)`)");
        for (auto const& each : named)
            EXPECT_EQ(tests.count(each.first), 1u) << number << ": " << each.first;
        bool const says_why = rest.find("does not apply") != std::string::npos;
        EXPECT_TRUE(!named.empty() || says_why) << number << " names no test";
    }
    EXPECT_EQ(expected, last);
}

TEST(Checklists, OfXaAreWholeAndEveryTestExists)
{
    expect_checklist(read(root / "docs/reference/xa.md"), 100, tests_below("tests"));
}

TEST(Checklists, OfTxAreWholeAndEveryTestExists)
{
    expect_checklist(read(root / "docs/reference/tx.md"), 40, tests_below("tests"));
}

TEST(Checklists, OfJtaAreWholeAndEveryTestExists)
{
    expect_checklist(read(root / "docs/reference/jta.md"), 39, tests_below("tests"));
}

TEST(Glossary, EveryWordHasAFileThatExists)
{
    fs::path const page = root / "docs/reference/glossary.md";
    std::set<std::string> words;
    for (auto const& [word, rest] : all(read(page), R"(^\| ([a-z][a-z -]*) \|(.*)$)")) {
        if (word == "word") continue;
        auto const links = all(rest, R"(\[[^\]]+\]\(([^)]+)\) \|$)");
        ASSERT_EQ(links.size(), 1u) << word << " has no file, or more than one";
        EXPECT_TRUE(fs::exists(page.parent_path() / links.front().first)) << word;
        EXPECT_TRUE(words.insert(word).second) << word << " stands there twice";
    }
    EXPECT_GT(words.size(), 60u);

    // Those of the operator's page are among them.
    std::string const operating = read(root / "docs/guide/operating.md");
    auto const begin = operating.find("## Words");
    ASSERT_NE(begin, std::string::npos);
    auto const section = operating.substr(begin, operating.find("\n## ", begin + 1) - begin);
    for (auto const& [word, rest] : all(section, R"(^\| ([a-z][a-z -]*) \|(.*)$)")) {
        if (word == "word") continue;
        EXPECT_EQ(words.count(word), 1u) << word;
    }
}

TEST(Decisions, TheIndexHasEachWithItsDateAndState)
{
    fs::path const folder = root / "docs/adr";
    std::string const index = read(folder / "README.md");
    std::regex const head{R"(^# (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. State: (.+)\.\n\n)"};
    int pages = 0;
    for (auto const& entry : fs::directory_iterator{folder}) {
        std::string const file = entry.path().filename().string();
        if (file == "README.md") continue;
        std::string const text = read(entry);
        std::smatch is;
        ASSERT_TRUE(std::regex_search(text, is, head)) << file << " has no date and state";
        EXPECT_EQ(std::stoi(file), std::stoi(is[1])) << file;
        std::string const row = "| " + is[1].str() + " | [" + is[2].str() + "](" + file + ") | " +
                                is[3].str() + " | " + is[4].str() + " |\n";
        EXPECT_NE(index.find(row), std::string::npos) << "docs/adr/README.md lacks " << row;
        ++pages;
    }
    EXPECT_GE(pages, 34);
}

TEST(Documentation, EveryPageCanBeReachedFromTheFirst)
{
    std::string const index = read(root / "docs/README.md");
    for (auto const* const folder : {"guide", "reference", "adapters", "contributing"}) {
        for (auto const& entry : fs::directory_iterator{root / "docs" / folder}) {
            auto const link = std::string{folder} + '/' + entry.path().filename().string();
            EXPECT_NE(index.find("](" + link), std::string::npos)
                << "docs/README.md does not name " << link;
        }
    }
}

}  // namespace
