// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_corruption_test.cpp -- a log of a thousand decisions, damaged in every way, once at a time.
//
//   ASSENT_CASES=20000 ASSENT_SEED=1 log_corruption_test      a sample of every kind
//   ASSENT_CASES=all log_corruption_test                      every case, some five million
//   ASSENT_CASE=sealed/bit/4711 ASSENT_SEED=1 log_corruption_test      one of them, alone
//
// A damaged log is refused, or it holds everything that was acknowledged.

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "corruption_case.hpp"
#include "settings.hpp"

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace assent::testing {
namespace {

constexpr std::uint64_t default_cases = 20'000;
constexpr unsigned seconds_max = 60;  // for one case, on a machine that does much else
constexpr std::size_t reader_buffer = 64 * log::page_bytes;
constexpr std::size_t memory_max = 1024 * 1024;  // beyond the image of the undamaged log
constexpr std::uint64_t opened_every = 50;       // of the cases are opened on a disk, too
constexpr unsigned failures_max = 10;

/// The case under way, for whoever dies in it.
std::array<char, 160> now_running{};

void say_case()
{
    auto const length = std::strlen(now_running.data());
    static_cast<void>(!::write(STDERR_FILENO, now_running.data(), length));
}

extern "C" void die_loudly(int signal)
{
    say_case();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

class LogCorruption : public ::testing::TestWithParam<log_end>
{
public:
    static void SetUpTestSuite()
    {
        // The reader's buffer would be mapped and unmapped each time.
        ::mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
        ::mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
        if (__sanitizer_set_death_callback != nullptr) {
            __sanitizer_set_death_callback(say_case);
        } else {
            std::signal(SIGSEGV, die_loudly);
        }
        std::signal(SIGABRT, die_loudly);
        std::signal(SIGALRM, die_loudly);
        seed_of_this_run();
    }

protected:
    void run(damage_kind const& kind, std::uint64_t index)
    {
        std::string const name =
            std::string(name_of(GetParam())) + "/" + kind.name + "/" + std::to_string(index);
        std::snprintf(now_running.data(), now_running.size(), "\nASSENT_SEED=%llu ASSENT_CASE=%s\n",
                      static_cast<unsigned long long>(seed_of_this_run()), name.c_str());
        ::alarm(seconds_max);
        kind.apply(log_, index, seed_of_this_run() * 1'000'003 + index);
        auto const found = read_damaged(log_);
        ++tally_[static_cast<std::size_t>(found.what)];
        auto const why = found.what == reading::wrong ? found.why : check_rest(found);
        if (!why.empty()) {
            ++failures_;
            std::string const file = std::strcmp(kind.name, "file") == 0
                                         ? " (" + file_damage_name(specimen_, index) + ")"
                                         : "";
            ADD_FAILURE() << why << file << now_running.data();
        }
        log_.heal();
        ++cases_;
        if (is_campaign()) say_progress(kind);
    }

    std::string check_rest(finding const& found)
    {
        largest_ = std::max(largest_, found.largest);
        peak_ = std::max(peak_, found.peak);
        if (found.largest > reader_buffer) return "one block of " + std::to_string(found.largest);
        if (found.peak > undamaged_peak_ + memory_max) return "much memory";
        return cases_ % opened_every == 0 ? open_damaged(log_, found.what) : "";
    }

    void say_progress(damage_kind const& kind)
    {
        auto const now = std::chrono::steady_clock::now();
        if (now - said_ < std::chrono::seconds{10}) return;
        said_ = now;
        std::cout << "  " << name_of(GetParam()) << "/" << kind.name << ": " << cases_
                  << " cases so far\n"
                  << std::flush;
    }

    void say_tally(char const* name)
    {
        std::cout << "  " << name_of(GetParam()) << "/" << name << ": ";
        char const* const words[readings] = {"refused", "complete", "unproved", "replaced",
                                             "wrong"};
        for (std::size_t i = 0; i < readings; ++i) {
            if (tally_[i] != 0) std::cout << tally_[i] << " " << words[i] << ' ';
            total_[i] += tally_[i];
        }
        std::cout << '\n';
        tally_ = {};
    }

    specimen specimen_ = make_specimen(GetParam());
    damaged_log log_{specimen_};
    std::array<std::uint64_t, readings> tally_{};
    std::array<std::uint64_t, readings> total_{};
    std::uint64_t cases_ = 0;
    unsigned failures_ = 0;
    std::size_t largest_ = 0;
    std::size_t peak_ = 0;
    std::size_t undamaged_peak_ = 0;
    std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

TEST_P(LogCorruption, IsRefusedOrHarmless)
{
    auto const whole = read_damaged(log_);
    ASSERT_EQ(whole.what, reading::complete) << whole.why;
    undamaged_peak_ = whole.peak;
    std::string const only = text_of_setting("ASSENT_CASE");
    std::mt19937_64 random(seed_of_this_run());
    auto kinds = damage_kinds();  // the rare ones first: what they do not need is for the others
    std::sort(kinds.begin(), kinds.end(), [&](auto const& one, auto const& other) {
        return one.count(specimen_) < other.count(specimen_);
    });
    std::uint64_t left = setting("ASSENT_CASES", default_cases) / log_ends;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        damage_kind const& kind = kinds[k];
        std::uint64_t const count = kind.count(specimen_);
        std::uint64_t const share = left / (kinds.size() - k);
        std::string const begin = std::string(name_of(GetParam())) + "/" + kind.name + "/";
        bool const is_every = only.empty() && (is_campaign() || count <= share);
        std::uint64_t const runs = is_every ? count : only.empty() ? share : 0;
        left -= std::min(left, runs);
        for (std::uint64_t i = 0; i < runs && failures_ < failures_max; ++i) {
            run(kind, is_every ? i : random() % count);
        }
        if (only.starts_with(begin)) {
            run(kind, std::strtoull(only.c_str() + begin.size(), nullptr, 10));
        }
        say_tally(kind.name);
    }
    std::cout << "  " << name_of(GetParam()) << ": " << cases_ << " cases over "
              << specimen_.decisions << " decisions in " << log_.size() << " bytes; largest block "
              << largest_ << ", peak " << peak_ << " bytes\n";

    if (!only.empty()) return;
    EXPECT_GT(total_[static_cast<std::size_t>(reading::refused)], 0U);
    EXPECT_GT(total_[static_cast<std::size_t>(reading::complete)], 0U);
    EXPECT_EQ(total_[static_cast<std::size_t>(reading::unproved)] > 0,
              GetParam() == log_end::unsealed);
}

INSTANTIATE_TEST_SUITE_P(Proof, LogCorruption,
                         ::testing::Values(log_end::sealed, log_end::unsealed, log_end::torn,
                                           log_end::two_segments, log_end::reopened),
                         [](auto const& of) { return name_of(of.param); });

}  // namespace
}  // namespace assent::testing
