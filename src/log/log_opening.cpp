// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_opening.cpp -- see log_opening.hpp.

#include "log/log_opening.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <utility>

#include "log/log_error.hpp"
#include "log/log_reader.hpp"
#include "log/random.hpp"

namespace assent::log {

namespace {

constexpr unsigned group_writable = 020;
constexpr unsigned world_writable = 002;

/// No log gets here by its own work; behind it there is room for every segment of one opening.
constexpr std::uint64_t segments_max = std::numeric_limits<std::int64_t>::max();

log_error refuse(log_fault fault, std::errc code, std::string const& where,
                 std::string const& advice)
{
    return {fault, std::make_error_code(code), where, advice};
}

/// Removes what a crash left half-made: no name of a segment was ever given to it.
void remove_half_made(file_layer& files)
{
    std::vector<std::string> names;
    long const listed = files.list(names);
    if (listed < 0) throw io_failure(listed, files.directory(), "cannot list the directory");
    for (std::string const& name : names) {
        if (name.find(".seg.") == std::string::npos || !name.ends_with(".tmp")) continue;
        if (long const removed = files.unlink(name); removed < 0) {
            throw io_failure(removed, files.directory() + "/" + name,
                             "cannot remove the half-made segment");
        }
    }
}

/// What a dead owner wrote may still be in the page cache only: what is read next must not be
/// better than what is on disk.
void settle(file_layer& files, std::vector<std::uint64_t> const& numbers)
{
    for (std::uint64_t number : numbers) {
        std::string const name = segment_name(number);
        std::string const path = files.directory() + "/" + name;
        long const opened = files.open(name, open_mode::read_write);
        if (opened < 0) throw io_failure(opened, path, "cannot open the segment");
        auto const file = static_cast<file_layer::handle>(opened);
        long const forced = files.fsync(file);
        files.close(file);
        if (forced < 0) throw io_failure(forced, path, "cannot force what is there");
    }
    if (long const forced = files.sync_directory(); forced < 0) {
        throw io_failure(forced, files.directory(), "cannot force the directory");
    }
}

}  // namespace

directory_facts attach_safely(file_layer& files, bool create,
                              std::vector<std::string> const& allowed)
{
    directory_facts facts;
    long const attached = files.attach(create, facts);
    if (attached == -ELOOP) {
        throw io_failure(attached, files.directory(),
                         "it is a symbolic link, which can be turned while the log is open: name "
                         "the directory that it leads to");
    }
    if (attached < 0) throw io_failure(attached, files.directory(), "cannot open the directory");
    if (!create) return facts;
    if (!facts.is_own) {
        throw refuse(log_fault::unsafe_directory, std::errc::permission_denied, files.directory(),
                     "it belongs to another user; run as its owner");
    }
    if ((facts.mode & world_writable) != 0) {
        throw refuse(log_fault::unsafe_directory, std::errc::permission_denied, files.directory(),
                     "everybody can write it; chmod 0700 it");
    }
    if ((facts.mode & group_writable) != 0) {
        throw refuse(
            log_fault::unsafe_directory, std::errc::permission_denied, files.directory(),
            "its group can write it; chmod 0700 it, or give the log a directory of its own "
            "in the volume");
    }
    bool const is_allowed =
        !facts.is_unsafe || std::count(allowed.begin(), allowed.end(), facts.file_system) != 0;
    if (!is_allowed) {
        throw refuse(log_fault::unsafe_file_system, std::errc::not_supported, files.directory(),
                     "a log on " + facts.file_system +
                         " may be lost or shared; use a local disk, or allow \"" +
                         facts.file_system + "\" by name");
    }
    return facts;
}

void note_opening(log_image& image, ports::opening const& which, opening_settings const& how)
{
    auto const before = image.presumption_delay();
    image.apply(record{opening_record{which, how.unix_ms()}});
    image.apply(
        record{opening_limits_record{which, how.guardian_lapse, how.log_force, how.log_hang,
                                     std::max(before, how.guardian_lapse + how.log_force)}});
}

opened_log open_log(file_layer& files, opening_settings const& how)
{
    auto const numbers = list_segments(files);  // while half-made ones can still prove something
    if (numbers.empty() && how.epoch_before != 0) {
        throw refuse(log_fault::missing_segment, std::errc::no_such_file_or_directory,
                     files.directory(),
                     "epoch " + std::to_string(how.epoch_before) +
                         " of a log was opened here, and its segments are gone; restore the whole "
                         "directory, or remove its lock file to begin a new log");
    }
    remove_half_made(files);
    settle(files, numbers);
    std::optional<log_contents> found = read_log(files);
    if (found && found->newest.node_label != how.node_label) {
        throw refuse(log_fault::label_mismatch, std::errc::invalid_argument, files.directory(),
                     "this is the log of node \"" + found->newest.node_label + "\", not of \"" +
                         how.node_label + "\"; give each node a directory of its own");
    }

    // The lock file names an epoch only once its segment lasts.
    if (found && found->image.last_epoch() < how.epoch_before) {
        throw refuse(log_fault::missing_segment, std::errc::no_such_file_or_directory,
                     files.directory(),
                     "epoch " + std::to_string(how.epoch_before) +
                         " of this log was opened here, and its segments end with epoch " +
                         std::to_string(found->image.last_epoch()) +
                         ": they are those of a backup, and what was decided since is missing; "
                         "never restore a log");
    }

    opened_log log;
    log.node = found ? found->newest.writer.node
                     : nonzero(how.random, std::numeric_limits<std::uint64_t>::max());
    if (found) log.image = std::move(found->image);
    if (log.image.last_epoch() == std::numeric_limits<std::uint32_t>::max()) {
        throw refuse(log_fault::exhausted, std::errc::value_too_large, files.directory(),
                     "its epochs have run out; drain this node and begin a new log");
    }
    if (found && found->newest.number > segments_max) {
        throw refuse(log_fault::exhausted, std::errc::value_too_large, files.directory(),
                     "its segment numbers have run out; drain this node and begin a new log");
    }
    log.current = {log.image.last_epoch() + 1, nonzero(how.random, nonce_max)};

    log_writer::settings settings;
    settings.writer = {log.node, log.current.epoch, log.current.nonce};
    settings.node_label = how.node_label;
    settings.unix_ms = how.unix_ms;
    log_writer::position at;
    segment_end end = segment_end::none;
    std::vector<older_segment> older;
    if (found) {
        end = found->tail.end;
        at = {found->newest.number, found->newest.writer, found->tail.last_page,
              found->tail.last_crc, found->tail.next_lsn};
        older = std::move(found->older);
        older.push_back({found->newest.number, end});
    }
    log.writer = std::make_unique<log_writer>(files, settings, at);
    note_opening(log.image, log.current, how);
    auto const spare =
        make_spare(files, at.number + 1,
                   pages_for(static_cast<std::uint32_t>(how.segment_bytes / page_bytes),
                             log.image.snapshot_pages_max()));
    auto packed = log.writer->pack(log.image, end, spare);
    // All that was read is forced anew before anything is done by it, and before its old segments
    // go: what the page cache shows after a failed force may not be on the disk.
    log.writer->begin_segment(packed, spare);
    for (older_segment const& one : older) {
        remove_segment(files, one, how.unix_ms);
    }
    log.image.drop_forgettable();
    return log;
}

}  // namespace assent::log
