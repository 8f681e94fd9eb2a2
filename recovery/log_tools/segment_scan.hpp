// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_scan.hpp -- reads every page of one segment, also behind damage, for whoever looks at a
// log from outside.
//
//   header | sound, sound, damaged, zeros, sound ... | zeros to the end
//            each page that was written is shown, with what is wrong with it; a hole of zeros only
//            when something follows it
//
// segment_reader, which opens logs, reads the same segment_pages, and stops at the first that is
// wrong.  This one decides nothing: it goes on, and says which records are missing, because they
// are numbered.
//
// Invariant: only the records of sound pages are shown.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_SCAN_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_SCAN_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "log/segment_pages.hpp"

namespace assent::log {

class scan_visitor
{
public:
    virtual ~scan_visitor() = default;

    /// Every page in its order, then the records of a sound one.
    virtual void on_page(scanned_page const& page) = 0;
    virtual void on_record(scanned_record const&) {}
};

struct scan_end
{
    std::uint32_t last_sound = 0;  ///< the last sound page; 0: the header
    std::uint32_t last_crc = 0;
    std::uint64_t next_lsn = 0;  ///< behind the last record that was shown; 0: none was
    bool is_sealed = false;      ///< the last sound page says so
};

/// Thread safety: distinct objects safe.
class segment_scan
{
public:
    /// Opens the segment and looks at its header.  Beside a live owner (`is_live`) what is being
    /// written at the end is no damage, and whatever looks damaged is read once more.
    /// @throws log_error  io: it cannot be opened.
    segment_scan(file_layer& files, std::uint64_t number, bool is_live);

    /// What it reads.
    segment_pages const& of() const noexcept { return pages_; }
    std::uint32_t missing_pages() const noexcept { return pages_.page_count() - pages_.pages(); }

    /// Told, now and then, how many bytes of the file were read.
    void on_progress(std::function<void(std::uint64_t)> told)
    {
        pages_.on_progress(std::move(told));
    }

    /// Shows the pages from `from` to `to`; may be called again.
    scan_end read(scan_visitor& visitor, std::uint32_t from = 1,
                  std::uint32_t to = segment_pages_max);

private:
    void show(scanned_page& page, page_thread& before, scan_visitor& visitor, scan_end& end);

    segment_pages pages_;
    bool const is_live_;
};

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_SCAN_HPP
