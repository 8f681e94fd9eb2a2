// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/adopt.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "recovery/cli/lone_session.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/prepared_branch.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/commit_row.hpp"
#include "recovery/resolving.hpp"

namespace assent::cli {

namespace {

using recovery::relation;
using recovery::resolution;

/// Everything that matters of the branch, as it is now.
struct finding
{
    std::optional<xid> listed;
    std::optional<xid> wanted;  ///< before, and not listed any more
    bool is_confirmed = false;
    known_database where;
    server_life life;                  ///< of the server that listed it
    std::string row;                   ///< of its decision, in words
    std::optional<bool> row_commits;   ///< what a row that stands says
    std::vector<std::string> also_in;  ///< databases that list branches of it, too
};

constexpr char const* at_work =
    "the log of that node is not lost, and its owner ends its branches by itself";

void require_other_node(gtrid const& which, log::log_view const& view)
{
    if (which.parts().node != view.newest.writer.node) return;
    throw failure{exit_code::misused,
                  "this transaction is of this node itself, whose log is there: see assent show, "
                  "and assent resolve"};
}

surveyed_database const& require_heard(std::string const& name, configuration const& from,
                                       scanned const& seen)
{
    auto const* const heard = listing_of(name, seen.listed);
    if (heard == nullptr) {
        throw failure{exit_code::misused, from.path + " has no resource manager \"" + name + "\""};
    }
    if (!heard->scan) {
        throw failure{exit_code::failed, "\"" + name + "\" could not be asked: " + heard->problem};
    }
    if (heard->scan->is_writable_primary) return *heard;
    throw failure{exit_code::attention,
                  "\"" + name + "\" is read-only, or a standby; connect to the primary"};
}

/// The number that its lost log gave to the database is not known here, so a row counts wherever it
/// stands.  None that was not seen says anything.
void note_row(finding& of, gtrid const& which, scanned const& seen)
{
    if (which.parts().place == decision_place::log) {
        of.row = "its decision, if there was one, was in the log that is lost";
        return;
    }
    of.row = "its decision, if there is one, is a commit row, and none was seen: that says nothing";
    for (auto const& each : seen.listed) {
        auto const at = std::find_if(each.rows.begin(), each.rows.end(),
                                     [&](auto const& row) { return row.name == which; });
        if (at == each.rows.end()) continue;
        if (at->kind == row_kind::abort) of.row_commits = false;
        if (recovery::decision_in(*at)) of.row_commits = true;
        of.row = "\"" + each.name + "\" has a row of its decision, " +
                 (!of.row_commits   ? "which cannot be read"
                  : *of.row_commits ? "to commit it"
                                    : "which rolls it back");
    }
}

/// A record of a person's verdict names no database, and the number in the branch is that of a log
/// which is lost; so the hazard that was recorded with it tells where it was to be done.
std::optional<xid> find_wanted(resolve_request const& what, gtrid const& global,
                               log::log_image const& image)
{
    auto const one = xid::parse(what.transaction);
    auto const verdict =
        what.is_commit ? log::operator_verdict::commit : log::operator_verdict::roll_back;
    auto const& hazards = image.heuristics();
    for (auto const& each : image.operator_records()) {
        bool const is_it = one ? each.branch == *one : each.branch.global == global;
        if (!is_it || each.verdict != verdict) continue;
        bool const is_there = std::any_of(hazards.begin(), hazards.end(), [&](auto const& hazard) {
            return hazard.branch == each.branch && hazard.resource_manager == what.resource_manager;
        });
        if (is_there) return each.branch;
    }
    return std::nullopt;
}

finding find(configuration const& from, resolve_request const& what,
             std::vector<resource_manager> const& all)
{
    auto const global = parse_transaction(what.transaction);
    auto const one = xid::parse(what.transaction);
    auto const seen = scan(from, all);
    auto const& view = seen.seen.after;
    require_other_node(global, view);
    auto const& heard = require_heard(what.resource_manager, from, seen);
    finding found;
    for (auto const& each : known_databases(from, view)) {
        if (each.name == what.resource_manager && !each.is_retired) found.where = each;
    }
    found.where.name = what.resource_manager;
    found.life = heard.scan->life;
    note_row(found, global, seen);
    for (auto const& each : seen.listed) {
        bool const is_there = each.scan && each.name != heard.name &&
                              std::any_of(each.scan->ours.begin(), each.scan->ours.end(),
                                          [&](auto const& id) { return id.global == global; });
        if (is_there) found.also_in.push_back(each.name);
    }
    for (xid const& each : heard.scan->ours) {
        if (one ? each != *one : each.global != global) continue;
        if (found.listed) {
            throw failure{exit_code::misused,
                          "\"" + heard.name +
                              "\" lists several branches of it; name one of them "
                              "as gtrid.bqual, as scan lists them"};
        }
        found.listed = each;
    }
    if (found.listed) require_own_account(*found.listed, *heard.scan);
    if (found.listed) return found;
    found.wanted = find_wanted(what, global, view.image);
    if (!found.wanted) {
        throw failure{exit_code::misused, "\"" + heard.name + "\" lists no such branch"};
    }
    auto const& on_record = view.image.heuristics();
    found.is_confirmed =
        recovery::is_confirmed(*found.wanted, what.is_commit, {on_record.begin(), on_record.end()});
    return found;
}

bool is_same(finding const& a, finding const& b)
{
    return a.listed == b.listed && a.wanted == b.wanted && a.row_commits == b.row_commits;
}

resolution as_resolution(finding const& of, bool is_commit, act_options const& how)
{
    return {of.listed ? *of.listed : *of.wanted,
            of.where.name,
            is_commit,
            relation::log_is_lost,
            how.who,
            how.why(),
            unix_ms_now()};
}

void require_agreement(finding const& of, bool is_commit)
{
    if (!of.row_commits || *of.row_commits == is_commit) return;
    throw failure{exit_code::attention, of.row + ": what was decided is known, and only " +
                                            (is_commit ? "--rollback" : "--commit") +
                                            " agrees with it"};
}

void plan_it(act_report& told, finding const& of, bool is_commit, act_options const& how)
{
    if (!of.listed) {
        say(told, recovery::say_over(as_resolution(of, is_commit, how), of.is_confirmed, false));
        return;
    }
    auto const parts = of.listed->global.parts();
    auto const branch = "branch " + std::string{of.listed->branch.text()};
    told.plan.push_back("it is of node " + hex(parts.node, 16) + ", epoch " +
                        std::to_string(parts.epoch) + ", sequence " +
                        std::to_string(parts.sequence) + "; " + of.row);
    for (auto const& name : of.also_in)
        told.plan.push_back("\"" + name + "\" lists a branch of it, too, which is not touched");
    told.plan.push_back("record in the log of this node who has " + branch + " of \"" +
                        of.where.name + "\" " + what_it_does(is_commit) + ", and why");
    told.plan.push_back("record a heuristic outcome: " + in_words(relation::log_is_lost));
    told.plan.push_back("have it " + what_it_does(is_commit));
}

/// Every database is asked: the node's owner may not have reached the one that is meant.
/// @return in words, which ones did not answer.
std::vector<std::string> require_no_holder(gtrid const& which,
                                           std::vector<resource_manager> const& all)
{
    std::vector<std::string> silent;
    for (auto const& each : all) {
        std::string holder;
        try {
            auto& driver = *each.driver();
            auto const until = std::chrono::steady_clock::now() + limits{}.connect;
            auto const session = driver.connect(session_purpose::guardian, until);
            holder = driver.guard_holder(*session, which.parts().node, until);
        } catch (std::exception const& e) {
            silent.push_back(
                "\"" + each.name() +
                "\" does not tell whether a process of that node is at work there: " + e.what());
        }
        if (holder.empty()) continue;
        throw failure{exit_code::attention, "a process holds that node's lock in \"" + each.name() +
                                                "\" (" + holder + "): " + at_work};
    }
    return silent;
}

void send(act_report& told, finding const& of, bool is_commit, act_options const& how,
          log::file_log& log, std::vector<resource_manager> const& all)
{
    auto const& rm = find_manager(of.where.name, all);
    lone_session on{rm, of.where};
    recovery::branch_end at{rm.name(), *rm.driver(), on, limits{}, how.patience};
    at.require_same(of.life);
    at.wait_until_let_go(*of.listed, {});
    at.require_same(on.guard(of.listed->global.parts().node, how.patience, at_work));
    // No decision of this log is finished by it.
    say(told,
        recovery::carry_out(
            as_resolution(of, is_commit, how), at, log, [](xid const&) {}, steps_of(told, how)));
}

void carry_out(act_report& told, finding const& planned, configuration const& from,
               resolve_request const& what, act_options const& how,
               std::vector<resource_manager> const& all)
{
    auto const log = own(from, how);
    told.epoch = log->current().epoch;
    how.step("look");
    auto const now = find(from, what, all);
    require_unchanged(is_same(planned, now));
    static_cast<void>(require_no_holder(now.listed->global, all));  // the plan names who is silent
    try {
        send(told, now, what.is_commit, how, *log, all);
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed, std::string{"the log refused the record: "} + e.what()};
    }
    how.step("end");
    give_up(*log);
}

}  // namespace

act_report adopt(configuration const& from, resolve_request const& what, act_options const& how)
{
    return adopt(from, what, how, all_of(from));
}

act_report adopt(configuration const& from, resolve_request const& what, act_options const& how,
                 std::vector<resource_manager> const& all)
{
    auto const global = parse_transaction(what.transaction);
    auto const view = look(from);
    require_unowned(from, view);
    require_other_node(global, view);

    act_report told;
    told.command = "adopt";
    told.subject = global.text();
    told.name = what.resource_manager;
    auto const planned = find(from, what, all);
    require_agreement(planned, what.is_commit);
    plan_it(told, planned, what.is_commit, how);
    refused_as_failure([&] {
        if (planned.listed) {
            for (auto& sentence : require_no_holder(global, all))
                told.plan.push_back(std::move(sentence));
            wait_until_let_go(find_manager(what.resource_manager, all), planned.where,
                              *planned.listed, {}, how);
        }
        if (may_act(told, how)) carry_out(told, planned, from, what, how, all);
    });
    return told;
}

}  // namespace assent::cli
