// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/metrics.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/exposition.hpp"

namespace assent::cli {

namespace {

using api::exposition;

constexpr std::array actions{"commit", "roll back", "ask its row", "wait", "leave", "quarantine"};

constexpr double ms_in_second = 1000;

/// A clock that was set back makes nothing younger than new.
double in_seconds(std::int64_t age_ms)
{
    return static_cast<double>(std::max<std::int64_t>(0, age_ms)) / ms_in_second;
}

/// When the oldest decision was made that each database has still to carry out.
std::map<std::string, std::int64_t> oldest_due(status_report const& log)
{
    std::map<std::string, std::int64_t> oldest;
    for (auto const& decision : log.unfinished) {
        for (auto const& branch : decision.branches) {
            if (branch.is_finished) continue;
            auto const at = oldest.try_emplace(branch.resource_manager, decision.unix_ms).first;
            at->second = std::min(at->second, decision.unix_ms);
        }
    }
    return oldest;
}

void tell_log(exposition& into, status_report const& log)
{
    into.lone("assent_log_owned", "1: a live process owns the log.", log.log.is_owned);
    into.lone("assent_epoch", "Of the newest opening of the log.", log.log.current.epoch);
    into.lone("assent_log_bytes", "Of all segments of the log.", log.log.segment_bytes);
    into.lone("assent_decisions_unfinished", "Decided transactions that are not finished.",
              log.unfinished.size());
    into.lone("assent_heuristics", "Recorded heuristic outcomes that nobody has forgotten.",
              log.heuristics.size());
}

/// Of a database that does not tell, of the branches that it lists, and of decided ones that it
/// lacks: by reason, and since when.
void tell_doubt(exposition& into, scan_report const& all, std::int64_t unix_ms)
{
    std::map<std::string, std::int64_t> oldest;
    std::set<std::string> undated;  // those with a branch whose age nobody knows
    into.family("assent_waiting", "What is in doubt there, or why it is not known, by reason.");
    for (auto const& each : all.databases) {
        std::map<reason, std::size_t> counts;
        if (each.problem.what != reason::none) ++counts[each.problem.what];
        for (auto const* const list : {&each.branches, &each.missing}) {
            for (auto const& branch : *list) {
                if (branch.action == "leave") continue;
                ++counts[branch.what];
                if (branch.since_ms == 0) {
                    undated.insert(each.name);
                    continue;
                }
                auto const at = oldest.try_emplace(each.name, branch.since_ms).first;
                at->second = std::min(at->second, branch.since_ms);
            }
        }
        for (auto const& [what, number] : counts) {
            into.sample(number, {{"resource_manager", each.name}, {"reason", name_of(what)}});
        }
    }
    into.family("assent_oldest_in_doubt_seconds",
                "Age, at most, of the oldest branch in doubt that it lists, of those whose age is "
                "known; 0: there is none; no sample: nobody can tell.");
    for (auto const& each : all.databases) {
        auto const at = oldest.find(each.name);
        bool const is_none = at == oldest.end();
        // Zero would be taken for the word that nothing is in doubt.
        if (!each.is_conclusive || (is_none && undated.count(each.name) > 0)) continue;
        into.sample(in_seconds(is_none ? 0 : unix_ms - at->second),
                    {{"resource_manager", each.name}});
    }
}

void tell_databases(exposition& into, scan_report const& all, std::int64_t unix_ms)
{
    into.family("assent_database_answers", "1: it was asked, and its answer counts.");
    for (auto const& each : all.databases)
        into.sample(each.is_conclusive, {{"resource_manager", each.name}});
    into.family("assent_branches", "Branches of this node that it lists, by what recovery does.");
    for (auto const& each : all.databases) {
        for (std::string const action : actions) {
            auto const number =
                std::count_if(each.branches.begin(), each.branches.end(),
                              [&](auto const& branch) { return branch.action == action; });
            into.sample(number, {{"resource_manager", each.name}, {"action", action}});
        }
    }
    tell_doubt(into, all, unix_ms);
    into.family("assent_branches_foreign", "Branches there that are not of this node.");
    for (auto const& each : all.databases)
        into.sample(each.foreign_count, {{"resource_manager", each.name}});
}

void tell_due(exposition& into, status_report const& log, std::int64_t unix_ms)
{
    // A name that was given up may be that of another database now.
    std::map<std::string, std::size_t> due;
    for (auto const& each : log.databases)
        due[each.name] += each.branches_due;
    into.family("assent_branches_due", "Decided branches that wait to be finished.");
    for (auto const& [name, branches] : due)
        into.sample(branches, {{"resource_manager", name}});
    into.family("assent_oldest_due_seconds", "Age of the oldest decision that waits there.");
    auto const oldest = oldest_due(log);
    for (auto const& [name, branches] : due) {
        auto const at = oldest.find(name);
        into.sample(in_seconds(at == oldest.end() ? 0 : unix_ms - at->second),
                    {{"resource_manager", name}});
    }
}

}  // namespace

std::string in_metrics(status_report const& log, scan_report const& databases, std::int64_t unix_ms)
{
    exposition text;
    text.lone("assent_looked_at_seconds", "When this was found out, in seconds since 1970.",
              static_cast<double>(unix_ms) / ms_in_second);
    tell_log(text, log);
    tell_due(text, log, unix_ms);
    tell_databases(text, databases, unix_ms);
    return text.text();
}

}  // namespace assent::cli
