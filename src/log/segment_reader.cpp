// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_reader.cpp -- see segment_reader.hpp.

#include "log/segment_reader.hpp"

#include <algorithm>
#include <cerrno>

#include "log/bytes.hpp"

namespace assent::log {

namespace {

constexpr std::uint32_t buffer_pages = 64;
constexpr int interrupted_reads_max = 100;

std::string const restore_advice =
    "nothing was changed; restore this log from its mirror or storage, do not truncate or delete "
    "it, since decisions may be lost with it";

/// Reads all of `into`; reading may be repeated safely, other than writing.
void read_fully(segment_file& file, std::span<std::byte> into, std::uint64_t offset)
{
    int interrupted = 0;
    while (!into.empty()) {
        long const got = file.read(into, offset);
        if (got == -EINTR && ++interrupted < interrupted_reads_max) continue;
        if (got < 0) throw io_failure(got, file.path(), "cannot read");
        if (got == 0) {
            throw log_error(log_fault::corrupt, std::make_error_code(std::errc::io_error),
                            file.path(), "the file ended early; " + restore_advice,
                            static_cast<std::uint32_t>(offset / page_bytes));
        }
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

}  // namespace

segment_reader::segment_reader(file_layer& files, std::uint64_t number) : file_(files, number)
{
    buffer_.resize(buffer_pages * page_bytes);
    if (file_.size_bytes() < page_bytes) corrupt(0, "shorter than its header");
    page_view const first = load(0);
    switch (decode(first, header_)) {
        case page_verdict::valid:
            break;
        case page_verdict::newer:
            throw log_error(log_fault::newer_version,
                            std::make_error_code(std::errc::not_supported), file_.path(),
                            "written by a later major version of Assent; use that version");
        default:
            throw log_error(log_fault::foreign, std::make_error_code(std::errc::io_error),
                            file_.path(),
                            "its header is damaged, or it is not a log segment; " + restore_advice);
    }
    header_crc_ = segment_header_crc(first);
    if (header_.number != number) {
        throw log_error(log_fault::foreign, std::make_error_code(std::errc::io_error), file_.path(),
                        "its header belongs to " + segment_name(header_.number));
    }
    if (file_.size_bytes() != header_.page_count * std::uint64_t{page_bytes}) {
        corrupt(0, "its size is not the one in its header");
    }
}

void segment_reader::corrupt(std::uint32_t page, std::string const& what) const
{
    throw log_error(log_fault::corrupt, std::make_error_code(std::errc::io_error), file_.path(),
                    what + "; " + restore_advice, page);
}

page_view segment_reader::load(std::uint32_t page)
{
    if (page < buffered_from_ || page >= buffered_from_ + buffered_) {
        // Before the header is known only page 0 is there for sure.
        std::uint32_t const count =
            header_.page_count == 0 ? 1 : std::min(buffer_pages, header_.page_count - page);
        buffered_ = 0;
        read_fully(file_, std::span(buffer_).first(count * page_bytes),
                   std::uint64_t{page} * page_bytes);
        buffered_from_ = page;
        buffered_ = count;
    }
    return page_view{buffer_.data() + (page - buffered_from_) * page_bytes, page_bytes};
}

page_verdict segment_reader::examine(page_view bytes, std::uint32_t page, page_header& header) const
{
    auto const verdict = decode(bytes, header);
    if (verdict == page_verdict::newer) {
        throw log_error(log_fault::newer_version, std::make_error_code(std::errc::not_supported),
                        file_.path(), "written by a later version of Assent; use that version",
                        page);
    }
    if (verdict != page_verdict::valid) return verdict;
    bool const is_here =
        header.segment == header_.number && header.page == page && header.writer == header_.writer;
    return is_here ? page_verdict::valid : page_verdict::stray;
}

void segment_reader::visit_page(page_view bytes, page_header const& header, std::uint64_t& next_lsn,
                                std::function<bool(record const&)> const& visit) const
{
    if (header.first_lsn != next_lsn) corrupt(header.page, "its records are out of order");
    auto rest = bytes.subspan(page_header_bytes, header.payload_bytes);
    for (unsigned i = 0; i < header.record_count; ++i) {
        auto const offset =
            static_cast<std::uint32_t>(page_header_bytes + header.payload_bytes - rest.size());
        auto const found =
            decode_record(rest, {header.writer, header.segment, header.page, offset});
        if (!found || found->lsn != next_lsn) corrupt(header.page, "a record in it is damaged");
        ++next_lsn;
        auto const body = rest.subspan(record_header_bytes, found->length - record_header_bytes);
        rest = rest.subspan(padded(found->length));
        if (!is_known(found->type)) {
            if (found->type >= record_skippable_from) continue;
            throw log_error(log_fault::newer_version,
                            std::make_error_code(std::errc::not_supported), file_.path(),
                            "holds a record of type " + std::to_string(found->type) +
                                " of a later version of Assent; use that version",
                            header.page);
        }
        auto const what = decode_body(static_cast<record_type>(found->type), body);
        if (!what || !visit(*what)) corrupt(header.page, "a record in it contradicts the log");
    }
    if (!rest.empty()) corrupt(header.page, "it holds more than its records");
}

segment_tail segment_reader::read(std::function<bool(record const&)> const& visit)
{
    segment_tail tail;
    tail.last_crc = header_crc_;
    tail.next_lsn = header_.first_lsn;
    buffered_ = 0;
    std::uint32_t page = 1;
    for (; page < header_.page_count; ++page) {
        page_view const bytes = load(page);
        page_header header;
        if (examine(bytes, page, header) != page_verdict::valid) break;
        if (header.previous_crc != tail.last_crc) corrupt(page, "it does not follow its neighbour");
        visit_page(bytes, header, tail.next_lsn, visit);
        tail.last_page = page;
        tail.last_crc = page_crc(bytes);
        bool const is_seal = (header.flags & page_seal) != 0;
        tail.end = is_seal ? segment_end::sealed : segment_end::unsealed;
    }
    if (page <= header_.snapshot_pages) {
        corrupt(page, "it was durable before the segment got its name, and is damaged");
    }
    if (page < header_.page_count && is_torn(page)) tail.end = segment_end::torn;
    return tail;
}

bool segment_reader::is_torn(std::uint32_t first_bad)
{
    bool found_anything = false;
    for (std::uint32_t page = first_bad; page < header_.page_count; ++page) {
        page_header header;
        auto const verdict = examine(load(page), page, header);
        if (verdict == page_verdict::unwritten) continue;
        // A force leaves parts of its pages in their places.  Whoever left this may as well have
        // taken a page that was acknowledged.
        if (verdict == page_verdict::stray) corrupt(page, "a page of another place lies there");
        if (verdict == page_verdict::valid && header.durable_up_to > first_bad) {
            corrupt(first_bad,
                    "it was durable, as page " + std::to_string(page) + " says, and is damaged");
        }
        if (page - first_bad >= force_pages_max) {
            corrupt(first_bad, "more than one force is damaged from it on");
        }
        found_anything = true;
    }
    return found_anything;
}

bool segment_reader::has_page(std::uint32_t page, std::uint32_t crc)
{
    if (page == 0) return header_crc_ == crc;
    if (page >= header_.page_count) return false;
    page_header header;
    page_view const bytes = load(page);
    return examine(bytes, page, header) == page_verdict::valid && page_crc(bytes) == crc;
}

}  // namespace assent::log
