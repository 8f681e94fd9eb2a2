// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_pages.hpp -- reads the pages of one segment, and says what each of them is.
//
//   header | sound, sound, damaged, zeros, sound ... | zeros to the end
//
// It decides nothing and refuses nothing.  Whoever opens a log (segment_reader) stops at the first
// page that is not sound; whoever looks at one from outside (recovery/log_tools) goes on.  What
// the pages say together about the end of the log, tail_judge finds for both.
//
// Invariant: only the records of a sound page are given away; no byte of the file makes it
// allocate more than one page's records.

#ifndef ASSENT_LOG_SEGMENT_PAGES_HPP
#define ASSENT_LOG_SEGMENT_PAGES_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/file_layer.hpp"
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

/// Where the pages so far ended: what the next one is held against.
struct page_thread
{
    std::optional<std::uint32_t> crc;       ///< of the page before, when that was sound
    std::optional<std::uint64_t> next_lsn;  ///< when it is known
    bool has_gap = false;                   ///< a page before was not sound
};

enum class header_state : std::uint8_t {
    sound = 1,
    too_short = 2,   ///< the file has no whole page
    unreadable = 3,  ///< the disk does not give it
    newer = 4,       ///< of a later major version
    foreign = 5,     ///< damaged, of another segment, or of none
};

/// What a read that failed takes with it.
enum class bad_sector : std::uint8_t {
    fails_the_read = 1,      ///< all that was read ahead: a disk like that is not opened
    takes_its_own_page = 2,  ///< nothing else: what can be had is wanted
};

struct read_failure
{
    long error = 0;  ///< a negated errno; 0: the file ended early
    std::uint64_t offset = 0;
};

/// Thread safety: distinct objects safe.
class segment_pages
{
public:
    /// Opens the segment and reads its header.  @throws log_error  io: it cannot be opened.
    segment_pages(file_layer& files, std::uint64_t number, bad_sector how);
    segment_pages(segment_pages const&) = delete;
    segment_pages& operator=(segment_pages const&) = delete;

    std::string const& path() const noexcept { return file_.path(); }
    std::uint64_t file_bytes() const noexcept { return file_.size_bytes(); }
    /// Whether the file has the size that its header says.
    bool is_whole() const noexcept
    {
        return header_ && file_bytes() == page_count_ * std::uint64_t{page_bytes};
    }

    header_state state_of_header() const noexcept { return header_state_; }
    std::string const& header_problem() const noexcept { return header_problem_; }
    /// Nothing unless it is sound.
    std::optional<segment_header> const& header() const noexcept { return header_; }
    std::uint32_t header_crc() const noexcept { return header_crc_; }
    /// Who wrote it: the header says it, or the page that was found by find_writer().
    std::optional<generation> const& writer() const noexcept { return writer_; }
    /// Without a header the first page that lies where it says tells whose segment this is.
    void find_writer();

    /// Pages that the file should have, header included, and those that can be asked for.
    std::uint32_t page_count() const noexcept { return page_count_; }
    std::uint32_t pages() const noexcept { return pages_; }

    /// One page by itself, whether it follows its neighbours or not.
    /// @pre  0 < `page` < pages().
    scanned_page look_at(std::uint32_t page);
    /// After a page was unreadable: why.
    read_failure const& failure() const noexcept { return failure_; }

    /// What page 1 is held against.
    page_thread beginning() const;
    /// Holds the page that was looked at last against those before it, and decodes its records.
    void follow(scanned_page& page, page_thread& before);
    /// Of the last page that was followed; empty unless that is sound.
    std::vector<scanned_record> const& records() const noexcept { return records_; }

    /// What was read ahead may be old: it is read again.
    void forget() noexcept { buffered_ = 0; }
    /// Told, now and then, how many bytes of the file were read.
    void on_progress(std::function<void(std::uint64_t)> told) { progress_ = std::move(told); }

private:
    void read_header();
    bool load(std::uint32_t page);
    bool read_pages(std::uint32_t page, std::uint32_t count);
    page_view bytes_of(std::uint32_t page) const noexcept;
    std::string failure_in_words() const;
    void decode_records(scanned_page& page);

    segment_file file_;
    std::uint64_t const number_;
    bad_sector const how_;
    header_state header_state_ = header_state::sound;
    std::string header_problem_;
    std::optional<segment_header> header_;
    std::uint32_t header_crc_ = 0;
    std::optional<generation> writer_;
    std::uint32_t page_count_ = 0;
    std::uint32_t pages_ = 0;
    std::function<void(std::uint64_t)> progress_;
    std::vector<std::byte> buffer_;
    std::uint32_t buffered_from_ = 0;
    std::uint32_t buffered_ = 0;
    read_failure failure_;
    std::vector<scanned_record> records_;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_PAGES_HPP
