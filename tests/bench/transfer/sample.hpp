// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sample.hpp -- what one variant did in one round, with a number of threads.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_SAMPLE_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_SAMPLE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "shop.hpp"
#include "statistics.hpp"
#include "variant.hpp"

namespace assent::bench {

struct sample
{
    double transfers = 0;
    double seconds = 0;
    double cpu_seconds = 0;          ///< of this process
    double servers_cpu_seconds = 0;  ///< of both servers
    double switches = 0;             ///< of this process, voluntary or not
    double forces = 0;               ///< of the log of decisions
    std::vector<float> latencies_us;
    std::vector<float> commits_us;  ///< of commit() alone, in each of these transfers

    double per_second() const { return transfers / seconds; }
    double cpu_us() const { return cpu_seconds / transfers * 1e6; }
    double commit_p50_us() const { return static_cast<double>(quantile(commits_us, 0.5)); }
    double machine_cpu_us() const { return (cpu_seconds + servers_cpu_seconds) / transfers * 1e6; }
};

/// Processor time of the processes of both servers, so far.
/// @throws std::runtime_error  the kernel does not tell.
double servers_cpu_seconds(shop& of);

/// Transfers on `threads` threads for `duration`, from the `sequence`th of each on, which is the
/// next one afterwards.  @throws what a transfer throws.
sample measure(shop& at, variant& of, std::size_t threads, std::chrono::duration<double> duration,
               std::uint64_t& sequence);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_SAMPLE_HPP
