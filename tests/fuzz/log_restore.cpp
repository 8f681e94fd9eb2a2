// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_restore.cpp -- restore() of log_mutator.hpp.

#include <algorithm>
#include <cstring>
#include <string>

#include "directory_image.hpp"
#include "log/bytes.hpp"
#include "log/crc32c.hpp"
#include "log/format.hpp"
#include "log_mutator.hpp"

namespace assent::testing {

namespace {

using log::page_bytes;

// Where things stand; see src/log/format.cpp.
constexpr std::size_t header_crc_at = page_bytes - 4;
constexpr char const* segment_magic = "ASSENTLG";
constexpr char const* page_magic = "ASNP";

template <typename Unsigned>
Unsigned get(std::span<std::byte const> page, std::size_t at)
{
    return log::get_le<Unsigned>(page.data() + at);
}

template <typename Unsigned>
void put(std::span<std::byte> page, std::size_t at, std::uint64_t value)
{
    log::put_le<Unsigned>(page.data() + at, static_cast<Unsigned>(value));
}

bool is_unwritten(std::span<std::byte const> page)
{
    return std::all_of(page.begin(), page.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// One segment: what goes from page to page.
class segment_repair
{
public:
    segment_repair(memory_file& file, repair how_far)
        : file_(file), how_far_(how_far), is_all_(how_far == repair::everything)
    {
    }

    void run(memory_file const* before)
    {
        if (file_.bytes.size() < page_bytes) return;
        auto const header = page(0);
        if (is_all_) fit_header(header, before);
        put<std::uint32_t>(header, header_crc_at, log::crc32c(header.first(header_crc_at)));
        chain_ = get<std::uint32_t>(header, header_crc_at);
        next_lsn_ = get<std::uint64_t>(header, 56);
        for (std::size_t i = 1; (i + 1) * page_bytes <= file_.bytes.size(); ++i) {
            if (!is_unwritten(page(i))) repair_page(i);
        }
    }

private:
    std::span<std::byte> page(std::size_t number)
    {
        return std::span(file_.bytes).subspan(number * page_bytes, page_bytes);
    }

    void fit_header(std::span<std::byte> header, memory_file const* before)
    {
        std::memcpy(header.data(), segment_magic, 8);
        put<std::uint16_t>(header, 8, log::format_major);
        put<std::uint32_t>(header, 12, page_bytes);
        put<std::uint64_t>(header, 16, number_in(file_.name));
        put<std::uint32_t>(header, 44, file_.bytes.size() / page_bytes);
        if (get<std::uint16_t>(header, 104) == 0) put<std::uint16_t>(header, 104, 1);
        if (before == nullptr || before->bytes.size() < page_bytes) return;
        std::span<std::byte const> const other(before->bytes);
        put<std::uint64_t>(header, 24, get<std::uint64_t>(other, 24));
        put<std::uint64_t>(header, 72, get<std::uint64_t>(other, 16));
        put<std::uint64_t>(header, 80, get<std::uint64_t>(other, 32));
        put<std::uint32_t>(header, 88, get<std::uint32_t>(other, 40));
    }

    void repair_page(std::size_t number)
    {
        auto const bytes = page(number);
        auto const header = page(0);
        if (is_all_) {
            std::memcpy(bytes.data() + 4, page_magic, 4);
            bytes[8] = std::byte{log::format_major};
            put<std::uint64_t>(bytes, 16, get<std::uint64_t>(header, 16));
            put<std::uint64_t>(bytes, 24, get<std::uint64_t>(header, 24));
            put<std::uint64_t>(bytes, 32, get<std::uint64_t>(header, 32));
            put<std::uint32_t>(bytes, 48, get<std::uint32_t>(header, 40));
            put<std::uint32_t>(bytes, 52, number);
            put<std::uint32_t>(bytes, 60, chain_);
            put<std::uint64_t>(bytes, 40, next_lsn_);
        }
        if (how_far_ >= repair::records) repair_records(bytes);
        put<std::uint32_t>(bytes, 0, log::crc32c(bytes.subspan(4)));
        chain_ = get<std::uint32_t>(bytes, 0);
    }

    void repair_records(std::span<std::byte> bytes)
    {
        log::record_place place;
        place.segment = get<std::uint64_t>(bytes, 16);
        place.writer = {get<std::uint64_t>(bytes, 24), get<std::uint32_t>(bytes, 48),
                        get<std::uint64_t>(bytes, 32)};
        place.page = get<std::uint32_t>(bytes, 52);
        std::size_t const end = std::min<std::size_t>(
            log::page_header_bytes + get<std::uint16_t>(bytes, 14), page_bytes);
        unsigned count = 0;
        std::size_t at = log::page_header_bytes;
        for (; at + log::record_header_bytes <= end; ++count) {
            auto const rest = bytes.subspan(at, end - at);
            auto const length = get<std::uint16_t>(rest, 4);
            if (length < log::record_header_bytes || log::padded(length) > rest.size()) break;
            if (is_all_) put<std::uint64_t>(rest, 8, next_lsn_++);
            place.offset = static_cast<std::uint32_t>(at);
            log::seal_record({length, std::to_integer<std::uint8_t>(rest[6]),
                              std::to_integer<std::uint8_t>(rest[7]), get<std::uint64_t>(rest, 8)},
                             place, rest);
            at += log::padded(length);
        }
        if (!is_all_) return;
        put<std::uint16_t>(bytes, 12, count);
        put<std::uint16_t>(bytes, 14, at - log::page_header_bytes);
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), std::byte{0});
    }

    memory_file& file_;
    repair how_far_;
    bool is_all_;
    std::uint32_t chain_ = 0;
    std::uint64_t next_lsn_ = 1;
};

}  // namespace

void restore(std::vector<memory_file>& files, repair how_far)
{
    if (how_far == repair::nothing) return;
    std::sort(files.begin(), files.end(),
              [](auto const& one, auto const& other) { return one.name < other.name; });
    memory_file const* before = nullptr;
    for (memory_file& file : files) {
        segment_repair(file, how_far).run(before);
        before = &file;
    }
}

}  // namespace assent::testing
