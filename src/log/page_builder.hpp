// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// page_builder.hpp -- packs records into the pages of one force or of one snapshot.
//
//   begin(place) -> add(record) ... -> [seal()] -> finish(durable up to, previous checksum)
//
// Invariant: a record lies in one page, and the pages follow each other without a gap.

#ifndef ASSENT_LOG_PAGE_BUILDER_HPP
#define ASSENT_LOG_PAGE_BUILDER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "log/aligned_bytes.hpp"
#include "log/format.hpp"
#include "log/records.hpp"

namespace assent::log {

enum class add_result : std::uint8_t {
    added = 1,
    full = 2,        ///< no page is left; finish these and begin again
    over_limit = 3,  ///< this record can never be written
};

/// Thread safety: distinct objects safe.
class page_builder
{
public:
    /// Pages up to `pages_reserved` need no allocation.
    explicit page_builder(std::uint32_t pages_reserved)
    {
        bytes_.reserve(pages_reserved * page_bytes);
        headers_.reserve(pages_reserved);
    }

    void begin(generation const& writer, std::uint64_t segment, std::uint32_t first_page,
               std::uint64_t first_lsn, std::uint32_t pages_max) noexcept;

    /// From here on there is room for so many pages in all, those that were begun included.
    void limit(std::uint32_t pages) noexcept
    {
        pages_max_ = std::min(pages_max_, std::max(pages, this->pages()));
    }

    /// @throws std::bad_alloc  beyond the reserved pages.
    add_result add(record const& what);

    /// Marks the last page as a seal; makes an empty one when there is none.
    /// @pre  a page is left when none was begun.
    void seal();

    /// Writes the page headers.  @return the checksum of the last page.
    std::uint32_t finish(std::uint32_t durable_up_to, std::uint32_t previous_crc) noexcept;

    std::span<std::byte const> bytes() const noexcept { return bytes_; }
    std::uint32_t pages() const noexcept
    {
        return static_cast<std::uint32_t>(bytes_.size() / page_bytes);
    }
    std::uint64_t next_lsn() const noexcept { return next_lsn_; }

private:
    void open_page();

    aligned_bytes bytes_;
    std::array<std::byte, page_payload_bytes> body_{};
    generation writer_;
    std::uint64_t segment_ = 0;
    std::uint32_t first_page_ = 0;
    std::uint32_t pages_max_ = 0;
    std::uint64_t next_lsn_ = 1;
    std::vector<page_header> headers_;  // one for each page, written out by finish()
};

}  // namespace assent::log

#endif  // ASSENT_LOG_PAGE_BUILDER_HPP
