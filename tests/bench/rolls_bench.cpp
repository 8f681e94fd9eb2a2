// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rolls_bench.cpp -- what a change of segment costs the thread that meets it.
//
// One thread commits through many segments.  The longest force around each change is held against
// the median of all forces, with the next segment made ahead and without.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <variant>

#include "bench.hpp"
#include "log/file_log.hpp"

namespace assent::bench {

namespace {

constexpr std::size_t pages_per_segment = 4096;  // 16 MiB, the default

void rolls(benchmark::State& state, bool is_ahead)
{
    scratch const in;
    log::file_log_options options;
    options.node_label = "bench";
    options.makes_segments_ahead = is_ahead;
    options.idle_seal_wait = std::chrono::milliseconds{0};
    options.allowed_file_systems = {"overlay"};
    options.segment_bytes = amount(pages_per_segment, 8) * 4096;
    log::file_log on(in.path() + "/log", options);
    auto const [epoch, nonce] = on.current();
    std::uint64_t sequence = 0;
    std::vector<double> all;
    std::vector<double> stalls;
    for (auto _ : state) {
        double longest = 0;
        auto const changes = on.state().other_forces;
        while (on.state().other_forces == changes) {
            auto const what = decision_of(on.node(), epoch, nonce, ++sequence);
            auto const begin = clock::now();
            auto const done = on.force(what, far_away());
            all.push_back(seconds_since(begin));
            longest = all.back();
            if (!std::holds_alternative<ports::durable_decision>(done)) {
                state.SkipWithError("a force failed");
                return;
            }
            for (bqual const& branch : what.branches) {
                on.note_finished({what.global, branch});
            }
            on.raise_horizon(1, {epoch, sequence});
            on.raise_horizon(2, {epoch, sequence});
        }
        stalls.push_back(longest);
        state.SetIterationTime(longest);
    }
    double const usual = median(all);
    state.counters["median_force_us"] = usual * 1e6;
    state.counters["stall_ratio"] = median(stalls) / usual;
    std::string const how = is_ahead ? ", made ahead" : ", made on the spot";
    report({"force at a change of segment / median force" + how, median(stalls) / usual, "", ""});
    report({"force at a change of segment" + how, median(stalls) * 1e3, "ms", ""});
    report({"longest force at a change of segment" + how, largest(stalls) * 1e3, "ms", ""});
}

}  // namespace

void register_rolls()
{
    for (auto* made : {benchmark::RegisterBenchmark("roll/ahead", rolls, true),
                       benchmark::RegisterBenchmark("roll/on_the_spot", rolls, false)}) {
        made->Iterations(static_cast<benchmark::IterationCount>(rounds()))
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace assent::bench
