// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/lane_turn.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <assent/delivery.hpp>

#include "adapters/messages/header_text.hpp"

namespace assent::messages {

namespace {

/// Less than the server's lease of the owner's session, which does not speak meanwhile.
constexpr std::chrono::seconds broker_at_most{6};
constexpr std::size_t why_max = 500;

message::parcel parcel_of(placed_task const& task, turn_of const& what)
{
    message::delivery made;
    made.at = {what.source, what.to, task.row.lane, task.position, task.previous};
    made.id = task.row.token;
    made.gtrid = task.row.gtrid;
    made.key = task.row.key;
    made.window = what.limits.lane_messages;
    made.headers = from_text(task.row.headers);
    made.body = task.row.body;
    return to_parcel(made);
}

/// Whatever a broker says, as text that every server keeps.
std::string printable(std::string text)
{
    text.resize(std::min(text.size(), why_max));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

/// Sends until the transport throws; what it says of the first that is not kept.
message::receipt send(message::transport& by, std::vector<placed_task> const& tasks,
                      turn_of const& what)
{
    auto const until = std::chrono::steady_clock::now() + broker_at_most;
    std::string why;
    try {
        for (auto const& each : tasks)
            by.send(parcel_of(each, what), until);
    } catch (driver_error const& e) {
        why = e.what();
    }
    auto told = by.settle(until);
    told.kept = std::min(told.kept, tasks.size());
    if (told.why.empty()) told.why = why;
    return told;
}

/// Of a lane whose first message was refused before, that one alone: what is behind it would go out
/// as often as it does.
std::vector<placed_task> worth_sending(std::vector<placed_task> all)
{
    std::set<std::uint8_t> begun;
    std::set<std::uint8_t> doubtful;
    std::vector<placed_task> worth;
    worth.reserve(all.size());
    for (auto& each : all) {
        auto const lane = each.row.lane;
        if (doubtful.count(lane) != 0) continue;
        if (begun.insert(lane).second && each.tries > 0) doubtful.insert(lane);
        worth.push_back(std::move(each));
    }
    return worth;
}

/// How far each lane came.
std::map<std::uint8_t, lane_end> ends_of(std::vector<placed_task> const& tasks, std::size_t kept)
{
    std::map<std::uint8_t, lane_end> ends;
    for (std::size_t i = 0; i < kept; ++i) {
        auto& its = ends[tasks[i].row.lane];
        its.lane = tasks[i].row.lane;
        its.kept = tasks[i].position;
    }
    return ends;
}

}  // namespace

turn_result take_turn(lane_table& table, driver_session& owner, message::transport& by,
                      turn_of const& what, deadline until)
{
    turn_result done;
    auto const lanes = table.claim_lanes(owner, what.to, what.from, what.lanes_at_most, until);
    if (lanes.empty()) return done;
    done.next = static_cast<std::uint8_t>((lanes.back() + 1) % message::lanes);
    done.is_full = true;
    auto const tasks = worth_sending(table.place_tasks(owner, what.to, lanes, what.limits, until));
    auto const told = send(by, tasks, what);
    done.kept = told.kept;

    auto ends = ends_of(tasks, told.kept);
    if (told.kept < tasks.size()) {
        auto const& first = tasks[told.kept];
        if (told.is_refused) {
            auto end = what.refusal(first.tries);
            end.kept = ends[first.row.lane].kept;
            end.lane = first.row.lane;
            end.refused = first.position;
            end.why = printable(told.why);
            done.refused = {what.to, first.row.token, first.row.lane, end.is_parked, end.why};
            ends[first.row.lane] = std::move(end);
        } else {
            done.why = printable(told.why);
        }
    }
    std::vector<lane_end> all;
    all.reserve(ends.size());
    for (auto& [lane, end] : ends)
        all.push_back(std::move(end));
    table.end_turn(owner, what.to, all,
                   std::max(until, std::chrono::steady_clock::now() + std::chrono::seconds{5}));
    return done;
}

}  // namespace assent::messages
