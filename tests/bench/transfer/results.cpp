// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// results.cpp -- see results.hpp.

#include "results.hpp"

namespace assent::bench {

std::vector<std::size_t> results::threads() const
{
    std::vector<std::size_t> found;
    for (auto const& each : all_)
        found.push_back(each.first);
    return found;
}

estimate results::of(std::size_t threads, std::string const& variant, figure what) const
{
    std::vector<double> values;
    for (sample const& each : rounds(threads, variant))
        values.push_back((each.*what)());
    return median_of(std::move(values));
}

std::optional<estimate> results::ratio(std::size_t threads, std::string const& variant,
                                       std::string const& rival, figure what) const
{
    auto const& ran = all_.at(threads);
    auto const found = ran.find(rival);
    if (found == ran.end()) return std::nullopt;
    auto const& own = rounds(threads, variant);
    std::vector<double> values;
    for (std::size_t i = 0; i < own.size(); ++i)
        values.push_back((own[i].*what)() / (found->second[i].*what)());
    return median_of(std::move(values));
}

double results::quantile_us(std::size_t threads, std::string const& variant,
                            std::vector<float> sample::*what, double part) const
{
    std::vector<float> values;
    for (sample const& each : rounds(threads, variant))
        values.insert(values.end(), (each.*what).begin(), (each.*what).end());
    return static_cast<double>(quantile(std::move(values), part));
}

double results::mean(std::size_t threads, std::string const& variant, double sample::*what) const
{
    double sum = 0;
    double transfers = 0;
    for (sample const& each : rounds(threads, variant)) {
        sum += each.*what;
        transfers += each.transfers;
    }
    return sum / transfers;
}

}  // namespace assent::bench
