// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// checks.hpp -- what the examinations of all dialects are made of: a table of settings, each with
// what is wrong about it, and a way to measure.
//
//   constexpr setting_rule rules[] = {
//       {"fsync", is_on, finding_level::error, risk::vote, "ALTER SYSTEM SET fsync = on ..."},
//   };
//   judge(told, rules, settings_as_the_server_has_them, allow_non_durable);

#ifndef ASSENT_ADAPTERS_DIALECTS_CHECKS_HPP
#define ASSENT_ADAPTERS_DIALECTS_CHECKS_HPP

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <assent/examination.hpp>

namespace assent::dialects {

/// What the examination of a database calls its table assent_branch, and whether it can have one.
/// Only who holds reservations there needs it.
inline constexpr char const* table_of_reservations = "table of reservations";

using settings = std::map<std::string, std::string, std::less<>>;

/// Whether the user can accept what a setting risks (allow_non_durable).
enum class risk : std::uint8_t { none = 0, vote = 1 };

struct setting_rule
{
    char const* name;
    bool (*is_fine)(std::string_view value);
    finding_level otherwise;
    risk of;
    char const* advice;
};

inline bool is_on(std::string_view value)
{
    return value == "on" || value == "ON" || value == "1";
}

inline bool is_off(std::string_view value)
{
    return value == "off" || value == "OFF" || value == "0";
}

inline bool is_empty(std::string_view value)
{
    return value.empty();
}

inline bool is_one(std::string_view value)
{
    return value == "1";
}

inline bool is_anything(std::string_view)
{
    return true;
}

/// A number, also one with a fraction; -1 for what is none.
inline double number_in(std::string_view text)
{
    double value = -1;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size() ? value : -1;
}

/// 0, which is "never", or at least `Limit`.
template <long Limit>
bool is_never_or_at_least(std::string_view value)
{
    double const number = number_in(value);
    return number == 0 || number >= static_cast<double>(Limit);
}

/// What the user accepts is told all the same.
inline finding accepted(finding one, risk of, bool allow_non_durable)
{
    if (of == risk::vote && allow_non_durable && one.level > finding_level::warning) {
        one.level = finding_level::warning;
        one.seen += ", accepted by allow_non_durable";
    }
    return one;
}

/// A finding for each rule whose setting the server has.
inline void judge(examination& into, std::span<setting_rule const> rules, settings const& seen,
                  bool allow_non_durable)
{
    for (auto const& rule : rules) {
        auto const found = seen.find(rule.name);
        if (found == seen.end()) continue;
        if (rule.is_fine(found->second)) {
            into.add(rule.name, finding_level::ok,
                     found->second.empty() ? "nothing" : found->second);
            continue;
        }
        into.findings.push_back(accepted({rule.name, rule.otherwise, found->second, rule.advice},
                                         rule.of, allow_non_durable));
    }
}

/// One line of a table of checks: what it is called, and what it makes of the facts.
template <typename Facts>
struct check
{
    char const* name;
    risk of;
    finding (*look)(Facts const& of);
};

template <typename Facts, std::size_t Count>
void apply(examination& into, check<Facts> const (&all)[Count], Facts const& of,
           bool allow_non_durable)
{
    for (auto const& each : all) {
        finding one = each.look(of);
        one.check = each.name;
        into.findings.push_back(accepted(std::move(one), each.of, allow_non_durable));
    }
}

/// The client library or ODBC driver, with its version, and what follows from its being this one.
struct client_library
{
    std::string name;
    std::string advice;  ///< empty: nothing
};

inline void add_client(examination& into, client_library const& library)
{
    bool const is_fine = library.advice.empty();
    into.add("client", is_fine ? finding_level::ok : finding_level::advice, library.name,
             library.advice);
}

// What a check gives; its name comes from the table.
inline finding fine(std::string seen)
{
    return {{}, finding_level::ok, std::move(seen), {}};
}

inline finding tell(finding_level level, std::string seen, std::string advice)
{
    return {{}, level, std::move(seen), std::move(advice)};
}

/// How long `work` takes: `wanted` times, or as often as two seconds allow, and once at least.
/// What `work` returns is measured where it returns a time.
template <typename Work>
median_time measure(std::size_t wanted, Work work)
{
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::seconds enough{2};
    std::vector<std::chrono::microseconds> all;
    auto const begun = clock::now();
    do {
        all.push_back(work());
    } while (all.size() < wanted && clock::now() - begun < enough);
    auto const middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return {*middle, all.size()};
}

/// How long one call takes.
template <typename Call>
std::chrono::microseconds time_of(Call call)
{
    auto const begun = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 begun);
}

inline constexpr std::size_t round_trips = 21;
inline constexpr std::size_t forces = 7;

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_CHECKS_HPP
