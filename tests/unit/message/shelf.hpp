// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// shelf.hpp -- a broker of one process, which keeps parcels, and refuses, forgets to answer or is
// away as it is told.

#ifndef ASSENT_TESTS_UNIT_MESSAGE_SHELF_HPP
#define ASSENT_TESTS_UNIT_MESSAGE_SHELF_HPP

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <assent/delivery.hpp>
#include <assent/driver.hpp>
#include <assent/transport.hpp>

namespace assent::testing {

class shelf final : public message::transport
{
public:
    void send(message::parcel const& what, deadline) override
    {
        if (is_away) throw driver_error("the broker is away");
        sent_.push_back(what);
        if (cut_after != 0 && --cut_after == 0) throw driver_error("the connection was cut");
    }
    message::receipt settle(deadline) override
    {
        message::receipt told;
        for (auto const& each : std::exchange(sent_, {})) {
            bool const is_refused = refused.count(each.body) != 0;
            if (!is_refused) all.push_back(from_parcel(each));
            if (!told.why.empty()) continue;
            if (is_refused) {
                told.why = "refused: \x01" + each.body;
                told.is_refused = true;
            } else if (is_silent) {
                told.why = "no answer";
            } else {
                ++told.kept;
            }
        }
        if (told.why.empty() && is_away) told.why = "the broker is away";
        return told;
    }

    std::vector<std::string> bodies() const
    {
        std::vector<std::string> said;
        for (auto const& each : all)
            said.push_back(each.body);
        return said;
    }

    std::size_t count(std::string const& body) const
    {
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](auto const& each) { return each.body == body; }));
    }

    /// What a receiver makes of it that goes by the places alone.
    /// @return the bodies that are new, by lane, in their order; what does not follow is "gap".
    std::map<unsigned, std::vector<std::string>> received() const
    {
        std::map<unsigned, std::vector<std::string>> said;
        std::map<unsigned, std::string> last;
        for (auto const& each : all) {
            auto& its = last.emplace(each.at.lane, message::position_zero).first->second;
            if (each.at.position <= its) continue;
            said[each.at.lane].push_back(each.at.previous == its ? each.body : "gap");
            its = each.at.position;
        }
        return said;
    }

    /// The bodies of a key by their places, each once.
    std::vector<std::string> in_places(std::string const& key) const
    {
        std::map<std::string, std::string> of;
        for (auto const& each : all) {
            if (each.key == key) of[each.at.position] = each.body;
        }
        std::vector<std::string> said;
        for (auto const& [position, body] : of)
            said.push_back(body);
        return said;
    }

    std::vector<message::delivery> all;  ///< that it keeps, as it came
    std::set<std::string> refused;       ///< bodies
    bool is_away = false;
    bool is_silent = false;     ///< keeps, and does not answer
    std::size_t cut_after = 0;  ///< so many sends; 0: never

private:
    std::vector<message::parcel> sent_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_UNIT_MESSAGE_SHELF_HPP
