// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_reader.hpp -- reads one segment and proves how it ends.
//
//   header | valid ... valid | zeros ... zeros               unsealed, or sealed by its last page
//   header | valid ... valid | bad, valid, zero | zeros      torn: one force that nobody was told
//                                                            of, at most force_pages_max long
//   header | valid, bad, valid that promises "durable up to here"     corrupt: refused
//   header | valid ... valid | an intact page of another place        corrupt: no force leaves it
//
// The one invariant: a page that was acknowledged is never taken for the torn end of the log
// while anything in the segment proves that it was durable.

#ifndef ASSENT_LOG_SEGMENT_READER_HPP
#define ASSENT_LOG_SEGMENT_READER_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/format.hpp"
#include "log/log_error.hpp"
#include "log/records.hpp"
#include "log/segment_file.hpp"

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
    segment_reader(segment_reader const&) = delete;
    segment_reader& operator=(segment_reader const&) = delete;

    segment_header const& header() const noexcept { return header_; }

    /// Gives every record before the end to `visit`, which returns false to call it a
    /// contradiction.
    /// @throws log_error  corrupt, newer_version or io, naming the page.
    segment_tail read(std::function<bool(record const&)> const& visit);

    /// Whether page `page` is valid and carries the checksum `crc`.  @throws log_error
    bool has_page(std::uint32_t page, std::uint32_t crc);

private:
    page_view load(std::uint32_t page);
    page_verdict examine(page_view bytes, std::uint32_t page, page_header& header) const;
    void visit_page(page_view bytes, page_header const& header, std::uint64_t& next_lsn,
                    std::function<bool(record const&)> const& visit) const;
    bool is_torn(std::uint32_t first_bad);
    [[noreturn]] void corrupt(std::uint32_t page, std::string const& what) const;

    segment_file file_;
    segment_header header_;
    std::uint32_t header_crc_ = 0;
    std::vector<std::byte> buffer_;
    std::uint32_t buffered_from_ = 0;
    std::uint32_t buffered_ = 0;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_READER_HPP
