// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/older_runs.hpp"

#include <set>

#include "ports/coordinator_log.hpp"

namespace assent::recovery {

void older_runs::raise_horizon() noexcept
{
    ports::position const to{shared_.log->current().epoch, shared_.live.finished_up_to(at_.id())};
    if (are_finished_) {
        shared_.log->raise_horizon(at_.id(), to);
    } else {
        shared_.log->raise_epoch_horizon(at_.id(), to);
    }
}

/// In whose rows the decisions live that were not read yet, in words; empty: all were read.
std::string older_runs::places_of(plan const& what) const
{
    std::set<std::uint16_t> places;
    for (auto const& [id, action] : what.listed) {
        auto const parts = id.global.parts();
        bool const is_unread = action == listed_action::wait &&
                               parts.place == decision_place::commit_row &&
                               !shared_.rows.find(id.global);
        if (is_unread) places.insert(parts.place_resource_manager);
    }
    std::string text;
    for (std::uint16_t const place : places) {
        std::string of =
            "resource manager " + std::to_string(place) + ", which the log does not know";
        for (auto const& bound : shared_.log->bindings()) {
            if (bound.id == place) of = "\"" + bound.name + "\"";
        }
        text += "; some are decided by commit rows of " + of + ", which were not read yet";
    }
    return text;
}

void older_runs::note(plan const& what, std::string const& rows_unread, bool are_sessions_gone)
{
    are_finished_ = are_sessions_gone && !what.has_older && rows_unread.empty();
    if (are_finished_) {
        shared_.tell(severity::debug, "recovery.horizon", at_.name(), {}, {});
        raise_horizon();
        at_.note_undrained({});
    } else if (what.has_older) {
        at_.note_undrained("branches of earlier runs are listed there, or wait to be finished" +
                           places_of(what));
    } else if (!rows_unread.empty()) {
        at_.note_undrained(rows_unread);
    } else {
        at_.note_undrained(older_sessions_are_left);
    }
}

void older_runs::warn_of_growth()
{
    if (was_growth_told_) return;
    auto const kept = shared_.log->state().kept_decisions;
    if (kept < shared_.bounds.kept_decisions_max / 2) return;
    auto const oldest = shared_.live.oldest_left_at(at_.id());
    if (!oldest) return;
    was_growth_told_ = true;
    shared_.tell(severity::warning, "log.grows", at_.name(), std::string{oldest->text()},
                 "the log keeps " + std::to_string(kept) + " decisions, of " +
                     std::to_string(shared_.bounds.kept_decisions_max) +
                     " at most: what came after this transaction is forgotten when its branch "
                     "here is finished");
}

}  // namespace assent::recovery
