// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "ports/numbering.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <random>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <assent/delivery.hpp>

#include "ports/fnv.hpp"

namespace assent::ports {

namespace {

constexpr std::size_t half = message::position_size / 2;

std::string digits(std::uint64_t number)
{
    auto text = std::to_string(number);
    return std::string(half - text.size(), '0') + text;
}

std::uint64_t turn_of(std::string const& position)
{
    std::uint64_t turn = 0;
    auto const* const begin = position.data();
    if (position.size() == message::position_size &&
        std::from_chars(begin, begin + half, turn).ptr == begin + half) {
        return turn;
    }
    throw driver_error("a row of assent_lane has no position: it was changed by somebody else");
}

}  // namespace

std::vector<waiting_task> chosen(std::vector<waiting_task> waiting, turn_limits const& limits)
{
    std::sort(waiting.begin(), waiting.end(), [](auto const& a, auto const& b) {
        return std::make_tuple(a.lane, a.position.empty(), a.position, a.id) <
               std::make_tuple(b.lane, b.position.empty(), b.position, b.id);
    });
    std::set<std::uint8_t> have_placed;
    for (auto const& each : waiting) {
        if (!each.position.empty()) have_placed.insert(each.lane);
    }
    std::vector<waiting_task> all;
    std::map<std::uint8_t, std::size_t> of_lane;
    std::set<std::uint8_t> full;
    std::size_t bytes = 0;
    for (auto const& each : waiting) {
        if (each.position.empty() && have_placed.count(each.lane) != 0) continue;
        if (full.count(each.lane) != 0) continue;
        bool const is_too_much = all.size() >= limits.messages ||
                                 of_lane[each.lane] >= limits.lane_messages ||
                                 (!all.empty() && bytes + each.bytes > limits.bytes);
        if (is_too_much) {
            full.insert(each.lane);  // what follows it in its lane must not overtake
            continue;
        }
        all.push_back(each);
        ++of_lane[each.lane];
        bytes += each.bytes;
    }
    return all;
}

std::vector<waiting_task> up_to_taken(std::vector<waiting_task> const& tasks,
                                      std::set<std::uint64_t> const& free)
{
    std::set<std::uint8_t> behind;
    std::vector<waiting_task> all;
    all.reserve(tasks.size());
    for (auto const& each : tasks) {
        if (each.position.empty() && free.count(each.id) == 0) behind.insert(each.lane);
        if (behind.count(each.lane) == 0) all.push_back(each);
    }
    return all;
}

last_positions number(std::vector<waiting_task>& tasks, last_positions const& last,
                      std::uint64_t microseconds)
{
    last_positions moved;
    std::map<std::uint8_t, std::pair<std::string, std::uint64_t>> turns;  // and places given in it
    for (auto& each : tasks) {
        if (!each.position.empty()) continue;
        auto const before = last.find(each.lane);
        auto const& from = before != last.end() ? before->second : message::position_zero;
        auto turn = turns.find(each.lane);
        if (turn == turns.end()) {
            auto const its = digits(std::max(turn_of(from) + 1, microseconds));
            turn = turns.emplace(each.lane, std::make_pair(its, std::uint64_t{0})).first;
        }
        auto const so_far = moved.find(each.lane);
        each.previous = so_far != moved.end() ? so_far->second : from;
        each.position = turn->second.first + digits(++turn->second.second);
        moved[each.lane] = each.position;
    }
    return moved;
}

std::vector<waiting_task> in_lanes(std::vector<waiting_task> const& tasks,
                                   last_positions const& moved)
{
    std::vector<waiting_task> all;
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(all),
                 [&](auto const& each) { return moved.count(each.lane) != 0; });
    return all;
}

std::vector<placed_task> in_order(std::map<std::uint64_t, placed_task> read,
                                  std::vector<waiting_task> const& tasks)
{
    std::vector<placed_task> all;
    all.reserve(tasks.size());
    for (auto const& each : tasks) {
        auto const row = read.find(each.id);
        if (row == read.end()) throw driver_error("placing messages: a row is gone");
        all.push_back(std::move(row->second));
        all.back().position = each.position;
        all.back().previous = each.previous;
    }
    return all;
}

std::string lane_name(std::string_view to, std::uint8_t lane)
{
    return std::string{to} + (lane < 10 ? " 0" : " ") + std::to_string(lane);
}

std::uint64_t lane_lock(std::string_view to, std::uint8_t lane)
{
    return fnv1a("assent lane " + lane_name(to, lane));
}

std::string new_source()
{
    std::random_device random;
    std::string name;
    while (name.size() < message::source_size)
        name += "0123456789abcdef"[random() & 15];
    return name;
}

}  // namespace assent::ports
