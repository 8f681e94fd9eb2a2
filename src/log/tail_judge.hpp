// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tail_judge.hpp -- proves how a segment ends: what is torn, and what is damaged.
//
//   header | valid ... valid | zeros ... zeros               unsealed, or sealed by its last page
//   header | valid ... valid | bad, valid, zero | zeros      torn: one force that nobody was told
//                                                            of, at most force_pages_max long
//   header | valid, bad, valid that promises "durable up to here"     corrupt: refused
//   header | valid ... valid | an intact page of another place        corrupt: no force leaves it
//
// Whoever opens a log and whoever inspects one ask the same judge, so that neither calls sound
// what the other refuses.
//
// Invariant: a page that was acknowledged is never taken for the torn end of the log
// while anything in the segment proves that it was durable.

#ifndef ASSENT_LOG_TAIL_JUDGE_HPP
#define ASSENT_LOG_TAIL_JUDGE_HPP

#include <cstdint>
#include <string>

#include "log/segment_pages.hpp"

namespace assent::log {

/// Thread safety: distinct objects safe.
class tail_judge
{
public:
    enum class verdict : std::uint8_t {
        whole = 1,    ///< so far
        torn = 2,     ///< so far: a force that was never acknowledged is incomplete
        corrupt = 3,  ///< whatever follows
        newer = 4,    ///< whatever follows
    };

    /// `snapshot_pages` were durable before the segment got its name.
    explicit tail_judge(std::uint32_t snapshot_pages) noexcept : snapshot_pages_(snapshot_pages) {}

    /// Looks at the next page.  All are shown, in their order, from page 1 on; zeros behind which
    /// nothing lies may be left out behind the snapshot.
    void look_at(scanned_page const& page);
    /// A record of a sound page contradicts those before.
    void contradict(std::uint32_t page, std::string why);

    verdict says() const noexcept;
    bool is_decided() const noexcept { return decided_ != verdict::whole; }
    /// Whether a page was not sound: the records of those behind it do not count.
    bool is_past_end() const noexcept { return first_bad_ != 0; }
    /// What the verdict is about; 0 where all is whole.
    std::uint32_t page() const noexcept { return page_; }
    std::string const& why() const noexcept { return why_; }

private:
    void decide(verdict what, std::uint32_t page, std::string why);
    void find_end(scanned_page const& page);
    void weigh(scanned_page const& page);

    std::uint32_t const snapshot_pages_;
    verdict decided_ = verdict::whole;
    std::uint32_t first_bad_ = 0;  // zeros included
    bool is_torn_ = false;         // something lies there, or behind it
    std::string why_bad_;
    std::uint32_t page_ = 0;
    std::string why_;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_TAIL_JUDGE_HPP
