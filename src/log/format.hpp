// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// format.hpp -- the pages of a log segment.  The bytes are drawn at the top of format.cpp.
//
//   page 0          page 1 ... n                 n + 1 ...            the rest
//   segment header  snapshot: what still counts  forces, in order     zeros
//
// Invariant: a page that was ever acknowledged is never written again, and every page
// says which opening of which log wrote it at which place.

#ifndef ASSENT_LOG_FORMAT_HPP
#define ASSENT_LOG_FORMAT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace assent::log {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t page_header_bytes = 64;
inline constexpr std::size_t page_payload_bytes = page_bytes - page_header_bytes;
inline constexpr std::size_t record_header_bytes = 16;
inline constexpr std::size_t node_label_bytes_max = 64;
inline constexpr std::uint16_t format_major = 1;
inline constexpr std::uint16_t format_minor = 3;

/// The most pages that one force writes: also how far a torn tail can reach.
inline constexpr std::uint32_t force_pages_max = 64;

/// The fewest pages of a segment: header, a snapshot, a force, a seal.
inline constexpr std::uint32_t segment_pages_min = 8;
inline constexpr std::uint32_t segment_pages_max = 0x01000000;  // 64 GiB

using page_span = std::span<std::byte, page_bytes>;
using page_view = std::span<std::byte const, page_bytes>;

/// One opening of one log: what makes bytes ours, and of this run.
struct generation
{
    std::uint64_t node = 0;
    std::uint32_t epoch = 0;
    std::uint64_t nonce = 0;

    friend bool operator==(generation const&, generation const&) = default;
};

/// How the segment before this one ended, as seen by whoever began this one.
enum class segment_end : std::uint32_t {
    none = 0,      ///< there was no segment before
    rolled = 1,    ///< its owner went on here
    sealed = 2,    ///< closed in order
    unsealed = 3,  ///< its owner died; nothing was damaged
    torn = 4,      ///< the last force, never acknowledged, was incomplete
};

struct segment_header
{
    std::uint64_t number = 0;  ///< from 1, never reused
    generation writer;
    std::uint32_t page_count = 0;
    std::int64_t unix_ms = 0;
    std::uint64_t first_lsn = 0;
    std::uint32_t snapshot_pages = 0;  ///< pages forced before the segment got its name
    std::uint64_t previous_number = 0;
    std::uint64_t previous_nonce = 0;
    std::uint32_t previous_epoch = 0;
    std::uint32_t previous_last_page = 0;
    std::uint32_t previous_crc = 0;  ///< of its last valid page
    segment_end previous_end = segment_end::none;
    std::string node_label;
};

enum page_flag : std::uint16_t {
    page_seal = 1,  ///< everything before this page is durable; it may hold no records
};

struct page_header
{
    std::uint16_t flags = 0;
    std::uint16_t record_count = 0;
    std::uint16_t payload_bytes = 0;
    std::uint64_t segment = 0;
    generation writer;
    std::uint64_t first_lsn = 0;
    std::uint32_t page = 0;
    std::uint32_t durable_up_to = 0;  ///< every page before this one was known durable
    std::uint32_t previous_crc = 0;
};

enum class page_verdict : std::uint8_t {
    valid = 1,
    unwritten = 2,  ///< all zeros
    bad = 3,
    newer = 4,  ///< intact, but of a version or with a flag that this reader does not know
    stray = 5,  ///< intact, but of another place, segment or opening
};

/// What a record's checksum covers besides its bytes.
struct record_place
{
    generation writer;
    std::uint64_t segment = 0;
    std::uint32_t page = 0;
    std::uint32_t offset = 0;  ///< in the page
};

struct record_header
{
    std::uint16_t length = 0;  ///< header and body, without padding
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint64_t lsn = 0;
};

/// Types from here on may be skipped by a reader that does not know them.
inline constexpr std::uint8_t record_skippable_from = 128;

/// @pre  the label fits.
void encode(segment_header const& header, page_span into) noexcept;
page_verdict decode(page_view from, segment_header& header);

/// Writes the header and then the checksum over the whole page.  @return the checksum.
std::uint32_t seal_page(page_header const& header, page_span page) noexcept;
page_verdict decode(page_view from, page_header& header) noexcept;

/// The checksum that a page carries.
std::uint32_t page_crc(page_view page) noexcept;
std::uint32_t segment_header_crc(page_view page) noexcept;

/// Writes the header and the checksum of a record whose body stands already at `record` + 16.
void seal_record(record_header const& header, record_place const& place,
                 std::span<std::byte> record) noexcept;

/// The record that begins `rest`, the remainder of a page's payload.
/// @return its header, or nothing when its length or checksum is wrong.
std::optional<record_header> decode_record(std::span<std::byte const> rest,
                                           record_place const& place) noexcept;

constexpr std::size_t padded(std::size_t length) noexcept
{
    return (length + 7) / 8 * 8;
}

/// `00000000000000a1.seg`
std::string segment_name(std::uint64_t number);
/// @return the number, or nothing when `name` is not exactly the name of a segment.
std::optional<std::uint64_t> segment_number(std::string_view name) noexcept;

/// What lies in a log's directory beside the segments.
enum class file_role : std::uint8_t {
    torn_copy = 1,  ///< kept as evidence; may be deleted
    half_made = 2,  ///< the next segment while it is made; counts for nothing
    stranger = 3,   ///< not ours; `.seg` with a wrong name is refused
};

file_role role_of_file(std::string_view name) noexcept;

/// The segment that must be there, or a later one, when a file of that name is; 0 for none.  A torn
/// segment was set aside, and the next one made, only behind a segment that lasts.
std::uint64_t segment_proved_by(std::string_view name) noexcept;

/// Whether `older` is the segment that `newer` says it followed.
bool is_followed_by(segment_header const& older, segment_header const& newer) noexcept;

}  // namespace assent::log

#endif  // ASSENT_LOG_FORMAT_HPP
