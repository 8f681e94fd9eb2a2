// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_writer.cpp -- see log_writer.hpp.

#include "log/log_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "log/aligned_bytes.hpp"
#include "protocol/assert.hpp"
#include "protocol/mutation.hpp"

namespace assent::log {

log_writer::log_writer(file_layer& files, settings how, position const& at)
    : files_(files), how_(std::move(how)), at_(at), page_count_(at.last_page + 1)
{
}

log_writer::~log_writer()
{
    if (file_ >= 0) files_.close(file_);
}

packed_segment log_writer::pack(log_image const& image, segment_end end, spare_segment const& spare,
                                std::function<void()> const& between) const
{
    ASSENT_ASSERT(spare.number == at_.number + 1);
    packed_segment packed;
    segment_header& header = packed.header;
    header.number = spare.number;
    header.page_count = spare.page_count;
    header.writer = how_.writer;
    header.unix_ms = how_.unix_ms();
    header.first_lsn = at_.next_lsn;
    header.node_label = how_.node_label;
    header.previous_end = end;
    header.previous_number = at_.number;
    header.previous_nonce = at_.writer.nonce;
    header.previous_epoch = at_.writer.epoch;
    header.previous_last_page = at_.last_page;
    header.previous_crc = at_.last_crc;

    packed.pages.begin(how_.writer, header.number, 1, header.first_lsn, spare.page_count - 1);
    auto const add = [&](record const& what) {
        auto const added = packed.pages.add(what);
        ASSENT_ASSERT(added == add_result::added);  // its limits were checked on its way in
    };
    image.for_each_kept(add, between);
    header.snapshot_pages = packed.pages.pages();
    return packed;
}

void log_writer::write_snapshot(packed_segment& packed, spare_segment const& spare,
                                std::function<void()> const& before_each)
{
    std::string const name = segment_name(spare.number);
    auto const step = [&] {
        if (before_each) before_each();
    };
    auto const require = [&](long result) {
        step();
        if (result >= 0) return;
        throw io_failure(result, files_.directory() + "/" + name, "cannot begin the new segment");
    };
    aligned_bytes first(page_bytes);
    encode(packed.header, page_span{first.data(), page_bytes});
    packed.pages.finish(0, segment_header_crc(page_view{first.data(), page_bytes}));
    step();
    auto const bytes = packed.pages.bytes();
    constexpr std::size_t piece = std::size_t{snapshot_piece_pages} * page_bytes;
    for (std::size_t from = 0; from < bytes.size(); from += piece) {
        auto const some = bytes.subspan(from, std::min(piece, bytes.size() - from));
        require(write_whole(spare.file, some, page_bytes + from));
        bool const is_last = bytes.size() - from <= piece;
        if (!spare.is_write_through && !is_last) require(files_.fdatasync(spare.file));
    }
    // The header after the snapshot, and the name after both: a crash at any step leaves either the
    // old segment as the newest, or a new one whose snapshot is whole.
    require(write_whole(spare.file, first, 0));
    if (!spare.is_write_through) require(files_.fdatasync(spare.file));
    require(files_.rename(spare.name, name));
    require(files_.sync_directory());
    require(files_.verify(spare.file));
}

void log_writer::begin_segment(packed_segment& packed, spare_segment const& spare,
                               std::function<void()> const& before_each)
{
    try {
        write_snapshot(packed, spare, before_each);
    } catch (...) {
        // What is left under either name is dealt with by the next opening.
        files_.close(spare.file);
        throw;
    }
    if (file_ >= 0) files_.close(file_);
    file_ = spare.file;
    is_write_through_ = spare.is_write_through;
    page_count_ = spare.page_count;
    std::span<std::byte const> const bytes = packed.pages.bytes();
    at_.number = packed.header.number;
    at_.writer = packed.header.writer;
    at_.last_page = packed.pages.pages();
    at_.last_crc = page_crc(page_view{bytes.data() + bytes.size() - page_bytes, page_bytes});
    at_.next_lsn = packed.pages.next_lsn();
}

void log_writer::begin_force(page_builder& builder, std::uint32_t pages) const noexcept
{
    ASSENT_ASSERT(pages > 0 && pages <= pages_left());
    builder.begin(how_.writer, at_.number, at_.last_page + 1, at_.next_lsn, pages);
}

long log_writer::write_whole(file_layer::handle file, std::span<std::byte const> bytes,
                             std::uint64_t offset) noexcept
{
    long const written = files_.write(file, bytes, offset);
    if (written >= 0 && written != static_cast<long>(bytes.size())) return -EIO;
    return written;
}

long log_writer::force(page_builder& builder) noexcept
{
    std::uint32_t const first = at_.last_page + 1;
    std::uint32_t const crc = builder.finish(first, at_.last_crc);
    long const written = write_whole(file_, builder.bytes(), std::uint64_t{first} * page_bytes);
    if (written < 0) return written;
    if (!is_write_through_) {
        if (long const forced = files_.fdatasync(file_); forced < 0) return forced;
    }
    // Whoever opens the log does not find what was forced into a file that has lost its name.
    long const named = files_.verify(file_);
    if (named < 0 && !protocol::mutated(protocol::mutation::log_without_name)) return named;
    at_.last_page += builder.pages();
    at_.last_crc = crc;
    at_.next_lsn = builder.next_lsn();
    return 0;
}

}  // namespace assent::log
