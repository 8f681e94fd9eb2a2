// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_mutator.cpp -- see log_mutator.hpp.

#include "log_mutator.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "directory_image.hpp"
#include "log/bytes.hpp"
#include "log/format.hpp"
#include "log/page_builder.hpp"
#include "mix.hpp"

namespace assent::testing {

namespace {

using log::page_bytes;

struct field
{
    std::size_t at;
    std::size_t bytes;
};

// See src/log/format.cpp.
constexpr std::array<field, 19> header_fields{{{8, 2},
                                               {10, 2},
                                               {12, 4},
                                               {16, 8},
                                               {24, 8},
                                               {32, 8},
                                               {40, 4},
                                               {44, 4},
                                               {48, 8},
                                               {56, 8},
                                               {64, 4},
                                               {72, 8},
                                               {80, 8},
                                               {88, 4},
                                               {92, 4},
                                               {96, 4},
                                               {100, 4},
                                               {104, 2},
                                               {106, 1}}};
constexpr std::array<field, 13> page_fields{{{8, 1},
                                             {9, 1},
                                             {10, 2},
                                             {12, 2},
                                             {14, 2},
                                             {16, 8},
                                             {24, 8},
                                             {32, 8},
                                             {40, 8},
                                             {48, 4},
                                             {52, 4},
                                             {56, 4},
                                             {60, 4}}};
constexpr std::array<field, 4> record_fields{{{4, 2}, {6, 1}, {7, 1}, {8, 8}}};

class mutation
{
public:
    mutation(std::vector<memory_file>& files, std::uint64_t seed, byte_changer const& change)
        : files_(files), random_(seed), change_(change)
    {
    }

    void run()
    {
        if (files_.empty()) files_.push_back({file_name(file_kind::segment, 1), {}});
        for (unsigned i = 1 + static_cast<unsigned>(random_.below(3)); i > 0; --i) {
            once();
        }
        restore(files_, static_cast<repair>(std::min<std::uint64_t>(random_.below(6), 3)));
    }

private:
    void once()
    {
        switch (random_.below(12)) {
            case 0:
            case 1:
                return change_bytes();
            case 2:
                return set(any_file(), 0, header_fields[random_.below(header_fields.size())]);
            case 3:
            case 4:
                return set_in_page();
            case 5:
            case 6:
            case 7:
                return change_record();
            case 8:
            case 9:
                return add_record();
            case 10:
                return change_pages();
            default:
                return change_files();
        }
    }

    memory_file& any_file() { return files_[random_.below(files_.size())]; }

    /// The begin of a page behind the header that is written; of the header when there is none.
    std::size_t any_page(memory_file const& file)
    {
        std::size_t const pages = file.bytes.size() / page_bytes;
        for (int tries = 0; tries < 8 && pages > 1; ++tries) {
            std::size_t const at = (1 + random_.below(pages - 1)) * page_bytes;
            if (file.bytes[at + 4] != std::byte{0}) return at;
        }
        return 0;
    }

    void set(memory_file& file, std::size_t begin, field const& which)
    {
        if (begin + which.at + which.bytes > file.bytes.size()) return;
        std::byte* const at = file.bytes.data() + begin + which.at;
        std::uint64_t value = 0;
        for (std::size_t i = which.bytes; i-- > 0;) {
            value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
        }
        std::uint64_t const choices[] = {0,
                                         1,
                                         value + 1,
                                         value - 1,
                                         value + 8,
                                         std::numeric_limits<std::uint64_t>::max(),
                                         std::uint64_t{1} << random_.below(8 * which.bytes),
                                         random_.below(300),
                                         random_.next()};
        value = choices[random_.below(std::size(choices))];
        for (std::size_t i = 0; i < which.bytes; ++i) {
            at[i] = static_cast<std::byte>(value >> 8 * i);
        }
    }

    void set_in_page()
    {
        memory_file& file = any_file();
        set(file, any_page(file), page_fields[random_.below(page_fields.size())]);
    }

    void change_bytes()
    {
        memory_file& file = any_file();
        if (file.bytes.empty()) return;
        std::size_t const begin = any_page(file) + random_.below(512);
        std::size_t const size = 1 + random_.below(64);
        if (begin + size <= file.bytes.size()) change_(std::span(file.bytes).subspan(begin, size));
    }

    /// In its header, or anywhere in its body.
    void change_record()
    {
        memory_file& file = any_file();
        std::size_t const page = any_page(file);
        if (page == 0) return;
        std::size_t at = page + log::page_header_bytes;
        for (std::uint64_t skipped = random_.below(8); skipped > 0; --skipped) {
            auto const length = log::get_le<std::uint16_t>(file.bytes.data() + at + 4);
            std::size_t const next = at + log::padded(length);
            if (length < log::record_header_bytes || next + 64 > page + page_bytes) break;
            at = next;
        }
        if (random_.one_in(3)) {
            return set(file, at, record_fields[random_.below(record_fields.size())]);
        }
        std::size_t const body = log::record_header_bytes + random_.below(48);
        if (random_.one_in(2)) return set(file, at, {body, std::size_t{1} << random_.below(4)});
        change_(std::span(file.bytes).subspan(at + body, 1 + random_.below(8)));
    }

