// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/show.hpp"

#include <algorithm>
#include <iterator>

#include "recovery/cli/failure.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

constexpr char const* ended_by_person = "ended by a person";

void collect_records(show_report& told, two_looks const& seen)
{
    for (auto const* view : {&seen.after, &seen.before}) {
        auto const at = view->image.decisions().find(told.id);
        if (at == view->image.decisions().end()) continue;
        told.has_decision = true;
        told.decision = describe(*view, at->first, at->second);
        break;
    }
    auto const& image = seen.after.image;
    std::copy_if(image.heuristics().begin(), image.heuristics().end(),
                 std::back_inserter(told.heuristics),
                 [&](auto const& record) { return record.branch.global == told.id; });
    for (auto const& record : image.operator_records()) {
        if (record.branch.global == told.id) told.operators.push_back(describe(record));
    }
}

/// What each branch of the decision waits for: its database, or whoever recovers.
void explain_decision(show_report& told, scan_report const& all)
{
    auto const owner = all.log.is_owned ? name_of_owner(all.log) : std::string{};
    for (auto& branch : told.decision.branches) {
        if (branch.is_finished) continue;
        auto const at =
            std::find_if(all.databases.begin(), all.databases.end(),
                         [&](auto const& each) { return each.name == branch.resource_manager; });
        bool const is_known = at == all.databases.end() || at->is_conclusive;
        branch.waits = is_known ? explain(reason::due, owner) : at->problem;
        branch.waits.since_ms = told.decision.unix_ms;
        branch.waits.is_since_exact = true;
    }
}

void collect_listings(show_report& told, scan_report const& all)
{
    for (auto const& database : all.databases) {
        shown_listing one{database.name, database.is_conclusive, database.problem.why, {}};
        std::copy_if(database.branches.begin(), database.branches.end(),
                     std::back_inserter(one.branches),
                     [&](auto const& branch) { return branch.id.global == told.id; });
        told.listings.push_back(std::move(one));
    }
}

std::string place_in_words(gtrid const& id, log::log_view const& view)
{
    auto const parts = id.parts();
    switch (parts.place) {
        case decision_place::log:
            return "this node's log";
        case decision_place::commit_row: {
            auto const& all = view.image.bindings();
            auto const at = all.find(parts.place_resource_manager);
            return "a commit row of " +
                   (at != all.end()
                        ? "\"" + at->second.name + "\""
                        : "resource manager " + std::to_string(parts.place_resource_manager) +
                              ", which this log does not know");
        }
        case decision_place::external:
            return "an external store";
    }
    return "a place that this version does not know";
}

bool is_listed(show_report const& told)
{
    return std::any_of(told.listings.begin(), told.listings.end(),
                       [](auto const& one) { return !one.branches.empty(); });
}

/// Whether every database that the log knows has been past this transaction.
bool is_forgotten(gtrid const& id, log::log_view const& view)
{
    auto const at = ports::position_of(id);
    auto const& bindings = view.image.bindings();
    return !bindings.empty() &&
           std::all_of(bindings.begin(), bindings.end(), [&](auto const& each) {
               return each.second.is_retired || view.image.horizon(each.first).covers(at);
           });
}

/// Whether it is older than the log that was salvaged.
bool is_lost(show_report const& told, log_report const& log)
{
    return log.salvaged_ms != 0 && told.opened_ms < log.salvaged_ms;
}

std::string who_finishes(log_report const& log)
{
    if (log.is_owned) return name_of_owner(log) + " finishes what is left";
    return "start the application, or run assent recover";
}

void conclude_decided(show_report& told, log_report const& log)
{
    auto const due = static_cast<std::size_t>(
        std::count_if(told.decision.branches.begin(), told.decision.branches.end(),
                      [](auto const& branch) { return !branch.is_finished; }));
    if (due == 0) {
        told.outcome = "committed";
        told.explanation = "the decision is in the log, and every branch is finished";
        return;
    }
    told.outcome = "committing";
    told.explanation = "the decision is in the log; " + count_of(due, "branch is", "branches are") +
                       " not known to be finished: " + who_finishes(log);
    if (!log.is_owned) told.raise(exit_code::attention, told.explanation);
}

/// What the row says in which the decision lives.  @return whether it was read.
bool conclude_by_row(show_report& told, scanned const& all, log_report const& log)
{
    if (told.id.parts().place != decision_place::commit_row) return false;
    row_view const rows{known_databases({}, all.seen.after), all.listed};
    auto const found = rows.find(told.id);
    if (!found.was_read) {
        if (is_listed(told)) {
            told.outcome = "in doubt";
            auto const owner = log.is_owned ? name_of_owner(log) : std::string{};
            told.explanation = "prepared; " + rows.why_unknown(told.id, owner).why;
            told.raise(exit_code::attention, told.explanation);
            return true;
        }
        return false;
    }
    bool const is_commit = found.decision.has_value();
    told.outcome = is_commit ? "committed" : "rolled back";
    told.explanation = std::string{is_commit ? "its commit row" : "an abort row"} + " is in " +
                       rows.place_of(told.id);
    if (!is_listed(told)) return true;
    if (is_commit) told.outcome = "committing";
    told.explanation += "; branches are still prepared: " + who_finishes(log);
    if (!log.is_owned) told.raise(exit_code::attention, told.explanation);
    return true;
}

