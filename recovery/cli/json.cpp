// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// json.cpp -- with log_json and dump_json, the only file that sees nlohmann's JSON.

#include "recovery/cli/json.hpp"

#include <optional>

#include "recovery/cli/act.hpp"
#include "recovery/cli/drain.hpp"
#include "recovery/cli/log_json.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

json time(std::int64_t unix_ms)
{
    return unix_ms == 0 ? json(nullptr) : json(iso_utc(unix_ms));
}

json as_json(examined const& one);
json as_json(scanned_database const& database);
json as_json(recovered_database const& database);
json as_json(shown_listing const& listing);

json text_or_null(std::string const& text)
{
    return text.empty() ? json(nullptr) : json(text);
}

json as_json(log_report const& log)
{
    json told{{"directory", log.directory},
              {"node", hex(log.node, 16)},
              {"node_label", log.node_label},
              {"epoch", log.current.epoch},
              {"nonce", hex(log.current.nonce, 12)},
              {"openings", log.openings},
              {"segments",
               {{"count", log.segments},
                {"bytes", log.segment_bytes},
                {"newest", log.newest_segment},
                {"end", log.end}}},
              {"salvaged", time(log.salvaged_ms)},
              {"owner", nullptr}};
    if (log.is_owned) {
        told["owner"] = {{"pid", log.owner_pid == 0 ? json(nullptr) : json(log.owner_pid)},
                         {"since", time(log.owner_since_ms)}};
    }
    return told;
}

/// Why, since when, what happens by itself, and what a person must do; `why` may be there already.
void add(json& into, explanation const& what)
{
    into.emplace("why", text_or_null(what.why));
    into["reason"] = what.what == reason::none ? json(nullptr) : json(name_of(what.what));
    into["since"] = time(what.since_ms);
    into["is_since_exact"] = what.is_since_exact;
    into["by_itself"] = text_or_null(what.by_itself);
    into["for_a_person"] = text_or_null(what.for_a_person);
}

json as_json(decision_report const& decision)
{
    json all = json::array();
    for (auto const& branch : decision.branches) {
        json one{{"bqual", std::string{branch.branch.text()}},
                 {"resource_manager", branch.resource_manager},
                 {"is_finished", branch.is_finished}};
        if (!branch.is_finished) add(one, branch.waits);
        all.push_back(std::move(one));
    }
    return {{"gtrid", std::string{decision.id.text()}},
            {"decided", "commit"},
            {"at", time(decision.unix_ms)},
            {"branches", std::move(all)}};
}

json as_json(ports::heuristic_record const& record)
{
    json told{{"branch", record.branch.text()},
              {"resource_manager", record.resource_manager},
              {"heuristic", word_for(record.code)},
              {"seen", record.text},
              {"at", time(record.unix_ms)}};
    add(told, explain_heuristic(record));
    return told;
}

json as_json(operator_report const& record)
{
    bool const is_about_the_log = record.branch.global.is_null();
    return {{"branch", is_about_the_log ? json(nullptr) : json(record.branch.text())},
            {"decided", record.verdict},
            {"who", record.who},
            {"why", record.why},
            {"at", time(record.unix_ms)}};
}

json as_json(known_database const& database)
{
    json told{{"name", database.name},
              {"kind", database.kind},
              {"id", database.is_bound ? json(database.id) : json(nullptr)},
              {"identity", text_or_null(database.identity)},
              {"is_bound", database.is_bound},
              {"is_retired", database.is_retired},
              {"is_configured", database.is_configured},
              {"horizon", horizon_of(database.horizon)},
              {"branches_due", database.branches_due},
              {"oldest_due", time(database.oldest_due_ms)}};
    add(told, database.waits);
    return told;
}

json as_json(scanned_branch const& branch)
{
    json told{{"xid", branch.id.text()},
              {"action", branch.action},
              {"left_because", text_or_null(branch.left_because)}};
    add(told, branch);
    return told;
}

template <class Range>
json list_of(Range const& all)
{
    json list = json::array();
    for (auto const& each : all)
        list.push_back(as_json(each));
    return list;
}

json as_json(scanned_database const& database)
{
    json finished = json::array();
    for (auto const& id : database.finished)
        finished.push_back(id.text());
    json others = json::array();
    for (auto const& id : database.of_other_nodes)
        others.push_back({{"xid", id.text()}, {"node", hex(id.global.parts().node, 16)}});
    json told{{"name", database.name},
              {"kind", database.kind},
              {"is_configured", database.is_configured},
              {"is_conclusive", database.is_conclusive},
              {"problem", text_or_null(database.problem.why)},
              {"foreign", database.foreign_count},
              {"of_other_nodes", std::move(others)},
              {"warnings", database.warnings},
              {"branches", list_of(database.branches)},
              {"found_committed", std::move(finished)},
              {"missing", list_of(database.missing)}};
    add(told, database.problem);
    return told;
}

json as_json(recovered_database const& database)
{
    json told{{"name", database.name},
              {"committed", database.committed},
              {"rolled_back", database.rolled_back},
              {"found_committed", database.found_finished},
              {"heuristics", database.heuristics},
              {"is_drained", database.is_drained},
              {"why", text_or_null(database.why)}};
    add(told, database.waits);
    return told;
}

json as_json(shown_listing const& listing)
{
    return {{"resource_manager", listing.resource_manager},
            {"is_conclusive", listing.is_conclusive},
            {"problem", text_or_null(listing.problem)},
            {"branches", list_of(listing.branches)}};
}

