// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tidy.cpp -- one pass over every text file of the tree.

#include "tests/headers/tidy.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace assent::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t columns_max = 100;
constexpr std::size_t table_columns_max = 120;  // where clang-format is off
constexpr std::size_t lines_soft_max = 500;

enum class text_kind { code, prose };

bool is_cpp(fs::path const& file)
{
    static std::set<std::string> const endings{".cpp", ".hpp", ".c", ".h"};
    return endings.count(file.extension().string()) != 0;
}

bool is_cmake(fs::path const& file)
{
    return file.extension() == ".cmake" || file.filename() == "CMakeLists.txt";
}

// What to check a file as, or nothing for files that are not our text.
std::optional<text_kind> kind_of(fs::path const& file, std::string const& text)
{
    static std::set<std::string> const prose{".md", ".yml", ".yaml", ".json", ".toml", ".sql"};
    std::string const ending = file.extension().string();
    if (is_cpp(file) || ending == ".bash" || ending == ".sh" || is_cmake(file)) {
        return text_kind::code;
    }
    if (ending == ".in") return text_kind::code;
    if (ending.empty() && text.rfind("#!", 0) == 0) return text_kind::code;
    if (prose.count(ending) != 0) return text_kind::prose;
    return std::nullopt;
}

std::string upper_case(std::string const& path)
{
    std::string words;
    for (char const c : path) {
        words += std::isalnum(static_cast<unsigned char>(c)) != 0
                     ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                     : '_';
    }
    return words;
}

// include/assent/xid.hpp -> ASSENT_XID_HPP, src/log/format.hpp -> ASSENT_LOG_FORMAT_HPP,
// include/xopen/xa.h -> XA_H, as X/Open has it; everything else by its whole path.
std::string guard_of(fs::path const& file)
{
    std::string path = file.generic_string();
    if (path.rfind("include/xopen/", 0) == 0) return upper_case(file.filename().string());
    for (char const* prefix : {"include/assent/", "src/"}) {
        if (path.rfind(prefix, 0) == 0) path.erase(0, std::string(prefix).size());
    }
    return "ASSENT_" + upper_case(path);
}

// In tests, folders between may be left out: ASSENT_TESTS_..._FILE_HPP.
bool is_guard_of(fs::path const& file, std::string const& guard)
{
    if (guard == guard_of(file)) return true;
    std::string const end = "_" + upper_case(file.filename().string());
    return file.begin()->string() == "tests" && guard.rfind("ASSENT_TESTS_", 0) == 0 &&
           guard.size() > end.size() &&
           guard.compare(guard.size() - end.size(), end.size(), end) == 0;
}

// Written in halves, so that this file does not hold them.
std::vector<std::string> const& banned_words()
{
    static std::vector<std::string> const words = [] {
        std::vector<std::string> joined;
        for (auto const& [head, tail] :
             std::vector<std::pair<std::string, std::string>>{{"TO", "DO"},
                                                              {"FIX", "ME"},
                                                              {"XX", "X:"},
                                                              {"bash", "_jobs"},
                                                              {"/wo", "rk/"},
                                                              {"/far", "m/"}}) {
            joined.push_back(head + tail);
        }
        return joined;
    }();
    return words;
}

class checker
{
public:
    checker(fs::path const& file, text_kind kind, tidy_report& into)
        : file_(file), kind_(kind), into_(into)
    {
    }

    void check(std::string const& text)
    {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            ++number_;
            check_line(line);
        }
        if (text.empty() || text.back() != '\n') complain("does not end with a line break");
        if (text.size() > 1 && text[text.size() - 2] == '\n') complain("ends with an empty line");
        if (number_ > lines_soft_max) {
            into_.long_files.push_back(file_.string() + ": " + std::to_string(number_) + " lines");
        }
        number_ = 1;
        if (needs_copyright() &&
            head_.find("Copyright (c) 2026 The Assent authors.  "
                       "SPDX-License-Identifier: BSL-1.0") == std::string::npos) {
            complain("does not begin with the copyright line");
        }
        std::string const ending = file_.extension().string();
        if (ending == ".hpp" || ending == ".h") check_guard(text);
    }

private:
    void check_line(std::string const& line)
    {
        if (number_ <= 3) head_ += line + '\n';
        if (line.find('\r') != std::string::npos) complain("has a carriage return");
        for (std::string const& word : banned_words()) {
            if (line.find(word) != std::string::npos) complain("holds '" + word + "'");
        }
        if (kind_ != text_kind::code) return;
        if (line.find("// clang-format off") != std::string::npos) is_table_ = true;
        if (line.find("// clang-format on") != std::string::npos) is_table_ = false;
        // A generator expression of CMake cannot be broken.
        if (!is_cmake(file_) && line.size() > (is_table_ ? table_columns_max : columns_max)) {
            complain("has " + std::to_string(line.size()) + " columns");
        }
        if (!line.empty() && (line.back() == ' ' || line.back() == '\t')) {
            complain("ends with a blank");
        }
        if (line.find('\t') != std::string::npos) complain("holds a tab");
        if (std::any_of(line.begin(), line.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
            complain("is not ASCII");
        }
    }

    bool needs_copyright() const
    {
        if (kind_ != text_kind::code) return false;
        return !is_cmake(file_);
    }

    void check_guard(std::string const& text)
    {
        std::string const begin = "\n#ifndef ";
        auto const at = text.find(begin);
        std::string guard;
        if (at != std::string::npos) {
            auto const name = at + begin.size();
            guard = text.substr(name, text.find('\n', name) - name);
        }
        if (!is_guard_of(file_, guard) ||
            text.find(begin + guard + "\n#define " + guard + "\n") == std::string::npos ||
            (text.find("\n#endif  // " + guard + "\n") == std::string::npos &&
             text.find("\n#endif /* " + guard + " */\n") == std::string::npos)) {
            complain("has no include guard " + guard_of(file_));
        }
    }

    void complain(std::string const& what)
    {
        into_.violations.push_back(file_.string() + ":" + std::to_string(number_) + ": " + what);
    }

    fs::path const& file_;
    text_kind kind_;
    tidy_report& into_;
    std::size_t number_ = 0;
    std::string head_;
    bool is_table_ = false;
};

std::string read_whole(fs::path const& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

tidy_report check_tidiness(fs::path const& root)
{
    // Only what is ours: not the build directories, nor what a tool has put beside the sources.
    static std::set<std::string> const tops{".ci",     "adapters", "cmake", "docker", "docs",
                                            "include", "recovery", "src",   "tests"};
    tidy_report report;
    auto const check_one = [&](fs::path const& path) {
        fs::path const file = path.lexically_relative(root);
        std::string const text = read_whole(path);
        std::optional<text_kind> const kind = kind_of(file, text);
        if (!kind) return;
        ++report.files;
        checker(file, *kind, report).check(text);
    };
    for (auto const& entry : fs::directory_iterator(root)) {
        if (entry.is_regular_file()) check_one(entry.path());
        if (!entry.is_directory() || tops.count(entry.path().filename().string()) == 0) continue;
        for (auto const& inner : fs::recursive_directory_iterator(entry)) {
            if (inner.is_regular_file() && !inner.is_symlink()) check_one(inner.path());
        }
    }
    std::sort(report.violations.begin(), report.violations.end());
    std::sort(report.long_files.begin(), report.long_files.end());
    return report;
}

}  // namespace assent::testing
