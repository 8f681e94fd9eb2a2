// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bench.hpp -- what the benchmarks share: how much to measure, where, and one table of results.
//
//   benchmark --report(what, value, goal)--> table, printed at the end; counters for Google's JSON
//
// Machines are noisy, so whatever is compared is measured in turns within one run, several rounds
// of it, and the median counts.  Nothing here fails because something is slow.

#ifndef ASSENT_TESTS_BENCH_HPP
#define ASSENT_TESTS_BENCH_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ports/decision_port.hpp"

namespace assent::bench {

using clock = std::chrono::steady_clock;

struct settings
{
    std::string directory;  ///< on a disk; every benchmark makes its own directories in it
    bool is_blink = false;  ///< as little as possible: does it still run?
};
settings const& chosen();
/// For the main program, before anything is measured.
settings& choose();

/// The processors, the system, and the file system of chosen().directory, for people.
std::string machine();

/// Takes TMPDIR or /tmp where no directory was chosen.
/// @throws std::runtime_error  a force costs nothing there.
void require_disk();

/// Where a path was given.  @throws std::runtime_error  it cannot be written.
void write_file(std::string const& path, std::string const& text);

/// `full`, or `blink` when the benchmarks only show that they run.
std::size_t amount(std::size_t full, std::size_t blink);

/// Rounds of what is compared; odd, for a median that was measured.
std::size_t rounds();

/// A row of the table.  Ratios come first in it.
struct row
{
    std::string what;
    double value = 0;
    std::string unit;  ///< empty: a ratio
    std::string goal;  ///< in words: ">= 0.9"; empty: none
};
void report(row one);
std::vector<row> const& reported();

/// @pre  not empty.
double median(std::vector<double> values);
double largest(std::vector<double> const& values);

double seconds_since(clock::time_point begin);
/// Of all threads of this process, user and system.
double cpu_seconds();
/// Bytes that the process has allocated now, the allocator's own included.
std::size_t allocated_bytes();

/// Runs `work(i)` on `count` threads that begin together.  @return seconds until the last ended.
/// @throws what one of them threw.
double on_threads(std::size_t count, std::function<void(std::size_t)> const& work);

deadline far_away();

/// A directory of its own, removed at the end.
class scratch
{
public:
    explicit scratch(std::string const& in = chosen().directory);
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;
    ~scratch();

    std::string const& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// The file system of a directory: "ext4", "tmpfs", ...
std::string file_system_of(std::string const& directory);

/// A decision over resource managers 1 and 2, as a commit over two databases makes it.
ports::decision decision_of(std::uint64_t node, std::uint32_t epoch, std::uint64_t nonce,
                            std::uint64_t sequence);

// Each file registers what it measures.
void register_forces();
void register_replay();
void register_rolls();
void register_commits();
void register_switches();

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_HPP
