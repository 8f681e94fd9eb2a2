// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// Every command and option of the program stands in its page of the manual and is offered by both
// completions, and neither has one that the program lacks.  A new command needs a page
// man/assent-NAME.1, and its words in completion.bash and completion.zsh.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "recovery/cli/command_line.hpp"

namespace {

using namespace assent::cli;
using ::testing::Contains;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

using words = std::set<std::string>;

fs::path const here = ASSENT_ROOT "/recovery/cli";

/// Those that every command takes, and the first page has.
words const common{"--config", "--json", "--help", "--version"};

std::string text_of(fs::path const& file)
{
    std::ifstream in{file};
    if (!in) throw std::runtime_error{"there is no " + file.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// What CLI11 says of a command; of the program, without one.
std::string help(std::vector<std::string> const& command)
{
    std::vector<char const*> all{"assent"};
    for (auto const& each : command)
        all.push_back(each.c_str());
    all.push_back("--help");
    auto const told = parse_command_line(static_cast<int>(all.size()), all.data());
    return std::get<reply_only>(told).text;
}

words found(std::string const& text, std::regex const& what)
{
    words all;
    for (std::sregex_iterator at{text.begin(), text.end(), what}, end; at != end; ++at)
        all.insert((*at)[1]);
    return all;
}

words options_of(std::vector<std::string> const& command)
{
    return found(help(command), std::regex{"\n +(?:-[a-z],)?(--[a-z-]+)"});
}

words commands_of(std::vector<std::string> const& command)
{
    auto const text = help(command);
    auto const begin = text.find("Subcommands:");
    if (begin == std::string::npos) return {};
    return found(text.substr(begin, text.find("Exit status:") - begin),
                 std::regex{"\n  ([a-z-]+)"});
}

words without(words all, words const& some)
{
    for (auto const& each : some)
        all.erase(each);
    return all;
}

words with(words all, words const& some)
{
    all.insert(some.begin(), some.end());
    return all;
}

/// The options whose headings stand in that part of a page.
words options_in(std::string const& page)
{
    auto const begin = page.find("\n.SH OPTIONS");
    auto const part = page.substr(begin, page.find("\n.SH ", begin + 1) - begin);
    words all;
    std::regex const heading{"\n\\.TP\n(\\.B[^\n]*)"};
    for (std::sregex_iterator at{part.begin(), part.end(), heading}, end; at != end; ++at) {
        auto const plain = std::regex_replace((*at)[1].str(), std::regex{R"(\\-)"}, "-");
        all.merge(found(plain, std::regex{"(--[a-z-]+)"}));
    }
    return all;
}

std::string page(std::string const& name)
{
    return text_of(here / "man" / (name + ".1"));
}

/// Everything that a command takes, and its parts.
words all_options_of(std::string const& command)
{
    auto all = options_of({command});
    for (auto const& part : commands_of({command}))
        all.merge(options_of({command, part}));
    return without(all, common);
}

/// What a shell command writes, its errors too.
std::string said(std::string const& command)
{
    // NOLINTNEXTLINE(cert-env33-c): a shell is what is to be asked, of words that stand here.
    FILE* const from = ::popen(("exec 2>&1; " + command).c_str(), "r");
    if (from == nullptr) throw std::runtime_error{"popen"};
    std::string text;
    std::array<char, 4096> part{};
    while (std::size_t const length = std::fread(part.data(), 1, part.size(), from))
        text.append(part.data(), length);
    ::pclose(from);
    return text;
}

/// What completion.bash offers after those words.
words offered(std::string const& line)
{
    auto const text =
        said("bash -c '. " + (here / "completion.bash").string() + "; COMP_WORDS=(assent " + line +
             " \"\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _assent;"
             " printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
    return found(text, std::regex{"([^\n]+)\n"});
}

TEST(Manual, HasAPageForEachCommandAndNoOther)
{
    words pages;
    for (auto const& each : fs::directory_iterator{here / "man"})
        pages.insert(each.path().filename().string());
    words expected{"assent.1"};
    auto const overview = page("assent");
    for (auto const& command : commands_of({})) {
        expected.insert("assent-" + command + ".1");
        EXPECT_THAT(overview, HasSubstr("\n.BR assent\\-" + command + " (1)\n")) << command;
        EXPECT_THAT(help({command}), HasSubstr("More: man assent-" + command));
    }

    EXPECT_EQ(pages, expected);
    EXPECT_GE(expected.size(), 12u);
}

TEST(Manual, HasEachOptionOfACommandInItsPageAndNoOther)
{
    EXPECT_EQ(options_in(page("assent")), options_of({}));
    EXPECT_EQ(options_of({}), common);
    for (auto const& command : commands_of({}))
        EXPECT_EQ(options_in(page("assent-" + command)), all_options_of(command)) << command;
}

TEST(Manual, HasThePartsOfLog)
{
    auto const log = page("assent-log");
    auto const parts = commands_of({"log"});

    EXPECT_THAT(parts, Contains("verify"));
    for (auto const& part : parts) {
        EXPECT_TRUE(std::regex_search(log, std::regex{"\n\\.BR? \"?log " + part})) << part;
    }
}

TEST(Manual, IsFormattedWithoutAWarning)
{
    for (auto const& each : fs::directory_iterator{here / "man"})
        EXPECT_EQ(said("groff -ww -man -z " + each.path().string()), "") << each.path();
    EXPECT_THAT(said("printf '.BAD' | groff -ww -man -z"), HasSubstr("warning"));
}

TEST(CompletionOfBash, OffersWhatTheProgramTakesAndNothingElse)
{
    EXPECT_EQ(offered(""), with(commands_of({}), common));
    for (auto const& command : commands_of({})) {
        auto expected = with(options_of({command}), {"--config", "--json"});
        // It writes HTML.
        if (command == "report") expected.erase("--json");
        auto const parts = commands_of({command});
        EXPECT_EQ(offered(command), with(expected, parts)) << command;
        for (auto const& part : parts) {
            EXPECT_EQ(offered(command + " " + part), with(expected, options_of({command, part})))
                << command << " " << part;
        }
    }
}

TEST(CompletionOfZsh, NamesWhatTheProgramTakesAndNothingElse)
{
    auto const text = text_of(here / "completion.zsh");
    auto commands = with(commands_of({}), commands_of({"log"}));
    words options = common;
    for (auto const& command : commands_of({}))
        options.merge(all_options_of(command));

    EXPECT_EQ(found(text, std::regex{"\n        '([a-z-]+):"}), commands);
    EXPECT_EQ(found(text, std::regex{"['*,})](--[a-z-]*[a-z])=?-?[\\[,}]"}), options);
}

}  // namespace
