// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// results.hpp -- all rounds, and what they say.
//
// Machines are noisy, so variants are compared within a round, in which all of them ran one after
// the other; a ratio is the median of the rounds' ratios.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_RESULTS_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_RESULTS_HPP

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sample.hpp"
#include "statistics.hpp"

namespace assent::bench {

/// Where and how everything was measured.
struct conditions
{
    std::string machine;
    std::size_t rounds = 0;
    double seconds = 0;  ///< of a variant in a round
    std::uint64_t seed = 0;
    int round_trip_ms = 0;  ///< that was added
    wire how = wire::in_the_clear;
    std::size_t databases = 2;
};

/// What a column of the tables compares.
using figure = double (sample::*)() const;

class results
{
public:
    struct line
    {
        std::string name;
        std::string about;
        std::string rival;
    };

    explicit results(conditions how) : how_(std::move(how)) {}

    /// In this order they are shown.
    void know(variant const& one) { lines_.push_back({one.name(), one.about(), one.rival()}); }
    /// Of each variant once a round.
    void take(std::size_t threads, std::string const& variant, sample one)
    {
        all_[threads][variant].push_back(std::move(one));
    }

    conditions const& how() const noexcept { return how_; }
    std::vector<line> const& lines() const noexcept { return lines_; }
    std::vector<std::size_t> threads() const;
    std::vector<sample> const& rounds(std::size_t threads, std::string const& variant) const
    {
        return all_.at(threads).at(variant);
    }

    estimate of(std::size_t threads, std::string const& variant, figure what) const;
    /// Nothing where `rival` did not run.
    std::optional<estimate> ratio(std::size_t threads, std::string const& variant,
                                  std::string const& rival, figure what) const;
    /// Of all its transfers in all rounds.
    double latency_us(std::size_t threads, std::string const& variant, double part) const
    {
        return quantile_us(threads, variant, &sample::latencies_us, part);
    }
    double commit_us(std::size_t threads, std::string const& variant, double part) const
    {
        return quantile_us(threads, variant, &sample::commits_us, part);
    }
    double mean(std::size_t threads, std::string const& variant, double sample::*what) const;

private:
    double quantile_us(std::size_t threads, std::string const& variant,
                       std::vector<float> sample::*what, double part) const;

    conditions const how_;
    std::vector<line> lines_;
    std::map<std::size_t, std::map<std::string, std::vector<sample>>> all_;
};

/// Markdown, ready for docs/reference/performance.md.
std::string table_of(results const& all);
std::string json_of(results const& all);
/// A picture of the ratios of throughput to hand-sequential.
std::string svg_of(results const& all);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_RESULTS_HPP
