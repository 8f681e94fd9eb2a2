// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/scan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "recovery/cli/databases.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

using recovery::listed_action;

bool is_in_row(gtrid const& id)
{
    return id.parts().place == decision_place::commit_row;
}

std::string why_waiting(gtrid const& id, row_view const& rows)
{
    switch (id.parts().place) {
        case decision_place::log:
            break;
        case decision_place::commit_row:
            if (rows.find(id).was_read) break;
            return rows.why_unknown(id);
        case decision_place::external:
            return "its decision lives in an external store, which was not read";
    }
    return "abort may not be presumed while a twin of this log is, or was, at work";
}

scanned_branch explain(recovery::listed_branch const& listed, log_report const& log,
                       row_view const& rows)
{
    auto const& id = listed.id.global;
    switch (listed.action) {
        case listed_action::commit:
            return {listed.id, "commit",
                    is_in_row(id) ? "its commit row is in " + rows.place_of(id)
                                  : "its decision is in the log"};
        case listed_action::rollback:
            return {listed.id, "roll back",
                    is_in_row(id) ? "an abort row is in " + rows.place_of(id)
                                  : "no decision is in the log, so abort is presumed"};
        case listed_action::leave:
            return {listed.id, "leave", name_of_owner(log) + " ends it"};
        case listed_action::wait:
            return {listed.id, "wait", why_waiting(id, rows)};
        case listed_action::quarantine_twin:
            return {listed.id, "quarantine",
                    "no opening of this log made it: a twin (a copied or restored log) is, or "
                    "was, at work"};
        case listed_action::quarantine_reappeared:
            if (log.salvaged_ms != 0) {
                return {listed.id, "quarantine",
                        "this log was salvaged from a damaged one, which may have decided it: see "
                        "what the other databases hold, and end it to agree with them"};
            }
            return {listed.id, "quarantine",
                    "it was finished long ago and is listed again: was this database restored, "
                    "or did a replica take over that lags?"};
        case listed_action::quarantine_unvoted:
            return {listed.id, "quarantine",
                    "its transaction was decided without it, and yet it is prepared"};
        case listed_action::quarantine_unbound:
            return {listed.id, "quarantine",
                    "the log does not know the resource manager of that id, or lost it: see what "
                    "the other databases hold, and end it to agree with them"};
    }
    return {listed.id, "wait", "this version does not know what to do with it"};
}

/// What else stands in the way of ending it.
void note_stranger(scanned_branch& into, scan_result const& seen)
{
    for (auto const& [id, account] : seen.of_strangers) {
        if (id != into.id || into.action == "leave") continue;
        into.why += "; it was prepared by the account \"" + account +
                    "\", which alone can end it: log in as that";
    }
}

/// Why the answer of a database does not count, or nothing.
std::string why_inconclusive(surveyed_database const& listed,
                             std::vector<known_database> const& known, exit_code& code)
{
    code = exit_code::failed;
    if (!listed.scan) return "it could not be asked: " + listed.problem;
    if (!listed.scan->is_writable_primary) {
        return "it is read-only, or a standby, and its list proves nothing; connect to the primary";
    }
    code = exit_code::attention;
    for (auto const& each : known) {
        bool const is_same = each.identity == listed.scan->identity;
        if (each.is_bound && each.name == listed.name && !is_same) {
            return "it is not the database that it was (bound: " + each.identity +
                   ", found: " + listed.scan->identity +
                   "), and nothing is decided there; connect to the old one, or give the new one "
                   "another name";
        }
        if (each.is_bound && each.name != listed.name && is_same) {
            return "it is the database that the log knows as \"" + each.name + "\"; use that name";
        }
    }
    return {};
}

scanned_database describe(known_database const& known)
{
    scanned_database told;
    told.name = known.name;
    told.kind = known.kind;
    told.is_configured = known.is_configured;
    return told;
}