json as_json(std::optional<median_time> const& time)
{
    if (!time) return nullptr;
    return {{"median_us", time->value.count()}, {"count", time->count}};
}

json as_json(examined const& one)
{
    json findings = json::array();
    for (auto const& each : one.seen.findings) {
        findings.push_back({{"check", each.check},
                            {"level", word_for(each.level)},
                            {"seen", each.seen},
                            {"advice", text_or_null(each.advice)}});
    }
    return {{"name", one.name},
            {"kind", text_or_null(one.kind)},
            {"version", text_or_null(one.seen.version)},
            {"identity", text_or_null(one.seen.identity)},
            {"is_examined", one.is_examined},
            {"problem", text_or_null(one.problem)},
            {"round_trip", as_json(one.seen.round_trip)},
            {"force", as_json(one.seen.force)},
            {"findings", std::move(findings)}};
}

json begin(char const* command, any_report const& told)
{
    return {{"command", command},
            {"exit_code", static_cast<int>(told.code)},
            {"attention", told.attention}};
}

/// Bytes that are not UTF-8 (a server's words) are replaced, not refused.
std::string dump(json const& all)
{
    return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

void add_status(json& into, status_report const& told)
{
    into["log"] = as_json(told.log);
    into["decisions"] = {{"to_be_finished", told.unfinished.size()},
                         {"finished", told.finished_decisions},
                         {"rollbacks_noted", told.rollbacks}};
    into["to_be_finished"] = list_of(told.unfinished);
    into["heuristics"] = list_of(told.heuristics);
    into["operator_records"] = list_of(told.operators);
    into["resource_managers"] = list_of(told.databases);
}

}  // namespace

std::string in_json(status_report const& told)
{
    auto all = begin("status", told);
    add_status(all, told);
    return dump(all);
}

std::string in_json(scan_report const& told)
{
    auto all = begin("scan", told);
    all["log"] = as_json(told.log);
    all["databases"] = list_of(told.databases);
    return dump(all);
}

std::string in_json(recover_report const& told)
{
    auto all = begin("recover", told);
    all["has_acted"] = told.has_acted;
    if (told.has_acted) {
        all["is_drained"] = told.is_drained;
        all["was_interrupted"] = told.was_interrupted;
        all["epoch"] = told.epoch;
        all["took_ms"] = told.took_ms;
        all["recovered"] = list_of(told.databases);
        all["quarantined"] = told.quarantined;
        all["remaining"] = list_of(told.scan.databases);
    }
    add_status(all, told.status);
    return dump(all);
}

std::string in_json(show_report const& told)
{
    auto const parts = told.id.parts();
    auto all = begin("show", told);
    all["gtrid"] = std::string{told.id.text()};
    all["decided_in"] = told.decided_in;
    all["outcome"] = told.outcome;
    all["explanation"] = told.explanation;
    all["parts"] = {{"node", hex(parts.node, 16)},
                    {"epoch", parts.epoch},
                    {"nonce", hex(parts.nonce, 12)},
                    {"sequence", parts.sequence},
                    {"place", std::string(1, static_cast<char>(parts.place))},
                    {"place_resource_manager", parts.place_resource_manager}};
    all["is_of_node"] = told.is_of_node;
    all["is_known_opening"] = told.is_known_opening;
    all["opened"] = time(told.opened_ms);
    all["decision"] = told.has_decision ? as_json(told.decision) : json(nullptr);
    all["heuristics"] = list_of(told.heuristics);
    all["operator_records"] = list_of(told.operators);
    all["listings"] = list_of(told.listings);
    return dump(all);
}

std::string in_json(doctor_report const& told)
{
    auto all = begin("doctor", told);
    for (std::size_t i = 0; i < told.counts.size(); ++i)
        all["counts"][word_for(static_cast<finding_level>(i + 1))] = told.counts[i];
    all["log"] = as_json(told.log);
    all["databases"] = list_of(told.databases);
    return dump(all);
}

std::string in_json(drain_report const& told)
{
    auto all = begin("drain", told);
    all["log"] = as_json(told.log);
    all["has_acted"] = told.has_acted;
    all["is_drained"] = told.is_drained;
    all["epoch"] = told.has_acted ? json(told.epoch) : json(nullptr);
    all["took_ms"] = told.took_ms;
    all["to_be_finished"] = told.due;
    all["heuristics"] = told.heuristics;
    all["databases"] = json::array();
    for (auto const& each : told.databases) {
        all["databases"].push_back({{"name", each.name},
                                    {"kind", each.kind},
                                    {"is_asked", each.is_asked},
                                    {"is_drained", each.is_drained},
                                    {"why", each.why}});
    }
    all["retired"] = told.retired;
    return dump(all);
}

std::string in_json(act_report const& told)
{
    auto all = begin(told.command.c_str(), told);
    all["subject"] = told.subject;
    all["plan"] = told.plan;
    all["is_dry_run"] = told.is_dry_run;
    all["has_acted"] = told.has_acted;
    all["done"] = text_or_null(told.done);
    all["epoch"] = told.has_acted ? json(told.epoch) : json(nullptr);
    return dump(all);
}

std::string in_json(std::string const& command, failure const& what)
{
    return dump({{"command", text_or_null(command)},
                 {"exit_code", static_cast<int>(what.code())},
                 {"error", what.what()}});
}

}  // namespace assent::cli
