// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reader_properties.cpp -- see reader_properties.hpp.

#include "reader_properties.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "allocation_watch.hpp"
#include "log/format.hpp"
#include "log/log_error.hpp"
#include "log/log_opening.hpp"
#include "log/log_reader.hpp"
#include "log/page_builder.hpp"
#include "recovery/log_tools/log_view.hpp"
#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

namespace {

using log::log_error;
using log::log_fault;
using log::page_bytes;

constexpr std::size_t reader_buffer = 64 * page_bytes;

void require(bool holds, char const* what)
{
    if (holds) return;
    std::fprintf(stderr, "this does not hold: %s\n", what);
    std::abort();
}

/// std::vector compares std::byte one by one.
bool is_same(std::vector<memory_file> const& one, std::vector<memory_file> const& other)
{
    auto const is_same_file = [](memory_file const& a, memory_file const& b) {
        return a.name == b.name && a.bytes.size() == b.bytes.size() &&
               std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
    };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), is_same_file);
}

std::optional<log::log_contents> read(std::vector<memory_file> const& files, std::string& refusal)
{
    memory_files layer(files);
    allocation_watch const memory;
    std::optional<log::log_contents> contents;
    try {
        contents = log::read_log(layer);
    } catch (log_error const& error) {
        refusal = error.what();
        require(!error.where().empty(), "an error says where");
        require(error.fault() != log_fault::io, "no call failed");
    }
    require(memory.largest() <= reader_buffer, "no block is larger than the reader's buffer");
    return contents;
}

void check_view(std::vector<memory_file> const& files, bool is_read)
{
    memory_files layer(files);
    bool is_seen = false;
    try {
        log::view_log(layer);
        is_seen = true;
    } catch (log_error const& error) {
        require(!error.where().empty(), "an error of a view says where");
    }
    require(is_seen == is_read, "a view shows what is read");
}

/// A segment that holds what the image keeps, as an opening writes it.
std::vector<memory_file> write_again(log::log_image const& image, log::segment_header header)
{
    constexpr std::uint32_t pages_max = 4096;
    log::page_builder builder(1);
    header.first_lsn = 1;
    builder.begin(header.writer, header.number, 1, header.first_lsn, pages_max);
    image.for_each_kept([&](log::record const& what) {
        require(builder.add(what) == log::add_result::added, "what was read can be written");
    });
    require(builder.pages() <= image.snapshot_pages_max(), "a snapshot is as small as was said");
    header.snapshot_pages = builder.pages();
    header.page_count = std::max(builder.pages() + 1, log::segment_pages_min);
    std::vector<std::byte> bytes(page_bytes);
    log::encode(header, log::page_span{bytes.data(), page_bytes});
    builder.finish(0, log::segment_header_crc(log::page_view{bytes.data(), page_bytes}));
    bytes.insert(bytes.end(), builder.bytes().begin(), builder.bytes().end());
    bytes.resize(header.page_count * page_bytes);
    return {{log::segment_name(header.number), std::move(bytes)}};
}

void check_writing(log::log_contents const& contents)
{
    auto const once = write_again(contents.image, contents.newest);
    std::string refusal;
    auto const back = read(once, refusal);
    require(back.has_value(), ("what was written again is read: " + refusal).c_str());
    require(is_same(write_again(back->image, contents.newest), once), "and is the same");
}

/// As the owner does it, up to the first force of its own.
void check_opening(std::vector<memory_file> const& files, log::log_contents contents)
{
    auto const disk = std::make_shared<simulated_disk>();
    for (memory_file const& file : files) {
        disk->put(file.name, file.bytes);
    }
    auto const layer = disk->attach_layer();
    log::opening_settings how;
    how.node_label = contents.newest.node_label;
    how.segment_bytes = log::segment_pages_min * page_bytes;
    how.random = [] { return 42; };
    how.unix_ms = [] { return 43; };
    try {
        log::open_log(*layer, how);
    } catch (log_error const& error) {
        require(error.fault() == log_fault::exhausted, "what is read can be opened");
        return;
    }
    auto const after = log::read_log(*layer);
    require(after.has_value(), "what was opened can be read");
    log::note_opening(contents.image, {contents.image.last_epoch() + 1, 42}, how);
    contents.image.drop_forgettable();
    require(is_same(write_again(after->image, contents.newest),
                    write_again(contents.image, contents.newest)),
            "an opening carries everything on");
}

void check_bodies(std::vector<memory_file> const& files)
{
    constexpr std::size_t sizes[] = {8, 16, 24, 32, 40, 56, 68, 72, 90, 120};
    for (memory_file const& file : files) {
        for (std::size_t at = page_bytes + 80; at + 256 < file.bytes.size(); at += page_bytes) {
            for (std::uint8_t type = 0; type < 32; ++type) {
                auto const body = std::span(file.bytes).subspan(at, sizes[type % std::size(sizes)]);
                auto const what = log::decode_body(static_cast<log::record_type>(type), body);
                if (!what) continue;
                std::vector<std::byte> once(log::page_payload_bytes);
                std::size_t const size = log::encode_body(*what, once);
                require(size == body.size(), "a body that is decoded encodes to its length");
                auto const again =
                    log::decode_body(log::type_of(*what), std::span(once).first(size));
                require(again.has_value(), "and is decoded again");
                std::vector<std::byte> twice(log::page_payload_bytes);
                log::encode_body(*again, twice);
                require(once == twice, "as the same");
            }
        }
    }
}

}  // namespace

bool check_reader(std::vector<memory_file> const& files)
{
    std::string refusal;
    auto contents = read(files, refusal);
    check_view(files, contents.has_value());
    check_bodies(files);
    if (!contents) return false;
    check_writing(*contents);
    check_opening(files, std::move(*contents));
    return true;
}

}  // namespace assent::testing
