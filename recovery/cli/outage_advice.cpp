// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage_advice.cpp -- what is wrong, in one sentence, and what to do about it, in order: databases
// that do not answer first, since what they have decides the rest; what only a person may decide
// last.

#include "recovery/cli/outage.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

/// So many things of one sort get a command of their own; for the others it is the same.
constexpr std::size_t examples_max = 3;

std::string assent(outage_report const& on, std::string const& words)
{
    return "assent --config " + shell_word(on.config) + " " + words;
}

std::vector<waiting_database const*> silent(outage_report const& on)
{
    std::vector<waiting_database const*> all;
    for (auto const& each : on.databases) {
        if (!on.is_offline && !each.is_conclusive) all.push_back(&each);
    }
    return all;
}

/// Branches that only a person may decide, with where they are.
std::vector<std::pair<std::string, waiting_branch>> quarantined(outage_report const& on)
{
    std::vector<std::pair<std::string, waiting_branch>> all;
    for (auto const& database : on.databases) {
        for (auto const& each : database.branches) {
            if (each.action == "quarantine") all.emplace_back(database.name, each);
        }
    }
    return all;
}

std::size_t quarantine_in(waiting_database const& which)
{
    return which.count("quarantine");
}

/// What recovery can end by itself, once every database answers.
std::size_t recoverable(outage_report const& on)
{
    std::size_t number = 0;
    for (auto const& each : on.databases)
        number += each.in_doubt() - quarantine_in(each);
    return number;
}

/// `3 branches in 2 databases`, of those that `number` counts in each; empty: there are none.
template <class Number>
std::string counted(outage_report const& on, Number const& number)
{
    std::size_t branches = 0;
    std::size_t places = 0;
    for (auto const& each : on.databases) {
        branches += number(each);
        places += number(each) > 0 ? 1 : 0;
    }
    if (branches == 0) return {};
    return count_of(branches, "branch", "branches") + " in " +
           count_of(places, "database", "databases");
}

/// The sentences about what is wrong, the worst first.
std::vector<std::string> wrong(outage_report const& on)
{
    std::vector<std::string> facts;
    if (auto const strange = counted(on, quarantine_in); !strange.empty())
        facts.push_back(strange + " only a person may decide.");
    auto const doubt =
        counted(on, [](auto const& each) { return each.in_doubt() - quarantine_in(each); });
    if (!doubt.empty())
        facts.push_back(doubt + (recoverable(on) == 1 ? " is in doubt." : " are in doubt."));
    if (auto const number = on.status.heuristics.size(); number > 0) {
        facts.push_back(count_of(number, "heuristic outcome is", "heuristic outcomes are") +
                        " on record: the databases may differ.");
    }
    if (auto const all = silent(on); all.size() == 1) {
        facts.push_back("What \"" + all[0]->name + "\" has is not known.");
    } else if (!all.empty()) {
        facts.push_back("What " + std::to_string(all.size()) + " databases have is not known.");
    }
    return facts;
}

/// What is said where nothing of that is wrong.
std::string otherwise(outage_report const& on)
{
    if (on.code != exit_code::fine) return "Something needs attention.";
    if (on.is_offline) return "The log has nothing unfinished; the databases were not asked.";
    auto const live = counted(on, [](auto const& each) { return each.count("leave"); });
    if (live.empty()) return "Nothing is in doubt.";
    return "Nothing is in doubt; " + name_of_owner(on.status.log) + " is at work on " + live + ".";
}

void advise_on_silence(outage_report& on)
{
    for (auto const* const each : silent(on)) {
        if (each->is_lost) continue;  // a sentence of the status says what that means
        on.steps.push_back({each->is_configured
                                ? "\"" + each->name +
                                      "\" does not tell what it has: " + each->problem +
                                      ". Until it does, nobody knows what of this "
                                      "node is prepared there."
                                : "Add \"" + each->name + "\" to " + on.config +
                                      ": the log knows it, and it was not asked."});
    }
}

void advise_on_recovery(outage_report& on)
{
    auto const number = recoverable(on);
    if (number == 0) return;
    auto const what = count_of(number, "branch waits", "branches wait") + " for recovery. ";
    if (on.status.log.is_owned) {
        auto owner = name_of_owner(on.status.log);
        owner[0] = owner[0] == 'p' ? 'P' : 'A';
        on.steps.push_back({what + owner +
                            " owns the log and recovers by itself, as soon as the databases let "
                            "it."});
        return;
    }
    on.steps.push_back({what + "Start the application: it ends them by itself. If it cannot be "
                               "started on this machine any more, type:",
                        {assent(on, "recover --timeout 300")}});
}

