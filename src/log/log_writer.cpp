// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_writer.cpp -- see log_writer.hpp.

#include "log/log_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "protocol/assert.hpp"

namespace assent::log {

namespace {

constexpr std::size_t zeros_bytes = 64 * page_bytes;

}  // namespace

log_writer::log_writer(file_layer& files, settings how, position const& at)
    : files_(files), how_(std::move(how)), at_(at), page_count_(at.last_page + 1)
{
}

log_writer::~log_writer()
{
    if (file_ >= 0) files_.close(file_);
}

packed_segment log_writer::pack(log_image const& image, segment_end end) const
{
    packed_segment packed;
    segment_header& header = packed.header;
    header.number = at_.number + 1;
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

    packed.pages.begin(how_.writer, header.number, 1, header.first_lsn, segment_pages_max / 4);
    image.for_each_kept([&](record const& what) {
        auto const added = packed.pages.add(what);
        ASSENT_ASSERT(added == add_result::added);  // its limits were checked on its way in
    });
    header.snapshot_pages = packed.pages.pages();
    // A segment never fills up with its own snapshot, however many decisions are live.
    header.page_count = std::max(
        {how_.segment_pages, segment_pages_min, 2 * header.snapshot_pages + segment_pages_min});
    return packed;
}

void log_writer::write_all(file_layer::handle file, std::string const& path,
                           std::span<std::byte const> bytes, std::uint64_t offset)
{
    long const written = files_.write(file, bytes, offset);
    if (written == static_cast<long>(bytes.size())) return;
    throw io_failure(written < 0 ? written : -ENOSPC, path, "cannot write the new segment");
}

void log_writer::fill(file_layer::handle file, std::string const& path, packed_segment& packed)
{
    std::array<std::byte, page_bytes> first;
    encode(packed.header, first);
    packed.pages.finish(0, segment_header_crc(first));
    write_all(file, path, first, 0);
    write_all(file, path, packed.pages.bytes(), page_bytes);
    // Real zeros, not a hole: a force must never wait for, or fail on, space.
    std::vector<std::byte> const zeros(zeros_bytes);
    std::uint64_t const end = std::uint64_t{packed.header.page_count} * page_bytes;
    for (std::uint64_t at = (packed.pages.pages() + 1) * page_bytes; at < end;) {
        auto const size = std::min<std::uint64_t>(zeros_bytes, end - at);
        write_all(file, path, std::span(zeros).first(size), at);
        at += size;
    }
    if (long const forced = files_.fsync(file); forced < 0) {
        throw io_failure(forced, path, "cannot force the new segment");
    }
}

void log_writer::create(packed_segment& packed)
{
    std::string const name = segment_name(packed.header.number);
    std::string const temporary = name + ".tmp";
    std::string const path = files_.directory() + "/" + name;
    long const opened = files_.open(temporary, open_mode::create_new);
    if (opened < 0) throw io_failure(opened, path, "cannot create the new segment");
    auto const file = static_cast<file_layer::handle>(opened);
    try {
        fill(file, path, packed);
        if (long const named = files_.rename(temporary, name); named < 0) {
            throw io_failure(named, path, "cannot name the new segment");
        }
        if (long const forced = files_.sync_directory(); forced < 0) {
            throw io_failure(forced, path, "cannot force the new segment's name");
        }
    } catch (...) {
        // What is left under either name is dealt with by the next opening.
        files_.close(file);
        throw;
    }
    if (file_ >= 0) files_.close(file_);
    file_ = file;
    page_count_ = packed.header.page_count;
    std::span<std::byte const> const bytes = packed.pages.bytes();
    at_.number = packed.header.number;
    at_.writer = packed.header.writer;
    at_.last_page = packed.pages.pages();
    at_.last_crc = page_crc(page_view{bytes.data() + bytes.size() - page_bytes, page_bytes});
    at_.next_lsn = packed.pages.next_lsn();
}

void log_writer::retire(std::vector<older_segment> const& older)
{
    for (older_segment const& one : older) {
        std::string const name = segment_name(one.number);
        std::string const path = files_.directory() + "/" + name;
        long const moved =
            one.end == segment_end::torn
                ? files_.rename(name, name + ".torn-" + std::to_string(how_.unix_ms() / 1000))
                : files_.unlink(name);
        if (moved < 0) throw io_failure(moved, path, "cannot remove the old segment");
        if (long const forced = files_.sync_directory(); forced < 0) {
            throw io_failure(forced, path, "cannot force the removal of the old segment");
        }
    }
}

void log_writer::begin_force(page_builder& builder, std::uint32_t pages) const noexcept
{
    ASSENT_ASSERT(pages > 0 && pages <= pages_left());
    builder.begin(how_.writer, at_.number, at_.last_page + 1, at_.next_lsn, pages);
}

long log_writer::force(page_builder& builder) noexcept
{
    std::uint32_t const first = at_.last_page + 1;
    std::uint32_t const crc = builder.finish(first, at_.last_crc);
    auto const bytes = builder.bytes();
    long const written = files_.write(file_, bytes, std::uint64_t{first} * page_bytes);
    if (written < 0) return written;
    if (written != static_cast<long>(bytes.size())) return -EIO;
    if (long const forced = files_.fdatasync(file_); forced < 0) return forced;
    at_.last_page += builder.pages();
    at_.last_crc = crc;
    at_.next_lsn = builder.next_lsn();
    return 0;
}

}  // namespace assent::log
