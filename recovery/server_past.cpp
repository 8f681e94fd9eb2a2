// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/server_past.hpp"

#include <algorithm>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"

namespace assent::recovery {

namespace {

// Two say already that there was another one: each differs from the one before it.
constexpr std::size_t histories_max = 3;

// Twelve hexadecimal digits, as in a gtrid.
constexpr std::uint64_t sequence_last = 0xffffffffffffULL;

// A server that never answers keeps a session of its own for each attempt to raise the count.
constexpr limits::duration keep_pause_max{600'000};

}  // namespace

server_past::server_past(context& shared, bound_database& at)
    : shared_(shared),
      at_(at),
      read_retry_(shared.bounds.retry_max, shared.bounds.scan_interval),
      keep_retry_(shared.bounds.scan_interval, keep_pause_max)
{
    noted_.note = [this](std::uint32_t epoch) {
        return shared_.log->server_start(at_.id(), epoch);
    };
}

void server_past::forget()
{
    is_known_ = false;
    is_noted_ = false;
    is_raised_ = false;
    start_ = at_.facts().server_start;
    noted_.current = shared_.log->current().epoch;
    noted_.rebound_epoch = 0;
    for (auto const& bound : shared_.log->bindings()) {
        if (bound.id == at_.id()) noted_.rebound_epoch = bound.rebound_epoch;
    }
}

void server_past::mind(driver_session& manage)
{
    auto const now = shared_.time.now();
    if (!is_known_ && now >= next_read_) {
        next_read_ = read_retry_.after(now, shared_.bounds.scan_interval);
        read(manage);
        next_read_ = {};
        read_retry_.reset();
    } else if (!is_noted_) {
        take_down({});
    }
    if (is_known_ && is_raise_due()) keep(manage);
}

void server_past::read(driver_session& manage)
{
    std::string restored;
    try {
        restored = look_back(manage);
    } catch (driver_error const&) {
        // What is begun meanwhile is of some history, and an epoch that notes none is believed.
        kept_.count = std::max(kept_.count, noted_.last_count());
        take_down({});
        throw;
    }
    is_known_ = true;
    take_down(restored);
}

/// @param restored  why a new history begins here; empty: it was read that none does, or not read.
void server_past::take_down(std::string const& restored)
{
    auto const now = at_.facts();
    history_ = history_of(now.history, kept_);
    is_told_ = !now.history.empty() || kept_.count != 0;
    bool const is_first = of_run_.empty();
    // A guess was of what is kept there, and not of what the server itself tells.
    bool const is_guess_right = is_guess_ && guessed_under_ == now.history;
    std::optional<std::string> before;
    if (is_told_ && !is_first && is_guess_right && is_known_ && restored.empty()) {
        before = noted_.last_history_before();
        of_run_.back() = history_;
    } else if (is_told_ && (is_first || of_run_.back() != history_)) {
        if (!is_first) before = of_run_.back();
        // It may have changed while no process owned the log.
        if (is_first && is_known_) before = noted_.last_history_before();
        of_run_.push_back(history_);
        if (of_run_.size() > histories_max) of_run_.erase(of_run_.begin());
    }
    if (!restored.empty() || before.value_or(history_) != history_) {
        shared_.tell(
            severity::alarm, "resource_manager.history_changed", at_.name(), {},
            "it failed over or was restored: " +
                (restored.empty() ? "from \"" + *before + "\" to \"" + history_ + "\"" : restored));
    }
    is_guess_ = !is_known_ && (is_first || is_guess_);
    guessed_under_ = now.history;
    at_.note_history(is_guess_ ? std::string{} : history_);
    write_down();
    is_noted_ = true;
}

/// Reads what the node keeps there.  @return why the server is taken for restored; empty: it is
/// not.
std::string server_past::look_back(driver_session& manage)
{
    auto const known = std::max(kept_.count, noted_.last_count());
    auto const found = at_.driver().read_past(manage, shared_.log->node(), at_.call_end());
    if (!found) {
        kept_.count = known;
        return {};
    }
    bool const is_unnoticed = protocol::mutated(protocol::mutation::restore_unnoticed);
    auto const is = compare_kept(*found, is_unnoticed ? 0 : known);
    kept_ = is.kept;
    if (!is.is_restored) return {};
    return "the count that this node keeps there is " + std::to_string(found->count) +
           ", and has been " + std::to_string(known);
}

bool server_past::is_raise_due() const
{
    auto const now = shared_.time.now();
    if (now < next_keep_) return false;
    return !is_raised_ || (is_told_ && now >= next_raise_ && at_.begun() != begun_);
}

/// Raises the count there first, and in the log behind it: what the log notes was there.
void server_past::keep(driver_session& manage)
{
    auto const now = shared_.time.now();
    auto const begun = at_.begun();
    next_keep_ = keep_retry_.after(now, keep_pause_max);
    kept_past const next{kept_.count + 1, kept_.history};
    bool const is_kept = at_.driver().keep_past(manage, shared_.log->node(), next, at_.call_end());
    next_keep_ = {};
    keep_retry_.reset();
    is_raised_ = true;
    begun_ = begun;
    next_raise_ = now + shared_.bounds.scan_interval;
    if (!is_kept) return;
    kept_ = next;
    if (!is_told_) of_run_.push_back(history_);
    is_told_ = true;
    write_down();
}

void server_past::write_down()
{
    auto const text = make_note(start_, of_run_, kept_.count);
    bool const is_new = shared_.log->server_start(at_.id(), shared_.log->current().epoch) != text;
    if (is_new) shared_.log->note_server_start(at_.id(), text);
    at_.note_start(start_);
}

bool server_past::is_same_start(std::uint32_t epoch) const
{
    if (epoch < noted_.rebound_epoch) return false;  // its sessions were the old database's
    auto const noted = shared_.log->server_start(at_.id(), epoch);
    // Without a note nothing is known, and nothing is taken as gone.
    return !noted || start_in(*noted) == start_;
}

bool server_past::has_other(std::uint32_t epoch, std::string const& prepared_in) const
{
    if (!prepared_in.empty()) return is_told_ && prepared_in != history_;
    return noted_.has_other(epoch, told_history());
}

bool server_past::has_other_before() const
{
    // As long as the horizon is not past all that the old database may have had.
    bool const is_rebound = noted_.rebound_epoch != 0;
    ports::position const last{noted_.rebound_epoch - 1, sequence_last};
    if (is_rebound && !shared_.log->horizon(at_.id()).covers(last)) return true;
    return noted_.has_other_before(told_history());
}

std::optional<std::string> server_past::told_history() const
{
    return is_told_ ? std::optional{history_} : std::nullopt;
}

}  // namespace assent::recovery
