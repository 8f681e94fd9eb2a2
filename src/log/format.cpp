// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// format.cpp -- version 1.1 of the log, byte by byte.  All integers are little endian.
//
// Segment header, page 0, written once:
//     0  8  magic "ASSENTLG"               64  4  snapshot pages
//     8  2  major version, 1               68  4  zero
//    10  2  minor version, 0               72  8  previous segment: number, 0 for none
//    12  4  page size, 4096                80  8    nonce
//    16  8  segment number                 88  4    epoch
//    24  8  node id                        92  4    its last valid page
//    32  8  nonce, 48 bits                 96  4    the checksum of that page
//    40  4  epoch                         100  4    how it ended (enum segment_end)
//    44  4  page count                    104  2  length of the node label, 1 to 64
//    48  8  unix time, ms                 106  -  node label; zeros from its end to 4091
//    56  8  lsn of the first record      4092  4  CRC32C of bytes 0 to 4091
//
// Page header, pages 1 and on:
//     0  4  CRC32C of bytes 4 to 4095      24  8  node id
//     4  4  magic "ASNP"                   32  8  nonce
//     8  1  major version                  40  8  lsn of the first record
//     9  1  minor version                  48  4  epoch
//    10  2  flags: 1 seal; 2 to 128 are    52  4  page number
//           refused by a reader that does  56  4  durable up to: a page number
//           not know them, others ignored  60  4  checksum of the page before
//    12  2  record count                   64  -  records, then zeros
//    14  2  payload bytes
//    16  8  segment number
//
// Record header, at a multiple of 8, never across pages:
//     0  4  CRC32C of: segment 8, page 4, offset in the page 4, node 8, epoch 4, nonce 8 (the
//           place, which is not stored again), then bytes 4 to length - 1 of the record
//     4  2  length of header and body; zeros follow to a multiple of 8
//     6  1  type (enum record_type; from 128 on a reader that does not know it may skip it)
//     7  1  flags, zero
//     8  8  lsn: a number that counts records from 1 through all segments
//    16  -  body (records.cpp)

#include "log/format.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "log/bytes.hpp"
#include "log/crc32c.hpp"

