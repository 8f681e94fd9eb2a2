// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes.cpp -- the table assent_lane: what a relay does with the messages of assent_task.

#include <utility>

#include <assent/delivery.hpp>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

namespace {

using ports::lane_name;
using ports::waiting_task;
using std::chrono::duration_cast;
using std::chrono::microseconds;

}  // namespace

void server::ensure_lanes()
{
    lock held(mutex_);
    require_tasks();
    durable_.has_lane_table = true;
    if (durable_.source.empty()) durable_.source = ports::new_source();
}

void server::require_lanes() const
{
    require_tasks();
    if (!durable_.has_lane_table) throw driver_error("the table assent_lane is missing", "42P01");
}

std::string server::lane_source() const
{
    lock held(mutex_);
    require_lanes();
    return durable_.source;
}

/// Whether something waits there, and its turn has come.
bool server::is_due(std::string_view to, std::uint8_t lane, deadline present) const
{
    bool is_any = false;
    for (auto const& [id, row] : durable_.tasks) {
        if (row.to != to || row.lane != lane) continue;
        is_any = true;
        auto const placed = durable_.placed.find(id);
        if (placed == durable_.placed.end()) continue;
        if (placed->second.is_parked || placed->second.due > present) return false;
    }
    return is_any;
}

std::vector<std::uint8_t> server::claim_lanes(std::uint64_t owner, std::string_view to,
                                              std::uint8_t from, std::size_t at_most)
{
    lock held(mutex_);
    require_lanes();
    std::vector<std::uint8_t> ours;
    for (unsigned i = 0; i < message::lanes && ours.size() < at_most; ++i) {
        auto const lane = static_cast<std::uint8_t>((from + i) % message::lanes);
        if (!is_due(to, lane, now())) continue;
        auto const [had, is_free] = lane_owners_.emplace(lane_name(to, lane), owner);
        if (is_free || had->second == owner) ours.push_back(lane);
    }
    return ours;
}

/// Those that no branch has taken.
std::set<std::uint64_t> server::untaken(std::vector<ports::waiting_task> const& tasks) const
{
    std::set<std::uint64_t> all;
    for (auto const& each : tasks)
        all.insert(each.id);
    for (auto const& x : live_) {
        for (auto const id : durable_.branches.at(x).takes)
            all.erase(id);
    }
    return all;
}

std::vector<placed_task> server::place_tasks(std::string_view to,
                                             std::vector<std::uint8_t> const& which,
                                             turn_limits const& limits)
{
    lock held(mutex_);
    require_lanes();
    std::vector<waiting_task> waiting;
    ports::last_positions last;
    for (auto const lane : which) {
        auto const known = durable_.last_positions.find(lane_name(to, lane));
        if (known != durable_.last_positions.end()) last[lane] = known->second;
        for (auto const& [id, row] : durable_.tasks) {
            if (row.to != to || row.lane != lane) continue;
            auto const placed = durable_.placed.find(id);
            if (placed == durable_.placed.end()) {
                waiting.push_back({id, lane, row.body.size(), {}, {}});
            } else {
                waiting.push_back(
                    {id, lane, row.body.size(), placed->second.position, placed->second.previous});
            }
        }
    }
    auto tasks = ports::chosen(std::move(waiting), limits);
    tasks = ports::up_to_taken(tasks, untaken(tasks));
    auto const clock = duration_cast<microseconds>(now().time_since_epoch()).count();
    for (auto const& [lane, moved] :
         ports::number(tasks, last, static_cast<std::uint64_t>(clock))) {
        durable_.last_positions[lane_name(to, lane)] = moved;
    }
    std::vector<placed_task> all;
    all.reserve(tasks.size());
    for (auto const& each : tasks) {
        auto& placed = durable_.placed[each.id];
        placed.position = each.position;
        placed.previous = each.previous;
        all.push_back({durable_.tasks.at(each.id), each.position, each.previous, placed.tries});
    }
    return all;
}

void server::end_turn(std::uint64_t owner, std::string_view to, std::vector<lane_end> const& ends)
{
    lock held(mutex_);
    require_lanes();
    for (auto const& end : ends) {
        for (auto each = durable_.placed.begin(); each != durable_.placed.end();) {
            auto const& row = durable_.tasks.at(each->first);
            auto& placed = each->second;
            bool const is_here = row.to == to && row.lane == end.lane && !placed.is_parked;
            if (is_here && !end.kept.empty() && placed.position <= end.kept) {
                durable_.tasks.erase(each->first);
                each = durable_.placed.erase(each);
                continue;
            }
            if (is_here && !end.refused.empty() && placed.position == end.refused) {
                ++placed.tries;
                placed.is_parked = end.is_parked;
                placed.due = now() + end.again_after;
            }
            ++each;
        }
    }
    release_lanes(owner);
}

void server::release_lanes(std::uint64_t owner)
{
    for (auto each = lane_owners_.begin(); each != lane_owners_.end();)
        each = each->second == owner ? lane_owners_.erase(each) : std::next(each);
}

}  // namespace assent::inline v0::testing::memory
