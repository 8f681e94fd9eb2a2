// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_scan.cpp -- see segment_scan.hpp.

#include "log/segment_scan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "log/log_error.hpp"

namespace assent::log {

namespace {

constexpr std::uint32_t buffer_pages = 64;

bool may_be_under_way(page_kind what) noexcept
{
    return what == page_kind::zeros || what == page_kind::damaged || what == page_kind::unreadable;
}

}  // namespace

segment_scan::segment_scan(file_layer& files, std::uint64_t number, bool is_live)
    : file_(files, number), number_(number), is_live_(is_live)
{
    buffer_.resize(buffer_pages * page_bytes);
    read_header();
    if (!header_) find_writer();
}

void segment_scan::read_header()
{
    auto const whole = std::min<std::uint64_t>(file_.size_bytes() / page_bytes, segment_pages_max);
    pages_ = static_cast<std::uint32_t>(whole);
    page_count_ = pages_;
    if (pages_ == 0) {
        header_problem_ = "the file is shorter than a header";
        return;
    }
    if (!load(0)) {
        header_problem_ =
            "it cannot be read: " + std::generic_category().message(static_cast<int>(-read_error_));
        return;
    }
    segment_header found;
    switch (decode(bytes_of(0), found)) {
        case page_verdict::valid:
            break;
        case page_verdict::newer:
            is_newer_ = true;
            header_problem_ = "it is of a later major version of Assent";
            return;
        default:
            header_problem_ = "it is damaged, or this is no segment";
            return;
    }
    if (found.number != number_) {
        header_problem_ = "it belongs to " + segment_name(found.number);
        return;
    }
    header_crc_ = segment_header_crc(bytes_of(0));
    writer_ = found.writer;
    page_count_ = found.page_count;
    pages_ = std::min(pages_, page_count_);
    header_ = std::move(found);
}

/// Without a header, the first page that lies where it says tells whose segment this is.
void segment_scan::find_writer()
{
    for (std::uint32_t page = 1; page < pages_; ++page) {
        page_header header;
        if (!load(page) || decode(bytes_of(page), header) != page_verdict::valid) continue;
        if (header.segment != number_ || header.page != page) continue;
        writer_ = header.writer;
        return;
    }
}

bool segment_scan::read_pages(std::uint32_t page, std::uint32_t count)
{
    auto into = std::span(buffer_).first(count * page_bytes);
    std::uint64_t offset = std::uint64_t{page} * page_bytes;
    while (!into.empty()) {
        long const got = file_.read(into, offset);
        if (got == -EINTR) continue;
        if (got <= 0) {
            read_error_ = got < 0 ? got : -EIO;  // the file got shorter under our eyes
            return false;
        }
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    buffered_from_ = page;
    buffered_ = count;
    if (progress_) progress_(offset);
    return true;
}

/// @return false when the disk does not give the page.
bool segment_scan::load(std::uint32_t page)
{
    if (page >= buffered_from_ && page - buffered_from_ < buffered_) return true;
    buffered_ = 0;
    // One bad sector must not take its neighbours with it.
    return read_pages(page, std::min(buffer_pages, pages_ - page)) || read_pages(page, 1);
}

page_view segment_scan::bytes_of(std::uint32_t page) const noexcept
{
    return page_view{buffer_.data() + (page - buffered_from_) * page_bytes, page_bytes};
}

scanned_page segment_scan::examine(std::uint32_t page)
{
    scanned_page seen;
    seen.number = page;
    if (!load(page)) {
        seen.kind = page_kind::unreadable;
        seen.why =
            "it cannot be read: " + std::generic_category().message(static_cast<int>(-read_error_));
        return seen;
    }
    switch (decode(bytes_of(page), seen.header)) {
        case page_verdict::unwritten:
            seen.kind = page_kind::zeros;
            seen.why = "zeros lie where a page was written";
            return seen;
        case page_verdict::newer:
            seen.kind = page_kind::newer;
            seen.why = "it was written by a later version of Assent";
            return seen;
        case page_verdict::valid:
            break;
        default:
            seen.kind = page_kind::damaged;
            seen.why = "its checksum is wrong";
            return seen;
    }
    bool const is_here = seen.header.segment == number_ && seen.header.page == page && writer_ &&
                         seen.header.writer == *writer_;
    seen.kind = is_here ? page_kind::sound : page_kind::stray;
    if (!is_here) {
        seen.why = "an intact page of another place lies there: page " +
                   std::to_string(seen.header.page) + " of segment " +
                   std::to_string(seen.header.segment) + ", epoch " +
                   std::to_string(seen.header.writer.epoch);
    }
    seen.crc = page_crc(bytes_of(page));
    return seen;
}

/// Whether an intact page goes on where those before it ended.
void segment_scan::place(scanned_page& page, thread_of_pages& before)
{
    auto const first = page.header.first_lsn;
    if (before.crc && page.header.previous_crc != *before.crc) {
        page.kind = page_kind::unchained;
        page.why = "it does not follow its neighbour";
    } else if (before.next_lsn && first != *before.next_lsn &&
               (first < *before.next_lsn || !before.has_gap)) {
        page.kind = page_kind::out_of_order;
        page.why = "its records begin with number " + std::to_string(first) + ", and " +
                   std::to_string(*before.next_lsn) + " is next";
    }
}

void segment_scan::decode_records(scanned_page& page)
{
    records_.clear();
    auto const& header = page.header;
    auto rest = bytes_of(page.number).subspan(page_header_bytes, header.payload_bytes);
    auto const refuse = [&page](page_kind what, std::string why) {
        page.kind = what;
        page.why = std::move(why);
    };
    std::uint64_t lsn = header.first_lsn;
    for (unsigned i = 0; i < header.record_count; ++i, ++lsn) {
        auto const offset =
            static_cast<std::uint32_t>(page_header_bytes + header.payload_bytes - rest.size());
        auto const found =
            decode_record(rest, {header.writer, header.segment, header.page, offset});
        if (!found || found->lsn != lsn) {
            return refuse(page_kind::malformed, "a record in it is damaged");
        }
        auto const body = rest.subspan(record_header_bytes, found->length - record_header_bytes);
        rest = rest.subspan(padded(found->length));
        scanned_record seen{page.number, lsn, found->type, std::nullopt};
        if (is_known(found->type)) {
            seen.what = decode_body(static_cast<record_type>(found->type), body);
            if (!seen.what) return refuse(page_kind::malformed, "a record in it cannot be");
        } else if (found->type < record_skippable_from) {
            return refuse(page_kind::newer_record, "it holds a record of type " +
                                                       std::to_string(found->type) +
                                                       " of a later version of Assent");
        }
        records_.push_back(std::move(seen));
    }
    if (!rest.empty()) refuse(page_kind::malformed, "it holds more than its records");
}

void segment_scan::show(scanned_page& page, thread_of_pages& before, scan_visitor& visitor,
                        scan_end& end)
{
    if (page.kind == page_kind::sound) place(page, before);
    if (page.kind == page_kind::sound) decode_records(page);
    if (page.kind != page_kind::sound) {
        before.crc.reset();
        before.has_gap = true;
        visitor.on_page(page);
        return;
    }
    auto const first = page.header.first_lsn;
    if (before.next_lsn && first > *before.next_lsn) page.lost = {*before.next_lsn, first - 1};
    before = {page.crc, first + page.header.record_count, false};
    end.last_sound = page.number;
    end.last_crc = page.crc;
    end.next_lsn = *before.next_lsn;
    end.is_sealed = (page.header.flags & page_seal) != 0;
    visitor.on_page(page);
    for (scanned_record const& one : records_) {
        visitor.on_record(one);
    }
}

scan_end segment_scan::read(scan_visitor& visitor, std::uint32_t from, std::uint32_t to)
{
    scan_end end;
    thread_of_pages before;
    if (from <= 1 && header_) {
        before = {header_crc_, header_->first_lsn, false};
        end.last_crc = header_crc_;
        end.next_lsn = header_->first_lsn;
    }
    // Pages that may be the end of the log are not shown before something is found behind them;
    // then they are read once more, for a live owner may have written them meanwhile.
    std::uint32_t waiting_from = 0;
    std::uint32_t last_damaged = 0;
    std::uint32_t settled = 0;  // pages before this one are shown as they are
    std::uint32_t pages = to < pages_ ? to + 1 : pages_;
    buffered_ = 0;
    for (std::uint32_t number = std::max<std::uint32_t>(from, 1);; ++number) {
        if (number >= pages) {
            if (last_damaged == 0) break;
            end.is_moving = is_live_;
            if (is_live_) break;
            pages = settled = last_damaged + 1;
            number = waiting_from;
            waiting_from = last_damaged = 0;
        }
        auto page = examine(number);
        if (number >= settled && may_be_under_way(page.kind)) {
            if (waiting_from == 0) waiting_from = number;
            if (page.kind != page_kind::zeros) last_damaged = number;
            continue;
        }
        if (waiting_from != 0) {
            settled = number;
            number = waiting_from - 1;
            waiting_from = last_damaged = 0;
            if (is_live_) buffered_ = 0;
            continue;
        }
        show(page, before, visitor, end);
    }
    return end;
}

}  // namespace assent::log
