// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// directory_image.cpp -- see directory_image.hpp.

#include "directory_image.hpp"

#include <algorithm>
#include <utility>

#include "log/bytes.hpp"
#include "log/format.hpp"

namespace assent::testing {

namespace {

using log::page_bytes;

constexpr std::size_t gap_min = 12;  // shorter rows of zeros are kept in their run
constexpr std::size_t run_max = 0xffff;

struct run
{
    std::size_t begin = 0;
    std::size_t size = 0;
};

std::vector<run> runs_of(std::vector<std::byte> const& bytes)
{
    std::vector<run> all;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == std::byte{0}) continue;
        bool const is_near = !all.empty() && i - (all.back().begin + all.back().size) < gap_min &&
                             i - all.back().begin < run_max;
        if (is_near) {
            all.back().size = i + 1 - all.back().begin;
        } else {
            all.push_back({i, 1});
        }
    }
    return all;
}

template <typename Unsigned>
void put(std::vector<std::byte>& to, std::uint64_t value)
{
    to.resize(to.size() + sizeof(Unsigned));
    log::put_le<Unsigned>(to.data() + to.size() - sizeof(Unsigned), static_cast<Unsigned>(value));
}

file_kind kind_of(std::string const& name)
{
    if (name.ends_with(".seg")) return file_kind::segment;
    if (name.ends_with(".tmp")) return file_kind::half_made;
    return name.find(".torn-") == std::string::npos ? file_kind::other : file_kind::torn;
}

}  // namespace

std::string file_name(file_kind kind, std::uint64_t number)
{
    switch (kind) {
        case file_kind::segment:
            return log::segment_name(number);
        case file_kind::half_made:
            return log::segment_name(number) + ".tmp";
        case file_kind::torn:
            return log::segment_name(number) + ".torn-1767225600";
        default:
            return "notes-" + std::to_string(number);
    }
}

std::uint64_t number_in(std::string const& name) noexcept
{
    return log::segment_number(std::string_view(name).substr(0, 20)).value_or(0);
}

std::vector<memory_file> unpack(std::span<std::byte const> image)
{
    std::vector<memory_file> files;
    log::byte_reader from{image};
    while (from.ok() && !from.is_exhausted() && files.size() < image_files_max) {
        auto const kind = static_cast<file_kind>(from.take<std::uint8_t>() % file_kinds);
        auto const number = from.take<std::uint64_t>();
        std::size_t const pages = from.take<std::uint16_t>() % (image_pages_max + 1);
        std::size_t const beyond = from.take<std::uint16_t>() % page_bytes;
        memory_file file{file_name(kind, number),
                         std::vector<std::byte>(pages * page_bytes + beyond)};
        auto const runs = from.take<std::uint16_t>();
        for (unsigned i = 0; i < runs && from.ok(); ++i) {
            std::size_t const at = from.take<std::uint32_t>();
            std::size_t const size = from.take<std::uint16_t>();
            std::string const bytes = from.take_text(size, run_max);
            if (at >= file.bytes.size()) continue;
            std::size_t const fits = std::min(bytes.size(), file.bytes.size() - at);
            std::copy_n(reinterpret_cast<std::byte const*>(bytes.data()), fits,
                        file.bytes.begin() + static_cast<std::ptrdiff_t>(at));
        }
        auto const is_it = [&](memory_file const& other) { return other.name == file.name; };
        if (std::none_of(files.begin(), files.end(), is_it)) files.push_back(std::move(file));
    }
    return files;
}

std::vector<std::byte> pack(std::vector<memory_file> const& files)
{
    std::vector<std::byte> image;
    for (memory_file const& file : files) {
        auto const runs = runs_of(file.bytes);
        put<std::uint8_t>(image, static_cast<std::uint64_t>(kind_of(file.name)));
        put<std::uint64_t>(image, number_in(file.name));
        put<std::uint16_t>(image, file.bytes.size() / page_bytes);
        put<std::uint16_t>(image, file.bytes.size() % page_bytes);
        put<std::uint16_t>(image, runs.size());
        for (run const& one : runs) {
            put<std::uint32_t>(image, one.begin);
            put<std::uint16_t>(image, one.size);
            auto const begin = file.bytes.begin() + static_cast<std::ptrdiff_t>(one.begin);
            image.insert(image.end(), begin, begin + static_cast<std::ptrdiff_t>(one.size));
        }
    }
    return image;
}

}  // namespace assent::testing
