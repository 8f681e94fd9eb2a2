// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/rebind.hpp"

#include <algorithm>
#include <system_error>

#include "recovery/cli/lone_session.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

struct finding
{
    known_database bound;
    std::string identity;       ///< that it shows now
    std::size_t listed = 0;     ///< branches of this node that it lists, due ones left out
    std::size_t due_there = 0;  ///< decided, and it lists them
    std::size_t due_gone = 0;   ///< decided, and it lacks them
};

failure wrong(std::string const& why)
{
    return {exit_code::attention, why + "; nothing was changed"};
}

known_database find_bound(configuration const& from, log::log_view const& view,
                          std::string const& name)
{
    std::string names;
    for (auto const& each : known_databases(from, view)) {
        bool const may_be_meant = each.is_bound && !each.is_retired && !each.is_lost;
        if (!may_be_meant) continue;
        if (each.name == name && each.is_configured) return each;
        if (each.name == name) {
            throw failure{exit_code::misused, "\"" + name + "\" is not in " + from.path +
                                                  ": say there how the database is reached now"};
        }
        names += (names.empty() ? "" : ", ") + each.name;
    }
    throw failure{exit_code::misused,
                  "the log has bound no resource manager \"" + name + "\" (it has: " + names + ")"};
}

/// What can be proved to be wrong with the database that answers now.
void require_possible(finding const& of, server_facts const& facts,
                      std::vector<known_database> const& known)
{
    auto const name = "\"" + of.bound.name + "\"";
    if (facts.kind != of.bound.kind) {
        throw wrong(name + " was a " + of.bound.kind + ", and a " + facts.kind +
                    " answers: that is another database, give it another name");
    }
    for (auto const& each : known) {
        bool const is_other = each.is_bound && !each.is_retired && each.name != of.bound.name;
        if (is_other && each.identity == facts.identity) {
            throw wrong("the database that answers is bound as \"" + each.name +
                        "\" already; two names for one database are refused");
        }
    }
}

void require_primary(std::string const& name, scan_result const& listed)
{
    if (listed.is_writable_primary) return;
    throw wrong("\"" + name + "\" is read-only, or a standby: promote it first");
}

void count(finding& of, scan_result const& listed, log::log_view const& view)
{
    auto const due = due_at(view, of.bound.id);
    for (xid const& each : listed.ours) {
        auto const parts = each.global.parts();
        if (parts.node != view.newest.writer.node) continue;
        if (view.image.openings().count({parts.epoch, parts.nonce}) == 0) {
            throw wrong("it lists " + each.text() +
                        ", which no opening of this log made: a twin (a copied or restored log) "
                        "is, or was, at work there; find it and stop it");
        }
        bool const is_due = std::find(due.begin(), due.end(), each) != due.end();
        of.due_there += is_due;
        of.listed += !is_due && each.branch.parts().resource_manager == of.bound.id;
    }
    of.due_gone = due.size() - of.due_there;
}

/// A decision in a row that the old database had and this one lacks would be undone.  Every other
/// database is to say that it has no branch which such a row decides, whatever identity it has.
void require_no_rows(finding const& of, scanned const& seen, std::vector<known_database> const& all)
{
    for (auto const& each : all) {
        if (!each.is_bound || each.is_retired || each.id == of.bound.id) continue;
        auto const* const at = listing_of(each.name, seen.listed);
        if (at == nullptr || !at->scan || !at->scan->is_writable_primary) {
            throw wrong("\"" + each.name +
                        "\" does not tell what it has prepared, and a commit row of \"" +
                        of.bound.name +
                        "\" that the new one may lack could decide it; see to that "
                        "database first, or retire it");
        }
        for (xid const& branch : at->scan->ours) {
            if (!is_decided_in_row_of(branch.global, of.bound.id)) continue;
            throw wrong("\"" + each.name + "\" lists " + branch.text() +
                        ", which a commit row of \"" + of.bound.name +
                        "\" decides, and the database that answers may have lost that row; "
                        "resolve that branch first");
        }
    }
}

