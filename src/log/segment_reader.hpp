// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_reader.hpp -- reads a segment for whoever opens its log, and refuses what is damaged.
//
// What a page is, segment_pages says; what is torn and what is corrupt, tail_judge.  This is the
// policy of opening: the first thing that is wrong ends it, and nothing is changed.
//
// Invariant: no record is given away that lies behind a page which is not sound.

#ifndef ASSENT_LOG_SEGMENT_READER_HPP
#define ASSENT_LOG_SEGMENT_READER_HPP

#include <cstdint>
#include <functional>
#include <string>

#include "log/file_layer.hpp"
#include "log/format.hpp"
#include "log/log_error.hpp"
#include "log/records.hpp"
#include "log/segment_pages.hpp"

namespace assent::log {

struct segment_tail
{
    std::uint32_t last_page = 0;  ///< the last valid one; 0 is the header
    std::uint32_t last_crc = 0;
    std::uint64_t next_lsn = 1;
    segment_end end = segment_end::unsealed;
};

/// Thread safety: distinct objects safe.
class segment_reader
{
public:
    /// Opens the segment and reads its header.
    /// @throws log_error
    segment_reader(file_layer& files, std::uint64_t number);

    segment_header const& header() const noexcept { return *pages_.header(); }

    /// Gives every record before the end to `visit`, which returns false to call it a
    /// contradiction.
    /// @throws log_error  corrupt, newer_version or io, naming the page.
    segment_tail read(std::function<bool(record const&)> const& visit);

    /// Whether page `page` is valid and carries the checksum `crc`.  @throws log_error
    bool has_page(std::uint32_t page, std::uint32_t crc);

private:
    [[noreturn]] void refuse_header() const;
    [[noreturn]] void refuse_read() const;
    scanned_page look_at(std::uint32_t page);
    [[noreturn]] void refuse(log_fault fault, std::string const& why, std::uint32_t page = 0) const;

    segment_pages pages_;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_READER_HPP
