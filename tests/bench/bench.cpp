// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bench.cpp -- see bench.hpp.

#include "bench.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <latch>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "log/posix_file_layer.hpp"

namespace assent::bench {

namespace {

std::vector<row>& table()
{
    static std::vector<row> rows;
    return rows;
}

double seconds_of(timeval const& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string processor()
{
    std::ifstream about("/proc/cpuinfo");
    for (std::string line; std::getline(about, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        return line.substr(line.find(':') + 2);
    }
    return "unknown processor";
}

}  // namespace

settings& choose()
{
    static settings all;
    return all;
}

settings const& chosen()
{
    return choose();
}

std::string machine()
{
    utsname system = {};
    ::uname(&system);
    return std::to_string(std::thread::hardware_concurrency()) + " x " + processor() + ", " +
           system.sysname + " " + system.release + ", " + file_system_of(chosen().directory);
}

void require_disk()
{
    std::string& directory = choose().directory;
    if (directory.empty()) {
        char const* const given = std::getenv("TMPDIR");
        directory = given && *given ? given : "/tmp";
    }
    auto const found = file_system_of(directory);
    if (found != "tmpfs" && found != "ramfs") return;
    throw std::runtime_error(directory + " is on " + found +
                             ", where a force costs nothing; name a directory on a disk with "
                             "--directory=DIR");
}

void write_file(std::string const& path, std::string const& text)
{
    if (path.empty()) return;
    std::ofstream out(path);
    out << text;
    if (!out.flush()) throw std::runtime_error(path + " cannot be written");
}

std::size_t amount(std::size_t full, std::size_t blink)
{
    return chosen().is_blink ? blink : full;
}

std::size_t rounds()
{
    return amount(9, 1);
}

void report(row one)
{
    table().push_back(std::move(one));
}

std::vector<row> const& reported()
{
    return table();
}

double median(std::vector<double> values)
{
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double largest(std::vector<double> const& values)
{
    return *std::max_element(values.begin(), values.end());
}

double seconds_since(clock::time_point begin)
{
    return std::chrono::duration<double>(clock::now() - begin).count();
}

double cpu_seconds()
{
    rusage used = {};
    ::getrusage(RUSAGE_SELF, &used);
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

std::size_t allocated_bytes()
{
    auto const now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
}

double on_threads(std::size_t count, std::function<void(std::size_t)> const& work)
{
    if (count == 1) {
        auto const begin = clock::now();
        work(0);
        return seconds_since(begin);
    }
    std::latch ready(static_cast<std::ptrdiff_t>(count) + 1);
    std::vector<std::exception_ptr> failures(count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            ready.arrive_and_wait();
            try {
                work(i);
            } catch (...) {
                failures[i] = std::current_exception();
            }
        });
    }
    ready.arrive_and_wait();
    auto const begin = clock::now();
    for (auto& one : threads) {
        one.join();
    }
    double const took = seconds_since(begin);
    for (auto const& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
    return took;
}

deadline far_away()
{
    return clock::now() + std::chrono::hours{1};
}

scratch::scratch(std::string const& in) : path_(in + "/assent-bench-XXXXXX")
{
    if (!::mkdtemp(path_.data())) {
        throw std::system_error(errno, std::generic_category(), path_);
    }
}

scratch::~scratch()
{
    std::error_code ignored;  // a leftover in the temporary directory harms nobody
    std::filesystem::remove_all(path_, ignored);
}

std::string file_system_of(std::string const& directory)
{
    log::posix_file_layer files(directory);
    log::directory_facts facts;
    if (long const attached = files.attach(false, facts); attached < 0) {
        throw std::system_error(static_cast<int>(-attached), std::generic_category(), directory);
    }
    return facts.file_system;
}

ports::decision decision_of(std::uint64_t node, std::uint32_t epoch, std::uint64_t nonce,
                            std::uint64_t sequence)
{
    ports::decision what;
    what.global = gtrid::make({decision_place::log, 0, node, epoch, nonce, sequence});
    for (std::uint16_t id : {1, 2}) {
        what.branches.push_back(bqual::make({id, id, 4000 + sequence % 64}));
    }
    return what;
}

}  // namespace assent::bench
