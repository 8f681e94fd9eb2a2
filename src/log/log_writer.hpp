// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_writer.hpp -- the end of the log: appends forces, and begins segments.
//
//   pack(image) -> begin_segment: header and snapshot into the spare, forced -> NNNN.seg
//               -> directory forced; from then on the segment before it is not needed
//
// Opening a log and filling a segment use this one mechanism, so what a crash can leave behind is
// the same for both: a .tmp that counts for nothing, or a predecessor that is no longer needed.
//
// Invariant: every byte is written once.  A call that failed is never repeated.

#ifndef ASSENT_LOG_LOG_WRITER_HPP
#define ASSENT_LOG_LOG_WRITER_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/format.hpp"
#include "log/log_image.hpp"
#include "log/page_builder.hpp"
#include "log/segment_supply.hpp"

namespace assent::log {

/// Of a snapshot, written at once: what a disk has to take within limits::log_hang does not grow
/// with what the log keeps.  No piece counts before the file has its name.
inline constexpr std::uint32_t snapshot_piece_pages = 1024;

/// A segment ready to be written.
struct packed_segment
{
    segment_header header;
    page_builder pages{0};
};

/// Thread safety: used by one thread at a time.
class log_writer
{
public:
    struct settings
    {
        generation writer;
        std::string node_label;
        std::function<std::int64_t()> unix_ms;
    };

    /// Where the segment before the next one ended; number 0 when there is none.
    struct position
    {
        std::uint64_t number = 0;
        generation writer;
        std::uint32_t last_page = 0;
        std::uint32_t last_crc = 0;
        std::uint64_t next_lsn = 1;
    };

    log_writer(file_layer& files, settings how, position const& at);
    log_writer(log_writer const&) = delete;
    log_writer& operator=(log_writer const&) = delete;
    ~log_writer();

    /// The snapshot of `image` as the segment that `spare` becomes; `end` says how the one before
    /// it ended.  @pre  the spare is the next one and has room for it.
    /// @param between  as log_image::for_each_kept calls it.
    packed_segment pack(log_image const& image, segment_end end, spare_segment const& spare,
                        std::function<void()> const& between = {}) const;

    /// Goes on in that segment, and owns its file, whatever happens.
    /// @param before_each  called before each step that may wait for the disk.
    /// Durability: its snapshot and its name survive power loss.  @throws log_error
    void begin_segment(packed_segment& packed, spare_segment const& spare,
                       std::function<void()> const& before_each = {});

    bool is_write_through() const noexcept { return is_write_through_; }

    /// Pages that are still free in this segment.
    std::uint32_t pages_left() const noexcept { return page_count_ - at_.last_page - 1; }

    /// Begins a force of at most `pages` pages.  @pre  they are left.
    void begin_force(page_builder& builder, std::uint32_t pages) const noexcept;

    /// Writes and forces what was built.  @return 0, or a negated errno: then nobody knows what
    /// reached the disk, and nothing may be appended any more.
    long force(page_builder& builder) noexcept;

    position const& at() const noexcept { return at_; }

private:
    long write_whole(file_layer::handle file, std::span<std::byte const> bytes,
                     std::uint64_t offset) noexcept;
    void write_snapshot(packed_segment& packed, spare_segment const& spare,
                        std::function<void()> const& before_each);

    file_layer& files_;
    settings how_;
    position at_;
    file_layer::handle file_ = -1;
    std::uint32_t page_count_ = 1;
    bool is_write_through_ = false;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_WRITER_HPP
