// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_results.hpp -- all rounds, and what they say; as with transfers, a ratio is the median
// of the rounds' ratios, because in a round everything ran one after the other.

#ifndef ASSENT_TESTS_BENCH_RECOVERY_RECOVERY_RESULTS_HPP
#define ASSENT_TESTS_BENCH_RECOVERY_RECOVERY_RESULTS_HPP

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "finishing.hpp"
#include "statistics.hpp"

namespace assent::bench {

struct recovery_conditions
{
    std::string machine;
    std::size_t count = 0;
    std::size_t connections = 0;
    std::size_t rounds = 0;
    std::size_t threads = 0;
    limits::duration presumed_abort_delay{0};
};

class recovery_results
{
public:
    explicit recovery_results(recovery_conditions how) : how_(std::move(how)) {}

    /// Each way once a round.
    void take(std::string const& way, finished one) { all_[way].push_back(one); }

    recovery_conditions const& how() const noexcept { return how_; }
    std::map<std::string, std::vector<finished>> const& all() const noexcept { return all_; }

    using figure = std::function<double(finished const&)>;
    estimate of(std::string const& way, figure const& what) const;
    /// Of the rounds' ratios of `way` to `rival`.
    estimate ratio(std::string const& way, std::string const& rival, figure const& what) const;

private:
    recovery_conditions const how_;
    std::map<std::string, std::vector<finished>> all_;
};

/// What the library does is called "commit" and "rollback", and "busy commit" with transfers beside
/// it; by hand it is "commit by hand", "rollback by hand".
std::string rival_of(std::string const& way);

std::string table_of(recovery_results const& all);
std::string json_of(recovery_results const& all);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_RECOVERY_RECOVERY_RESULTS_HPP
