// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/forget.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "ports/handler_marks.hpp"
#include "recovery/cli/ask_owner.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"
#include "recovery/forgetting.hpp"

namespace assent::cli {

namespace {

using recovery::forget_choice;
using recovery::heuristics;

heuristics recorded_in(log::log_image const& image)
{
    return {image.heuristics().begin(), image.heuristics().end()};
}

std::string describe(ports::heuristic_record const& which)
{
    return std::string{word_for(which.code)} + " in \"" + which.resource_manager + "\", branch " +
           std::string{which.branch.branch.text()} + ", " + utc(which.unix_ms) + ": " + which.text;
}

std::string why_kept(xid const& which, ports::binding const& at)
{
    if (recovery::may_run_again(at)) return recovery::why_listed_is_kept(which, at);
    return "branch " + std::string{which.branch.text()} + " in \"" + at.name +
           "\" is decided by a commit row and still prepared, so its heuristic is not forgotten; "
           "run assent recover, or resolve the branch";
}

std::string why_kept_unasked(xid const& which, ports::binding const& at, std::string const& why)
{
    if (recovery::may_run_again(at)) return recovery::why_unasked_is_kept(which, at, why);
    return "branch " + std::string{which.branch.text()} + " in \"" + at.name +
           "\" is decided by a commit row, and the database does not tell whether it is still "
           "prepared (" +
           why + "); nothing was forgotten: see to that first";
}

void require_unlisted(xid const& which, ports::binding const& at, scan_report const& seen)
{
    auto const& all = seen.databases;
    auto const told = std::find_if(all.begin(), all.end(),
                                   [&at](auto const& each) { return each.name == at.name; });
    if (told == all.end() || !told->is_conclusive) {
        throw failure{
            exit_code::attention,
            why_kept_unasked(which, at, told == all.end() ? "it is not known" : told->problem.why)};
    }
    bool const is_listed = std::any_of(told->branches.begin(), told->branches.end(),
                                       [&which](auto const& each) { return each.id == which; });
    if (is_listed) throw failure{exit_code::attention, why_kept(which, at)};
}

/// Only the database tells whether a branch is over that a commit row decides, since that decision
/// is not in this log; and whether one is listed at which a handler would run again.  Of one that
/// was given up nobody is asked any more.
void require_unlisted(heuristics const& all, log::log_image const& image, configuration const& from,
                      std::function<std::vector<resource_manager>()> const& managers,
                      bool has_owner)
{
    std::optional<scanned> seen;
    for (auto const& each : all) {
        auto const at = image.bindings().find(each.branch.branch.parts().resource_manager);
        if (at == image.bindings().end() || !ports::is_real(at->second)) continue;
        auto const& bound = at->second;
        bool const is_in_row = each.branch.global.parts().place == decision_place::commit_row;
        if (!is_in_row && !recovery::may_run_again(bound)) continue;
        if (ports::is_broker(bound.kind)) {
            if (has_owner) continue;  // which asks it
            throw failure{
                exit_code::attention,
                recovery::why_unasked_is_kept(
                    each.branch, bound,
                    "only the application reaches its broker: forget it while that runs")};
        }
        if (!seen) seen = scan(from, managers());
        require_unlisted(each.branch, bound, seen->report);
    }
}

bool is_same(heuristics const& a, heuristics const& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto const& x, auto const& y) {
        return x.branch == y.branch && x.code == y.code && x.text == y.text;
    });
}

/// Whoever was killed after the last record, and runs it again, is told so.
void say_forgotten(act_report& told, forget_choice const& chosen, log::log_view const& view)
{
    auto const& all = view.image.operator_records();
    auto const before = chosen.forgotten_before({all.begin(), all.end()});
    if (!before) {
        require_own(chosen.global(), view);
        throw failure{exit_code::misused,
                      "the log has no heuristic outcome of this transaction, or not of this "
                      "branch; assent status lists those that it has"};
    }
    told.done = "it was forgotten before, by " + before->who + ", " + utc(before->unix_ms) + ": " +
                before->why;
}

void carry_out(act_report& told, heuristics const& planned, forget_choice const& chosen,
               configuration const& from, act_options const& how)
{
    auto const log = own(from, how);
    told.epoch = log->current().epoch;
    if (!is_same(planned, chosen.of(log->heuristics()))) {
        throw failure{exit_code::attention,
                      "what is recorded of it changed meanwhile, and nobody has read that; nothing "
                      "was forgotten: look again"};
    }
    try {
        recovery::forget(planned, how.who, how.why(), unix_ms_now, *log, how.on_step);
    } catch (std::system_error const& e) {
        throw failure{exit_code::failed, std::string{"the log refused the record: "} + e.what()};
    }
    how.step("end");
    give_up(*log);
    told.has_acted = true;
    told.done = count_of(planned.size(), "heuristic outcome is", "heuristic outcomes are") +
                " forgotten; who did it and why is in the log";
}

}  // namespace

act_report forget(configuration const& from, forget_request const& what, act_options const& how)
{
    return forget(from, what, how, [&from] { return all_of(from); });
}

act_report forget(configuration const& from, forget_request const& what, act_options const& how,
                  std::function<std::vector<resource_manager>()> const& managers)
{
    forget_choice const chosen{parse_transaction(what.transaction), xid::parse(what.transaction),
                               what.resource_manager};
    auto const view = look(from);
    auto const owner = owner_of(from, view);

    act_report told;
    told.command = "forget";
    told.subject = chosen.global().text();
    constexpr std::size_t last = 6;
    told.name = told.subject.substr(told.subject.size() - last);
    auto const all = recorded_in(view.image);
    auto const planned = chosen.of(all);
    if (planned.empty()) {
        say_forgotten(told, chosen, view);
        return told;
    }
    refused_as_failure([&] {
        recovery::require_forgettable(
            planned, all, [&](gtrid const& which) { return find_decision(view, which); });
    });
    require_unlisted(planned, view.image, from, managers, !owner.empty());
    for (auto const& each : planned)
        told.plan.push_back("forget: " + describe(each));
    if (!owner.empty()) plan_to_ask(told, owner, how);
    if (!may_act(told, how)) return told;
    if (owner.empty()) {
        carry_out(told, planned, chosen, from, how);
    } else {
        recovery::request asked;
        asked.deed = recovery::request_deed::forget;
        asked.transaction = what.transaction;
        asked.resource_manager = what.resource_manager;
        asked.seen = recovery::marks_of(planned);
        ask_owner(told, from, std::move(asked), how, owner);
    }
    return told;
}

}  // namespace assent::cli
