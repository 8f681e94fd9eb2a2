// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/prediction.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "ports/handler_marks.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/noted_past.hpp"

namespace assent::cli {

namespace {

using recovery::listed_action;

constexpr char start_it[] = "start the application: assent recover does not have its handlers";
constexpr char repair_it[] =
    "put the data right, delete its row from assent_branch, then run assent forget";

bool is_in_row(gtrid const& id)
{
    return id.parts().place == decision_place::commit_row;
}

/// When it was decided, or, where it was not, when the run was opened that began it.
void note_since(explanation& into, xid const& id, log::log_view const& view)
{
    auto const decision = view.image.decisions().find(id.global);
    if (decision != view.image.decisions().end()) {
        into.since_ms = decision->second.unix_ms;
        into.is_since_exact = true;
        return;
    }
    auto const parts = id.global.parts();
    auto const opened = view.image.openings().find({parts.epoch, parts.nonce});
    if (opened != view.image.openings().end()) into.since_ms = opened->second;
}

recovery::noted_past past_of(std::uint16_t id, log::log_view const& view)
{
    recovery::noted_past past;
    past.current = view.newest.writer.epoch;
    past.note = [&view, id](std::uint32_t epoch) -> std::optional<std::string> {
        auto const at = view.image.server_starts().find({id, epoch});
        if (at == view.image.server_starts().end()) return std::nullopt;
        return at->second;
    };
    past.rebound_epoch = view.image.bindings().at(id).rebound_epoch;
    return past;
}

/// As recovery reads it; nothing where the server does not show what became of its past.
std::optional<std::string> history_of(surveyed_database const& at,
                                      recovery::noted_past const& noted)
{
    auto const known = noted.last_count();
    auto const kept = at.past ? recovery::compare_kept(*at.past, known).kept : kept_past{known, 0};
    if (at.scan->history.empty() && kept.count == 0) return std::nullopt;
    return recovery::history_of(at.scan->history, kept);
}

}  // namespace

prediction::prediction(configuration const& from, two_looks const& seen,
                       std::vector<surveyed_database> const& listed, log_report const& log)
    : from_(from),
      seen_(seen),
      listed_(listed),
      log_(log),
      owner_(log.is_owned ? name_of_owner(log) : std::string{}),
      known_(known_databases(from, seen.after)),
      rows_(known_, listed),
      facts_(facts_of(seen)),
      before_(facts_before(seen))
{
    facts_.find = [this, in_log = std::move(facts_.find)](gtrid const& which) {
        return is_in_row(which) ? rows_.find(which) : in_log(which);
    };
    facts_.are_rows_listed = [this](std::uint16_t id) { return rows_.was_read(id); };
    for (auto const& each : known_) {
        exit_code code = exit_code::fine;
        auto const* const at = listing_of(each.name, listed);
        bool const counts =
            !each.is_retired && at != nullptr && why_inconclusive(*at, code).what == reason::none;
        if (!counts) continue;
        // A live owner's guardian has it; otherwise it is somebody who has no right to this log.
        bool const is_refused = each.is_bound && !log.is_owned && !at->lock_holder.empty();
        if (is_refused) locked_in_ = "\"" + each.name + "\" (" + at->lock_holder + ")";
        auto const plan = plan_for(each, *at, true);
        sees_twin_ =
            sees_twin_ || std::any_of(plan.listed.begin(), plan.listed.end(), [](auto const& one) {
                return one.action == listed_action::quarantine_twin;
            });
    }
}

explanation prediction::say(reason what, xid const& id, std::string const& seen) const
{
    auto told = explain(what, owner_, seen);
    note_since(told, id, seen_.after);
    return told;
}

std::string prediction::place_of(std::uint16_t id) const
{
    return "\"" + name_of_resource_manager(seen_.after, id) + "\"";
}

/// Empty: not known.
std::string prediction::instance_of(std::uint16_t id) const
{
    auto const* const at = listing_of(name_of_resource_manager(seen_.after, id), listed_);
    return at == nullptr || !at->scan ? std::string{} : at->scan->life.instance;
}

/// Why the answer of a database does not count; none: it does.
explanation prediction::why_inconclusive(surveyed_database const& listed, exit_code& code) const
{
    code = exit_code::failed;
    if (!listed.scan) return explain(listed.why_not, owner_, listed.problem);
    if (!listed.scan->is_writable_primary) return explain(reason::standby, owner_);
    code = exit_code::attention;
    for (auto const& each : known_) {
        if (each.is_retired || !each.is_bound) continue;
        bool const is_same = each.identity == listed.scan->identity;
        bool const is_without_handlers =
            ports::holds_reservations(each.name, each.identity) && !listed.runs_handlers;
        if (each.name == listed.name && !is_same && is_without_handlers) {
            auto told = explain(reason::other_database, owner_);
            told.why = why_no_reservations;
            told.for_a_person = "add `reservations = true` to it in " + from_.path;
            return told;
        }
        if (each.name == listed.name && !is_same) {
            return explain(reason::other_database, owner_,
                           "bound: " + each.identity + ", found: " + listed.scan->identity);
        }
        if (each.name != listed.name && is_same) {
            return explain(reason::bound_twice, owner_, each.name);
        }
    }
    return {};
}

scanned_database prediction::of(known_database const& which, exit_code& code) const
{
    scanned_database told;
    told.name = which.name;
    told.kind = which.kind;
    told.is_configured = which.is_configured;
    auto const* const at = listing_of(which.name, listed_);
    told.problem = at == nullptr ? explain(why_unconfigured(which), owner_, from_.path)
                                 : why_inconclusive(*at, code);
    if (told.problem.what != reason::none) {
        told.problem.since_ms = which.oldest_due_ms;
        told.problem.is_since_exact = which.oldest_due_ms != 0;
        return told;
    }
    code = exit_code::fine;
    told.is_conclusive = true;
    told.runs_handlers = at->runs_handlers;
    told.warnings = at->scan->warnings;
    for (auto const* const problem : {&at->lock_problem, &at->sessions_problem}) {
        if (!problem->empty()) told.warnings.push_back("not all could be asked: " + *problem);
    }
    judge_listed(told, which, *at);
    return told;
}

recovery::plan prediction::plan_for(known_database const& which, surveyed_database const& at,
                                    bool may_presume) const
{
    auto const live = [this](gtrid const& id) { return is_live(seen_, id); };
    auto const decided = recovery::decided_at(which.id, before_, live);
    return recovery::plan_of(*at.scan, which.id, facts_, live, may_presume, decided);
}

void prediction::judge_listed(scanned_database& into, known_database const& which,
                              surveyed_database const& at) const
{
    auto const plan = plan_for(which, at, !sees_twin_ && locked_in_.empty());
    into.foreign_count = plan.foreign_count;
    for (xid const& each : at.scan->ours) {
        if (into.of_other_nodes.size() == others_listed_max) break;
        if (each.global.parts().node != facts_.node) into.of_other_nodes.push_back(each);
    }
    for (auto const& each : plan.listed)
        into.branches.push_back(judge(each, at));
    for (xid const& id : plan.of_others) {
        auto const named = id.branch.parts().resource_manager;
        auto const here = at.scan->life.instance;
        auto const there = instance_of(named);
        bool const are_apart = !here.empty() && !there.empty() && here != there;
        if (!are_apart) continue;
        into.branches.push_back({say(reason::misplaced, id, place_of(named)), id, "quarantine"});
    }
    judge_missing(into, which, at, plan.finished);
}

/// What is decided and not listed was committed, if the server has lost nothing.
void prediction::judge_missing(scanned_database& into, known_database const& which,
                               surveyed_database const& at, std::vector<xid> const& gone) const
{
    if (gone.empty()) return;
    auto const noted = past_of(which.id, seen_.after);
    auto const history = history_of(at, noted);
    for (xid const& id : gone) {
        if (!at.past_problem.empty()) {
            into.missing.push_back({say(reason::past_unknown, id, at.past_problem), id, "wait"});
        } else if (noted.has_other(id.global.parts().epoch, history)) {
            into.missing.push_back({say(reason::lost_with_past, id), id, "hazard"});
        } else {
            into.finished.push_back(id);
        }
    }
}

/// Whether the session that prepared it is still there: in the same life of the server, since
/// another one gives the numbers again.
bool prediction::is_kept_by_session(xid const& id, surveyed_database const& at) const
{
    auto const parts = id.branch.parts();
    if (at.sessions.count(parts.session) == 0) return false;
    auto const& starts = seen_.after.image.server_starts();
    auto const noted = starts.find({parts.resource_manager, id.global.parts().epoch});
    return noted == starts.end() || recovery::start_in(noted->second) == at.scan->life.start;
}

scanned_branch prediction::judge(recovery::listed_branch const& listed,
                                 surveyed_database const& at) const
{
    auto const& id = listed.id;
    auto const strangers = std::find_if(at.scan->of_strangers.begin(), at.scan->of_strangers.end(),
                                        [&id](auto const& each) { return each.id == id; });
    bool const is_strangers = strangers != at.scan->of_strangers.end() &&
                              listed.action != listed_action::leave &&
                              listed.action != listed_action::quarantine_twin;
    if (is_strangers) {
        return {say(reason::of_other_account, id, strangers->account), id, "quarantine"};
    }
    auto const row = is_in_row(id.global) ? rows_.place_of(id.global) : std::string{};
    auto const session = id.branch.parts().session;
    auto const ends = [&](reason why, std::string const& action) -> scanned_branch {
        if (!is_kept_by_session(id, at)) return {say(why, id, row), id, action};
        auto const stays = "session " + std::to_string(session) +
                           ", which prepared it, is still connected and keeps it";
        return {say(reason::session_stays, id, stays), id, action};
    };
    bool const is_ended =
        listed.action == listed_action::commit || listed.action == listed_action::rollback;
    if (is_ended && at.runs_handlers) {
        bool const is_commit = listed.action == listed_action::commit;
        auto told = say(reason::not_confirmed, id,
                        std::string{is_commit ? "its confirm" : "its cancel"} +
                            " is a handler of the application's");
        if (owner_.empty()) {
            told.by_itself = "the application ends it, once it runs";
            told.for_a_person = start_it;
        }
        return {std::move(told), id, "wait"};
    }
    switch (listed.action) {
        case listed_action::commit:
            return ends(row.empty() ? reason::decided : reason::decided_in_row, "commit");
        case listed_action::rollback:
            return ends(row.empty() ? reason::undecided : reason::aborted_in_row, "roll back");
        case listed_action::leave:
            return {say(reason::of_live_process, id, name_of_owner(log_)), id, "leave"};
        case listed_action::wait:
            break;
        case listed_action::park: {
            auto told = say(reason::heuristic, id, "its handler would run again");
            told.for_a_person = repair_it;
            return {std::move(told), id, "leave"};
        }
        case listed_action::quarantine_twin:
            return {say(reason::of_twin, id), id, "quarantine"};
        case listed_action::quarantine_reappeared:
            return {say(log_.salvaged_ms != 0 ? reason::salvaged : reason::reappeared, id), id,
                    "quarantine"};
        case listed_action::quarantine_unvoted:
            return {say(reason::not_voted, id), id, "quarantine"};
        case listed_action::quarantine_unbound:
            return {say(reason::unbound, id), id, "quarantine"};
    }
    return waiting(id);
}

scanned_branch prediction::waiting(xid const& id) const
{
    if (id.global.parts().place == decision_place::external) {
        return {say(reason::decided_elsewhere, id), id, "wait"};
    }
    bool const may_presume = !sees_twin_ && locked_in_.empty();
    if (is_in_row(id.global) && !rows_.find(id.global).was_read) {
        auto why = rows_.why_unknown(id.global, owner_);
        note_since(why, id, seen_.after);
        bool const is_asked = why.what == reason::row_missing && may_presume;
        if (is_asked) return {std::move(why), id, "ask its row"};
        if (why.what != reason::row_missing) return {std::move(why), id, "wait"};
    }
    if (sees_twin_) return {say(reason::twin_at_work, id), id, "wait"};
    return {say(reason::lock_elsewhere, id, locked_in_), id, "wait"};
}

}  // namespace assent::cli
