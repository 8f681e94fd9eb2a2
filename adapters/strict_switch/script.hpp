// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// script.hpp -- the faults of a strict switch: each counts the calls that fit it, and fires from
// the nth on, as often as it says.

#ifndef ASSENT_ADAPTERS_STRICT_SWITCH_SCRIPT_HPP
#define ASSENT_ADAPTERS_STRICT_SWITCH_SCRIPT_HPP

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include <assent/testing_switch.hpp>

namespace assent::inline v0::testing::strict {

enum class fault : std::uint8_t { answer = 1, answer_after = 2, answer_only = 3, call = 4 };

struct rule
{
    switch_call what = switch_call::open;
    int to_skip = 0;
    int to_fire = 1;
    fault kind = fault::call;
    int code = 0;
    std::function<void()> before, after;
};

class script
{
public:
    void add(std::shared_ptr<rule> one) { rules_.push_back(std::move(one)); }

    /// The first rule that fires for this call; every rule that fits has counted.
    std::shared_ptr<rule const> match(switch_call what)
    {
        std::shared_ptr<rule const> found;
        for (auto const& each : rules_) {
            if (each->what != what || each->to_fire == 0) continue;
            if (each->to_skip > 0) {
                --each->to_skip;
            } else if (!found) {
                --each->to_fire;
                found = each;
            }
        }
        return found;
    }

    std::size_t pending() const
    {
        return static_cast<std::size_t>(std::count_if(
            rules_.begin(), rules_.end(), [](auto const& each) { return each->to_fire > 0; }));
    }

private:
    std::vector<std::shared_ptr<rule>> rules_;
};

}  // namespace assent::inline v0::testing::strict

#endif  // ASSENT_ADAPTERS_STRICT_SWITCH_SCRIPT_HPP
