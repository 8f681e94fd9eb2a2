// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/resolve.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "recovery/cli/ask_owner.hpp"
#include "recovery/cli/lone_session.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/prepared_branch.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/noted_past.hpp"
#include "recovery/resolving.hpp"

namespace assent::cli {

namespace {

using recovery::in_words;
using recovery::relation;
using recovery::resolution;

/// Everything that matters of the branch, as it is now.
struct finding
{
    xid id;
    known_database where;
    bool is_listed = false;
    relation stands = relation::undecided;
    bool is_due = false;         ///< decided by the log, and not known to be finished
    bool is_confirmed = false;   ///< the database has confirmed that a person ended it this way
    bool has_heuristic = false;  ///< on record, or forgotten since
    server_life life;            ///< of the server that listed it
    std::string noted_start;     ///< of the server when it was prepared
    std::uint64_t node = 0;
};

bool is_same(finding const& a, finding const& b)
{
    return a.id == b.id && a.is_listed == b.is_listed && a.stands == b.stands &&
           a.is_due == b.is_due;
}

known_database find_database(configuration const& from, log::log_view const& view,
                             std::string const& name)
{
    auto const all = known_databases(from, view);
    auto const at = std::find_if(all.begin(), all.end(), [&](auto const& each) {
        return each.name == name && each.is_configured;
    });
    if (at != all.end()) return *at;
    std::string names;
    for (auto const& each : from.databases)
        names += (names.empty() ? "" : ", ") + each.name;
    throw failure{exit_code::misused,
                  from.path + " has no resource manager \"" + name + "\" (it has: " + names + ")"};
}

relation stands_to(xid const& id, bool is_commit, two_looks const& seen, row_view const& rows)
{
    bool const is_in_row = id.global.parts().place == decision_place::commit_row;
    return recovery::relation_of(
        id, is_commit,
        is_in_row ? rows.find(id.global)
                  : recovery::known_decision{true, find_decision(seen, id.global)});
}

bool is_due_in_log(xid const& id, two_looks const& seen)
{
    auto const found = find_decision(seen, id.global);
    if (!found) return false;
    auto const& branches = found->what.branches;
    auto const at = std::find(branches.begin(), branches.end(), id.branch);
    return at != branches.end() &&
           !found->is_finished[static_cast<std::size_t>(at - branches.begin())];
}

/// Those of the transaction that the database lists, and that may be meant.
std::vector<scanned_branch> meant(resolve_request const& what, gtrid const& global,
                                  scanned_database const& listed)
{
    auto const one = xid::parse(what.transaction);
    std::vector<scanned_branch> found;
    for (auto const& each : listed.branches) {
        if (each.what == reason::misplaced) continue;  // another database's
        if (one ? each.id == *one : each.id.global == global) found.push_back(each);
    }
    return found;
}

finding find(configuration const& from, resolve_request const& what,
             std::vector<resource_manager> const& all)
{
    auto const global = parse_transaction(what.transaction);
    auto const seen = scan(from, all);
    auto const& view = seen.seen.after;
    require_own(global, view);
    finding found;
    found.where = find_database(from, view, what.resource_manager);
    found.node = view.newest.writer.node;
    auto const& databases = seen.report.databases;
    auto const listed = std::find_if(databases.begin(), databases.end(), [&](auto const& each) {
        return each.name == what.resource_manager;
    });
    auto const* const heard = listing_of(what.resource_manager, seen.listed);
    if (listed == databases.end() || !listed->is_conclusive) {
        bool const has_answered = heard != nullptr && heard->scan;
        throw failure{has_answered ? exit_code::attention : exit_code::failed,
                      "\"" + what.resource_manager + "\" does not tell what it has prepared: " +
                          (listed == databases.end() ? "it was not asked" : listed->problem.why)};
    }
    auto const branches = meant(what, global, *listed);
    if (branches.size() > 1) {
        throw failure{exit_code::misused,
                      "\"" + what.resource_manager + "\" lists " + std::to_string(branches.size()) +
                          " branches of it; name one of them as gtrid.bqual, as scan lists them"};
    }
    if (!branches.empty() && branches.front().what == reason::of_twin) {
        throw failure{exit_code::misused,
                      "a twin (a copied or restored log) made this branch, and its log knows more; "
                      "find it and stop it"};
    }
    if (branches.empty()) {
        auto const& records = view.image.operator_records();
        auto const before =
            recovery::wanted_before(xid::parse(what.transaction), global, found.where.id,
                                    what.is_commit, {records.begin(), records.end()});
        if (!before) {
            throw failure{exit_code::misused, "\"" + what.resource_manager +
                                                  "\" lists no such branch; assent show says what "
                                                  "is listed, and where"};
        }
        found.id = *before;
    } else {
        if (branches.front().action == "leave") {
            throw failure{exit_code::attention,
                          name_of_owner(seen.report.log) +
                              " began this transaction in its present run, and ends it by itself, "
                              "unless it reports decision.split or a failed log: then stop it, and "
                              "resolve what it leaves"};
        }
        found.id = branches.front().id;
        found.is_listed = true;
        found.life = heard->scan->life;
        require_own_account(found.id, *heard->scan);
    }
    row_view const rows{known_databases(from, view), seen.listed};
    found.stands = stands_to(found.id, what.is_commit, seen.seen, rows);
    found.is_due = is_due_in_log(found.id, seen.seen);
    found.has_heuristic = view.image.has_heuristic(found.id);
    auto const& on_record = view.image.heuristics();
    found.is_confirmed =
        recovery::is_confirmed(found.id, what.is_commit, {on_record.begin(), on_record.end()});
    auto const start = view.image.server_starts().find(
        {found.id.branch.parts().resource_manager, found.id.global.parts().epoch});
    if (start != view.image.server_starts().end())
        found.noted_start = recovery::start_in(start->second);
    return found;
}

resolution as_resolution(finding const& of, bool is_commit, act_options const& how)
{
    return {of.id, of.where.name, is_commit, of.stands, how.who, how.why(), unix_ms_now()};
}

/// Nobody else can end it: what would be recorded here could not be carried out, and a heuristic on
/// record keeps those from it who have the handlers.
void require_handlers(resource_manager const& rm)
{
    if (!rm.driver()->capabilities().runs_handlers) return;
    auto const name = "\"" + rm.name() + "\"";
    throw failure{
        exit_code::attention,
        name +
            " ends its branches by handlers of the application's, which this program "
            "does not have; nothing was recorded: start a process that has the "
            "handlers of " +
            name +
            ", which ends the branch as it was decided; or put the data right by hand and "
            "delete the branch's row from assent_branch"};
}

void say_over(act_report& told, finding const& of, bool is_commit)
{
    auto const over =
        recovery::say_over(as_resolution(of, is_commit, {}), of.is_confirmed, of.is_due);
    if (of.is_due && of.stands == relation::against) {
        told.plan.push_back("note that branch " + std::string{of.id.branch.text()} +
                            " is over: " + over.text);
    } else {
        say(told, over);
    }
}

void plan_it(act_report& told, finding const& of, bool is_commit)
{
    auto const branch = "branch " + std::string{of.id.branch.text()};
    if (!of.is_listed) return say_over(told, of, is_commit);
    told.plan.push_back("record who has " + branch + " of \"" + of.where.name + "\" " +
                        what_it_does(is_commit) + ", and why");
    if (of.stands == relation::follows) {
        told.plan.push_back("have it " + what_it_does(is_commit) + ": " + in_words(of.stands));
        return;
    }
    told.plan.push_back("record a heuristic outcome: " + in_words(of.stands));
    told.plan.push_back("have it " + what_it_does(is_commit));
    told.plan.push_back(
        "from then on nobody says that the transaction was committed, or rolled back");
}

void send(act_report& told, finding const& of, resource_manager const& rm, bool is_commit,
          act_options const& how, log::file_log& log)
{
    lone_session on{rm, of.where};
    recovery::branch_end at{of.where.name, *rm.driver(), on, limits{}, how.patience};
    at.require_same(of.life);
    at.wait_until_let_go(of.id, of.noted_start);
    at.require_same(on.guard(of.node, how.patience));
    auto const note = [&log](xid const& which) { log.note_finished(which); };
    say(told,
        recovery::carry_out(as_resolution(of, is_commit, how), at, log, note, steps_of(told, how)));
}

void carry_out(act_report& told, finding const& planned, configuration const& from,
               resolve_request const& what, act_options const& how,
               std::vector<resource_manager> const& all)
{
    auto const log = own(from, how);
    told.epoch = log->current().epoch;
    how.step("look");
    auto now = find(from, what, all);
    // The opening itself forgets a decision that is finished everywhere, and it was made all the
    // same.
    if (now.stands == relation::undecided && !planned.is_due) now.stands = planned.stands;
    require_unchanged(is_same(planned, now));
    try {
        if (now.is_listed) {
            send(told, now, find_manager(what.resource_manager, all), what.is_commit, how, *log);
        } else {
            if (!now.has_heuristic) {
                log->record(recovery::hazard_of(as_resolution(now, what.is_commit, how)));
            }
            log->note_finished(now.id);
            told.has_acted = true;
            told.done = "it is noted as over";
        }
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed, std::string{"the log refused the record: "} + e.what()};
    }
    how.step("end");
    give_up(*log);
}

}  // namespace

