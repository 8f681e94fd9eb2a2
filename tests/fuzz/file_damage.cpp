// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_damage.cpp -- see file_damage.hpp.

#include "file_damage.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "log/bytes.hpp"
#include "log/crc32c.hpp"
#include "log/format.hpp"

namespace assent::testing {

namespace {

using files = std::vector<memory_file>;
using log::page_bytes;

std::uint64_t number_of(memory_file const& file)
{
    return log::segment_number(file.name).value_or(1);
}

/// Writes over a file of that name.
void place(files& all, std::string const& name, std::vector<std::byte> bytes)
{
    auto const at = std::find_if(all.begin(), all.end(),
                                 [&](memory_file const& one) { return one.name == name; });
    if (at == all.end()) {
        all.push_back({name, std::move(bytes)});
    } else {
        at->bytes = std::move(bytes);
    }
}

template <std::int64_t By>
std::string name_beside(memory_file const& file)
{
    return log::segment_name(number_of(file) + static_cast<std::uint64_t>(By));
}

template <std::int64_t By>
void rename_by(files& all, std::size_t which, specimen const&)
{
    memory_file const moved = all[which];
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
    place(all, name_beside<By>(moved), moved.bytes);
}

template <std::int64_t By>
void copy_as(files& all, std::size_t which, specimen const&)
{
    place(all, name_beside<By>(all[which]), all[which].bytes);
}

void remove(files& all, std::size_t which, specimen const&)
{
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
}

void swap_names(files& all, std::size_t which, specimen const&)
{
    std::swap(all[which].name, all[all.size() - 1 - which].name);
}

void empty(files& all, std::size_t which, specimen const&)
{
    all[which].bytes.clear();
}

void zero(files& all, std::size_t which, specimen const&)
{
    all[which].bytes.assign(all[which].bytes.size(), std::byte{0});
}

void name_badly(files& all, std::size_t which, specimen const&)
{
    all[which].name = "backup.seg";
}

void name_torn(files& all, std::size_t which, specimen const&)
{
    all[which].name += ".torn-1767225600";
}

void name_half_made(files& all, std::size_t which, specimen const&)
{
    all[which].name += ".tmp";
}

void put_foreign(files& all, std::size_t which, specimen const& of)
{
    all[which].bytes = of.foreign;
}

void put_older(files& all, std::size_t which, specimen const& of)
{
    all[which].bytes = of.older.bytes;
}

void restore(files& all, std::size_t, specimen const& of)
{
    all = {of.older};
}

void put_foreign_header(files& all, std::size_t which, specimen const& of)
{
    std::copy_n(of.foreign.begin(), page_bytes, all[which].bytes.begin());
}

template <std::int64_t By>
void add_foreign(files& all, std::size_t which, specimen const& of)
{
    place(all, name_beside<By>(all[which]), of.foreign);
}

template <std::int64_t By>
void add_older(files& all, std::size_t which, specimen const& of)
{
    place(all, name_beside<By>(all[which]), of.older.bytes);
}

void make_segment_newer(files& all, std::size_t which, specimen const&)
{
    auto& bytes = all[which].bytes;
    log::put_le<std::uint16_t>(bytes.data() + 8, log::format_major + 1);
    log::put_le<std::uint32_t>(bytes.data() + page_bytes - 4,
                               log::crc32c(std::span(bytes).first(page_bytes - 4)));
}

template <std::size_t Page>
void change_page(files& all, std::size_t which, std::size_t at, std::uint8_t to)
{
    auto const page = std::span(all[which].bytes).subspan(Page * page_bytes, page_bytes);
    page[at] = std::byte{to};
    log::put_le<std::uint32_t>(page.data(), log::crc32c(page.subspan(4)));
}

template <std::size_t Page>
void make_page_newer(files& all, std::size_t which, specimen const&)
{
    change_page<Page>(all, which, 8, log::format_major + 1);
}

template <std::size_t Page>
void flag_page(files& all, std::size_t which, specimen const&)
{
    change_page<Page>(all, which, 10, 0x80);
}

}  // namespace

std::vector<file_damage> const& file_damages()
{
    static std::vector<file_damage> const all{
        {"is missing", remove, true},
        {"is empty", empty},
        {"is all zeros", zero},
        {"has the next number", rename_by<1>},
        {"has the number before", rename_by<-1>},
        {"has a number far off", rename_by<100>},
        {"has the name of the other one", swap_names},
        {"has no number", name_badly},
        {"is named as torn", name_torn},
        {"is named as half made", name_half_made, true},
        {"is there twice, also as the next one", copy_as<1>},
        {"is there twice, also as the one before", copy_as<-1>},
        {"is there twice, also far off", copy_as<100>},
        {"is another log's", put_foreign, true},
        {"is an older one", put_older},
        {"gave way to a copy of an older one", restore, true},
        {"has another log's header", put_foreign_header},
        {"is followed by another log's", add_foreign<1>},
        {"follows another log's", add_foreign<-1>},
        {"is followed by an older one", add_older<1>},
        {"follows an older one", add_older<-1>},
        {"is of a later version", make_segment_newer},
        {"has a snapshot of a later version", make_page_newer<1>},
        {"has a page of a later version", make_page_newer<6>},
        {"has a page with a flag of a later version", flag_page<6>},
    };
    return all;
}

}  // namespace assent::testing
