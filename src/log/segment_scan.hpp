// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_scan.hpp -- reads every page of one segment, also behind damage, for whoever looks at a
// log from outside.
//
//   header | sound, sound, damaged, zeros, sound ... | zeros to the end
//            each page that was written is shown, with what is wrong with it; a hole of zeros only
//            when something follows it
//
// segment_reader decides what a log is, and stops at the first page that is wrong.  This one
// decides nothing: it goes on, and says which records are missing, because they are numbered.
//
// The one invariant: only the records of sound pages are shown; no byte of the file makes it
// allocate more than one page's records.

#ifndef ASSENT_LOG_SEGMENT_SCAN_HPP
#define ASSENT_LOG_SEGMENT_SCAN_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "log/format.hpp"
#include "log/records.hpp"
#include "log/segment_file.hpp"

namespace assent::log {

/// What one page turned out to be.
enum class page_kind : std::uint8_t {
    sound = 1,
    zeros = 2,       ///< never written, or lost, before a page that was written
    damaged = 3,     ///< its checksum is wrong
    unreadable = 4,  ///< the disk does not give it
    stray = 5,       ///< intact, but of another place, segment or opening
    newer = 6,       ///< intact, but of a version that this program does not know
    // Intact by its checksum, and yet not a part of this log:
    unchained = 7,     ///< it does not follow its neighbour
    out_of_order = 8,  ///< its records do not go on where those before ended
    malformed = 9,     ///< one of its records is no record
    newer_record = 10,
};

/// Whether the page's own words, such as "durable up to", are its writer's.
constexpr bool is_intact(page_kind what) noexcept
{
    return what == page_kind::sound || what >= page_kind::unchained;
}

struct lsn_range
{
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

struct scanned_page
{
    std::uint32_t number = 0;
    page_kind kind = page_kind::zeros;
    page_header header;             ///< where is_intact(kind)
    std::uint32_t crc = 0;          ///< likewise
    std::optional<lsn_range> lost;  ///< records that are missing between this page and those before
    std::string why;                ///< in words, unless it is sound
};

struct scanned_record
{
    std::uint32_t page = 0;
    std::uint64_t lsn = 0;
    std::uint8_t type = 0;
    std::optional<record> what;  ///< nothing when its type is one that may be skipped
};

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
    bool is_moving = false;      ///< beside a live owner: a page behind it is being written
};

/// Thread safety: distinct objects safe.
class segment_scan
{
public:
    /// Opens the segment and looks at its header.  Beside a live owner (`is_live`) what is being
    /// written at the end is no damage, and whatever looks damaged is read once more.
    /// @throws log_error  io: it cannot be opened.
    segment_scan(file_layer& files, std::uint64_t number, bool is_live);
    segment_scan(segment_scan const&) = delete;
    segment_scan& operator=(segment_scan const&) = delete;

    std::string const& path() const noexcept { return file_.path(); }
    std::uint64_t file_bytes() const noexcept { return file_.size_bytes(); }
    /// Nothing when the header is damaged: header_problem() says how.
    std::optional<segment_header> const& header() const noexcept { return header_; }
    std::string const& header_problem() const noexcept { return header_problem_; }
    bool is_newer() const noexcept { return is_newer_; }
    std::uint32_t header_crc() const noexcept { return header_crc_; }
    /// Who wrote it: the header says it, or else the first page that is intact.
    std::optional<generation> const& writer() const noexcept { return writer_; }
    /// Pages that the file should have, header included, and those that it lacks.
    std::uint32_t page_count() const noexcept { return page_count_; }
    std::uint32_t missing_pages() const noexcept { return page_count_ - pages_; }

    /// Told, now and then, how many bytes of the file were read.
    void on_progress(std::function<void(std::uint64_t)> told) { progress_ = std::move(told); }

    /// Shows the pages from `from` to `to`; may be called again.
    scan_end read(scan_visitor& visitor, std::uint32_t from = 1,
                  std::uint32_t to = segment_pages_max);

    /// One page by itself, whether it follows its neighbours or not.
    /// @pre  0 < `page` < page_count() - missing_pages().
    scanned_page look_at(std::uint32_t page) { return examine(page); }

private:
    struct thread_of_pages
    {
        std::optional<std::uint32_t> crc;       // of the page before, when that was sound
        std::optional<std::uint64_t> next_lsn;  // when it is known
        bool has_gap = false;                   // a page before was not sound
    };

    void read_header();
    void find_writer();
    bool load(std::uint32_t page);
    bool read_pages(std::uint32_t page, std::uint32_t count);
    page_view bytes_of(std::uint32_t page) const noexcept;
    scanned_page examine(std::uint32_t page);
    void place(scanned_page& page, thread_of_pages& before);
    void decode_records(scanned_page& page);
    void show(scanned_page& page, thread_of_pages& before, scan_visitor& visitor, scan_end& end);

    segment_file file_;
    std::uint64_t const number_;
    bool const is_live_;
    std::optional<segment_header> header_;
    std::string header_problem_;
    bool is_newer_ = false;
    std::uint32_t header_crc_ = 0;
    std::optional<generation> writer_;
    std::uint32_t page_count_ = 0;
    std::uint32_t pages_ = 0;  // that can be read
    std::function<void(std::uint64_t)> progress_;
    std::vector<std::byte> buffer_;
    std::uint32_t buffered_from_ = 0;
    std::uint32_t buffered_ = 0;
    long read_error_ = 0;
    std::vector<scanned_record> records_;  // of one page
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_SCAN_HPP
