// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/forgetting.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <sstream>
#include <utility>

#include "ports/fnv.hpp"
#include "ports/handler_marks.hpp"
#include "recovery/refusal.hpp"

namespace assent::recovery {

namespace {

std::set<xid> branches_of(heuristics const& all)
{
    std::set<xid> branches;
    for (auto const& each : all)
        branches.insert(each.branch);
    return branches;
}

bool is_due(xid const& which, ports::logged_decision const& in)
{
    auto const& branches = in.what.branches;
    auto const found = std::find(branches.begin(), branches.end(), which.branch);
    return found != branches.end() &&
           !in.is_finished[static_cast<std::size_t>(found - branches.begin())];
}

std::string named(xid const& which, ports::binding const& at)
{
    return "branch " + std::string{which.branch.text()} + " in \"" + at.name + "\"";
}

/// What is told apart was written by this program.
std::string mark_of(ports::heuristic_record const& what)
{
    auto const text = what.branch.text() + '\n' + what.resource_manager + '\n' +
                      std::to_string(static_cast<int>(what.code)) + '\n' +
                      std::to_string(what.unix_ms) + '\n' + what.text;
    auto const sum = ports::fnv1a(text);
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(sum));
    return digits.data();
}

}  // namespace

forget_choice::forget_choice(gtrid const& global, std::optional<xid> const& branch,
                             std::string resource_manager)
    : global_(global), branch_(branch), resource_manager_(std::move(resource_manager))
{
}

bool forget_choice::is_one(xid const& which) const
{
    return branch_ ? which == *branch_ : which.global == global_;
}

heuristics forget_choice::of(heuristics const& all) const
{
    heuristics chosen;
    for (auto const& each : all) {
        bool const is_there =
            resource_manager_.empty() || each.resource_manager == resource_manager_;
        if (is_there && is_one(each.branch)) chosen.push_back(each);
    }
    return chosen;
}

std::optional<ports::operator_record> forget_choice::forgotten_before(
    std::vector<ports::operator_record> const& records) const
{
    auto const last = std::find_if(records.rbegin(), records.rend(), [this](auto const& each) {
        return each.verdict == ports::operator_verdict::forget_heuristic && is_one(each.branch);
    });
    return last == records.rend() ? std::nullopt : std::optional{*last};
}

void require_forgettable(heuristics const& chosen, heuristics const& all, find_function const& find)
{
    for (auto const& each : chosen) {
        auto const decision = find(each.branch.global);
        if (!decision || !is_due(each.branch, *decision)) continue;
        throw refusal{act_status::attention,
                      "branch " + std::string{each.branch.branch.text()} + " in \"" +
                          each.resource_manager +
                          "\" is decided and still to be finished, so its heuristic is not "
                          "forgotten; run assent recover, or resolve the branch"};
    }
    // The record of the person is of a branch, so all that is on record of it goes.
    auto const branches = branches_of(chosen);
    for (auto const& each : all) {
        bool const is_hit = branches.count(each.branch) != 0;
        bool const is_chosen = std::any_of(chosen.begin(), chosen.end(), [&](auto const& one) {
            return one.resource_manager == each.resource_manager;
        });
        if (!is_hit || is_chosen) continue;
        throw refusal{
            act_status::attention,
            "branch " + std::string{each.branch.branch.text()} +
                " has another outcome on record, in \"" + each.resource_manager +
                "\", which would be forgotten too; leave --branch out to see all of them"};
    }
}

bool may_run_again(ports::binding const& at)
{
    return ports::is_real(at) &&
           (ports::holds_reservations(at.name, at.identity) || ports::is_broker(at.kind));
}

std::string why_listed_is_kept(xid const& which, ports::binding const& at)
{
    if (ports::is_broker(at.kind)) {
        return named(which, at) +
               " is still held by its broker, which would be told of it again; nothing was "
               "forgotten: put right what it did, have the broker let go of it first, then forget";
    }
    return named(which, at) +
           " is still listed: the row is still there, in assent_branch, and its handler would run "
           "again; nothing was forgotten: put the data right, delete the row first, then forget";
}

std::string why_unasked_is_kept(xid const& which, ports::binding const& at, std::string const& why)
{
    return "nobody tells whether " + named(which, at) + " is still listed (" + why +
           "), and if it is, its handler would run again; nothing was forgotten: see to that first";
}

std::string marks_of(heuristics const& all)
{
    std::string marks;
    for (auto const& each : all)
        marks += (marks.empty() ? "" : " ") + mark_of(each);
    return marks;
}

bool are_marked(heuristics const& all, std::string const& marks)
{
    std::istringstream words{marks};
    std::set<std::string> known;
    for (std::string each; words >> each;)
        known.insert(each);
    return std::all_of(all.begin(), all.end(),
                       [&](auto const& each) { return known.count(mark_of(each)) != 0; });
}

void forget(heuristics const& chosen, std::string const& who, std::string const& why,
            std::function<std::int64_t()> const& unix_ms, ports::coordinator_log& log,
            std::function<void(char const*)> const& step)
{
    for (auto const& each : branches_of(chosen)) {
        if (step) step("record");
        log.record(ports::operator_record{each, ports::operator_verdict::forget_heuristic,
                                          unix_ms(), who, why});
    }
}

}  // namespace assent::recovery
