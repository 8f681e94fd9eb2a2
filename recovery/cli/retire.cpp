// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/retire.hpp"

#include <algorithm>
#include <system_error>

#include "recovery/cli/look.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/commit_row.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::cli {

namespace {

constexpr std::size_t named_in_plan_max = 20;

/// What is given up.
struct finding
{
    ports::binding bound;
    std::vector<xid> due;     ///< decided by the log, and not known to be finished
    std::vector<xid> by_row;  ///< decided by a commit row elsewhere, and not known to be finished
    std::size_t rowed = 0;    ///< branches listed elsewhere that commit rows there decide
    std::string answers;      ///< what is heard of the database, in words
    /// Databases whose rows were not read: what they had decided here is not among the rest.
    std::vector<std::string> unread;
};

/// What commit rows of this node elsewhere had decided there.  A row is deleted once all of it is
/// finished, and what the horizon covers was finished before.
std::vector<xid> due_by_rows(std::uint16_t id, scanned const& seen)
{
    auto const& view = seen.seen.after;
    std::vector<xid> due;
    for (auto const& database : seen.listed) {
        for (auto const& row : database.rows) {
            auto const parts = row.name.parts();
            bool const is_own = parts.node == view.newest.writer.node &&
                                view.image.openings().count({parts.epoch, parts.nonce}) != 0;
            bool const is_over = view.image.horizon(id).covers(ports::position_of(row.name));
            auto const decision = is_own && !is_over ? recovery::decision_in(row) : std::nullopt;
            if (!decision) continue;
            recovery::visit_due(*decision, id, [&](xid const& branch) {
                if (!view.image.has_heuristic(branch)) due.push_back(branch);
            });
        }
    }
    return due;
}

/// Where commit rows may be that decided something there, and that nobody has read.
std::vector<std::string> unread_places(std::uint16_t id, scanned const& seen,
                                       std::vector<known_database> const& known)
{
    row_view const rows{known, seen.listed};
    std::vector<std::string> unread;
    for (auto const& each : known) {
        if (!each.is_bound || each.is_retired || each.is_lost || each.id == id) continue;
        auto const* const at = listing_of(each.name, seen.listed);
        bool const was_read = rows.was_read(each.id) && at->rows.size() < survey_rows_max;
        if (!was_read) unread.push_back(each.name);
    }
    return unread;
}

/// The binding of that name: one that is there; or else one that was given up, first of all one
/// of which something is still due, because whoever gave it up was killed.
ports::binding find_binding(std::string const& name, scanned const& seen)
{
    auto const& image = seen.seen.after.image;
    ports::binding const* found = nullptr;
    for (auto const& [id, bound] : image.bindings()) {
        if (bound.name != name || (!bound.is_retired && !ports::is_real(bound))) continue;
        bool const is_due = !due_at(seen.seen.after, id).empty() || !due_by_rows(id, seen).empty();
        if (bound.is_retired && is_due) return bound;
        if (found == nullptr || found->is_retired) found = &bound;
    }
    if (found != nullptr) return *found;
    std::string names;
    for (auto const& [id, bound] : image.bindings()) {
        if (ports::is_real(bound)) names += (names.empty() ? "" : ", ") + bound.name;
    }
    throw failure{exit_code::misused,
                  "the log has bound no resource manager \"" + name + "\" (it has: " + names + ")"};
}

/// What the database itself says, if it is still there.
std::string hear(finding const& of, scanned const& seen)
{
    auto const* const at = listing_of(of.bound.name, seen.listed);
    if (at == nullptr) return "it is not configured, and was not asked";
    if (!at->scan) return "it does not answer: " + at->problem;
    if (at->scan->identity != of.bound.identity) {
        return "another database answers under its name: " + at->scan->identity;
    }
    auto const node = seen.seen.after.newest.writer.node;
    auto const& listed = at->scan->ours;
    auto const prepared =
        static_cast<std::size_t>(std::count_if(listed.begin(), listed.end(), [&](auto const& id) {
            return id.global.parts().node == node;
        }));
    auto const due = of.due.size() + of.by_row.size();
    if (prepared == 0 && due == 0 && of.rowed == 0) {
        return "it answers, and has nothing of this node";
    }
    throw failure{exit_code::attention,
                  "\"" + of.bound.name + "\" is not gone: it answers, " +
                      count_of(prepared, "branch of this node is", "branches of this node are") +
                      " prepared there, " + count_of(due, "one is", "ones are") + " due, and " +
                      count_of(of.rowed, "branch elsewhere waits", "branches elsewhere wait") +
                      " for its commit rows; run assent recover, or resolve them, first"};
}

finding find(configuration const& from, std::string const& name,
             std::vector<resource_manager> const& all)
{
    auto const seen = scan(from, all);
    finding found;
    found.bound = find_binding(name, seen);
    found.due = due_at(seen.seen.after, found.bound.id);
    found.by_row = due_by_rows(found.bound.id, seen);
    found.unread = unread_places(found.bound.id, seen, known_databases(from, seen.seen.after));
    if (found.bound.is_retired) return found;  // that it is gone was said before
    for (auto const& database : seen.report.databases) {
        for (auto const& branch : database.branches) {
            found.rowed += is_decided_in_row_of(branch.id.global, found.bound.id);
        }
    }
    found.answers = hear(found, seen);
    return found;
}

bool is_same(finding const& a, finding const& b)
{
    return a.bound.id == b.bound.id && a.bound.is_retired == b.bound.is_retired && a.due == b.due &&
           a.by_row == b.by_row && a.rowed == b.rowed && a.unread == b.unread;
}

std::vector<xid> all_due(finding const& of)
{
    auto all = of.due;
    all.insert(all.end(), of.by_row.begin(), of.by_row.end());
    return all;
}

std::string why_unread(finding const& of)
{
    std::string names;
    for (auto const& name : of.unread)
        names += (names.empty() ? "\"" : ", \"") + name + "\"";
    return "the commit rows of " + names +
           " could not be read: what they had decided here is not on record; run this again once "
           "they can";
}

void plan_it(act_report& told, finding const& of)
{
    if (!of.bound.is_retired) {
        told.plan.push_back("record who gives up \"" + of.bound.name + "\" (" + of.bound.kind +
                            " " + of.bound.identity + "), and why; " + of.answers);
    }
    auto const due = all_due(of);
    for (std::size_t i = 0; i < due.size() && i < named_in_plan_max; ++i) {
        told.plan.push_back("record a hazard, it was to be committed there: " + due[i].text());
    }
    if (due.size() > named_in_plan_max) {
        told.plan.push_back("record " + std::to_string(due.size() - named_in_plan_max) +
                            " more of them");
    }
    if (!of.unread.empty()) told.plan.push_back(why_unread(of));
    if (of.rowed > 0) {
        told.plan.push_back(
            count_of(of.rowed, "branch in other databases waits",
                     "branches in other databases wait") +
            " for commit rows that were there: only assent resolve ends them from then on");
    }
    if (!of.bound.is_retired) {
        told.plan.push_back(
            "from then on the name is free, and so is the database: either is "
            "bound as a new one");
    }
}

void carry_out(act_report& told, finding const& planned, configuration const& from,
               act_options const& how, std::vector<resource_manager> const& all)
{
    auto const log = own(from, how);
    told.epoch = log->current().epoch;
    how.step("look");
    auto const now = find(from, planned.bound.name, all);
    if (!is_same(planned, now)) {
        throw failure{exit_code::attention,
                      "what is due there changed meanwhile; nothing was done: look again"};
    }
    auto const id = now.bound.id;
    try {
        if (!now.bound.is_retired) {
            how.step("audit");
            log->record(log::retirement_record{id, unix_ms_now(), how.who, how.why()});
        }
        told.has_acted = true;
        for (auto const& branch : all_due(now)) {
            how.step("hazard");
            // One that a killed run had recorded is not recorded twice.
            auto const on_record = log->heuristics();
            bool const is_on_record =
                std::any_of(on_record.begin(), on_record.end(),
                            [&](auto const& one) { return one.branch == branch; });
            if (!is_on_record) {
                log->record(ports::heuristic_record{
                    branch, now.bound.name, xa_code::heurhaz,
                    "it was to be committed, and its database is gone for good: " + how.who + ", " +
                        how.why(),
                    unix_ms_now()});
            }
            log->note_finished(branch);
        }
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed,
                      std::string{"the log refused a record: "} + e.what() + "; run this again"};
    }
    how.step("end");
    give_up(*log);
    told.done = "\"" + now.bound.name + "\" is given up, with " +
                count_of(all_due(now).size(), "hazard", "hazards") + " on record";
    if (!now.unread.empty()) told.raise(exit_code::attention, why_unread(now));
}

}  // namespace

act_report retire(configuration const& from, std::string const& name, act_options const& how)
{
    return retire(from, name, how, all_of(from));
}

act_report retire(configuration const& from, std::string const& name, act_options const& how,
                  std::vector<resource_manager> const& all)
{
    auto const view = look(from);
    require_unowned(from, view);

    act_report told;
    told.command = "retire";
    told.subject = name;
    told.name = name;
    auto const planned = find(from, name, all);
    if (planned.bound.is_retired && all_due(planned).empty()) {
        auto const& record = view.image.retirements().at(planned.bound.id);
        told.done = "it was given up before, by " + record.who + ", " + utc(record.unix_ms) + ": " +
                    record.why;
        if (!planned.unread.empty()) told.raise(exit_code::attention, why_unread(planned));
        return told;
    }
    plan_it(told, planned);
    if (may_act(told, how)) carry_out(told, planned, from, how, all);
    return told;
}

}  // namespace assent::cli
