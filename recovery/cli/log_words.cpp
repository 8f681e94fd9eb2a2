// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_words.cpp -- what was found out about a log's files, for people.

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/log_stats.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

using log::chain_link;
using log::segment_state;

std::vector<std::pair<std::string, std::string>> head_of(log::log_inspection const& seen)
{
    std::vector<std::pair<std::string, std::string>> all{{"log", seen.directory}};
    if (auto const* const newest = seen.newest()) {
        std::string node = newest->writer ? hex(newest->writer->node, 16) : "not known";
        if (newest->header) node += " \"" + newest->header->node_label + "\"";
        all.push_back({"node", node});
    }
    all.push_back({"owner", seen.lock.is_held ? name_of_owner(seen.lock) : "nobody"});
    return all;
}

std::string end_of(log::segment_inspection const& one)
{
    auto text = word_for(one.state);
    if (one.page != 0) text += " at page " + std::to_string(one.page);
    if (!one.why.empty()) text += ": " + one.why;
    return text;
}

std::string chain_of(log::linked_segment const& one)
{
    auto const before = one.is.header ? one.is.header->previous_number : 0;
    switch (one.link) {
        case chain_link::first:
            return before == 0 ? "the first" : "the one before is not needed";
        case chain_link::whole:
            return "follows " + std::to_string(before);
        case chain_link::cut:
            return "follows " + std::to_string(before) + ", whose end is gone";
        case chain_link::foreign:
            return "does not follow the one before";
        case chain_link::not_known:
            return "not known";
        case chain_link::hole:
            return "the one before is missing";
    }
    return "?";
}

colour colour_of(segment_state state)
{
    switch (state) {
        case segment_state::corrupt:
        case segment_state::headless:
        case segment_state::newer:
            return colour::red;
        case segment_state::torn:
            return colour::yellow;
        default:
            return colour::plain;
    }
}

std::string segments(log::log_inspection const& seen, painter const& paint)
{
    table list{{"SEGMENT", "EPOCH", "NONCE", "PAGES", "RECORDS", "CHAIN", "ENDS"}};
    for (auto const& one : seen.segments) {
        auto const& is = one.is;
        std::string const pages = std::to_string(is.last_page + 1) + " of " +
                                  std::to_string(is.file_bytes / log::page_bytes);
        list.add({std::to_string(is.number), is.writer ? std::to_string(is.writer->epoch) : "-",
                  is.writer ? hex(is.writer->nonce, 12) : "-", pages, std::to_string(is.records),
                  chain_of(one), end_of(is)},
                 colour_of(is.state));
    }
    return list.is_empty() ? std::string{} : "\n" + list.text(paint);
}

std::string proof_of(log::damage const& one)
{
    if (one.is_of_snapshot) return "the header: it is of the snapshot";
    if (one.promised_by != 0) return "page " + std::to_string(one.promised_by);
    return one.is_contradiction ? "-" : "nothing";
}

std::string damage(log::segment_inspection const& is, painter const& paint)
{
    if (is.damaged.first.empty()) return {};
    table list{{"PAGE", "WHAT", "PROVED DURABLE BY"}};
    for (auto const& one : is.damaged.first) {
        list.add({range_of(one.first, one.last), one.why, proof_of(one)});
    }
    auto text = heading("segment " + std::to_string(is.number) + ": " +
                            count_of(static_cast<std::size_t>(is.damaged.total), "damaged page",
                                     "damaged pages"),
                        paint) +
                list.text(paint, 2);
    if (is.damaged.left_out > 0) {
        text += "  and " + std::to_string(is.damaged.left_out) + " more places\n";
    }
    return text;
}

std::string missing(log::segment_inspection const& is, painter const& paint)
{
    bool const is_damage = is.state == segment_state::corrupt || !is.header;
    std::string text;
    for (auto const& one : is.lost.first) {
        text += (text.empty() ? "  " : ", ") + range_of(one.first, one.last);
    }
    if (is.lost.left_out > 0) text += ", and more";
    if (!text.empty()) text += "\n";
    if (is_damage && is.damaged_at_end > 0) {
        text += "  and whatever " + count_of(is.damaged_at_end, "damaged page", "damaged pages") +
                " behind page " + std::to_string(is.last_page) + " held\n";
    }
    if (is_damage && is.missing_pages > 0) {
        text +=
            "  and whatever the missing " + count_of(is.missing_pages, "page", "pages") + " held\n";
    }
    if (text.empty()) return text;
    return heading("segment " + std::to_string(is.number) + ": " +
                       count_of(static_cast<std::size_t>(is.lost.total), "missing record",
                                "missing records"),
                   paint) +
           text;
}

std::string others(log::log_inspection const& seen, painter const& paint)
{
    table list{{"ALSO THERE", "SIZE", "WHAT"}};
    for (auto const& one : seen.others) {
        std::string what = "not of this log";
        if (one.what == log::other_file::role::torn_copy) {
            what = "a torn segment, kept as evidence; it may be deleted";
        } else if (one.what == log::other_file::role::half_made) {
            what = "the next segment, not begun; it counts for nothing";
        }
        list.add({one.name, bytes(one.bytes), what});
    }
    return list.is_empty() ? std::string{} : "\n" + list.text(paint);
}

std::string decimal(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", number);
    return text.data();
}

std::string average(std::uint64_t all, std::uint64_t of)
{
    return of == 0 ? "-" : decimal(static_cast<double>(all) / static_cast<double>(of));
}

