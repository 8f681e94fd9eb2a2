// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/row_keeper.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "recovery/commit_row.hpp"

namespace assent::recovery {

namespace {

// Rows that are looked at in one pass; the rest waits for the next one.
constexpr std::size_t rows_max = 10'000;

}  // namespace

row_keeper::row_keeper(context& shared, bound_database& at, guardian const& guard)
    : worker(shared),
      at_(at),
      guard_(guard),
      session_(shared, at, session_purpose::manage),
      table_(at.driver().decisions()),
      retry_(shared.bounds.retry_min, shared.bounds.completion_retry_max)
{
    if (table_ == nullptr) at_.note_rows(false, "this kind of database holds no commit rows");
}

void row_keeper::want() noexcept
{
    if (!is_wanted_.exchange(true)) hear_question();
}

void row_keeper::hear_question() noexcept
{
    is_asked_ = true;
    wake();
}

bool row_keeper::may_presume_abort() const
{
    return guard_.may_presume_abort() && shared_.may_presume_abort();
}

deadline row_keeper::work()
{
    auto const now = shared_.time.now();
    // Nothing to do with rows before the database is known, which wakes us.
    if (at_.id() == 0) return deadline::max();
    if (table_ == nullptr) {
        shared_.rows.note_listed(at_.id(), true);  // it has none
        return deadline::max();
    }
    if (is_asked_.exchange(false)) next_ = {};
    if (is_last_look_due() && !std::exchange(heard_older_gone_, true)) next_ = {};
    if (now < next_) {
        session_.tend();
        return next_;
    }
    try {
        driver_session* const session = session_.get();
        if (session == nullptr) return session_.next_try();
        bool const is_done = mind(*session);
        session_.note_good();
        if (is_done) {
            why_.clear();
            retry_.reset();
            next_ = is_pruning_due_ ? next_look_ : deadline::max();
        } else {
            next_ = retry_.after(now, shared_.bounds.completion_retry_max);
        }
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        failed(e.what());
    }
    at_.note_rows(is_ready_, why_);
    return next_;
}

void row_keeper::failed(std::string const& why)
{
    if (why_ != why) {
        shared_.tell(severity::warning, "commit_row.unreadable", at_.name(), {}, why);
    }
    why_ = why;
    next_ = retry_.after(shared_.time.now(), shared_.bounds.completion_retry_max);
    if (session_.is_open() && (*session_).is_reusable()) return;
    // Another connection: everything is looked at anew.
    session_.lose(shared_.bounds.completion_retry_max);
    is_ready_ = false;
    was_looked_at_ = false;
}

/// A commit that an earlier run had sent may add its row after the first look, and where a server
/// has lost the branch, nobody lists it and asks.
bool row_keeper::is_last_look_due() const
{
    return at_.are_older_gone() && !shared_.rows.are_settled(at_.id());
}

/// @return whether nothing is left to be asked again soon.
bool row_keeper::mind(driver_session& manage)
{
    // In each term of the guardian: in between a copy of this log may have deleted rows.
    auto const term = guard_.term();
    bool const is_new_term = std::exchange(looked_in_term_, term) != term;
    if (!was_looked_at_ || is_new_term || is_last_look_due() ||
        (is_pruning_due_ && shared_.time.now() >= next_look_)) {
        was_looked_at_ = false;
        look(manage);
    }
    // Before the table may be made: in the place of one that is missing, an empty one would say
    // that nothing was ever decided.  A fence fails there.
    bool is_answered = true;
    for (auto const& [which, by] : shared_.rows.asked_of(at_.id())) {
        if (was_deleted(which, by)) {
            shared_.rows.withdraw(which);
            continue;
        }
        is_pruning_due_ = true;
        // One row that stays locked keeps nobody else waiting for longer than its own turn.
        is_answered = answer(manage, which) && is_answered;
    }
    bool const is_table_proved = is_answered || may_presume_abort();
    if (is_wanted_ && !is_ready_ && is_table_proved) {
        table_->ensure(manage, at_.call_end());
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
        "\"" + at_.name() + "\" says that commit rows were deleted up to epoch " +
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
bool row_keeper::answer(driver_session& manage, gtrid const& which)
{
    std::optional<decision_row> row;
    if (may_presume_abort()) {
        shared_.tell(severity::debug, "commit_row.fence", at_.name(), which.text(), {});
        // Leave to presume ends with the lock: what was asked for with it is not waited for longer.
        auto const turn = shared_.time.now() + shared_.bounds.heartbeat;
        row = table_->fence(manage, which, std::min(turn, guard_.fresh_until()));
    } else {
        // What is there can be read at any time; only its absence decides nothing.
        auto const seen = table_->list(manage, which.text(), 1, at_.call_end());
        if (!seen.empty()) row = seen.front();
    }
    if (!row) {
        why_ = may_presume_abort() ? "the row of " + std::string{which.text()} +
                                         " is locked by a transaction that is not over"
                                   : "abort may not be presumed now, and no row is there";
        return false;
    }
    return learn(*row);
}

/// Takes over what a committed row says.
bool row_keeper::learn(decision_row const& row)
{
    auto decision = decision_in(row);
    if (!decision && row.kind != row_kind::abort) {
        throw driver_error{"the commit row of " + std::string{row.name.text()} +
                           " cannot be read: somebody changed it"};
    }
    auto const says = decision ? known_outcome::committed : known_outcome::rolled_back;
    shared_.tell(severity::debug, decision ? "commit_row.commits" : "commit_row.aborts", at_.name(),
                 row.name.text(), {});
    if (!decision) shared_.log->note_rolled_back(row.name);
    shared_.outcomes.note(row.name, says);
    shared_.rows.learn(row.name, std::move(decision));
    return true;
}

/// At every row: what an earlier run left, and what may go.
void row_keeper::look(driver_session& manage)
{
    auto const id = at_.id();
    auto const& log = *shared_.log;
    bool const is_last = at_.are_older_gone();
    auto const horizons_name = horizon_row_name(id, log.node());
    auto const rows = table_->list(manage, prefix_of(horizons_name), rows_max, at_.call_end());

    // What was deleted was finished: from here on a branch of it has reappeared.
    horizon_map horizons;
    for (auto const& row : rows) {
        if (row.kind != row_kind::horizon || row.name != horizons_name) continue;
        horizons = horizons_in(row.content).value_or(horizon_map{});
        for (auto const& [of, horizon] : horizons)
            require_own(of, horizon);
        for (auto const& [of, horizon] : horizons)
            take_over(of, horizon);
    }
    for (auto const& bound : log.bindings()) {
        auto known = log.horizon(bound.id);
        horizons[bound.id].absorb(known);
    }

    pruning_facts facts;
    facts.knows = [&log](ports::opening const& which) { return log.knows(which); };
    facts.horizon = [&horizons](std::uint16_t of) { return horizons[of]; };
    facts.is_unfinished = [this](gtrid const& which) { return shared_.rows.is_unfinished(which); };
    facts.sees_sessions = at_.driver().capabilities().is_two_phase;
    facts.epoch = log.current().epoch;
    std::vector<gtrid> gone;
    for (auto const& row : rows) {
        auto const parts = row.name.parts();
        bool const is_older = parts.epoch < facts.epoch && log.knows({parts.epoch, parts.nonce});
        if (is_older && row.kind != row_kind::horizon && !shared_.rows.find(row.name)) learn(row);
        if (may_prune(row, facts)) gone.push_back(row.name);
    }
    auto const content = content_of(horizons);
    if (content.size() > content_bytes_max) gone.clear();
    // Only under the guardian's lock: whoever has it may take a missing row for a transaction that
    // never committed.
    if (!may_presume_abort()) gone.clear();
    if (!gone.empty()) {
        table_->prune(manage, {horizons_name, row_kind::horizon, content}, gone,
                      std::min(at_.call_end(), guard_.fresh_until()));
        shared_.tell(severity::debug, "commit_row.pruned", at_.name(), {},
                     std::to_string(gone.size()));
        for (gtrid const& which : gone)
            shared_.rows.forget(which);
    }
    if (rows.size() < rows_max) shared_.rows.note_listed(id, is_last);
    was_looked_at_ = true;
    is_pruning_due_ = is_pruning_due_ || !rows.empty();
    bool const is_more = rows.size() == rows_max && !gone.empty();
    next_look_ = is_more ? shared_.time.now() : shared_.time.now() + shared_.bounds.scan_interval;
}

}  // namespace assent::recovery