void conclude_undecided(show_report& told, two_looks const& seen, log_report const& log)
{
    if (is_live(seen, told.id)) {
        told.outcome = "live or ended";
        told.explanation = "no decision is in the log yet; " + name_of_owner(log) +
                           " either is at it, or ended it in a way that needs no decision "
                           "(a rollback, or one database alone)";
    } else if (is_listed(told)) {
        told.outcome = "in doubt";
        told.explanation =
            "prepared, and no decision is in the log; recovery does what is listed "
            "below";
        told.raise(exit_code::attention, told.explanation);
    } else if (is_lost(told, log)) {
        told.outcome = "unknown";
        told.explanation =
            "no decision is in the log, but the log was salvaged from a damaged one, and the "
            "decision may be lost: see what the databases hold";
    } else if (is_forgotten(told.id, seen.after)) {
        told.outcome = "forgotten";
        told.explanation = "it was finished long ago, and how is no longer kept";
    } else {
        told.outcome = "unknown";
        told.explanation =
            "no decision is in the log and no database that was asked lists it: it was rolled "
            "back, or committed in one database alone, or never existed";
    }
}

/// What a database did otherwise outranks what was decided.
void say_heuristics(show_report& told)
{
    std::string did;
    for (auto const& each : told.heuristics) {
        did += (did.empty() ? "" : ", ") + std::string{"\""} + each.resource_manager +
               "\": " + word_for(each.code);
    }
    told.explanation = "on record is what a database did by itself, or may have done (" + did +
                       "); otherwise " + told.outcome + ": " + told.explanation;
    if (told.outcome != ended_by_person) told.outcome = "heuristic";
}

void conclude(show_report& told, scanned const& all)
{
    auto const& log = all.report.log;
    if (!told.is_of_node && all.seen.after.image.was_ended_by_person(told.id)) {
        told.outcome = "ended by a person";
        told.explanation =
            "it is of another node, whose log was lost, and a person adopted a branch of it: "
            "nobody "
            "can say that the transaction was committed, or that it was rolled back";
    } else if (!told.is_of_node) {
        told.outcome = "of another node";
        told.explanation =
            "this log knows nothing of it; ask with the configuration of its node, or, "
            "where that log is lost for good, see assent adopt";
    } else if (!told.is_known_opening) {
        told.outcome = "of a twin";
        told.explanation =
            "it bears this node's id, and no opening of this log made it: a twin (a copied or "
            "restored log) is, or was, at work; find it and stop it";
        told.raise(exit_code::attention, told.explanation);
    } else if (all.seen.after.image.was_ended_by_person(told.id)) {
        told.outcome = ended_by_person;
        told.explanation =
            "a branch was ended against the decision, or without one: nobody can say that the "
            "transaction was committed, or that it was rolled back";
    } else if (told.has_decision) {
        conclude_decided(told, log);
    } else if (all.seen.after.image.was_rolled_back(told.id)) {
        told.outcome = "rolled back";
        told.explanation = "its rollback is noted in the log";
    } else if (!conclude_by_row(told, all, log)) {
        conclude_undecided(told, all.seen, log);
    }
    if (!told.heuristics.empty()) {
        say_heuristics(told);
        told.raise(
            exit_code::attention,
            count_of(told.heuristics.size(), "heuristic outcome is", "heuristic outcomes are") +
                " recorded: the databases may differ; compare and repair the data by hand");
    }
}

}  // namespace

gtrid parse_transaction(std::string const& text)
{
    if (auto const id = gtrid::parse(text)) return *id;
    if (auto const branch = xid::parse(text)) return branch->global;
    throw failure{exit_code::misused,
                  "this is no transaction of Assent; expected a gtrid (57 characters, beginning "
                  "with asn1) or gtrid.bqual (82 characters), as scan and the databases list them"};
}

show_report show(gtrid const& id, scanned const& all)
{
    show_report told;
    told.id = id;
    told.decided_in = place_in_words(id, all.seen.after);
    auto const parts = id.parts();
    auto const& view = all.seen.after;
    told.is_of_node = parts.node == view.newest.writer.node;
    auto const opened = view.image.openings().find({parts.epoch, parts.nonce});
    told.is_known_opening = told.is_of_node && opened != view.image.openings().end();
    if (told.is_known_opening) told.opened_ms = opened->second;
    collect_records(told, all.seen);
    explain_decision(told, all.report);
    collect_listings(told, all.report);
    for (auto const& listing : told.listings) {
        if (listing.is_conclusive || !told.is_of_node) continue;
        told.raise(exit_code::failed,
                   "\"" + listing.resource_manager +
                       "\" does not tell whether it lists it: " + listing.problem);
    }
    conclude(told, all);
    return told;
}

}  // namespace assent::cli
