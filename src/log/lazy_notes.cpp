// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "log/lazy_notes.hpp"

#include <new>

namespace assent::log {

void lazy_notes::add_end(packed_gtrid const& global, std::uint64_t finished) noexcept
{
    if (ends_.size() >= lazy_notes_max) return;
    try {
        ends_[global] |= finished;
    } catch (std::bad_alloc const&) {
        // The note stays in memory, and the next segment's snapshot carries it.
        return;
    }
}

void lazy_notes::add_rollback(packed_gtrid const& global)
{
    rollbacks_.push_back(global);
    if (rollbacks_.size() > rollback_notes_max) rollbacks_.pop_front();
}

void lazy_notes::clear() noexcept
{
    ends_.clear();
    rollbacks_.clear();
    has_raised_ = false;
}

void lazy_notes::write_to(page_builder& pages)
{
    while (!ends_.empty()) {
        auto const first = ends_.begin();
        if (pages.add(end_record{first->first, first->second}) != add_result::added) return;
        ends_.erase(first);
    }
    while (!rollbacks_.empty()) {
        if (pages.add(rollback_record{rollbacks_.front()}) != add_result::added) return;
        rollbacks_.pop_front();
    }
}

void lazy_notes::write_horizons_to(page_builder& pages, log_image const& image)
{
    if (!has_raised_) return;
    bool const are_all_added = image.for_each_horizon(
        [&pages](horizon_record const& one) { return pages.add(one) == add_result::added; });
    has_raised_ = !are_all_added;
}

}  // namespace assent::log
