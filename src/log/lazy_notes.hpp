// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lazy_notes.hpp -- what the log shall record without hurry: branches that finished, transactions
// that were rolled back, horizons that rose.
//
//   noted (in memory) --rides along with a force, where it takes no page of a decision--> on disk
//                     +--said by the snapshot of the next segment---------------------------^
//
// Losing one costs a repeated commit, an answer that is "not known", or a decision that is kept
// longer; so none is worth a force of its own.  The image in memory knows all of it at once.
//
// Invariant: a note that is written is forgotten here only when a page has taken it.

#ifndef ASSENT_LOG_LAZY_NOTES_HPP
#define ASSENT_LOG_LAZY_NOTES_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "log/log_image.hpp"
#include "log/packed_id.hpp"
#include "log/page_builder.hpp"

namespace assent::log {

/// Lazy notes that may wait for a force; beyond them a note costs a repeated commit at worst.
inline constexpr std::size_t lazy_notes_max = 16384;

/// Thread safety: whoever holds the force queue's lock.
class lazy_notes
{
public:
    /// Branches of a decision are finished: bit i is branch i.
    void add_end(packed_gtrid const& global, std::uint64_t finished) noexcept;
    /// @throws std::bad_alloc
    void add_rollback(packed_gtrid const& global);
    /// A horizon of the image rose.
    void add_horizon() noexcept { has_raised_ = true; }

    bool is_empty() const noexcept { return !has_raised_ && ends_.empty() && rollbacks_.empty(); }
    /// A snapshot says what they say.
    void clear() noexcept;

    /// Writes ends and rollbacks, as many as there is room for.
    void write_to(page_builder& pages);
    /// Writes all horizons once one of them rose.
    void write_horizons_to(page_builder& pages, log_image const& image);

private:
    std::map<packed_gtrid, std::uint64_t> ends_;
    std::deque<packed_gtrid> rollbacks_;
    bool has_raised_ = false;  // a horizon that is in no segment yet
};

}  // namespace assent::log

#endif  // ASSENT_LOG_LAZY_NOTES_HPP
