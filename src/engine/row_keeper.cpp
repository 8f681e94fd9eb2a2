// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/row_keeper.hpp"

#include <algorithm>
#include <vector>

#include "recovery/commit_row.hpp"

namespace assent::engine {

namespace {

// Rows that are looked at in one pass; the rest waits for the next one.
constexpr std::size_t rows_max = 10'000;

}  // namespace

row_keeper::row_keeper(context& shared, resource_manager_driver& driver)
    : shared_(shared),
      name_(driver.name()),
      driver_(driver),
      table_(driver.decisions()),
      retry_(shared.bounds.retry_min, shared.bounds.completion_retry_max)
{
}

void row_keeper::reset() noexcept
{
    is_ready_ = false;
    was_looked_at_ = false;
    next_ = {};
}

deadline row_keeper::call_end() const
{
    return shared_.time.now() + shared_.bounds.server_call;
}

void row_keeper::step(driver_session& manage, std::uint16_t id, bool may_presume_abort)
{
    auto const now = shared_.time.now();
    if (table_ == nullptr) {
        why_ = "this kind of database holds no commit rows";
        next_ = deadline::max();
        return;
    }
    if (now < next_) return;
    next_ = deadline::max();  // until somebody asks, or a look is due
    try {
        if (work(manage, id, may_presume_abort)) {
            why_.clear();
            retry_.reset();
            if (is_pruning_due_) next_ = next_look_;
        } else {
            next_ = retry_.after(now, shared_.bounds.completion_retry_max);
        }
    } catch (driver_error const& e) {
        if (why_ != e.what()) {
            shared_.tell(severity::warning, "commit_row.unreadable", name_, {}, e.what());
        }
        why_ = e.what();
        next_ = retry_.after(now, shared_.bounds.completion_retry_max);
        if (!manage.is_reusable()) throw;
    }
}

/// @return whether nothing is left to be asked again soon.
bool row_keeper::work(driver_session& manage, std::uint16_t id, bool may_presume_abort)
{
    if (!was_looked_at_ || (is_pruning_due_ && shared_.time.now() >= next_look_)) {
        look(manage, id);
    }
    // Before the table may be made: in the place of one that is missing, an empty one would say
    // that nothing was ever decided.  A fence fails there.
    bool is_answered = true;
    for (auto const& [which, by] : shared_.rows.asked_of(id)) {
        if (was_deleted(which, by)) {
            shared_.rows.withdraw(which);
            continue;
        }
        is_pruning_due_ = true;
        // A wait that was in vain has kept the guardian waiting as well: one of these at a time.
        is_answered = answer(manage, which, may_presume_abort);
        if (!is_answered) break;
    }
    bool const is_table_proved = is_answered || may_presume_abort;
    if (is_wanted_ && !is_ready_ && is_table_proved) {
        table_->ensure(manage, call_end());
        is_pruning_due_ = true;
        is_ready_ = true;
    }
    return is_answered;
}

/// Whether the row was there and went, as it may once its branch was finished where it is listed
/// now.  It was asked about before the look that told so; an abort row would belie it.
bool row_keeper::was_deleted(gtrid const& which, std::uint16_t by) const
{
    return by != 0 && shared_.log->horizon(by).covers(ports::position_of(which));
}

/// Rows of this epoch are deleted by this process alone, below the horizons that it knows.
/// @throws driver_error  otherwise.
void row_keeper::require_own(std::uint16_t of, ports::horizon const& deleted_up_to) const
{
    auto const current = shared_.log->current().epoch;
    auto newest = deleted_up_to.everything();
    if (!deleted_up_to.alone().empty()) {
        auto const& [epoch, sequence] = *deleted_up_to.alone().rbegin();
        newest = {epoch, sequence};
    }
    if (newest.epoch < current || shared_.log->horizon(of).covers(newest)) return;
    std::string const evidence =
        "\"" + name_ + "\" says that commit rows were deleted up to epoch " +
        std::to_string(newest.epoch) + ", which no opening of this log has done";
    shared_.found_twin(evidence);
    throw driver_error{evidence};
}

void row_keeper::take_over(std::uint16_t of, ports::horizon const& deleted_up_to)
{
    shared_.log->raise_horizon(of, deleted_up_to.everything());
    for (auto const& [epoch, sequence] : deleted_up_to.alone())
        shared_.log->raise_epoch_horizon(of, {epoch, sequence});
}

/// @return whether the row is known now.
bool row_keeper::answer(driver_session& manage, gtrid const& which, bool may_presume_abort)
{
    std::optional<decision_row> row;
    if (may_presume_abort) {
        shared_.tell(severity::debug, "commit_row.fence", name_, which.text(), {});
        // Shorter than a heartbeat, so that the guardian's lock stays fresh meanwhile.
        auto const wait = std::min(shared_.bounds.server_call, shared_.bounds.heartbeat);
        row = table_->fence(manage, which, shared_.time.now() + wait);
    } else {
        // What is there can be read at any time; only its absence decides nothing.
        auto const seen = table_->list(manage, which.text(), 1, call_end());
        if (!seen.empty()) row = seen.front();
    }
    if (!row) {
        why_ = may_presume_abort ? "the row of " + std::string{which.text()} +
                                       " is locked by a transaction that is not over"
                                 : "abort may not be presumed now, and no row is there";
        return false;
    }
    return learn(*row);
}

/// Takes over what a committed row says.
bool row_keeper::learn(decision_row const& row)
{
    auto decision = recovery::decision_in(row);
    if (!decision && row.kind != row_kind::abort) {
        throw driver_error{"the commit row of " + std::string{row.name.text()} +
                           " cannot be read: somebody changed it"};
    }
    auto const says = decision ? known_outcome::committed : known_outcome::rolled_back;
    shared_.tell(severity::debug, decision ? "commit_row.commits" : "commit_row.aborts", name_,
                 row.name.text(), {});
    if (!decision) shared_.log->note_rolled_back(row.name);
    shared_.outcomes.note(row.name, says);
    shared_.rows.learn(row.name, std::move(decision));
    return true;
}

/// At every row: what an earlier run left, and what may go.
void row_keeper::look(driver_session& manage, std::uint16_t id)
{
    auto const& log = *shared_.log;
    auto const horizon_row_name = recovery::horizon_row_name(id, log.node());
    auto const rows =
        table_->list(manage, recovery::prefix_of(horizon_row_name), rows_max, call_end());

    // What was deleted was finished: from here on a branch of it has reappeared.
    recovery::horizon_map horizons;
    for (auto const& row : rows) {
        if (row.kind != row_kind::horizon || row.name != horizon_row_name) continue;
        horizons = recovery::horizons_in(row.content).value_or(recovery::horizon_map{});
        for (auto const& [of, horizon] : horizons)
            require_own(of, horizon);
        for (auto const& [of, horizon] : horizons)
            take_over(of, horizon);
    }
    for (auto const& bound : log.bindings()) {
        auto known = log.horizon(bound.id);
        horizons[bound.id].absorb(known);
    }

    recovery::pruning_facts facts;
    facts.knows = [&log](ports::opening const& which) { return log.knows(which); };
    facts.horizon = [&horizons](std::uint16_t of) { return horizons[of]; };
    facts.is_unfinished = [this](gtrid const& which) { return shared_.rows.is_unfinished(which); };
    facts.sees_sessions = driver_.capabilities().is_two_phase;
    facts.epoch = log.current().epoch;
    std::vector<gtrid> gone;
    for (auto const& row : rows) {
        auto const parts = row.name.parts();
        bool const is_older = parts.epoch < facts.epoch && log.knows({parts.epoch, parts.nonce});
        if (is_older && row.kind != row_kind::horizon && !shared_.rows.find(row.name)) learn(row);
        if (recovery::may_prune(row, facts)) gone.push_back(row.name);
    }
    auto const content = recovery::content_of(horizons);
    if (content.size() > recovery::content_bytes_max) gone.clear();
    if (!gone.empty()) {
        table_->prune(manage, {horizon_row_name, row_kind::horizon, content}, gone, call_end());
        shared_.tell(severity::debug, "commit_row.pruned", name_, {}, std::to_string(gone.size()));
        for (gtrid const& which : gone)
            shared_.rows.forget(which);
    }
    if (rows.size() < rows_max) shared_.rows.note_listed(id);
    was_looked_at_ = true;
    is_pruning_due_ = is_pruning_due_ || !rows.empty();
    bool const is_more = rows.size() == rows_max && !gone.empty();
    next_look_ = is_more ? shared_.time.now() : shared_.time.now() + shared_.bounds.scan_interval;
}

}  // namespace assent::engine
