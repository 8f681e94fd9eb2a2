// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bench_main.cpp -- the program `assent_bench`: Google Benchmark's options, and ours.
//
//   --directory=DIR   a directory on a disk, for logs; TMPDIR or /tmp without it
//   --blink           as little as possible, to see that all of it still runs
//   --table           only the table of results, ready for docs/reference/performance.md
//
// A benchmark that could not do its work makes the program fail.  One that is slow never does.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "bench.hpp"

namespace assent::bench {

namespace {

/// Shows what Google Benchmark shows, or nothing, and remembers errors.
class reporter final : public benchmark::ConsoleReporter
{
public:
    explicit reporter(bool is_silent) : ConsoleReporter(OO_Tabular), is_silent_(is_silent) {}

    bool ReportContext(Context const& context) override
    {
        return is_silent_ || ConsoleReporter::ReportContext(context);
    }
    void ReportRuns(std::vector<Run> const& runs) override
    {
        for (Run const& one : runs) {
            if (!one.error_occurred) continue;
            has_failed_ = true;
            std::fprintf(stderr, "%s: %s\n", one.benchmark_name().c_str(),
                         one.error_message.c_str());
        }
        if (!is_silent_) ConsoleReporter::ReportRuns(runs);
    }
    void Finalize() override
    {
        if (!is_silent_) ConsoleReporter::Finalize();
    }
    bool has_failed() const noexcept { return has_failed_; }

private:
    bool const is_silent_;
    bool has_failed_ = false;
};

std::string number(double value)
{
    char text[32];
    bool const is_large = value >= 100;
    std::snprintf(text, sizeof text, is_large ? "%.0f" : "%.3g", value);
    return text;
}

void print_table()
{
    std::printf("\n%s\n\n", machine().c_str());
    std::printf("| what | measured | goal |\n|---|---|---|\n");
    auto rows = reported();
    std::stable_partition(rows.begin(), rows.end(),
                          [](row const& one) { return one.unit.empty(); });
    for (row const& one : rows) {
        std::printf("| %s | %s%s%s | %s |\n", one.what.c_str(), number(one.value).c_str(),
                    one.unit.empty() ? "" : " ", one.unit.c_str(), one.goal.c_str());
    }
}

/// Takes our own options away, so that the rest is Google Benchmark's.
bool take_options(int& count, char** values)
{
    bool is_table = false;
    int kept = 1;
    constexpr std::string_view directory = "--directory=";
    for (int i = 1; i < count; ++i) {
        std::string_view const one = values[i];
        if (one.substr(0, directory.size()) == directory) {
            choose().directory = one.substr(directory.size());
        } else if (one == "--blink") {
            choose().is_blink = true;
        } else if (one == "--table") {
            is_table = true;
        } else {
            values[kept++] = values[i];
        }
    }
    count = kept;
    return is_table;
}

int run(int count, char** values)
{
    bool const is_table = take_options(count, values);
    benchmark::Initialize(&count, values);
    if (benchmark::ReportUnrecognizedArguments(count, values)) return 2;
    require_disk();
    register_forces();
    register_replay();
    register_rolls();
    register_commits();
    register_switches();
    reporter shown(is_table);
    if (benchmark::RunSpecifiedBenchmarks(&shown) == 0) return 2;
    print_table();
    return shown.has_failed() ? 1 : 0;
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    try {
        return assent::bench::run(count, values);
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_bench: %s\n", failed.what());
        return 2;
    }
}
