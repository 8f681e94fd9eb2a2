// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exposition.hpp -- text that Prometheus reads, of its exposition format 0.0.4.
//
//   # HELP assent_branches_due Decided branches that wait to be finished.
//   # TYPE assent_branches_due gauge
//   assent_branches_due{resource_manager="orders"} 3

#ifndef ASSENT_API_EXPOSITION_HPP
#define ASSENT_API_EXPOSITION_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace assent::api {

class exposition
{
public:
    using labels = std::vector<std::pair<std::string_view, std::string_view>>;

    /// Begins a family: all its samples follow.  One that only grows has a name in _total.
    void family(std::string_view name, std::string_view help);
    void sample(double value, labels const& of = {});
    /// A whole number of any type; true is 1.
    template <class Whole, class = std::enable_if_t<std::is_integral_v<Whole>>>
    void sample(Whole value, labels const& of = {})
    {
        put_sample(std::to_string(static_cast<std::int64_t>(value)), of);
    }

    /// A family of one sample.
    template <class Number>
    void lone(std::string_view name, std::string_view help, Number value)
    {
        family(name, help);
        sample(value);
    }

    std::string const& text() const noexcept { return text_; }

private:
    void put_sample(std::string_view value, labels const& of);
    void put(std::string_view text, bool is_quoted);

    std::string text_;
    std::string name_;
};

}  // namespace assent::api

#endif  // ASSENT_API_EXPOSITION_HPP
