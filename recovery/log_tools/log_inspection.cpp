// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_inspection.cpp -- see log_inspection.hpp.

#include "recovery/log_tools/log_inspection.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "log/log_error.hpp"
#include "recovery/log_tools/reader_patience.hpp"

namespace assent::log {

namespace {

std::uint64_t size_of(file_layer& files, std::string const& name)
{
    long const opened = files.open(name, open_mode::read);
    if (opened < 0) return 0;  // it is gone, or not a plain file: nothing of the log
    auto const file = static_cast<file_layer::handle>(opened);
    long const size = files.size(file);
    files.close(file);
    return size < 0 ? 0 : static_cast<std::uint64_t>(size);
}

void refuse(log_inspection& told, log_verdict what, std::string where, std::string why)
{
    // The first reason is the one that whoever opens the log would meet.
    if (told.verdict >= log_verdict::damaged) return;
    told.verdict = what;
    told.where = std::move(where);
    told.why = std::move(why);
}

chain_link link_of(file_layer& files, segment_inspection const* older,
                   segment_inspection const& newer)
{
    if (older == nullptr) return chain_link::first;
    if (older->number + 1 != newer.number) return chain_link::hole;
    if (!newer.header || !older->header) return chain_link::not_known;
    auto const& says = *newer.header;
    auto const& was = *older->header;
    if (!is_followed_by(was, says)) return chain_link::foreign;
    segment_pages pages(files, older->number, bad_sector::takes_its_own_page);
    auto const last = says.previous_last_page;
    if (last == 0) {
        return pages.header_crc() == says.previous_crc ? chain_link::whole : chain_link::cut;
    }
    if (last >= pages.pages()) return chain_link::cut;
    auto const end = pages.look_at(last);
    if (end.kind == page_kind::newer || end.kind == page_kind::unreadable) {
        return chain_link::not_known;
    }
    bool const is_whole = end.kind == page_kind::sound && end.crc == says.previous_crc;
    return is_whole ? chain_link::whole : chain_link::cut;
}

/// Whether the newest segment is the newest that ever was.
void judge_newest(log_inspection& told)
{
    auto const* const newest = told.newest();
    auto const number = newest ? newest->number : 0;
    for (other_file const& one : told.others) {
        auto const proved = segment_proved_by(one.name);
        if (proved <= number) continue;
        told.is_newest_missing = true;
        refuse(told, log_verdict::missing, told.directory + "/" + segment_name(proved),
               "this segment is missing: " + one.name + " would not be there without it");
    }
    auto const epoch = newest && newest->writer ? newest->writer->epoch : 0;
    auto const opened = told.lock.owner.epoch;
    if (opened <= epoch || (newest && !newest->writer) || (!newest && told.lock.is_held)) return;
    told.is_newest_missing = true;
    refuse(told, log_verdict::missing, told.directory,
           "the lock file says that epoch " + std::to_string(opened) + " was opened here, and " +
               (newest ? "the newest segment is of epoch " + std::to_string(epoch)
                       : std::string("there is no segment")) +
               ": a newer one is missing");
}

/// In the order in which read_log() would find out.
void judge(log_inspection& told)
{
    for (other_file const& one : told.others) {
        if (!one.name.ends_with(".seg")) continue;
        refuse(told, log_verdict::foreign, told.directory + "/" + one.name,
               "not the name of a segment");
    }
    judge_newest(told);
    if (told.segments.empty()) return;
    if (told.verdict == log_verdict::none) told.verdict = log_verdict::sound;
    for (linked_segment const& one : told.segments) {
        if (one.link != chain_link::hole) continue;
        refuse(told, log_verdict::missing, told.directory + "/" + segment_name(one.is.number - 1),
               "this segment is missing");
    }
    for (auto at = told.segments.rbegin(); at != told.segments.rend(); ++at) {
        auto const& one = at->is;
        bool const is_newest = at == told.segments.rbegin();
        if (one.state == segment_state::newer && (is_newest || !one.header)) {
            told.page = one.page;
            refuse(told, log_verdict::newer, one.path, one.why);
        } else if (!one.header || (one.state == segment_state::corrupt && one.page == 0)) {
            refuse(told, log_verdict::damaged, one.path, one.why);
        } else if (at->link == chain_link::foreign) {
            refuse(told, log_verdict::foreign, one.path,
                   "the segment before it is not the one that it followed");
        } else if (at->link == chain_link::not_known) {
            refuse(told, log_verdict::damaged, one.path,
                   "where the segment before it ended cannot be read");
        }
    }
    auto const& newest = told.segments.back().is;
    if (told.verdict != log_verdict::sound) return;
    told.where = newest.path;
    if (newest.state != segment_state::corrupt && !newest.names_writer) {
        return refuse(told, log_verdict::damaged, newest.path,
                      "its snapshot does not name the opening that wrote it");
    }
    told.page = newest.page;
    told.why = newest.why;
    if (newest.state == segment_state::corrupt) told.verdict = log_verdict::damaged;
    if (newest.state == segment_state::torn) told.verdict = log_verdict::torn;
}

log_inspection inspect_once(file_layer& files, inspection_settings const& how,
                            lock_facts const& lock)
{
    bool const is_live = lock.is_held;
    log_inspection told;
    told.directory = files.directory();
    told.lock = lock;
    auto contents = list_directory(files);
    told.others = std::move(contents.others);
    inspection_progress done;
    done.bytes = contents.bytes;
    for (std::uint64_t const number : contents.segments) {
        segment_scan scan(files, number, is_live);
        auto const before = done.bytes_read;
        std::uint64_t last = 0;
        std::uint64_t rounds = 0;
        done.segment = number;
        if (how.progress) {
            scan.on_progress([&](std::uint64_t bytes) {
                if (bytes < last) rounds += last;
                last = bytes;
                done.bytes_read = before + rounds + bytes;
                how.progress(done);
            });
        }
        linked_segment one{inspect(scan, number, is_live && number == contents.segments.back(),
                                   how.decisions_at_once),
                           chain_link::first};
        auto const* const older = told.segments.empty() ? nullptr : &told.segments.back().is;
        one.link = link_of(files, older, one.is);
        told.segments.push_back(std::move(one));
    }
    judge(told);
    return told;
}

lock_facts look(file_layer& files, inspection_settings const& how)
{
    auto seen = look_at_lock(files);
    if (how.is_owner) seen.is_held = false;
    return seen;
}

bool is_same_newest(file_layer& files, log_inspection const& told)
{
    auto const now = list_directory(files).segments;
    return !now.empty() && told.newest() != nullptr && now.back() == told.newest()->number;
}

}  // namespace

directory_contents list_directory(file_layer& files)
{
    std::vector<std::string> names;
    long const listed = files.list(names);
    if (listed < 0) throw io_failure(listed, files.directory(), "cannot list the directory");
    directory_contents found;
    for (std::string const& name : names) {
        if (name == "lock") continue;
        if (auto const number = segment_number(name)) {
            found.segments.push_back(*number);
            found.bytes += size_of(files, name);
        } else {
            found.others.push_back({name, role_of_file(name), size_of(files, name)});
        }
    }
    std::sort(found.segments.begin(), found.segments.end());
    std::sort(found.others.begin(), found.others.end(),
              [](auto const& a, auto const& b) { return a.name < b.name; });
    return found;
}

log_inspection inspect_log(file_layer& files, inspection_settings const& how)
{
    reader_patience patience{how.patience};
    for (;;) {
        auto const before = look(files, how);
        try {
            auto told = inspect_once(files, how, before);
            told.lock = look(files, how);
            // Whoever took the log meanwhile, or went on in another segment, has moved it.
            bool const was_owned = before.is_held || told.lock.is_held;
            bool const is_settled =
                told.verdict == log_verdict::sound || told.verdict == log_verdict::torn;
            bool const is_still =
                before.is_held == told.lock.is_held && is_same_newest(files, told);
            if (!was_owned || (is_settled && is_still)) return told;
            if (!patience.is_over(!is_still)) continue;
            bool const is_unseen =
                told.verdict == log_verdict::none || told.verdict == log_verdict::missing;
            if (!is_still && is_unseen) reader_patience::give_up(files.directory());
            return told;
        } catch (log_error const& failed) {
            patience.bear(failed, before.is_held, files.directory());
        }
    }
}

}  // namespace assent::log
