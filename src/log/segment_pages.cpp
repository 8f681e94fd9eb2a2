// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_pages.cpp -- see segment_pages.hpp.

#include "log/segment_pages.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>

namespace assent::log {

namespace {

constexpr std::uint32_t buffer_pages = 64;
constexpr int interrupted_reads_max = 100;

}  // namespace

segment_pages::segment_pages(file_layer& files, std::uint64_t number, bad_sector how)
    : file_(files, number), number_(number), how_(how)
{
    read_header();
}

void segment_pages::read_header()
{
    auto const whole = std::min<std::uint64_t>(file_.size_bytes() / page_bytes, segment_pages_max);
    pages_ = static_cast<std::uint32_t>(whole);
    page_count_ = pages_;
    auto const refuse = [this](header_state what, std::string why) {
        header_state_ = what;
        header_problem_ = std::move(why);
    };
    if (pages_ == 0) return refuse(header_state::too_short, "the file is shorter than a header");
    buffer_.resize(std::size_t{std::min(buffer_pages, pages_)} * page_bytes);
    // Nothing is read ahead: of an older segment the header is often all that is wanted.
    if (!read_pages(0, 1)) return refuse(header_state::unreadable, failure_in_words());
    segment_header found;
    switch (decode(bytes_of(0), found)) {
        case page_verdict::valid:
            break;
        case page_verdict::newer:
            return refuse(header_state::newer, "it is of a later major version of Assent");
        default:
            return refuse(header_state::foreign, "it is damaged, or this is no segment");
    }
    if (found.number != number_) {
        return refuse(header_state::foreign, "it belongs to " + segment_name(found.number));
    }
    header_crc_ = segment_header_crc(bytes_of(0));
    writer_ = found.writer;
    page_count_ = found.page_count;
    pages_ = std::min(pages_, page_count_);
    header_ = std::move(found);
}

void segment_pages::find_writer()
{
    for (std::uint32_t page = 1; page < pages_; ++page) {
        page_header header;
        if (!load(page) || decode(bytes_of(page), header) != page_verdict::valid) continue;
        if (header.segment != number_ || header.page != page) continue;
        writer_ = header.writer;
        return;
    }
}

/// Reading may be repeated safely, other than writing.
bool segment_pages::read_pages(std::uint32_t page, std::uint32_t count)
{
    auto into = std::span(buffer_).first(count * page_bytes);
    std::uint64_t offset = std::uint64_t{page} * page_bytes;
    int interrupted = 0;
    buffered_ = 0;
    while (!into.empty()) {
        long const got = file_.read(into, offset);
        if (got == -EINTR && ++interrupted < interrupted_reads_max) continue;
        if (got <= 0) {
            failure_ = {got, offset};
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
bool segment_pages::load(std::uint32_t page)
{
    if (page >= buffered_from_ && page - buffered_from_ < buffered_) return true;
    if (read_pages(page, std::min(buffer_pages, pages_ - page))) return true;
    return how_ == bad_sector::takes_its_own_page && read_pages(page, 1);
}

page_view segment_pages::bytes_of(std::uint32_t page) const noexcept
{
    return page_view{buffer_.data() + (page - buffered_from_) * page_bytes, page_bytes};
}

std::string segment_pages::failure_in_words() const
{
    int const number = failure_.error < 0 ? static_cast<int>(-failure_.error) : EIO;
    return "it cannot be read: " + std::generic_category().message(number);
}

scanned_page segment_pages::look_at(std::uint32_t page)
{
    scanned_page seen;
    seen.number = page;
    auto const tell = [&seen](page_kind what, std::string why) {
        seen.kind = what;
        seen.why = std::move(why);
        return std::move(seen);
    };
    if (!load(page)) return tell(page_kind::unreadable, failure_in_words());
    switch (decode(bytes_of(page), seen.header)) {
        case page_verdict::unwritten:
            return tell(page_kind::zeros, "zeros lie where a page was written");
        case page_verdict::newer:
            return tell(page_kind::newer, "it was written by a later version of Assent");
        case page_verdict::valid:
            break;
        default:
            return tell(page_kind::damaged, "its checksum is wrong");
    }
    seen.crc = page_crc(bytes_of(page));
    auto const& header = seen.header;
    bool const is_here =
        header.segment == number_ && header.page == page && writer_ && header.writer == *writer_;
    seen.kind = page_kind::sound;
    if (is_here) return seen;
    return tell(page_kind::stray, "an intact page of another place lies there: page " +
                                      std::to_string(header.page) + " of segment " +
                                      std::to_string(header.segment) + ", epoch " +
                                      std::to_string(header.writer.epoch));
}

page_thread segment_pages::beginning() const
{
    if (!header_) return {};
    return {header_crc_, header_->first_lsn, false};
}

void segment_pages::follow(scanned_page& page, page_thread& before)
{
    records_.clear();
    auto const first = page.header.first_lsn;
    if (page.kind == page_kind::sound) {
        if (before.crc && page.header.previous_crc != *before.crc) {
            page.kind = page_kind::unchained;
            page.why = "it does not follow its neighbour";
        } else if (before.next_lsn && first != *before.next_lsn &&
                   (first < *before.next_lsn || !before.has_gap)) {
            page.kind = page_kind::out_of_order;
            page.why = "its records begin with number " + std::to_string(first) + ", and " +
                       std::to_string(*before.next_lsn) + " is next";
        } else {
            decode_records(page);
        }
    }
    if (page.kind != page_kind::sound) {
        records_.clear();
        before.crc.reset();
        before.has_gap = true;
        return;
    }
    if (before.next_lsn && first > *before.next_lsn) page.lost = {*before.next_lsn, first - 1};
    before = {page.crc, first + page.header.record_count, false};
}

void segment_pages::decode_records(scanned_page& page)
{
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
        scanned_record& seen =
            records_.emplace_back(scanned_record{page.number, lsn, found->type, std::nullopt});
        if (is_known(found->type)) {
            seen.what = decode_body(static_cast<record_type>(found->type), body);
            if (!seen.what) return refuse(page_kind::malformed, "a record in it cannot be");
        } else if (found->type < record_skippable_from) {
            return refuse(page_kind::newer_record, "it holds a record of type " +
                                                       std::to_string(found->type) +
                                                       " of a later version of Assent");
        }
    }
    if (!rest.empty()) refuse(page_kind::malformed, "it holds more than its records");
}

}  // namespace assent::log
