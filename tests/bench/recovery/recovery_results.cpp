// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_results.cpp -- see recovery_results.hpp.

#include "recovery_results.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "json_text.hpp"

namespace assent::bench {

namespace {

double accounts_rate(finished const& one)
{
    return one.accounts.per_second();
}

double orders_rate(finished const& one)
{
    return one.orders.per_second();
}

double accounts_first(finished const& one)
{
    return one.accounts.first_ms();
}

double orders_first(finished const& one)
{
    return one.orders.first_ms();
}

double all_s(finished const& one)
{
    return std::max(one.accounts.last_s, one.orders.last_s);
}

/// Of a branch.
double cpu_us(finished const& one)
{
    return one.cpu_seconds / (one.accounts.count + one.orders.count) * 1e6;
}

double transfers_kept(finished const& one)
{
    return one.work ? one.work->meanwhile / one.work->alone : 0;
}

double transfers_alone(finished const& one)
{
    return one.work ? one.work->alone : 0;
}

std::pair<char const*, double (*)(finished const&)> constexpr figures[] = {
    {"accounts_per_second", accounts_rate},
    {"orders_per_second", orders_rate},
    {"accounts_first_ms", accounts_first},
    {"orders_first_ms", orders_first},
    {"all_s", all_s},
    {"cpu_us", cpu_us},
};

std::string in_text(char const* format, double value)
{
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string json_of(estimate const& one)
{
    return "{" + member("median", one.median) + ", " + member("low", one.low) + ", " +
           member("high", one.high) + ", " + member("confidence", one.confidence) + "}";
}

bool has_work(std::vector<finished> const& rounds)
{
    return !rounds.empty() && rounds.front().work;
}

}  // namespace

std::string rival_of(std::string const& way)
{
    if (way == "commit" || way == "busy commit") return "commit by hand";
    return way == "rollback" ? "rollback by hand" : "";
}

estimate recovery_results::of(std::string const& way, figure const& what) const
{
    std::vector<double> values;
    for (finished const& each : all_.at(way))
        values.push_back(what(each));
    return median_of(std::move(values));
}

estimate recovery_results::ratio(std::string const& way, std::string const& rival,
                                 figure const& what) const
{
    auto const& own = all_.at(way);
    auto const& other = all_.at(rival);
    std::vector<double> values;
    for (std::size_t i = 0; i < own.size(); ++i)
        values.push_back(what(own[i]) / what(other[i]));
    return median_of(std::move(values));
}

std::string table_of(recovery_results const& all)
{
    auto const& how = all.how();
    std::string text =
        how.machine + "; " + std::to_string(how.count) + " branches on each database, " +
        std::to_string(how.connections) + " connections to each by hand, " +
        std::to_string(how.rounds) + " rounds, presumed abort after " +
        std::to_string(how.presumed_abort_delay.count()) + " ms\n\n" +
        "| | PostgreSQL, branches/s | MariaDB, branches/s | PostgreSQL, by hand = 1 | MariaDB | "
        "PostgreSQL, first ms | MariaDB, first ms | all s | CPU us |\n"
        "|---|---|---|---|---|---|---|---|---|\n";
    for (auto const& each : all.all()) {
        auto const& way = each.first;
        auto const median = [&](char const* format, auto const& what) {
            return " | " + in_text(format, all.of(way, what).median);
        };
        auto const ratio = [&](auto const& what) {
            auto const rival = rival_of(way);
            if (all.all().count(rival) == 0) return std::string(" | ");
            auto const found = all.ratio(way, rival, what);
            return " | " + in_text("%.2f", found.median) + " (" + in_text("%.2f", found.low) + "-" +
                   in_text("%.2f", found.high) + ")";
        };
        text += "| " + way + median("%.0f", accounts_rate) + median("%.0f", orders_rate) +
                ratio(accounts_rate) + ratio(orders_rate) + median("%.0f", accounts_first) +
                median("%.0f", orders_first) + median("%.2f", all_s) + median("%.0f", cpu_us) +
                " |\n";
    }
    for (auto const& [way, rounds] : all.all()) {
        if (!has_work(rounds)) continue;
        text += "\n" + std::to_string(how.threads) + " threads transfer meanwhile: " +
                in_text("%.2f", all.of(way, transfers_kept).median) + " of the " +
                in_text("%.0f", all.of(way, transfers_alone).median) + " a second afterwards\n";
    }
    return text;
}

std::string json_of(recovery_results const& all)
{
    auto const& how = all.how();
    std::string text =
        "{" + member("machine", quoted(how.machine)) + ", " +
        member("count", static_cast<double>(how.count)) + ", " +
        member("connections", static_cast<double>(how.connections)) + ", " +
        member("rounds", static_cast<double>(how.rounds)) + ", " +
        member("threads", static_cast<double>(how.threads)) + ", " +
        member("presumed_abort_delay_ms", static_cast<double>(how.presumed_abort_delay.count())) +
        ",\n  \"ways\": [\n";
    bool is_first = true;
    for (auto const& [way, rounds] : all.all()) {
        text += (is_first ? "" : ",\n") + std::string("    {") + member("way", quoted(way));
        for (auto const& [name, what] : figures) {
            text += ",\n     " + member(name, json_of(all.of(way, what)));
            if (auto const rival = rival_of(way); all.all().count(rival) != 0) {
                text += ", " + member((std::string(name) + "/hand").c_str(),
                                      json_of(all.ratio(way, rival, what)));
            }
        }
        if (has_work(rounds)) {
            text += ",\n     " +
                    member("transfers_per_second", json_of(all.of(way, transfers_alone))) + ", " +
                    member("transfers_kept", json_of(all.of(way, transfers_kept)));
        }
        text += "}";
        is_first = false;
    }
    return text + "\n  ]}\n";
}

}  // namespace assent::bench
