// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/outage.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

std::map<gtrid, std::int64_t> decided_times(log::log_view const& view)
{
    std::map<gtrid, std::int64_t> all;
    for (auto const& [global, entry] : view.image.decisions())
        all[global] = entry.unix_ms;
    return all;
}

/// What the log knows of a database that does not tell what it has.
std::vector<waiting_branch> due_there(status_report const& status, std::uint16_t id)
{
    std::vector<waiting_branch> all;
    for (auto const& decision : status.unfinished) {
        for (auto const& each : decision.branches) {
            if (each.is_finished || each.branch.parts().resource_manager != id) continue;
            all.push_back({{decision.id, each.branch},
                           "commit",
                           "its decision is in the log; whether the branch is still there is not "
                           "known",
                           decision.unix_ms});
        }
    }
    return all;
}

bool is_not_for_resolve(reason what)
{
    return what == reason::misplaced || what == reason::of_other_account;
}

waiting_database describe(known_database const& known, scan_report const* scan,
                          outage_report const& on, std::map<gtrid, std::int64_t> const& decided)
{
    waiting_database told;
    told.name = known.name;
    told.kind = known.kind;
    told.is_configured = known.is_configured;
    told.is_lost = known.is_lost;
    told.problem = "it was not asked";
    if (scan != nullptr) {
        auto const at = std::find_if(scan->databases.begin(), scan->databases.end(),
                                     [&](auto const& each) { return each.name == known.name; });
        if (at != scan->databases.end()) {
            told.is_conclusive = at->is_conclusive;
            told.problem = at->problem.why;
            told.foreign_count = at->foreign_count;
            told.warnings = at->warnings;
            told.committed = at->finished.size();
            for (auto const* const list : {&at->branches, &at->missing}) {
                for (auto const& each : *list) {
                    auto const when = decided.find(each.id.global);
                    told.branches.push_back(
                        {each.id, each.action, each.why, when == decided.end() ? 0 : when->second,
                         each.what == reason::of_twin,
                         is_not_for_resolve(each.what) ? each.for_a_person : std::string{}});
                }
            }
        }
    }
    if (!told.is_conclusive && known.is_bound) told.branches = due_there(on.status, known.id);
    return told;
}

std::string shortened(gtrid const& which)
{
    // Its end tells transactions of one opening apart.
    return "..." + std::string{which.text()}.substr(gtrid::length - 12);
}

std::vector<moment> moments_of(outage_report const& on, log::log_view const& view)
{
    std::vector<moment> all;
    auto const add = [&all](moment_kind kind, std::int64_t when, std::string text) {
        all.push_back({kind, when, when, 1, std::move(text)});
    };
    for (auto const& [opening, when] : view.image.openings()) {
        add(moment_kind::opening, when,
            "The log was opened: epoch " + std::to_string(opening.first) + ".");
    }
    for (auto const& each : on.status.unfinished) {
        add(moment_kind::decision, each.unix_ms,
            "It was decided to commit transaction " + shortened(each.id) +
                ", which is not finished.");
    }
    for (auto const& each : on.status.heuristics) {
        add(moment_kind::heuristic, each.unix_ms,
            "A heuristic outcome was recorded: " + each.resource_manager + ", " +
                word_for(each.code) + ".");
    }
    for (auto const& each : on.status.operators) {
        add(each.is_of_database ? moment_kind::database : moment_kind::person, each.unix_ms,
            each.who + " decided: " + each.verdict + ". Reason: " + each.why);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](auto const& a, auto const& b) { return a.from_ms < b.from_ms; });
    return all;
}

/// When the oldest thing began that is still open: its transaction is of that opening.
std::int64_t oldest_open(outage_report const& on, log::log_view const& view)
{
    auto oldest = on.looked_ms;
    auto const& openings = view.image.openings();
    if (auto const last = openings.rbegin(); last != openings.rend()) {
        oldest = std::min(oldest, last->second);
    }
    auto const begins = [&](gtrid const& which) {
        auto const parts = which.parts();
        auto const at = openings.find({parts.epoch, parts.nonce});
        if (at != openings.end()) oldest = std::min(oldest, at->second);
    };
    for (auto const& each : on.status.unfinished)
        begins(each.id);
    for (auto const& each : on.status.heuristics)
        begins(each.branch.global);
    for (auto const& database : on.databases) {
        for (auto const& each : database.branches)
            begins(each.id.global);
    }
    return oldest;
}

std::string sentence_of(moment const& all)
{
    auto const number = std::to_string(all.count);
    switch (all.kind) {
        case moment_kind::opening:
            return "The log was opened " + number + " times.";
        case moment_kind::decision:
            return "It was decided to commit " + number + " transactions, which are not finished.";
        case moment_kind::heuristic:
            return number + " heuristic outcomes were recorded.";
        default:
            return all.text;
    }
}

/// What a person did is not counted together: each has a reason of its own.
std::vector<moment> together(std::vector<moment> const& all)
{
    std::vector<moment> merged;
    for (auto const& each : all) {
        bool const is_own = each.kind == moment_kind::person || each.kind == moment_kind::database;
        if (is_own || merged.empty() || merged.back().kind != each.kind) {
            merged.push_back(each);
            continue;
        }
        merged.back().until_ms = each.until_ms;
        ++merged.back().count;
        merged.back().text = sentence_of(merged.back());
    }
    return merged;
}

}  // namespace

std::size_t waiting_database::in_doubt() const noexcept
{
    return branches.size() - count("leave");
}

std::size_t waiting_database::count(std::string const& action) const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(branches.begin(), branches.end(),
                      [&](auto const& branch) { return branch.action == action; }));
}

outage_report make_outage(configuration const& from, log::log_view const& view,
                          scan_report const* scan, std::int64_t unix_ms)
{
    outage_report on;
    on.config = from.path;
    on.looked_ms = unix_ms;
    on.is_offline = scan == nullptr;
    on.status = make_status(from, view);
    on.code = on.status.code;
    on.attention = on.status.attention;
    if (scan != nullptr) {
        on.code = std::max(on.code, scan->code);
        for (auto const& each : scan->attention) {
            bool const is_new =
                std::find(on.attention.begin(), on.attention.end(), each) == on.attention.end();
            if (is_new) on.attention.push_back(each);
        }
    }
    auto const decided = decided_times(view);
    for (auto const& known : on.status.databases) {
        if (!known.is_retired) on.databases.push_back(describe(known, scan, on, decided));
    }

    auto all = moments_of(on, view);
    auto const oldest = oldest_open(on, view);
    auto const begin = std::find_if(all.begin(), all.end(),
                                    [&](auto const& each) { return each.from_ms >= oldest; });
    on.earlier = static_cast<std::size_t>(begin - all.begin());
    all.erase(all.begin(), begin);
    on.moments = together(all);
    while (on.moments.size() > moments_max) {
        on.earlier += on.moments.front().count;
        on.moments.erase(on.moments.begin());
    }
    advise(on);
    return on;
}

}  // namespace assent::cli