act_report resolve(configuration const& from, resolve_request const& what, act_options const& how)
{
    return resolve(from, what, how, all_of(from));
}

act_report resolve(configuration const& from, resolve_request const& what, act_options const& how,
                   std::vector<resource_manager> const& all)
{
    auto const global = parse_transaction(what.transaction);
    auto const view = look(from);
    auto const owner = owner_of(from, view);
    require_own(global, view);
    find_database(from, view, what.resource_manager);

    act_report told;
    told.command = "resolve";
    told.subject = global.text();
    told.name = what.resource_manager;
    auto const planned = find(from, what, all);
    if (planned.is_listed && owner.empty()) {
        require_handlers(find_manager(what.resource_manager, all));
    }
    plan_it(told, planned, what.is_commit);
    refused_as_failure([&] {
        if (planned.is_listed) {
            wait_until_let_go(find_manager(what.resource_manager, all), planned.where, planned.id,
                              planned.noted_start, how);
        }
        if (!owner.empty() && !told.plan.empty()) plan_to_ask(told, owner, how);
        if (!may_act(told, how)) return;
        if (owner.empty()) return carry_out(told, planned, from, what, how, all);
        recovery::request asked;
        asked.deed = recovery::request_deed::resolve;
        asked.transaction = planned.id.text();
        asked.resource_manager = what.resource_manager;
        asked.is_commit = what.is_commit;
        asked.seen = recovery::mark_of(planned.stands);
        ask_owner(told, from, std::move(asked), how, owner);
    });
    return told;
}

}  // namespace assent::cli