std::string forces_of(force_counts const& forces)
{
    if (forces.forces == 0) return "none behind the snapshot";
    return std::to_string(forces.forces) + ", " + average(forces.records, forces.forces) +
           " records and " + average(forces.pages, forces.forces) + " pages each, at most " +
           count_of(static_cast<std::size_t>(forces.pages_most), "page", "pages") + "; " +
           average(forces.records, forces.pages) + " records a page";
}

std::string groups_of(force_counts const& forces)
{
    if (forces.with_decisions == 0) return "none behind the snapshot";
    return std::to_string(forces.decisions) + " in " + std::to_string(forces.with_decisions) +
           " forces: " + average(forces.decisions, forces.with_decisions) + " share one, at most " +
           std::to_string(forces.decisions_most);
}

std::string kept(stats_report const& told, painter const& paint)
{
    table list{{"RESOURCE MANAGER", "ID", "HORIZON", "UNFINISHED", "FINISHED, KEPT FOR IT"}};
    for (auto const& one : told.databases) {
        list.add({escaped(one.name), std::to_string(one.id), word_for(one.horizon),
                  std::to_string(one.unfinished), std::to_string(one.held_back)},
                 one.unfinished + one.held_back > 0 ? colour::yellow : colour::plain);
    }
    return list.is_empty() ? std::string{} : "\n" + list.text(paint);
}

std::string by_type(stats_report const& told, painter const& paint)
{
    table list{{"RECORDS", "TYPE"}};
    for (auto const& [type, count] : told.records) {
        list.add({std::to_string(count), type});
    }
    return list.is_empty() ? std::string{} : "\n" + list.text(paint);
}

std::string medium_of(stats_report const& told)
{
    std::string text = told.file_system;
    if (told.is_unsafe) text += ", where a log may be lost or shared";
    if (told.copies_on_write) text += ", which writes to new places";
    if (told.direct == "yes") return text + ", takes O_DIRECT";
    if (told.direct == "no") return text + ", takes no O_DIRECT: forces go through the page cache";
    return told.direct.empty() ? text : text + ", O_DIRECT: " + told.direct;
}

}  // namespace

std::string in_words(verify_report const& told, painter const& paint)
{
    auto head = head_of(told.seen);
    head.push_back({"verdict", told.verdict});
    head.push_back({"to do", told.advice});
    auto text = pairs(head, paint) + segments(told.seen, paint);
    for (auto const& one : told.seen.segments) {
        text += damage(one.is, paint) + missing(one.is, paint);
    }
    return text + others(told.seen, paint) + attention(told, paint);
}

std::string in_words(stats_report const& told, painter const& paint)
{
    auto head = head_of(told.seen);
    std::uint64_t size = 0;
    std::uint64_t on_disk = 0;
    for (auto const& one : told.segments) {
        size += one.bytes;
        on_disk += one.bytes_on_disk;
    }
    head.push_back({"medium", medium_of(told)});
    head.push_back({"segments", count_of(told.segments.size(), "file", "files") + ", " +
                                    bytes(size) + ", " + bytes(on_disk) + " on disk" +
                                    (told.other_bytes == 0 ? std::string{}
                                                           : "; and " + bytes(told.other_bytes) +
                                                                 " of torn and half-made ones")});
    if (auto const* const newest = told.seen.newest()) {
        auto const pages = newest->file_bytes / log::page_bytes;
        auto const used = std::uint64_t{newest->last_page} + 1;
        head.push_back({"newest", "number " + std::to_string(newest->number) + ", " +
                                      std::to_string(used) + " of " + std::to_string(pages) +
                                      " pages used, " +
                                      std::to_string(pages > used ? pages - used : 0) + " free, " +
                                      word_for(newest->state)});
        head.push_back(
            {"snapshot",
             count_of(newest->header ? newest->header->snapshot_pages : 0, "page", "pages") + ", " +
                 count_of(static_cast<std::size_t>(told.snapshot_records), "record", "records")});
    }
    head.push_back({"decisions",
                    std::to_string(told.live) + " to be carried out, " +
                        std::to_string(told.complete) +
                        " finished: " + std::to_string(told.complete - told.droppable) + " kept, " +
                        std::to_string(told.droppable) + " gone with the next segment"});
    head.push_back({"forces", forces_of(told.forces)});
    head.push_back({"group commit", groups_of(told.forces)});
    head.push_back({"time", utc(told.first_ms) + " to " + utc(told.last_ms)});
    return pairs(head, paint) + kept(told, paint) + by_type(told, paint) + attention(told, paint);
}

std::string in_words(repair_report const& told, painter const& paint)
{
    auto head = head_of(told.seen);
    head.push_back({"state", told.state});
    if (told.plan.empty() && told.code == exit_code::fine) {
        head.push_back({"plan", "nothing has to be repaired"});
    }
    auto text = pairs(head, paint);
    if (!told.plan.empty()) text += heading("plan", paint);
    for (std::size_t i = 0; i < told.plan.size(); ++i) {
        text += "  " + std::to_string(i + 1) + ". " + printable(told.plan[i]) + "\n";
    }
    if (told.has_acted) {
        text += heading("done", paint) + "  " + printable(told.done) + " (epoch " +
                std::to_string(told.epoch) + ")\n";
    }
    return text + attention(told, paint);
}

}  // namespace assent::cli