std::string beside_the_owner(outage_report const& on)
{
    return on.status.log.is_owned ? " (the application need not be stopped for it)" : "";
}

/// What assent resolve would refuse.
void advise_on_other_means(outage_report& on,
                           std::vector<std::pair<std::string, waiting_branch>> const& all)
{
    // By database, and by what is to be done: where, how many, and why of the first.
    std::map<std::pair<std::string, std::string>, std::pair<std::size_t, std::string>> groups;
    for (auto const& [database, branch] : all) {
        if (branch.by_other_means.empty()) continue;
        auto& [number, why] = groups[{database, branch.by_other_means}];
        if (++number == 1) why = branch.why;
    }
    for (auto const& [key, found] : groups) {
        auto what = key.second;
        what[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(what[0])));
        on.steps.push_back({"\"" + key.first + "\" lists " +
                            count_of(found.first, "branch", "branches") +
                            " that assent resolve refuses: " + found.second + ". " + what + "."});
    }
}

void advise_on_quarantine(outage_report& on)
{
    auto const all = quarantined(on);
    auto const twins = std::count_if(all.begin(), all.end(),
                                     [](auto const& each) { return each.second.is_of_twin; });
    if (twins > 0) {
        on.steps.push_back({"No opening of this log made " +
                            count_of(static_cast<std::size_t>(twins), "branch", "branches") +
                            ": a copy of this log, or a log restored from a backup, is or was at "
                            "work. Find it and stop it before anything else is decided."});
    }
    auto const others =
        static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto const& each) {
            return !each.second.is_of_twin && each.second.by_other_means.empty();
        }));
    step own{"Only a person may decide " + count_of(others, "branch", "branches") +
             " that this log made. See what all the databases hold, and end each to agree with "
             "them, by --commit or by --rollback" +
             beside_the_owner(on) + "; --dry-run shows the plan:"};
    for (auto const& [database, branch] : all) {
        bool const is_meant = !branch.is_of_twin && branch.by_other_means.empty();
        if (!is_meant || own.commands.size() >= 2 * examples_max) continue;
        auto const id = branch.id.text();
        own.commands.push_back(assent(on, "show " + id));
        own.commands.push_back(assent(
            on, "resolve " + id + " --branch " + shell_word(database) + " --dry-run --commit"));
    }
    if (!own.commands.empty()) on.steps.push_back(std::move(own));
    advise_on_other_means(on, all);
}

void advise_on_heuristics(outage_report& on)
{
    if (on.status.heuristics.empty()) return;
    step own{
        "Compare the data of each heuristic outcome (all are below) in all its databases, and "
        "repair it. Once that is done, and this page is kept, since later ones will not have it, "
        "take it off the record" +
        beside_the_owner(on) + ":"};
    std::set<std::string> seen;
    for (auto const& each : on.status.heuristics) {
        std::string const id{each.branch.global.text()};
        if (!seen.insert(id).second || seen.size() > examples_max) continue;
        own.commands.push_back(assent(on, "forget " + id + " --reason 'what was done'"));
    }
    if (seen.size() > examples_max) {
        own.commands.push_back("# and " + std::to_string(seen.size() - examples_max) +
                               " transactions more: assent status lists them");
    }
    on.steps.push_back(std::move(own));
}

void advise_on_given_up(outage_report& on)
{
    for (auto const& each : on.status.databases) {
        if (!each.is_retired || each.branches_due == 0) continue;
        on.steps.push_back({"Giving up \"" + each.name + "\" was interrupted; go on with it:",
                            {assent(on, "retire " + shell_word(each.name))}});
    }
}

}  // namespace

std::string shell_word(std::string const& text)
{
    constexpr char const* plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=-";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string quoted = "'";
    for (char const c : text)
        quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return quoted + "'";
}

void advise(outage_report& on)
{
    on.lead = wrong(on);
    on.headline = on.lead.empty() ? otherwise(on) : on.lead.front();
    if (!on.lead.empty()) on.lead.erase(on.lead.begin());
    on.needs_person = !on.status.heuristics.empty() || !quarantined(on).empty();
    if (on.is_offline) {
        on.steps.push_back({"The databases were not asked. To know what they have prepared, type:",
                            {assent(on, "scan")}});
    }
    advise_on_silence(on);
    advise_on_recovery(on);
    advise_on_quarantine(on);
    advise_on_heuristics(on);
    advise_on_given_up(on);
    if (on.steps.empty() || on.is_offline) return;
    on.steps.push_back(
        {"Look again. Exit status 0 means that nothing is in doubt.", {assent(on, "scan")}});
}

}  // namespace assent::cli
