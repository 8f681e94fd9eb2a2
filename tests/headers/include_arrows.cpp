// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// include_arrows.cpp -- the table, and the reading of `#include` lines.

#include "tests/headers/include_arrows.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>

namespace assent::testing {
namespace {

namespace fs = std::filesystem;

/// What a folder may include besides itself and the standard library.
struct part
{
    std::set<std::string> parts;
    /// Of the headers that are neither ours nor C++'s: nothing, or all but the clients'.
    bool may_use_system = true;
    /// Beginnings of further headers that are its own business.
    std::vector<std::string> libraries;
};

std::map<std::string, part> const& table()
{
    static std::map<std::string, part> const arrows{
        {"include", {{}, false, {}}},
        {"protocol", {{"include"}, false, {}}},
        {"ports", {{"include", "protocol"}, true, {}}},
        {"log", {{"include", "ports", "protocol"}, true, {}}},
        {"shared", {{"include", "ports", "protocol"}, true, {}}},
        {"recovery", {{"include", "shared", "ports", "protocol"}, true, {}}},
        {"engine", {{"include", "shared", "recovery", "ports", "protocol"}, true, {}}},
        {"observe", {{"include"}, true, {"boost/log/"}}},
        {"tx", {{"include", "ports"}, true, {}}},
        {"api",
         {{"include", "engine", "shared", "recovery", "log", "ports", "protocol"}, true, {}}},
        {"log_tools", {{"include", "log", "ports", "protocol"}, true, {}}},
        {"cli",
         {{"include", "recovery", "log_tools", "log", "adapters", "api", "ports"},
          true,
          {"CLI/", "toml++/", "nlohmann/"}}},
        {"adapters/dialects", {{"include", "ports"}, false, {}}},
        {"adapters/sql_text", {{"include", "ports", "adapters/dialects"}, true, {}}},
        {"adapters/switch_out", {{"include", "ports", "adapters/dialects"}, true, {}}},
        {"adapters/memory", {{"include", "ports", "adapters/dialects"}, true, {}}},
        {"adapters/strict_switch", {{"include"}, true, {}}},
        {"adapters/reservations",
         {{"include", "adapters/dialects", "adapters/sql_text", "ports", "protocol"}, true, {}}},
        {"adapters/rabbitmq", {{"include", "ports"}, true, {}}},
        {"adapters/xopen", {{"include", "ports", "adapters/dialects"}, true, {}}},
        {"adapters/half_messages",
         {{"include", "adapters/dialects", "adapters/sql_text", "ports"}, true, {}}},
        {"adapters/messages", {{"include", "adapters/dialects", "ports"}, true, {}}},
        {"adapters/mysql",
         {{"include", "ports", "adapters/dialects", "adapters/sql_text", "adapters/switch_out"},
          true,
          {"mysql", "errmsg.h", "mysqld_error.h"}}},
        {"adapters/postgresql",
         {{"include", "ports", "adapters/dialects", "adapters/sql_text", "adapters/switch_out"},
          true,
          {"libpq-fe.h", "libpq-events.h"}}},
        {"adapters/odbc",
         {{"include", "ports", "adapters/dialects", "adapters/sql_text", "adapters/switch_out"},
          true,
          {"sql"}}},
    };
    return arrows;
}

// Headers of libraries that only the parts named in the table may use.
bool is_foreign_library(std::string const& header)
{
    static std::vector<std::string> const beginnings{
        "boost/",      "mysql", "mariadb", "errmsg.h", "mysqld_error.h", "libpq",
        "postgresql/", "sql",   "odbc",    "CLI/",     "toml++/",        "nlohmann/",
        "gtest",       "gmock", "pqxx/",   "openssl"};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string const& each) { return header.rfind(each, 0) == 0; });
}

