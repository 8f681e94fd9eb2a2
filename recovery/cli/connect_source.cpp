// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/connect_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "ports/descriptor.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

namespace {

constexpr std::size_t file_bytes_max = 1u << 20;

failure refuse(std::string const& why)
{
    return {exit_code::misused, why};
}

void trim(std::string& text)
{
    char const* const blanks = " \t\r\n";
    text.erase(text.find_last_not_of(blanks) + 1);
    text.erase(0, text.find_first_not_of(blanks));
}

std::string lower_case(std::string_view text)
{
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

/// password=..., with blanks as libpq allows them, or ODBC's pwd=...
bool has_key(std::string const& lower, std::string_view key)
{
    for (auto at = lower.find(key); at != std::string::npos; at = lower.find(key, at + 1)) {
        auto const next = lower.find_first_not_of(" \t\r\n", at + key.size());
        if (next != std::string::npos && lower[next] == '=') return true;
    }
    return false;
}

/// scheme://user:password@host
bool has_password_before_host(std::string_view connect)
{
    auto const begin = connect.find("://");
    if (begin == std::string_view::npos) return false;
    auto const at = connect.rfind('@');
    auto const colon = connect.find(':', begin + 3);
    return at != std::string_view::npos && colon < at;
}

}  // namespace

bool holds_password(std::string_view connect)
{
    std::string const lower = lower_case(connect);
    // The last is Oracle's xa_info string: ...+Acc=P/user/password+...
    return has_key(lower, "password") || has_key(lower, "pwd") ||
           has_password_before_host(connect) || lower.find("acc=p/") != std::string::npos;
}

bool is_shared(mode_t mode) noexcept
{
    return (mode & (S_IRWXG | S_IRWXO)) != 0;
}

small_file read_small_file(std::string const& path, std::string const& what)
{
    ports::descriptor const file{
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (*file < 0) {
        throw refuse(what + " \"" + path + "\" cannot be opened: " + std::strerror(errno) +
                     "; check the path, and run as a user who may read it");
    }
    // The descriptor is asked, not the path, which may lead elsewhere a moment later.
    struct stat facts = {};
    if (::fstat(*file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        throw refuse(what + " \"" + path + "\" is not a plain file");
    }
    small_file read;
    read.mode = facts.st_mode;
    char block[4096];
    for (;;) {
        ssize_t const got = ::read(*file, block, sizeof block);
        if (got == 0) return read;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            throw refuse(what + " \"" + path + "\" cannot be read: " + std::strerror(errno));
        }
        read.text.append(block, static_cast<std::size_t>(got));
        if (read.text.size() > file_bytes_max) {
            throw refuse(what + " \"" + path +
                         "\" is longer than a mebibyte; is it the right one?");
        }
    }
}

std::string resolve(configured_database const& which)
{
    std::string const who = "resource manager \"" + which.name + "\": ";
    std::string text;
    switch (which.connect.where) {
        case connect_source::place::text:
            return which.connect.value;
        case connect_source::place::file: {
            auto read = read_small_file(which.connect.value, who + "connect_file");
            if (is_shared(read.mode)) {
                throw refuse(who + "connect_file \"" + which.connect.value +
                             "\" may be used by others than its owner; chmod 0600 it");
            }
            text = std::move(read.text);
            break;
        }
        case connect_source::place::environment: {
            char const* const given = std::getenv(which.connect.value.c_str());
            if (given == nullptr) {
                throw refuse(who + "the environment variable " + which.connect.value +
                             ", which connect_env names, is not set");
            }
            text = given;
            break;
        }
    }
    trim(text);
    if (text.empty()) {
        throw refuse(who + "its connect string, from " + which.connect.value + ", is empty");
    }
    return text;
}

}  // namespace assent::cli
