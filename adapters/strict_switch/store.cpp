// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/strict_switch/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <assent/error.hpp>

namespace assent::inline v0::testing::strict {

namespace {

std::string hex(std::string_view bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (char const each : bytes) {
        auto const byte = static_cast<unsigned char>(each);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string bytes(std::string_view text)
{
    auto const value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
    std::string made;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        made += static_cast<char>(value(text[i]) * 16 + value(text[i + 1]));
    return made;
}

struct parts
{
    long format = 0;
    std::string gtrid, bqual;
};

parts parts_of(std::string const& key)
{
    auto const first = key.find(':');
    auto const second = key.find(':', first + 1);
    return {std::stol(key.substr(0, first)), bytes(key.substr(first + 1, second - first - 1)),
            bytes(key.substr(second + 1))};
}

std::string printable(std::string const& raw)
{
    std::string text;
    for (char const each : raw) {
        bool const prints = std::isgraph(static_cast<unsigned char>(each)) != 0;
        text += prints ? std::string(1, each) : "\\x" + hex({&each, 1});
    }
    return text;
}

[[noreturn]] void fail(std::string const& why)
{
    throw error{errc::bad_argument, "strict switch: " + why};
}

}  // namespace

std::string key_of(XID const& name)
{
    auto const gtrid = static_cast<std::size_t>(name.gtrid_length);
    auto const bqual = static_cast<std::size_t>(name.bqual_length);
    return std::to_string(name.formatID) + ':' + hex({name.data, gtrid}) + ':' +
           hex({name.data + gtrid, bqual});
}

XID name_of(std::string const& key)
{
    auto const of = parts_of(key);
    XID name{};
    name.formatID = of.format;
    name.gtrid_length = static_cast<long>(of.gtrid.size());
    name.bqual_length = static_cast<long>(of.bqual.size());
    std::memcpy(name.data, of.gtrid.data(), of.gtrid.size());
    std::memcpy(name.data + of.gtrid.size(), of.bqual.data(), of.bqual.size());
    return name;
}

std::string text_of(std::string const& key)
{
    if (key.empty()) return {};
    auto const of = parts_of(key);
    return printable(of.gtrid) + '.' + printable(of.bqual);
}

store::store(std::string path) : path_(std::move(path))
{
    if (path_.empty()) fail("it needs a file");
    std::string const beside = path_ + ".lock";
    lock_ = ::open(beside.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_ < 0) fail(beside + ": " + std::strerror(errno));
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(lock_);
    fail(path_ + " is in use by another process");
}

store::~store()
{
    ::close(lock_);
}

kept store::read() const
{
    kept found;
    std::ifstream in(path_);
    kept_branch* last = nullptr;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string what, name;
        std::int64_t number = 0;
        if (!(words >> what >> name >> number)) fail(path_ + " is damaged: " + line);
        if (what == "row") {
            found.rows[bytes(name)] = number;
        } else if (what == "branch") {
            last = &found.branches[name];
            last->heuristic = static_cast<int>(number);
        } else if (what == "add" && last != nullptr) {
            last->adds[bytes(name)] = number;
        } else {
            fail(path_ + " is damaged: " + line);
        }
    }
    return found;
}

void store::write(kept const& what) const
{
    std::string const next = path_ + ".next";
    {
        std::ofstream out(next, std::ios::trunc);
        for (auto const& [name, value] : what.rows)
            out << "row " << hex(name) << ' ' << value << '\n';
        for (auto const& [name, branch] : what.branches) {
            out << "branch " << name << ' ' << branch.heuristic << '\n';
            for (auto const& [row, delta] : branch.adds)
                out << "add " << hex(row) << ' ' << delta << '\n';
        }
        out.flush();
        if (!out) fail("cannot write " + next);
    }
    if (std::rename(next.c_str(), path_.c_str()) != 0) fail("cannot replace " + path_);
}

}  // namespace assent::inline v0::testing::strict
