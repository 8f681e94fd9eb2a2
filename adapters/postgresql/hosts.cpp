// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/postgresql/hosts.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include <assent/driver.hpp>

namespace assent::postgresql_adapter {

namespace {

struct free_options
{
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using parsed_options = std::unique_ptr<PQconninfoOption, free_options>;

parsed_options parse(std::string const& conninfo)
{
    char* ignored = nullptr;  // libpq's message quotes the string, and with it perhaps a password
    parsed_options parsed{PQconninfoParse(conninfo.c_str(), &ignored)};
    PQfreemem(ignored);
    if (parsed == nullptr) {
        throw driver_error(
            errc::bad_argument,
            "the connection string is malformed or names an option that libpq does not know (it "
            "is not shown, because it may hold a password)");
    }
    return parsed;
}

std::vector<std::string> split(std::string_view list)
{
    std::vector<std::string> parts;
    if (list.empty()) return parts;
    for (std::size_t from = 0; from <= list.size();) {
        auto const end = std::min(list.find(',', from), list.size());
        parts.emplace_back(list.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

/// One value for all hosts, or one for each.
std::string part_of(std::vector<std::string> const& parts, std::size_t host)
{
    if (parts.size() == 1) return parts.front();
    return host < parts.size() ? parts[host] : std::string{};
}

}  // namespace

host_list take_apart(std::string const& conninfo)
{
    auto const parsed = parse(conninfo);
    constexpr char const* listed[] = {"host", "hostaddr", "port"};
    std::vector<std::string> parts[3];
    connection_parameters common;
    host_list found;
    for (auto const* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        std::string_view const keyword = option->keyword;
        auto const* const which = std::find(std::begin(listed), std::end(listed), keyword);
        if (which != std::end(listed)) {
            parts[which - std::begin(listed)] = split(option->val);
            continue;
        }
        common.emplace_back(keyword, option->val);
        if (keyword != "connect_timeout") continue;
        std::string_view const text = option->val;
        int seconds = 0;
        std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (seconds > 0) found.each_at_most = std::chrono::seconds{seconds};
    }
    auto const count = std::max({parts[0].size(), parts[1].size(), std::size_t{1}});
    // libpq says so itself when the lists do not match: then there is nothing to take apart.
    bool const is_whole = (parts[0].empty() || parts[0].size() == count) &&
                          (parts[1].empty() || parts[1].size() == count) &&
                          (parts[2].size() <= 1 || parts[2].size() == count);
    if (count == 1 || !is_whole) {
        found.hosts = {{{"dbname", conninfo}}};
        return found;
    }
    for (std::size_t i = 0; i < count; ++i) {
        found.hosts.push_back(common);
        for (std::size_t k = 0; k < std::size(listed); ++k)
            found.hosts.back().emplace_back(listed[k], part_of(parts[k], i));
    }
    return found;
}

}  // namespace assent::postgresql_adapter