namespace assent::log {

namespace {

constexpr std::string_view segment_magic = "ASSENTLG";
constexpr std::uint32_t page_magic = 0x504e5341;  // "ASNP"
constexpr std::size_t segment_crc_at = page_bytes - 4;
constexpr std::uint16_t page_flags_must_know = 0x00ff;
constexpr std::size_t segment_name_bytes = 20;

bool is_all_zero(page_view page) noexcept
{
    // Each byte is the one before it, and the first is zero: compared by words, not by bytes.
    return page[0] == std::byte{0} &&
           std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

std::uint32_t record_crc(record_place const& place, std::span<std::byte const> record) noexcept
{
    std::array<std::byte, 36> where;
    byte_writer put{where};
    put.put<std::uint64_t>(place.segment);
    put.put<std::uint32_t>(place.page);
    put.put<std::uint32_t>(place.offset);
    put.put<std::uint64_t>(place.writer.node);
    put.put<std::uint32_t>(place.writer.epoch);
    put.put<std::uint64_t>(place.writer.nonce);
    return crc32c(record.subspan(4), crc32c(where));
}

}  // namespace

void encode(segment_header const& header, page_span into) noexcept
{
    std::fill(into.begin(), into.end(), std::byte{0});
    byte_writer put{into};
    put.put_text(segment_magic);
    put.put<std::uint16_t>(format_major);
    put.put<std::uint16_t>(format_minor);
    put.put<std::uint32_t>(page_bytes);
    put.put<std::uint64_t>(header.number);
    put.put<std::uint64_t>(header.writer.node);
    put.put<std::uint64_t>(header.writer.nonce);
    put.put<std::uint32_t>(header.writer.epoch);
    put.put<std::uint32_t>(header.page_count);
    put.put<std::uint64_t>(static_cast<std::uint64_t>(header.unix_ms));
    put.put<std::uint64_t>(header.first_lsn);
    put.put<std::uint32_t>(header.snapshot_pages);
    put.put<std::uint32_t>(0);
    put.put<std::uint64_t>(header.previous_number);
    put.put<std::uint64_t>(header.previous_nonce);
    put.put<std::uint32_t>(header.previous_epoch);
    put.put<std::uint32_t>(header.previous_last_page);
    put.put<std::uint32_t>(header.previous_crc);
    put.put<std::uint32_t>(static_cast<std::uint32_t>(header.previous_end));
    put.put<std::uint16_t>(static_cast<std::uint16_t>(header.node_label.size()));
    put.put_text(header.node_label);
    put_le<std::uint32_t>(into.data() + segment_crc_at, crc32c(into.first(segment_crc_at)));
}

page_verdict decode(page_view from, segment_header& header)
{
    if (crc32c(from.first(segment_crc_at)) != segment_header_crc(from)) {
        return page_verdict::bad;
    }
    byte_reader take{from};
    if (take.take_text(segment_magic.size(), segment_magic.size()) != segment_magic) {
        return page_verdict::bad;
    }
    if (take.take<std::uint16_t>() != format_major) return page_verdict::newer;
    take.take<std::uint16_t>();  // a newer minor version only adds what may be skipped
    if (take.take<std::uint32_t>() != page_bytes) return page_verdict::newer;
    header.number = take.take<std::uint64_t>();
    header.writer.node = take.take<std::uint64_t>();
    header.writer.nonce = take.take<std::uint64_t>();
    header.writer.epoch = take.take<std::uint32_t>();
    header.page_count = take.take<std::uint32_t>();
    header.unix_ms = static_cast<std::int64_t>(take.take<std::uint64_t>());
    header.first_lsn = take.take<std::uint64_t>();
    header.snapshot_pages = take.take<std::uint32_t>();
    take.take<std::uint32_t>();
    header.previous_number = take.take<std::uint64_t>();
    header.previous_nonce = take.take<std::uint64_t>();
    header.previous_epoch = take.take<std::uint32_t>();
    header.previous_last_page = take.take<std::uint32_t>();
    header.previous_crc = take.take<std::uint32_t>();
    auto const end = take.take<std::uint32_t>();
    header.previous_end = static_cast<segment_end>(end);
    auto const label_bytes = take.take<std::uint16_t>();
    header.node_label = take.take_text(label_bytes, node_label_bytes_max);
    bool const is_sound =
        take.ok() && header.number != 0 && end <= static_cast<std::uint32_t>(segment_end::torn) &&
        header.page_count >= segment_pages_min && header.page_count <= segment_pages_max &&
        header.snapshot_pages >= 1 && header.snapshot_pages < header.page_count;
    return is_sound ? page_verdict::valid : page_verdict::bad;
}

std::uint32_t segment_header_crc(page_view page) noexcept
{
    return get_le<std::uint32_t>(page.data() + segment_crc_at);
}

std::uint32_t page_crc(page_view page) noexcept
{
    return get_le<std::uint32_t>(page.data());
}

std::uint32_t seal_page(page_header const& header, page_span page) noexcept
{
    byte_writer put{page.first(page_header_bytes)};
    put.put<std::uint32_t>(0);
    put.put<std::uint32_t>(page_magic);
    put.put<std::uint8_t>(format_major);
    put.put<std::uint8_t>(format_minor);
    put.put<std::uint16_t>(header.flags);
    put.put<std::uint16_t>(header.record_count);
    put.put<std::uint16_t>(header.payload_bytes);
    put.put<std::uint64_t>(header.segment);
    put.put<std::uint64_t>(header.writer.node);
    put.put<std::uint64_t>(header.writer.nonce);
    put.put<std::uint64_t>(header.first_lsn);
    put.put<std::uint32_t>(header.writer.epoch);
    put.put<std::uint32_t>(header.page);
    put.put<std::uint32_t>(header.durable_up_to);
    put.put<std::uint32_t>(header.previous_crc);
    std::uint32_t const sum = crc32c(page.subspan(4));
    put_le<std::uint32_t>(page.data(), sum);
    return sum;
}

page_verdict decode(page_view from, page_header& header) noexcept
{
    byte_reader take{from.first(page_header_bytes)};
    auto const sum = take.take<std::uint32_t>();
    auto const magic = take.take<std::uint32_t>();
    if (magic == 0 && sum == 0 && is_all_zero(from)) return page_verdict::unwritten;
    if (magic != page_magic || crc32c(from.subspan(4)) != sum) return page_verdict::bad;
    if (take.take<std::uint8_t>() != format_major) return page_verdict::newer;
    take.take<std::uint8_t>();
    header.flags = take.take<std::uint16_t>();
    header.record_count = take.take<std::uint16_t>();
    header.payload_bytes = take.take<std::uint16_t>();
    header.segment = take.take<std::uint64_t>();
    header.writer.node = take.take<std::uint64_t>();
    header.writer.nonce = take.take<std::uint64_t>();
    header.first_lsn = take.take<std::uint64_t>();
    header.writer.epoch = take.take<std::uint32_t>();
    header.page = take.take<std::uint32_t>();
    header.durable_up_to = take.take<std::uint32_t>();
    header.previous_crc = take.take<std::uint32_t>();
    if ((header.flags & page_flags_must_know & ~page_seal) != 0) return page_verdict::newer;
    bool const is_sound = header.payload_bytes <= page_payload_bytes &&
                          header.durable_up_to <= header.page &&
                          (header.record_count > 0 || (header.flags & page_seal) != 0);
    return is_sound ? page_verdict::valid : page_verdict::bad;
}

void seal_record(record_header const& header, record_place const& place,
                 std::span<std::byte> record) noexcept
{
    byte_writer put{record};
    put.put<std::uint32_t>(0);
    put.put<std::uint16_t>(header.length);
    put.put<std::uint8_t>(header.type);
    put.put<std::uint8_t>(header.flags);
    put.put<std::uint64_t>(header.lsn);
    put_le<std::uint32_t>(record.data(), record_crc(place, record.first(header.length)));
}

std::optional<record_header> decode_record(std::span<std::byte const> rest,
                                           record_place const& place) noexcept
{
    byte_reader take{rest};
    record_header header;
    auto const sum = take.take<std::uint32_t>();
    header.length = take.take<std::uint16_t>();
    header.type = take.take<std::uint8_t>();
    header.flags = take.take<std::uint8_t>();
    header.lsn = take.take<std::uint64_t>();
    if (!take.ok() || header.length < record_header_bytes || padded(header.length) > rest.size()) {
        return std::nullopt;
    }
    if (record_crc(place, rest.first(header.length)) != sum) return std::nullopt;
    return header;
}

std::string segment_name(std::uint64_t number)
{
    constexpr char digit[] = "0123456789abcdef";
    std::string name(16, '0');
    for (std::size_t i = 0; i < 16; ++i) {
        name[15 - i] = digit[number >> (4 * i) & 0xf];
    }
    return name + ".seg";
}

std::optional<std::uint64_t> segment_number(std::string_view name) noexcept
{
    if (name.size() != segment_name_bytes || name.substr(16) != ".seg") return std::nullopt;
    std::uint64_t number = 0;
    for (char c : name.substr(0, 16)) {
        bool const is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
        number = number << 4 | static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
    }
    if (number == 0) return std::nullopt;
    return number;
}

file_role role_of_file(std::string_view name) noexcept
{
    if (name.size() <= segment_name_bytes || !segment_number(name.substr(0, segment_name_bytes))) {
        return file_role::stranger;
    }
    auto const rest = name.substr(segment_name_bytes);
    if (rest.starts_with(".torn-")) return file_role::torn_copy;
    return rest.ends_with(".tmp") ? file_role::half_made : file_role::stranger;
}

std::uint64_t segment_proved_by(std::string_view name) noexcept
{
    auto const role = role_of_file(name);
    if (role == file_role::stranger) return 0;
    auto const number = *segment_number(name.substr(0, segment_name_bytes));
    return role == file_role::torn_copy ? number + 1 : number - 1;
}

bool is_followed_by(segment_header const& older, segment_header const& newer) noexcept
{
    return older.writer.node == newer.writer.node && older.node_label == newer.node_label &&
           older.number == newer.previous_number && older.writer.epoch == newer.previous_epoch &&
           older.writer.nonce == newer.previous_nonce;
}

}  // namespace assent::log
