// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// damage.cpp -- see damage.hpp.

#include "damage.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "file_damage.hpp"
#include "log/format.hpp"
#include "mix.hpp"

namespace assent::testing {

namespace {

using log::page_bytes;

constexpr std::size_t sector = 512;

std::uint64_t bytes_of(specimen const& of)
{
    std::uint64_t all = 0;
    for (memory_file const& file : of.files) {
        all += file.bytes.size();
    }
    return all;
}

std::uint64_t bits_of(specimen const& of)
{
    return 8 * bytes_of(of);
}

std::uint64_t sectors_of(specimen const& of)
{
    return bytes_of(of) / sector;
}

std::uint64_t pages_of(specimen const& of)
{
    return bytes_of(of) / page_bytes;
}

std::uint64_t pairs_of(specimen const& of)
{
    return pages_of(of) * pages_of(of);
}

std::uint64_t older_pages_of(specimen const& of)
{
    return pages_of(of) * (of.older.bytes.size() / page_bytes);
}

std::uint64_t foreign_pages_of(specimen const& of)
{
    return pages_of(of) * (of.foreign.size() / page_bytes);
}

void put_byte(damaged_log& to, std::uint64_t at, std::byte value)
{
    to.put(at, {&value, 1});
}

void flip_bit(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    put_byte(to, index / 8, to.at(index / 8) ^ (std::byte{1} << index % 8));
}

void put_00(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    put_byte(to, index, std::byte{0});
}

void put_ff(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    put_byte(to, index, std::byte{0xff});
}

void put_random(damaged_log& to, std::uint64_t index, std::uint64_t seed)
{
    put_byte(to, index, small_random(seed).byte());
}

void truncate(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    std::size_t file = 0;
    while (index >= to.files()[file].bytes.size()) {
        index -= to.files()[file++].bytes.size();
    }
    to.resize(file, index, {});
}

constexpr std::array<std::size_t, 8> growths{1, 511, 512, 4095, 4096, 4097, 8192, 64 * page_bytes};

std::uint64_t growths_of(specimen const& of)
{
    return of.files.size() * growths.size() * 2;
}

void grow(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    std::size_t const file = index / (growths.size() * 2);
    std::size_t const by = growths[index / 2 % growths.size()];
    to.resize(file, to.files()[file].bytes.size() + by,
              index % 2 == 0 ? std::byte{0} : std::byte{0xa5});
}

template <std::size_t Unit>
void zero(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    static std::vector<std::byte> const zeros(Unit);
    to.put(index * Unit, zeros);
}

template <std::size_t Unit>
void garble(damaged_log& to, std::uint64_t index, std::uint64_t seed)
{
    small_random random(seed);
    std::array<std::byte, Unit> garbage;
    std::generate(garbage.begin(), garbage.end(), [&] { return random.byte(); });
    to.put(index * Unit, garbage);
}

/// The same sector of another log, which ends earlier perhaps.
void take_sector(damaged_log& to, std::uint64_t index, std::vector<std::byte> const& from)
{
    std::size_t const at = index * sector % from.size();
    to.put(index * sector, std::span(from).subspan(at, sector));
}

void take_older_sector(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    take_sector(to, index, to.original().older.bytes);
}

void take_foreign_sector(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    take_sector(to, index, to.original().foreign);
}

/// Any page of another log in any place.
void take_page(damaged_log& to, std::uint64_t index, std::vector<std::byte> const& from)
{
    std::size_t const pages = from.size() / page_bytes;
    to.put(index / pages * page_bytes,
           std::span(from).subspan(index % pages * page_bytes, page_bytes));
}

void take_older_page(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    take_page(to, index, to.original().older.bytes);
}

void take_foreign_page(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    take_page(to, index, to.original().foreign);
}

std::vector<std::byte> copy_of_page(damaged_log const& from, std::uint64_t page)
{
    std::vector<std::byte> bytes(page_bytes);
    for (std::size_t i = 0; i < page_bytes; ++i) {
        bytes[i] = from.at(page * page_bytes + i);
    }
    return bytes;
}

void swap_pages(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    std::uint64_t const pages = pages_of(to.original());
    auto const one = copy_of_page(to, index / pages);
    auto const other = copy_of_page(to, index % pages);
    to.put(index / pages * page_bytes, other);
    to.put(index % pages * page_bytes, one);
}

void repeat_page(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    std::uint64_t const pages = pages_of(to.original());
    to.put(index % pages * page_bytes, copy_of_page(to, index / pages));
}

std::uint64_t file_damages_of(specimen const& of)
{
    return file_damages().size() * of.files.size();
}

void damage_file(damaged_log& to, std::uint64_t index, std::uint64_t)
{
    auto const& how = file_damages()[index % file_damages().size()];
    how.apply(to.all_files(how.is_substitution), index / file_damages().size(), to.original());
}

}  // namespace

std::size_t damaged_log::size() const noexcept
{
    return bytes_of(of_);
}

std::byte damaged_log::at(std::size_t offset) const noexcept
{
    std::size_t file = 0;
    while (offset >= files_[file].bytes.size()) {
        offset -= files_[file++].bytes.size();
    }
    return files_[file].bytes[offset];
}

void damaged_log::put(std::size_t offset, std::span<std::byte const> bytes)
{
    std::size_t file = 0;
    while (offset >= files_[file].bytes.size()) {
        offset -= files_[file++].bytes.size();
    }
    std::copy(bytes.begin(), bytes.end(),
              files_[file].bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    ranges_.push_back({file, offset, bytes.size()});
    pages_.push_back({file, static_cast<std::uint32_t>(offset / page_bytes)});
}

void damaged_log::resize(std::size_t file, std::size_t size, std::byte fill)
{
    files_[file].bytes.resize(size, fill);
    pages_.push_back({file, 0});
    is_resized_ = true;
}

void damaged_log::heal()
{
    if (is_whole_files_ || is_resized_) {
        files_ = of_.files;
    } else {
        for (range const& one : ranges_) {
            auto const begin =
                of_.files[one.file].bytes.begin() + static_cast<std::ptrdiff_t>(one.begin);
            std::copy_n(begin, one.size,
                        files_[one.file].bytes.begin() + static_cast<std::ptrdiff_t>(one.begin));
        }
    }
    pages_.clear();
    ranges_.clear();
    is_resized_ = false;
    is_whole_files_ = false;
    is_substitution_ = false;
}

std::vector<damage_kind> const& damage_kinds()
{
    static std::vector<damage_kind> const all{
        {"bit", bits_of, flip_bit},
        {"byte_00", bytes_of, put_00},
        {"byte_ff", bytes_of, put_ff},
        {"byte_random", bytes_of, put_random},
        {"truncated", bytes_of, truncate},
        {"grown", growths_of, grow},
        {"sector_zero", sectors_of, zero<sector>},
        {"sector_garbage", sectors_of, garble<sector>},
        {"sector_older", sectors_of, take_older_sector},
        {"sector_foreign", sectors_of, take_foreign_sector},
        {"page_zero", pages_of, zero<page_bytes>},
        {"page_garbage", pages_of, garble<page_bytes>},
        {"page_older", older_pages_of, take_older_page},
        {"page_foreign", foreign_pages_of, take_foreign_page},
        {"pages_swapped", pairs_of, swap_pages},
        {"page_repeated", pairs_of, repeat_page},
        {"file", file_damages_of, damage_file},
    };
    return all;
}

std::string file_damage_name(specimen const& of, std::uint64_t index)
{
    auto const& all = file_damages();
    return of.files[index / all.size()].name + " " + all[index % all.size()].name;
}

}  // namespace assent::testing
