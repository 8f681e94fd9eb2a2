// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_json.cpp -- what was found out about a log's files, for programs.

#include "recovery/cli/log_json.hpp"

#include <utility>

#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/log_stats.hpp"
#include "recovery/cli/log_verify.hpp"

namespace assent::cli {

json time_of(std::int64_t unix_ms)
{
    return unix_ms == 0 ? json(nullptr) : json(iso_utc(unix_ms));
}

std::string dump_json(json const& all, int indent)
{
    return all.dump(indent, ' ', false, json::error_handler_t::replace);
}

char const* key_of(log::page_kind kind)
{
    switch (kind) {
        case log::page_kind::sound:
            return "contradiction";
        case log::page_kind::zeros:
            return "zeros";
        case log::page_kind::damaged:
            return "damaged";
        case log::page_kind::unreadable:
            return "unreadable";
        case log::page_kind::stray:
            return "stray";
        case log::page_kind::newer:
        case log::page_kind::newer_record:
            return "newer";
        case log::page_kind::unchained:
            return "unchained";
        case log::page_kind::out_of_order:
            return "out of order";
        case log::page_kind::malformed:
            return "malformed";
    }
    return "?";
}

json position_of(ports::position const& at)
{
    return {{"epoch", at.epoch}, {"sequence", at.sequence}};
}

json horizon_of(ports::horizon const& what)
{
    json alone = json::array();
    for (auto const& [epoch, sequence] : what.alone())
        alone.push_back(position_of({epoch, sequence}));
    json all = position_of(what.everything());
    all["epochs_alone"] = std::move(alone);
    return all;
}

void add_head(json& into, log::log_inspection const& seen)
{
    auto const* const newest = seen.newest();
    bool const has_writer = newest != nullptr && newest->writer;
    bool const has_header = newest != nullptr && newest->header;
    into["directory"] = seen.directory;
    into["node"] = has_writer ? json(hex(newest->writer->node, 16)) : json(nullptr);
    into["node_label"] = has_header ? json(newest->header->node_label) : json(nullptr);
    into["owner"] = nullptr;
    if (seen.lock.is_held) {
        auto const pid = seen.lock.owner.pid;
        into["owner"] = {{"pid", pid == 0 ? json(nullptr) : json(pid)},
                         {"since", time_of(seen.lock.owner.started_unix_ms)}};
    }
}

namespace {

char const* key_for(log::chain_link link)
{
    switch (link) {
        case log::chain_link::first:
            return "first";
        case log::chain_link::whole:
            return "whole";
        case log::chain_link::cut:
            return "cut";
        case log::chain_link::foreign:
            return "foreign";
        case log::chain_link::not_known:
            return "not known";
        case log::chain_link::hole:
            return "hole";
    }
    return "?";
}

char const* key_for(log::other_file::role what)
{
    switch (what) {
        case log::other_file::role::torn_copy:
            return "torn copy";
        case log::other_file::role::half_made:
            return "half-made";
        case log::other_file::role::stranger:
            return "stranger";
    }
    return "?";
}

json as_json(log::limited_list<log::lsn_range> const& lost)
{
    json ranges = json::array();
    for (auto const& one : lost.first)
        ranges.push_back({{"first", one.first}, {"last", one.last}});
    return {
        {"records", lost.total}, {"ranges", std::move(ranges)}, {"ranges_left_out", lost.left_out}};
}

json as_json(log::damage const& one)
{
    json proof = nullptr;
    if (one.promised_by != 0) proof = one.promised_by;
    if (one.is_of_snapshot) proof = 0;  // the header
    return {{"first_page", one.first},
            {"last_page", one.last},
            {"what", key_of(one.kind)},
            {"why", one.why},
            {"proved_durable_by_page", std::move(proof)}};
}

json as_json(log::linked_segment const& one)
{
    auto const& is = one.is;
    json damage = json::array();
    for (auto const& each : is.damaged.first)
        damage.push_back(as_json(each));
    json told{{"number", is.number},
              {"epoch", is.writer ? json(is.writer->epoch) : json(nullptr)},
              {"nonce", is.writer ? json(hex(is.writer->nonce, 12)) : json(nullptr)},
              {"bytes", is.file_bytes},
              {"pages", is.file_bytes / log::page_bytes},
              {"last_page", is.last_page},
              {"sound_pages", is.sound_pages},
              {"first_lsn", is.first_lsn},
              {"next_lsn", is.next_lsn},
              {"records", is.records},
              {"records_behind_the_end", is.records_after},
              {"decisions", is.decisions},
              {"state", word_for(is.state)},
              {"page", is.page},
              {"why", is.why.empty() ? json(nullptr) : json(is.why)},
              {"chain", key_for(one.link)},
              {"damaged_pages", is.damaged.total},
              {"damage", std::move(damage)},
              {"damage_left_out", is.damaged.left_out},
              {"missing", as_json(is.lost)},
              {"damaged_pages_at_end", is.damaged_at_end},
              {"missing_pages", is.missing_pages}};
    return told;
}

json begin(char const* command, any_report const& told)
{
    return {{"command", command},
            {"exit_code", static_cast<int>(told.code)},
            {"attention", told.attention}};
}

json as_json(log::log_inspection const& seen)
{
    json others = json::array();
    for (auto const& one : seen.others) {
        others.push_back({{"name", one.name}, {"bytes", one.bytes}, {"what", key_for(one.what)}});
    }
    json all = json::array();
    for (auto const& one : seen.segments)
        all.push_back(as_json(one));
    return {{"segments", std::move(all)}, {"other_files", std::move(others)}};
}

json as_json(log::salvage_loss const& loss)
{
    auto all = as_json(loss.records);
    all["pages_at_end"] = loss.pages_at_end;
    all["resource_manager_ids"] = loss.ids;
    all["resource_manager_ids_maybe"] = nullptr;
    if (loss.maybe_to != 0) {
        all["resource_manager_ids_maybe"] = {{"first", loss.maybe_from}, {"last", loss.maybe_to}};
    }
    return all;
}

json as_json(force_counts const& forces)
{
    return {{"count", forces.forces},
            {"pages", forces.pages},
            {"pages_most", forces.pages_most},
            {"records", forces.records},
            {"with_decisions", forces.with_decisions},
            {"decisions", forces.decisions},
            {"decisions_most", forces.decisions_most}};
}

}  // namespace

std::string in_json(verify_report const& told)
{
    auto all = begin("log verify", told);
    add_head(all, told.seen);
    all["verdict"] = word_for(told.seen.verdict);
    all["state"] = told.verdict;
    all["to_do"] = told.advice;
    all.update(as_json(told.seen));
    return dump_json(all, 2) + "\n";
}

std::string in_json(stats_report const& told)
{
    auto all = begin("log stats", told);
    add_head(all, told.seen);
    all["verdict"] = word_for(told.seen.verdict);
    json files = json::array();
    for (auto const& one : told.segments) {
        files.push_back(
            {{"number", one.number},
             {"bytes", one.bytes},
             {"bytes_on_disk", one.bytes_on_disk},
             {"pages", one.pages},
             {"pages_used", one.pages_used},
             {"pages_free", one.pages > one.pages_used ? one.pages - one.pages_used : 0}});
    }
    all["segments"] = std::move(files);
    all["other_bytes"] = told.other_bytes;
    auto const* const newest = told.seen.newest();
    bool const has_header = newest != nullptr && newest->header;
    all["snapshot"] = {{"pages", has_header ? newest->header->snapshot_pages : 0},
                       {"records", told.snapshot_records}};
    all["records"] = told.records;
    all["decisions"] = {{"live", told.live},
                        {"complete", told.complete},
                        {"kept", told.complete - told.droppable},
                        {"droppable", told.droppable}};
    json databases = json::array();
    for (auto const& one : told.databases) {
        databases.push_back({{"id", one.id},
                             {"name", one.name},
                             {"horizon", horizon_of(one.horizon)},
                             {"unfinished", one.unfinished},
                             {"held_back", one.held_back}});
    }
    all["resource_managers"] = std::move(databases);
    all["forces"] = as_json(told.forces);
    all["first"] = time_of(told.first_ms);
    all["last"] = time_of(told.last_ms);
    all["medium"] = {{"file_system", told.file_system},
                     {"is_unsafe", told.is_unsafe},
                     {"copies_on_write", told.copies_on_write},
                     {"takes_o_direct", told.direct}};
    return dump_json(all, 2) + "\n";
}

std::string in_json(repair_report const& told)
{
    auto all = begin("log repair", told);
    add_head(all, told.seen);
    all["verdict"] = word_for(told.seen.verdict);
    all["state"] = told.state;
    all["plan"] = told.plan;
    all["lost"] = told.salvage ? as_json(told.salvage->loss) : json(nullptr);
    all["has_acted"] = told.has_acted;
    all["done"] = told.has_acted ? json(told.done) : json(nullptr);
    all["epoch"] = told.has_acted ? json(told.epoch) : json(nullptr);
    return dump_json(all, 2) + "\n";
}

}  // namespace assent::cli
