// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_reader.cpp -- see log_reader.hpp.

#include "log/log_reader.hpp"

#include <algorithm>

namespace assent::log {

namespace {

log_error refuse(log_fault fault, std::string where, std::string const& advice)
{
    return {fault, std::make_error_code(std::errc::io_error), std::move(where), advice};
}

std::string path_of(file_layer const& files, std::uint64_t number)
{
    return files.directory() + "/" + segment_name(number);
}

/// Refuses an `older` segment that is not the one which `newer` says it followed.
/// @return how it ended, for whoever removes it.
segment_end check_link(file_layer const& files, segment_reader& older, segment_header const& newer)
{
    auto const& header = older.header();
    if (!is_followed_by(header, newer)) {
        throw refuse(log_fault::foreign, path_of(files, header.number),
                     "it is not the segment that " + segment_name(newer.number) +
                         " followed; segments of different logs lie in one directory");
    }
    // After a failed force its last page may have been in the page cache only, and power loss has
    // taken it since.  Its successor holds all of it; what is left is kept as evidence.
    bool const is_whole = older.has_page(newer.previous_last_page, newer.previous_crc);
    return is_whole ? newer.previous_end : segment_end::torn;
}

}  // namespace

std::vector<std::uint64_t> list_segments(file_layer& files)
{
    std::vector<std::string> names;
    long const listed = files.list(names);
    if (listed < 0) throw io_failure(listed, files.directory(), "cannot list the directory");
    std::vector<std::uint64_t> numbers;
    std::uint64_t proved = 0;
    for (std::string const& name : names) {
        proved = std::max(proved, segment_proved_by(name));
        if (!name.ends_with(".seg")) continue;
        auto const number = segment_number(name);
        if (!number) {
            throw refuse(log_fault::foreign, files.directory() + "/" + name,
                         "not the name of a segment; move it out of the log's directory");
        }
        numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    auto const require = [&](bool is_there, std::uint64_t number) {
        if (is_there) return;
        throw refuse(log_fault::missing_segment, path_of(files, number),
                     "this segment is missing; restore the whole directory");
    };
    for (std::size_t i = 1; i < numbers.size(); ++i) {
        require(numbers[i] == numbers[i - 1] + 1, numbers[i - 1] + 1);
    }
    require(proved <= (numbers.empty() ? 0 : numbers.back()), proved);
    return numbers;
}

std::optional<log_contents> read_log(file_layer& files)
{
    auto const numbers = list_segments(files);
    if (numbers.empty()) return std::nullopt;

    log_contents contents;
    segment_reader newest(files, numbers.back());
    contents.newest = newest.header();
    segment_header newer = newest.header();
    for (auto at = std::next(numbers.rbegin()); at != numbers.rend(); ++at) {
        segment_reader older(files, *at);
        contents.older.push_back({*at, check_link(files, older, newer)});
        newer = older.header();
    }
    std::reverse(contents.older.begin(), contents.older.end());

    contents.tail = newest.read([&](record const& what) { return contents.image.apply(what); });
    auto const& writer = contents.newest.writer;
    bool const knows_writer = contents.image.openings().count({writer.epoch, writer.nonce}) != 0 &&
                              contents.image.last_epoch() == writer.epoch;
    if (!knows_writer) {
        throw refuse(log_fault::corrupt, path_of(files, numbers.back()),
                     "its snapshot does not name the opening that wrote it");
    }
    return contents;
}

}  // namespace assent::log
