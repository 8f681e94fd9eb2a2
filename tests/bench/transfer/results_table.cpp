// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// results_table.cpp -- two tables for each number of threads: figures, and ratios.

#include <cmath>
#include <cstdio>
#include <string>

#include "costs.hpp"
#include "results.hpp"

namespace assent::bench {

namespace {

std::string number(char const* format, double value)
{
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string in_words(estimate const& one)
{
    return number("%.2f", one.median) + " (" + number("%.2f", one.low) + "-" +
           number("%.2f", one.high) + ")";
}

std::string cell(std::optional<estimate> const& one)
{
    return one ? in_words(*one) : "";
}

std::string counted(results const& all, std::string const& variant)
{
    if (all.how().databases != 2) return " | ";  // the costs are those of two
    cost const* const known = cost_of(variant);
    if (known == nullptr) return " | ";
    return std::to_string(known->messages()) + " | " + std::to_string(known->sequential_rounds());
}

std::string figures(results const& all, std::size_t threads)
{
    std::string text =
        "| | tx/s | p50 ms | p99 ms | p99.9 ms | commit() p50 ms | CPU us | with servers us | "
        "switches | forces | messages | rounds |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (auto const& line : all.lines()) {
        auto const latency = [&](double part) {
            return number("%.2f", all.latency_us(threads, line.name, part) / 1000);
        };
        auto const commit = [&](std::string const& name) {
            double const us = all.commit_us(threads, name, 0.5);
            return us == 0 ? std::string() : number("%.2f", us / 1000);  // by hand: not looked at
        };
        text += "| " + line.about + " | " +
                number("%.0f", all.of(threads, line.name, &sample::per_second).median) + " | " +
                latency(0.5) + " | " + latency(0.99) + " | " + latency(0.999) + " | " +
                commit(line.name) + " | " +
                number("%.0f", all.of(threads, line.name, &sample::cpu_us).median) + " | " +
                number("%.0f", all.of(threads, line.name, &sample::machine_cpu_us).median) + " | " +
                number("%.1f", all.mean(threads, line.name, &sample::switches)) + " | " +
                number("%.2f", all.mean(threads, line.name, &sample::forces)) + " | " +
                counted(all, line.name) + " |\n";
    }
    return text;
}

std::string ratios(results const& all, std::size_t threads)
{
    std::string text =
        "| | tx/s to (a) | to (c) | to (g) | to its rival | commit() to its rival | CPU to (c) | "
        "with servers to (c) |\n|---|---|---|---|---|---|---|---|\n";
    for (auto const& line : all.lines()) {
        auto const ratio = [&](std::string const& rival, figure what) {
            return " | " + cell(all.ratio(threads, line.name, rival, what));
        };
        auto const commits = all.ratio(threads, line.name, line.rival, &sample::commit_p50_us);
        // By hand there is no commit() to look at.
        bool const is_known = commits && std::isfinite(commits->median);
        auto const commit = " | " + (is_known ? in_words(*commits) : std::string());
        text +=
            "| " + line.about + ratio("hand-sequential", &sample::per_second) +
            ratio("hand-log", &sample::per_second) + ratio("hand-promises", &sample::per_second) +
            ratio(line.rival, &sample::per_second) + commit + ratio("hand-log", &sample::cpu_us) +
            ratio("hand-log", &sample::machine_cpu_us) + " |\n";
    }
    return text;
}

}  // namespace

std::string table_of(results const& all)
{
    auto const& how = all.how();
    std::string text = how.machine + "; " + std::to_string(how.rounds) + " rounds of " +
                       number("%.2g", how.seconds) + " s, seed " + std::to_string(how.seed);
    if (how.round_trip_ms > 0) {
        text += "; " + std::to_string(how.round_trip_ms) + " ms added to each round trip";
    }
    if (how.databases != 2) text += "; " + std::to_string(how.databases) + " databases";
    if (how.how == wire::encrypted) text += "; encrypted, on TCP";
    text += "\nratios: median of the rounds', and its interval of " +
            number("%.0f", 100 * median_of(std::vector<double>(how.rounds)).confidence) +
            " % confidence\n";
    for (std::size_t const threads : all.threads()) {
        text += "\n" + std::to_string(threads) + (threads == 1 ? " thread" : " threads") + "\n\n" +
                figures(all, threads) + "\n" + ratios(all, threads);
    }
    return text;
}

}  // namespace assent::bench
