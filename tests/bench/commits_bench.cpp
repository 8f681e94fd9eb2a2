// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commits_bench.cpp -- what the transaction manager itself costs: whole commits over two databases
// in memory, whose own cost is taken off.
//
//   a round:  N threads:  begin, lease twice, write twice, commit                  } in turns
//             N threads:  the same requests on sessions of the drivers, no manager }
//
// Processor time, not elapsed time, of the whole process: what is left is begin to commit, the
// live table, the protocol, the log with its wake-ups, and the kernel's part of the forces.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/testing.hpp>
#include <assent/transaction_manager.hpp>

#include "bench.hpp"

namespace assent::bench {

namespace {

using testing::memory_connection;
using testing::memory_database;
using testing::memory_resource_manager;

constexpr char const* memory_directory = "/dev/shm";

assent::options options_in(std::string const& directory)
{
    limits bounds;
    bounds.pooled_sessions_max = 128;
    return assent::options{}
        .log_directory(directory)
        .node_label("bench")
        .limits(bounds)
        .presumed_abort_delay(limits::duration{0})
        .allow_file_system("overlay")
        .allow_file_system("tmpfs");
}

std::string row_of(std::size_t thread)
{
    return "row-" + std::to_string(thread);
}

/// The requests of a transaction over two databases, without a transaction manager.
class bare_databases
{
public:
    explicit bare_databases(std::size_t threads)
    {
        for (std::size_t i = 0; i < threads; ++i) {
            for (auto const& each : managers_) {
                sessions_.push_back(each.driver()->connect(session_purpose::work, far_away()));
            }
        }
    }

    void commit(std::size_t thread, std::uint64_t sequence)
    {
        auto const decided = decision_of(1, 1, 1, sequence);
        for (std::size_t i = 0; i < 2; ++i) {
            exchange(thread, i, verb::start, decided);
            auto& handle = *static_cast<memory_connection*>(session(thread, i).native_handle());
            handle.set(row_of(thread), static_cast<std::int64_t>(sequence));
        }
        for (verb const what : {verb::prepare, verb::commit}) {
            for (std::size_t i = 0; i < 2; ++i) {
                exchange(thread, i, what, decided);
            }
        }
    }

private:
    driver_session& session(std::size_t thread, std::size_t which)
    {
        return *sessions_[2 * thread + which];
    }
    void exchange(std::size_t thread, std::size_t which, verb what, ports::decision const& on)
    {
        auto& with = session(thread, which);
        with.submit(what, {on.global, on.branches[which]});
        if (!with.collect(far_away())->is_ok()) throw std::runtime_error("a request was refused");
    }

    std::array<memory_database, 2> databases_;
    std::array<memory_resource_manager, 2> managers_{
        memory_resource_manager{"accounts", databases_[0]},
        memory_resource_manager{"orders", databases_[1]}};
    std::vector<std::unique_ptr<driver_session>> sessions_;
};

struct managed_databases
{
    explicit managed_databases(std::string const& directory) : manager(options_in(directory))
    {
        manager.add(accounts);
        manager.add(orders);
    }

    void commit(std::size_t thread, std::uint64_t sequence)
    {
        auto tx = manager.begin();
        for (auto const* each : {&accounts, &orders}) {
            memory_connection* const session = tx.lease(*each);
            session->set(row_of(thread), static_cast<std::int64_t>(sequence));
        }
        if (tx.commit() != outcome::committed) throw std::runtime_error("a commit is pending");
    }

    memory_database first;
    memory_database second;
    memory_resource_manager accounts{"accounts", first};
    memory_resource_manager orders{"orders", second};
    transaction_manager manager;
};

std::string load(std::size_t threads, std::string const& where)
{
    return ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads") + ", log on " +
           where;
}

void commits(benchmark::State& state, std::string const& directory)
{
    auto const threads = static_cast<std::size_t>(state.range(0));
    auto const each = amount(threads == 1 ? 2000 : 8000 / threads, 2);
    auto const count = static_cast<double>(threads * each);
    scratch const in(directory);
    managed_databases managed(in.path() + "/log");
    bare_databases bare(threads);
    managed.commit(0, 1);  // waits until both databases serve
    std::vector<double> own_us;
    std::vector<double> per_second;
    std::vector<double> ratios;
    std::uint64_t done = 1;
    for (auto _ : state) {
        auto cpu = cpu_seconds();
        double const took = on_threads(threads, [&](std::size_t which) {
            for (std::size_t i = 0; i < each; ++i) {
                managed.commit(which, done + i);
            }
        });
        double const cpu_managed = cpu_seconds() - cpu;
        cpu = cpu_seconds();
        on_threads(threads, [&](std::size_t which) {
            for (std::size_t i = 0; i < each; ++i) {
                bare.commit(which, done + which * each + i);
            }
        });
        double const cpu_bare = cpu_seconds() - cpu;
        done += threads * each;
        state.SetIterationTime(took);
        own_us.push_back((cpu_managed - cpu_bare) / count * 1e6);
        per_second.push_back(count / took);
        ratios.push_back(cpu_managed / cpu_bare);
    }
    auto const now = managed.manager.state();
    state.counters["manager_cpu_us"] = median(own_us);
    state.counters["commits_per_s"] = median(per_second);
    state.counters["forces_per_commit"] =
        static_cast<double>(now.forces) / static_cast<double>(now.decisions);
    std::string const under = load(threads, file_system_of(directory));
    report({"processor time of whole commits / of the databases in memory alone" + under,
            median(ratios), "", ""});
    report({"the manager's processor time for a transaction" + under, median(own_us), "us",
            threads == 1 && directory == memory_directory ? "<= 5 us" : ""});
    report({"whole commits" + under, median(per_second), "/s", ""});
}

void begins(benchmark::State& state)
{
    constexpr std::size_t at_once = 100;
    scratch const in;
    transaction_manager manager{options_in(in.path() + "/log")};
    std::vector<double> each_us;
    for (auto _ : state) {
        std::vector<transaction> begun;
        begun.reserve(at_once);
        auto const begin = clock::now();
        for (std::size_t i = 0; i < at_once; ++i) {
            begun.push_back(manager.begin());
        }
        double const took = seconds_since(begin);
        state.SetIterationTime(took);
        each_us.push_back(took / at_once * 1e6);
    }
    state.counters["begin_us"] = median(each_us);
    report({"begin() alone", median(each_us), "us", ""});
}

}  // namespace

void register_commits()
{
    auto const with = [](auto* made) {
        made->Iterations(static_cast<benchmark::IterationCount>(rounds()))
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond)
            ->ArgName("threads");
        for (int threads : {1, 4, 16, 64}) {
            made->Arg(threads);
        }
    };
    if (std::filesystem::is_directory(memory_directory) &&
        file_system_of(memory_directory) == "tmpfs") {
        with(benchmark::RegisterBenchmark("commits/tmpfs", commits, std::string(memory_directory)));
    }
    with(benchmark::RegisterBenchmark("commits/disk", commits, chosen().directory));
    benchmark::RegisterBenchmark("begin", begins)
        ->Iterations(static_cast<benchmark::IterationCount>(amount(200, 1)))
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

}  // namespace assent::bench
