// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// statistics.hpp -- medians, their intervals, and quantiles.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_STATISTICS_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_STATISTICS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace assent::bench {

/// The value below which `part` (0 to 1) of `values` lie, which need no order.  0 without values.
template <class Number>
Number quantile(std::vector<Number> values, double part)
{
    if (values.empty()) return {};
    auto const last = static_cast<double>(values.size() - 1);
    auto const at = static_cast<std::ptrdiff_t>(std::llround(part * last));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

/// A median, and between which values that of all possible rounds lies with `confidence`.
struct estimate
{
    double median = 0;
    double low = 0;
    double high = 0;
    double confidence = 0;
};

/// By order statistics: nothing is assumed of how the values are distributed.  Between the kth
/// smallest and the kth largest of n values the median lies with the probability 1 - 2 P(X < k),
/// where X is how often heads come in n throws.  k is the largest with 95 %, or 1 where no interval
/// of so few values has that.
inline estimate median_of(std::vector<double> values)
{
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    auto const n = values.size();
    double probability = std::pow(0.5, static_cast<double>(n));  // of 0 heads
    double below = probability;                                  // P(X < k), for k = 1
    std::size_t k = 1;
    for (; k < n / 2; ++k) {
        probability *= static_cast<double>(n - k + 1) / static_cast<double>(k);
        if (1 - 2 * (below + probability) < 0.95) break;
        below += probability;
    }
    double const median = (values[(n - 1) / 2] + values[n / 2]) / 2;
    return {median, values[k - 1], values[n - k], std::max(0.0, 1 - 2 * below)};
}

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_STATISTICS_HPP
