// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sample.cpp -- see sample.hpp.

#include "sample.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench.hpp"

namespace assent::bench {

namespace {

namespace fs = std::filesystem;

/// The kernel's first number there is the time on a processor, in nanoseconds.
double thread_cpu_seconds(fs::path const& task)
{
    std::ifstream in(task / "schedstat");
    std::uint64_t nanoseconds = 0;
    in >> nanoseconds;  // nothing, where the thread has just ended
    return static_cast<double>(nanoseconds) / 1e9;
}

double process_cpu_seconds(fs::path const& process)
{
    double sum = 0;
    std::error_code gone;
    for (auto const& task : fs::directory_iterator(process / "task", gone))
        sum += thread_cpu_seconds(task.path());
    return sum;
}

/// The fourth field of stat, behind a name that may hold anything.
pid_t parent_of(fs::path const& process)
{
    std::ifstream in(process / "stat");
    std::string text;
    std::getline(in, text);
    auto const name_end = text.rfind(") ");
    if (name_end == std::string::npos) return 0;
    return static_cast<pid_t>(std::strtol(text.c_str() + name_end + 4, nullptr, 10));
}

double context_switches()
{
    rusage used = {};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_nvcsw + used.ru_nivcsw);
}

}  // namespace

double servers_cpu_seconds(shop& of)
{
    fs::path const all = "/proc";
    pid_t const postmaster = of.postgresql().pid();
    double sum = process_cpu_seconds(all / std::to_string(of.mariadb().pid()));
    if (sum == 0) throw std::runtime_error("there is no /proc/PID/task/TID/schedstat");
    for (auto const& each : fs::directory_iterator(all)) {
        std::string const name = each.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (parent_of(each.path()) == postmaster) sum += process_cpu_seconds(each.path());
    }
    return sum;
}

sample measure(shop& at, variant& of, std::size_t threads, std::chrono::duration<double> duration,
               std::uint64_t& sequence)
{
    std::vector<std::vector<float>> latencies(threads);
    std::vector<std::vector<float>> commits(threads);
    for (auto* const of_threads : {&latencies, &commits}) {
        for (auto& each : *of_threads)
            each.reserve(static_cast<std::size_t>(duration.count() * 10'000) + 1);
    }
    double const servers = servers_cpu_seconds(at);
    double const forces = static_cast<double>(of.forces());
    double const switches = context_switches();
    double const cpu = cpu_seconds();

    sample made;
    made.seconds = on_threads(threads, [&](std::size_t thread) {
        auto const until = clock::now() + std::chrono::duration_cast<clock::duration>(duration);
        auto& mine = latencies[thread];
        auto next = sequence;
        for (auto begun = clock::now(); begun < until;) {
            of.transfer(thread, next++);
            auto const ended = clock::now();
            mine.push_back(std::chrono::duration<float, std::micro>(ended - begun).count());
            commits[thread].push_back(of.commit_us(thread));
            begun = ended;
        }
    });

    of.settle();  // what it began is its own, also where it need not wait for it
    made.cpu_seconds = cpu_seconds() - cpu;
    made.switches = context_switches() - switches;
    made.forces = static_cast<double>(of.forces()) - forces;
    made.servers_cpu_seconds = servers_cpu_seconds(at) - servers;
    std::size_t longest = 0;
    for (auto const& each : latencies) {
        longest = std::max(longest, each.size());
        made.latencies_us.insert(made.latencies_us.end(), each.begin(), each.end());
    }
    for (auto const& each : commits)
        made.commits_us.insert(made.commits_us.end(), each.begin(), each.end());
    made.transfers = static_cast<double>(made.latencies_us.size());
    sequence += longest;
    return made;
}

}  // namespace assent::bench