    gtrid any_gtrid()
    {
        gtrid::fields parts;
        parts.node = 1;
        parts.epoch = static_cast<std::uint32_t>(1 + random_.below(2));
        parts.nonce = 2;
        parts.sequence = random_.below(4);
        return random_.one_in(16) ? gtrid{} : gtrid::make(parts);
    }

    xid any_xid()
    {
        auto const id = static_cast<std::uint16_t>(random_.below(3));
        return {any_gtrid(), bqual::make({id, 1, 4})};
    }

    log::record any_record()
    {
        auto const id = static_cast<std::uint16_t>(random_.below(3));
        std::string const text(random_.below(40), 'x');
        switch (random_.below(9)) {
            case 0:
                return log::opening_record{{static_cast<std::uint32_t>(random_.below(4)), 2}, 3};
            case 1:
                return ports::binding{id, "rm" + std::to_string(id), "kind", text};
            case 2:
                return log::decision_record{{any_gtrid(), {any_xid().branch}}, random_.below(2), 5};
            case 3:
                return log::end_record{any_gtrid(), random_.below(3)};
            case 4:
                return ports::heuristic_record{any_xid(), "rm", xa_code::heurmix, text, 6};
            case 5:
                return log::horizon_record{id, {1, random_.below(4)}, random_.below(2) == 1};
            case 6:
                return log::server_start_record{id, 1, text};
            case 7:
                return log::operator_record{
                    any_xid(), static_cast<log::operator_verdict>(1 + random_.below(3)), 7, "who",
                    text};
            default:
                return log::rollback_record{any_gtrid()};
        }
    }

    /// Behind the last record of a page, or in a page of its own.
    void add_record()
    {
        memory_file& file = any_file();
        std::size_t page = any_page(file);
        if (random_.one_in(3)) page = fresh_page(file);
        if (page == 0) return;
        std::byte* const bytes = file.bytes.data() + page;
        std::size_t const used = log::get_le<std::uint16_t>(bytes + 14);
        std::size_t const at = log::page_header_bytes + used;
        if (used > log::page_payload_bytes || page_bytes - at < log::record_header_bytes) return;
        auto const what = any_record();
        std::span<std::byte> const room(bytes + at, page_bytes - at);
        std::size_t const body = log::encode_body(what, room.subspan(log::record_header_bytes));
        std::size_t const length = log::record_header_bytes + body;
        if (body == 0 || log::padded(length) > room.size()) return;
        log::put_le<std::uint16_t>(room.data() + 4, static_cast<std::uint16_t>(length));
        room[6] = static_cast<std::byte>(log::type_of(what));
        auto const count = log::get_le<std::uint16_t>(bytes + 12);
        log::put_le<std::uint16_t>(bytes + 12, static_cast<std::uint16_t>(count + 1));
        log::put_le<std::uint16_t>(bytes + 14,
                                   static_cast<std::uint16_t>(used + log::padded(length)));
    }

    /// The first page that is not written, given the header of the one before.
    static std::size_t fresh_page(memory_file& file)
    {
        for (std::size_t at = 2 * page_bytes; at + page_bytes <= file.bytes.size();
             at += page_bytes) {
            if (file.bytes[at + 4] != std::byte{0}) continue;
            auto const page = file.bytes.begin() + static_cast<std::ptrdiff_t>(at);
            std::copy_n(page - page_bytes, log::page_header_bytes, page);
            std::fill_n(page + 10, 6, std::byte{0});  // flags, count, size
            log::put_le<std::uint32_t>(file.bytes.data() + at + 56,
                                       static_cast<std::uint32_t>(at / page_bytes));
            return at;
        }
        return 0;
    }

    void change_pages()
    {
        memory_file& file = any_file();
        std::size_t const one = any_page(file);
        std::size_t const other = any_page(file);
        auto const begin = [&](std::size_t at) {
            return file.bytes.begin() + static_cast<std::ptrdiff_t>(at);
        };
        switch (random_.below(4)) {
            case 0:
                if (one != other)
                    std::swap_ranges(begin(one), begin(one + page_bytes), begin(other));
                return;
            case 1:
                if (one != other) std::copy_n(begin(one), page_bytes, begin(other));
                return;
            case 2:
                if (one != 0) std::fill_n(begin(one), page_bytes, std::byte{0});
                return;
            default:
                file.bytes.resize(random_.below(image_pages_max) * page_bytes +
                                  (random_.one_in(8) ? random_.below(page_bytes) : 0));
        }
    }

    void change_files()
    {
        std::size_t const which = random_.below(files_.size());
        std::uint64_t const number = number_in(files_[which].name);
        switch (random_.below(4)) {
            case 0:
                if (files_.size() < image_files_max) {
                    files_.push_back(
                        {file_name(file_kind::segment, number + 1), files_[which].bytes});
                }
                return;
            case 1:
                if (files_.size() > 1)
                    files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(which));
                return;
            case 2:
                files_[which].name = file_name(static_cast<file_kind>(random_.below(file_kinds)),
                                               number + random_.below(3));
                return;
            default:
                files_[which].name =
                    file_name(file_kind::segment, random_.one_in(4)
                                                      ? std::numeric_limits<std::uint64_t>::max()
                                                      : random_.below(4));
        }
    }

    std::vector<memory_file>& files_;
    small_random random_;
    byte_changer const& change_;
};

}  // namespace

void mutate(std::vector<memory_file>& files, std::uint64_t seed, byte_changer const& change)
{
    mutation(files, seed, change).run();
}

}  // namespace assent::testing
