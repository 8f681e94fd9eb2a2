// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_reader.cpp -- see segment_reader.hpp.

#include "log/segment_reader.hpp"

#include <system_error>

#include "log/tail_judge.hpp"

namespace assent::log {

namespace {

std::string const restore_advice =
    "; nothing was changed. A log keeps no second copy of itself (no mirror): do not truncate or "
    "delete it, since decisions may be lost with it; run assent log verify with its --directory, "
    "which says what is left and what to do";

}  // namespace

segment_reader::segment_reader(file_layer& files, std::uint64_t number)
    : pages_(files, number, bad_sector::fails_the_read)
{
    if (!pages_.header()) refuse_header();
    if (!pages_.is_whole()) refuse(log_fault::corrupt, "its size is not the one in its header");
}

void segment_reader::refuse(log_fault fault, std::string const& why, std::uint32_t page) const
{
    bool const is_newer = fault == log_fault::newer_version;
    throw log_error(fault,
                    std::make_error_code(is_newer ? std::errc::not_supported : std::errc::io_error),
                    pages_.path(), why + (is_newer ? "; use that version" : restore_advice), page);
}

void segment_reader::refuse_read() const
{
    auto const& failure = pages_.failure();
    if (failure.error != 0) throw io_failure(failure.error, pages_.path(), "cannot read");
    refuse(log_fault::corrupt, "the file ended early",
           static_cast<std::uint32_t>(failure.offset / page_bytes));
}

void segment_reader::refuse_header() const
{
    auto const why = "its header: " + pages_.header_problem();
    switch (pages_.state_of_header()) {
        case header_state::unreadable:
            refuse_read();
        case header_state::newer:
            refuse(log_fault::newer_version, why);
        case header_state::too_short:
            refuse(log_fault::corrupt, why);
        default:
            refuse(log_fault::foreign, why);
    }
}

scanned_page segment_reader::look_at(std::uint32_t page)
{
    auto seen = pages_.look_at(page);
    if (seen.kind == page_kind::unreadable) refuse_read();
    return seen;
}

segment_tail segment_reader::read(std::function<bool(record const&)> const& visit)
{
    segment_tail tail;
    tail.last_crc = pages_.header_crc();
    tail.next_lsn = header().first_lsn;
    auto before = pages_.beginning();
    tail_judge judge(header().snapshot_pages);
    pages_.forget();
    for (std::uint32_t page = 1; page < header().page_count; ++page) {
        auto seen = look_at(page);
        if (!judge.is_past_end()) pages_.follow(seen, before);
        judge.look_at(seen);
        if (judge.says() == tail_judge::verdict::newer) {
            refuse(log_fault::newer_version, judge.why(), judge.page());
        }
        if (judge.is_decided()) refuse(log_fault::corrupt, judge.why(), judge.page());
        if (judge.is_past_end()) continue;
        for (scanned_record const& one : pages_.records()) {
            if (!one.what || visit(*one.what)) continue;
            refuse(log_fault::corrupt, "record " + std::to_string(one.lsn) + " contradicts the log",
                   page);
        }
        tail.last_page = page;
        tail.last_crc = seen.crc;
        tail.next_lsn = *before.next_lsn;
        bool const is_seal = (seen.header.flags & page_seal) != 0;
        tail.end = is_seal ? segment_end::sealed : segment_end::unsealed;
    }
    if (judge.says() == tail_judge::verdict::torn) tail.end = segment_end::torn;
    return tail;
}

bool segment_reader::has_page(std::uint32_t page, std::uint32_t crc)
{
    if (page == 0) return pages_.header_crc() == crc;
    if (page >= header().page_count) return false;
    auto const seen = look_at(page);
    if (seen.kind == page_kind::newer) refuse(log_fault::newer_version, seen.why, page);
    return seen.kind == page_kind::sound && seen.crc == crc;
}

}  // namespace assent::log