void note(scan_report& into, scanned_database const& told)
{
    auto const in_doubt = static_cast<std::size_t>(
        std::count_if(told.branches.begin(), told.branches.end(),
                      [](auto const& branch) { return branch.action != "leave"; }));
    auto const strange = static_cast<std::size_t>(
        std::count_if(told.branches.begin(), told.branches.end(),
                      [](auto const& branch) { return branch.action == "quarantine"; }));
    if (in_doubt > strange) {
        into.raise(exit_code::attention,
                   "\"" + told.name + "\": " +
                       count_of(in_doubt - strange, "branch is", "branches are") + " in doubt; " +
                       (into.log.is_owned ? name_of_owner(into.log) + " recovers by itself"
                                          : "start the application, or run assent recover"));
    }
    if (strange > 0) {
        into.raise(exit_code::attention, "\"" + told.name +
                                             "\": " + count_of(strange, "branch", "branches") +
                                             " that nobody may decide but a person");
    }
}

/// One pass over all databases.  @return whether one of them lists a branch of a twin.
bool judge_all(configuration const& from, two_looks const& seen,
               std::vector<surveyed_database> const& listed, bool may_presume_abort,
               scan_report& into)
{
    bool has_twin = false;
    auto const known = known_databases(from, seen.after);
    row_view const rows{known, listed};
    auto facts = facts_of(seen);
    facts.find = [&rows, in_log = facts.find](gtrid const& which) {
        return is_in_row(which) ? rows.find(which) : in_log(which);
    };
    facts.are_rows_listed = [&rows](std::uint16_t id) { return rows.was_read(id); };
    for (auto const& each : known) {
        auto told = describe(each);
        auto const at = std::find_if(listed.begin(), listed.end(),
                                     [&](auto const& one) { return one.name == each.name; });
        if (at == listed.end()) {
            told.problem = "it is not in " + from.path;
            into.databases.push_back(std::move(told));
            continue;
        }
        exit_code code = exit_code::fine;
        told.problem = why_inconclusive(*at, known, code);
        if (!told.problem.empty()) {
            // What is decided and not finished there is in doubt as long as nobody answers.
            if (each.branches_due > 0) code = exit_code::attention;
            into.raise(code, "\"" + told.name + "\": " + told.problem);
            into.databases.push_back(std::move(told));
            continue;
        }
        told.is_conclusive = true;
        auto const live = [&seen](gtrid const& id) { return is_live(seen, id); };
        auto const decided = recovery::decided_at(each.id, facts_before(seen), live);
        auto const plan =
            recovery::plan_of(*at->scan, each.id, facts, live, may_presume_abort, decided);
        told.foreign_count = plan.foreign_count;
        told.warnings = at->scan->warnings;
        told.finished = plan.finished;
        for (auto const& branch : plan.listed) {
            has_twin = has_twin || branch.action == listed_action::quarantine_twin;
            told.branches.push_back(explain(branch, into.log, rows));
            note_stranger(told.branches.back(), *at->scan);
        }
        note(into, told);
        into.databases.push_back(std::move(told));
    }
    note_missing(into, from, known);
    return has_twin;
}

}  // namespace

scan_report judge(configuration const& from, two_looks const& seen,
                  std::vector<surveyed_database> const& listed)
{
    scan_report told;
    told.log = describe_log(from, seen.after);
    if (!judge_all(from, seen, listed, true, told)) return told;
    // A twin that shows itself in one database stops presumed abort in all of them.
    scan_report careful;
    careful.log = told.log;
    judge_all(from, seen, listed, false, careful);
    return careful;
}

scanned scan(configuration const& from)
{
    std::vector<resource_manager> all;
    for (auto const& each : from.databases)
        all.push_back(make_resource_manager(each));
    auto before = look(from);
    auto listed = survey(all, survey_wait);
    scanned done{{std::move(before), look(from)}, {}, std::move(listed)};
    done.report = judge(from, done.seen, done.listed);
    return done;
}

}  // namespace assent::cli
