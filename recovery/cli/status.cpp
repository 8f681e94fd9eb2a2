// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/status.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ports/handler_marks.hpp"
#include "recovery/cli/look.hpp"

namespace assent::cli {

namespace {

std::string word_for(log::segment_end end)
{
    switch (end) {
        case log::segment_end::none:
            return "empty";
        case log::segment_end::rolled:
            return "continued in another segment";
        case log::segment_end::sealed:
            return "closed in order";
        case log::segment_end::unsealed:
            return "not closed: its owner was killed";
        case log::segment_end::torn:
            return "torn: its owner was killed while it wrote what nobody was told of";
    }
    return "?";
}

std::string word_for(log::operator_record const& record)
{
    if (log::is_about_the_log(record)) {
        return log::is_salvage(record) ? "salvage the log" : "repair the log";
    }
    switch (record.verdict) {
        case log::operator_verdict::commit:
            return "commit";
        case log::operator_verdict::roll_back:
            return "roll back";
        case log::operator_verdict::forget_heuristic:
            return "forget the heuristic";
    }
    return "?";
}

void count_segments(log_report& into)
{
    // A live owner may remove one while it is looked at; then it is not counted.
    std::error_code gone;
    std::filesystem::directory_iterator at{into.directory, gone};
    for (; !gone && at != std::filesystem::directory_iterator{}; at.increment(gone)) {
        if (at->path().extension() != ".seg") continue;
        auto const bytes = at->file_size(gone);
        if (gone) {
            gone.clear();
            continue;
        }
        ++into.segments;
        into.segment_bytes += bytes;
    }
}

}  // namespace

std::string count_of(std::size_t number, std::string const& one, std::string const& many)
{
    return std::to_string(number) + " " + (number == 1 ? one : many);
}

std::string name_of_owner(log_report const& log)
{
    return log.owner_pid == 0 ? "another process" : "process " + std::to_string(log.owner_pid);
}

log_report describe_log(configuration const& from, log::log_view const& view)
{
    log_report log;
    log.directory = from.log_directory;
    log.node = view.newest.writer.node;
    log.node_label = view.newest.node_label;
    log.current = current_of(view);
    log.openings = view.image.openings().size();
    log.newest_segment = view.newest.number;
    count_segments(log);
    log.is_owned = view.lock.is_held;
    log.end = log.is_owned ? "being written" : word_for(view.tail.end);
    for (auto const& record : view.image.operator_records()) {
        if (log::is_salvage(record)) log.salvaged_ms = record.unix_ms;
    }
    if (log.is_owned) {
        log.owner_pid = view.lock.owner.pid;
        log.owner_since_ms = view.lock.owner.started_unix_ms;
    }
    return log;
}

decision_report describe(log::log_view const& view, gtrid const& global,
                         log::decision_entry const& entry)
{
    decision_report told;
    told.id = global;
    told.unix_ms = entry.unix_ms;
    for (std::size_t i = 0; i < entry.branches.size(); ++i) {
        auto const& branch = entry.branches[i];
        told.branches.push_back({branch,
                                 name_of_resource_manager(view, branch.parts().resource_manager),
                                 entry.is_finished(i)});
    }
    return told;
}

operator_report describe(log::operator_record const& record)
{
    return {record.branch, word_for(record), record.who, record.why, record.unix_ms};
}

/// No configuration can open a broker of the application's.
reason why_unconfigured(known_database const& which)
{
    return ports::is_broker(which.kind) ? reason::only_application : reason::not_configured;
}

explanation explain_heuristic(ports::heuristic_record const& record)
{
    auto told = explain(reason::heuristic, {}, record.text);
    told.since_ms = record.unix_ms;
    told.is_since_exact = true;
    return told;
}

namespace {

/// As far as the log and the configuration say: what the database says only a scan knows.
explanation why_waiting(known_database const& which, configuration const& from,
                        std::string const& owner)
{
    bool const is_due = which.branches_due > 0;
    explanation told;
    if (which.is_retired) {
        if (is_due) told = explain(reason::given_up, owner);
    } else if (which.is_lost) {
        told = explain(reason::binding_lost, owner);
    } else if (!which.is_configured) {
        told = explain(why_unconfigured(which), owner, from.path);
    } else if (is_due) {
        told = explain(reason::due, owner);
    }
    told.since_ms = which.oldest_due_ms;
    told.is_since_exact = which.oldest_due_ms != 0;
    return told;
}

std::int64_t oldest_due_at(log::log_view const& view, std::uint16_t id)
{
    std::int64_t oldest = 0;
    for (xid const& due : due_at(view, id)) {
        auto const at = view.image.decisions().find(due.global)->second.unix_ms;
        oldest = oldest == 0 ? at : std::min(oldest, at);
    }
    return oldest;
}

/// Each branch waits for what its database waits for.
void explain_unfinished(status_report& told)
{
    for (auto& decision : told.unfinished) {
        for (auto& branch : decision.branches) {
            if (branch.is_finished) continue;
            auto const id = branch.branch.parts().resource_manager;
            auto const at =
                std::find_if(told.databases.begin(), told.databases.end(),
                             [id](auto const& each) { return each.is_bound && each.id == id; });
            if (at != told.databases.end()) branch.waits = at->waits;
            branch.waits.since_ms = decision.unix_ms;
            branch.waits.is_since_exact = true;
        }
    }
}

}  // namespace

std::vector<known_database> known_databases(configuration const& from, log::log_view const& view)
{
    std::vector<known_database> all;
    auto const owner = view.lock.is_held ? name_of_owner(describe_log(from, view)) : std::string{};
    for (auto const& [id, bound] : view.image.bindings()) {
        known_database one;
        one.name = bound.name;
        one.kind = bound.kind;
        one.is_bound = true;
        one.is_retired = bound.is_retired;
        one.is_lost = !one.is_retired && !ports::is_real(bound);
        one.is_configured = !one.is_retired && from.find(bound.name) != nullptr;
        one.id = id;
        one.identity = bound.identity;
        one.horizon = view.image.horizon(id);
        one.branches_due = due_at(view, id).size();
        one.oldest_due_ms = oldest_due_at(view, id);
        one.waits = why_waiting(one, from, owner);
        all.push_back(std::move(one));
    }
    for (auto const& configured : from.databases) {
        bool const is_bound = std::any_of(all.begin(), all.end(), [&](auto const& each) {
            return each.name == configured.name && !each.is_retired;
        });
        if (is_bound) continue;
        known_database one;
        one.name = configured.name;
        one.kind = name_of(configured.kind);
        one.is_configured = true;
        all.push_back(std::move(one));
    }
    return all;
}

void note_missing(any_report& into, configuration const& from,
                  std::vector<known_database> const& all)
{
    for (auto const& each : all) {
        if (each.is_configured) continue;
        if (each.is_retired) {
            if (each.branches_due == 0) continue;
            into.raise(exit_code::attention,
                       "\"" + each.name + "\" was given up, and " +
                           count_of(each.branches_due, "branch there is", "branches there are") +
                           " not on record as hazards yet: run assent retire again");
            continue;
        }
        if (each.is_lost) {
            into.raise(exit_code::attention,
                       "a damaged log lost the binding of a resource manager (" + each.name +
                           "): what is in doubt there is finished by nobody; look into every "
                           "database of this node, and see status for who salvaged the log");
            continue;
        }
        if (why_unconfigured(each) == reason::only_application) {
            if (each.branches_due == 0) continue;
            into.raise(exit_code::attention,
                       "\"" + each.name +
                           "\": " + count_of(each.branches_due, "branch is", "branches are") +
                           " decided and not known to be finished, and only the application can "
                           "finish what its broker holds: start it, unless it runs");
            continue;
        }
        into.raise(exit_code::attention,
                   "the log knows the resource manager \"" + each.name + "\" (" + each.kind +
                       "), and " + from.path +
                       " does not: what is in doubt there is neither seen nor finished; add it");
    }
}

void note_heuristics(any_report& into, std::size_t count)
{
    if (count == 0) return;
    into.raise(exit_code::attention,
               count_of(count, "heuristic outcome is", "heuristic outcomes are") +
                   " recorded: the databases may differ; compare and repair the data by hand, then "
                   "forget them (assent status lists them)");
}

status_report make_status(configuration const& from, log::log_view const& view)
{
    status_report told;
    told.log = describe_log(from, view);
    for (auto const& [global, entry] : view.image.decisions()) {
        if (entry.is_complete()) {
            ++told.finished_decisions;
        } else {
            told.unfinished.push_back(describe(view, global, entry));
        }
    }
    told.rollbacks = view.image.rollback_count();
    told.heuristics.assign(view.image.heuristics().begin(), view.image.heuristics().end());
    for (auto const& record : view.image.operator_records()) {
        told.operators.push_back(describe(record));
    }
    told.databases = known_databases(from, view);
    explain_unfinished(told);
    for (auto const& [id, record] : view.image.retirements()) {
        told.operators.push_back({xid{}, "give up \"" + name_of_resource_manager(view, id) + "\"",
                                  record.who, record.why, record.unix_ms, true});
    }
    for (auto const& [record, spare] : view.image.rebindings()) {
        told.operators.push_back({xid{},
                                  "rebind \"" + name_of_resource_manager(view, record.id) + "\"",
                                  record.who, record.why, record.unix_ms, true});
    }

    note_heuristics(told, told.heuristics.size());
    note_missing(told, from, told.databases);
    if (!told.log.is_owned && !told.unfinished.empty()) {
        told.raise(exit_code::attention,
                   count_of(told.unfinished.size(), "decided transaction waits",
                            "decided transactions wait") +
                       " to be finished, and no process owns the log: start the application, or "
                       "run assent recover");
    }
    return told;
}

}  // namespace assent::cli