recovery::branch_end end_in(lone_session& on, std::string const& name,
                            std::vector<resource_manager> const& all)
{
    return {name, *find_manager(name, all).driver(), on, limits{}, std::chrono::milliseconds{0}};
}

finding find(configuration const& from, lone_session& at, std::string const& name,
             std::vector<resource_manager> const& all)
{
    auto const seen = scan(from, all);
    auto const& view = seen.seen.after;
    finding found;
    found.bound = find_bound(from, view, name);
    found.identity = at.facts().identity;
    if (found.identity == found.bound.identity) return found;
    auto const known = known_databases(from, view);
    require_possible(found, at.facts(), known);
    auto const listed = refused_as_failure([&] { return end_in(at, name, all).scan(); });
    require_primary(name, listed);
    count(found, listed, view);
    require_no_rows(found, seen, known);
    return found;
}

bool is_same(finding const& a, finding const& b)
{
    return a.bound.identity == b.bound.identity && a.identity == b.identity &&
           a.due_there == b.due_there && a.due_gone == b.due_gone;
}

void plan_it(act_report& told, finding const& of)
{
    told.plan.push_back("record who says that \"" + of.bound.name + "\", which was " +
                        of.bound.identity + ", is " + of.identity + " now, and why");
    told.plan.push_back(
        "it lists " + count_of(of.due_there, "branch", "branches") +
        " that the log has decided, for recovery to commit" +
        (of.listed == 0 ? "" : "; and " + std::to_string(of.listed) + " more, for it to judge"));
    if (of.due_gone > 0) {
        told.plan.push_back("it lacks " +
                            count_of(of.due_gone, "decided branch", "decided branches") +
                            ", a hazard: whether the old one had committed it nobody can know");
    }
    told.plan.push_back("from then on it is believed to have all that was finished in the old one");
}

void carry_out(act_report& told, finding const& planned, configuration const& from,
               act_options const& how, std::vector<resource_manager> const& all)
{
    auto const log = own(from, how);
    told.epoch = log->current().epoch;
    how.step("look");
    auto unbound = planned.bound;
    unbound.is_bound = false;
    lone_session at{find_manager(planned.bound.name, all), unbound};
    auto const now = find(from, at, planned.bound.name, all);
    if (!is_same(planned, now)) {
        throw failure{exit_code::attention,
                      "what is there changed meanwhile; nothing was done: look again"};
    }
    auto const guarded = at.guard(log->node(), how.patience);
    refused_as_failure([&] { end_in(at, planned.bound.name, all).require_same(guarded); });
    try {
        how.step("audit");
        log->record(log::rebinding_record{now.bound.id, 0, unix_ms_now(), now.bound.identity,
                                          now.identity, how.who, how.why()});
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed, std::string{"the log refused the record: "} + e.what()};
    }
    how.step("end");
    give_up(*log);
    told.has_acted = true;
    told.done = "\"" + now.bound.name + "\" is bound to " + now.identity +
                "; start the application, or run assent recover";
}

}  // namespace

act_report rebind(configuration const& from, std::string const& name, act_options const& how)
{
    return rebind(from, name, how, all_of(from));
}

act_report rebind(configuration const& from, std::string const& name, act_options const& how,
                  std::vector<resource_manager> const& all)
{
    auto const view = look(from);
    require_unowned(from, view);
    auto unbound = find_bound(from, view, name);

    act_report told;
    told.command = "rebind";
    told.subject = name;
    told.name = name;
    unbound.is_bound = false;  // that it is another one is the point
    finding planned;
    {
        lone_session at{find_manager(name, all), unbound};
        planned = find(from, at, name, all);
    }
    if (planned.identity == planned.bound.identity) {
        told.done = "it is bound to the identity that it shows, " + planned.identity;
        return told;
    }
    plan_it(told, planned);
    if (may_act(told, how)) carry_out(told, planned, from, how, all);
    return told;
}

}  // namespace assent::cli