// A header of the C++ standard library: no slash, no dot, letters only; or one of C's as C++ has
// it.
bool is_standard(std::string const& header)
{
    return std::all_of(header.begin(), header.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// The part that a file belongs to, by its path under the root.
std::optional<std::string> part_of(fs::path const& file)
{
    std::vector<std::string> steps;
    for (auto const& step : file)
        steps.push_back(step.string());
    if (steps.size() < 2) return std::nullopt;
    if (steps[0] == "include") return "include";
    if (steps[0] == "src") return steps[1];
    if (steps[0] == "adapters" && steps.size() > 2) return "adapters/" + steps[1];
    if (steps[0] == "recovery") return steps.size() > 2 ? steps[1] : "recovery";
    return std::nullopt;
}

// Whose header it is: a part, "" for others' headers, or nothing when it cannot be told.
std::optional<std::string> target_of(fs::path const& root, fs::path const& file,
                                     std::string const& header, bool is_quoted)
{
    if (header.rfind("assent/", 0) == 0 || header.rfind("xopen/", 0) == 0) return "include";
    if (!is_quoted) return "";
    std::string const first = header.substr(0, header.find('/'));
    if (fs::exists(root / file.parent_path() / header)) return part_of(file);
    if (header.rfind("src/", 0) == 0) return part_of(header);
    if (first == "adapters" || first == "recovery") return part_of(header);
    if (table().count(first) != 0) return first;
    return std::nullopt;
}

bool is_allowed(std::string const& from, std::string const& to)
{
    if (from == to) return true;
    std::set<std::string> const& parts = table().at(from).parts;
    return parts.count(to) != 0 || (to.rfind("adapters/", 0) == 0 && parts.count("adapters") != 0);
}

// Nothing, or what is wrong with including `header`.
std::string fault_of(fs::path const& root, fs::path const& file, std::string const& from,
                     std::string const& header, bool is_quoted)
{
    std::optional<std::string> const to = target_of(root, file, header, is_quoted);
    if (!to) return "includes \"" + header + "\", which is in no folder of the table";
    if (!to->empty()) {
        return is_allowed(from, *to) ? "" : from + " may not include " + *to + " (" + header + ")";
    }
    if (is_standard(header)) return "";
    part const& rules = table().at(from);
    bool const is_own =
        std::any_of(rules.libraries.begin(), rules.libraries.end(),
                    [&](std::string const& each) { return header.rfind(each, 0) == 0; });
    if (is_own) return "";
    if (is_foreign_library(header)) return from + " may not use the library of <" + header + ">";
    if (!rules.may_use_system)
        return from + " may use the standard library only, not <" + header + ">";
    return "";
}

void check_file(fs::path const& root, fs::path const& file, std::string const& from,
                arrow_report& into)
{
    std::ifstream lines(root / file);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        auto const hash = line.find_first_not_of(" \t");
        if (hash == std::string::npos || line[hash] != '#') continue;
        auto const word = line.find_first_not_of(" \t", hash + 1);
        if (word == std::string::npos || line.compare(word, 7, "include") != 0) continue;
        auto const open = line.find_first_of("<\"", word);
        if (open == std::string::npos) continue;
        auto const close = line.find_first_of(">\"", open + 1);
        if (close == std::string::npos) continue;
        ++into.includes;
        std::string const fault =
            fault_of(root, file, from, line.substr(open + 1, close - open - 1), line[open] == '"');
        if (!fault.empty()) {
            into.violations.push_back(file.string() + ":" + std::to_string(number) + ": " + fault);
        }
    }
}

}  // namespace

arrow_report check_include_arrows(fs::path const& root)
{
    static std::set<std::string> const endings{".hpp", ".cpp", ".h", ".c", ".in"};
    arrow_report report;
    for (char const* top : {"include", "src", "adapters", "recovery"}) {
        if (!fs::exists(root / top)) continue;
        for (auto const& entry : fs::recursive_directory_iterator(root / top)) {
            fs::path const file = entry.path().lexically_relative(root);
            if (!entry.is_regular_file() || endings.count(file.extension().string()) == 0) continue;
            ++report.files;
            std::optional<std::string> const from = part_of(file);
            if (!from || table().count(*from) == 0) {
                report.violations.push_back(file.string() + ": is in no folder of the table");
                continue;
            }
            check_file(root, file, *from, report);
        }
    }
    std::sort(report.violations.begin(), report.violations.end());
    return report;
}

}  // namespace assent::testing
