// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_scan.cpp -- see segment_scan.hpp.

#include "recovery/log_tools/segment_scan.hpp"

#include <algorithm>

namespace assent::log {

namespace {

bool may_be_under_way(page_kind what) noexcept
{
    return what == page_kind::zeros || what == page_kind::damaged || what == page_kind::unreadable;
}

}  // namespace

segment_scan::segment_scan(file_layer& files, std::uint64_t number, bool is_live)
    : pages_(files, number, bad_sector::takes_its_own_page), is_live_(is_live)
{
    if (!pages_.header()) pages_.find_writer();
}

void segment_scan::show(scanned_page& page, page_thread& before, scan_visitor& visitor,
                        scan_end& end)
{
    pages_.follow(page, before);
    if (page.kind == page_kind::sound) {
        end = {page.number, page.crc, *before.next_lsn, (page.header.flags & page_seal) != 0};
    }
    visitor.on_page(page);
    for (scanned_record const& one : pages_.records())
        visitor.on_record(one);
}

scan_end segment_scan::read(scan_visitor& visitor, std::uint32_t from, std::uint32_t to)
{
    scan_end end;
    page_thread before;
    if (from <= 1 && pages_.header()) {
        before = pages_.beginning();
        end = {0, *before.crc, *before.next_lsn, false};
    }
    // Pages that may be the end of the log are not shown before something is found behind them;
    // then they are read once more, for a live owner may have written them meanwhile.
    std::uint32_t waiting_from = 0;
    std::uint32_t last_damaged = 0;
    std::uint32_t settled = 0;  // pages before this one are shown as they are
    std::uint32_t pages = to < pages_.pages() ? to + 1 : pages_.pages();
    // A snapshot was durable before its segment got the name: nothing of it is under way.
    std::uint32_t const snapshot =
        pages_.header() ? std::min(pages_.header()->snapshot_pages, pages - 1) : 0;
    pages_.forget();
    for (std::uint32_t number = std::max<std::uint32_t>(from, 1);; ++number) {
        if (number >= pages) {
            if (is_live_) last_damaged = 0;
            if (waiting_from <= snapshot) last_damaged = std::max(last_damaged, snapshot);
            if (waiting_from == 0 || last_damaged == 0) break;
            pages = settled = last_damaged + 1;
            number = waiting_from;
            waiting_from = last_damaged = 0;
        }
        auto page = pages_.look_at(number);
        if (number >= settled && may_be_under_way(page.kind)) {
            if (waiting_from == 0) waiting_from = number;
            if (page.kind != page_kind::zeros) last_damaged = number;
            continue;
        }
        if (waiting_from != 0) {
            settled = number;
            number = waiting_from - 1;
            waiting_from = last_damaged = 0;
            if (is_live_) pages_.forget();
            continue;
        }
        show(page, before, visitor, end);
    }
    return end;
}

}  // namespace assent::log
