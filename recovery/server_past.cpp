// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_past.cpp -- see server_past.hpp.
//
// The log notes a server's start, behind it the histories that were seen in the epoch, the last few
// of them, and last the count that the node keeps there: "1767225600000000|00000001|00000002",
// "1767225600||.2a|#44".  A history is what the server tells, and behind a dot the kept one.

#include "recovery/server_past.hpp"

#include <algorithm>
#include <charconv>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"

namespace assent::recovery {

namespace {

// Two say already that there was another one: each differs from the one before it.
constexpr std::size_t histories_max = 3;

constexpr char count_mark = '#';

// A server that never answers keeps a session of its own for each attempt to raise the count.
constexpr limits::duration keep_pause_max{600'000};

std::vector<std::string> split(std::string const& noted)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= noted.size();) {
        auto const end = std::min(noted.find('|', from), noted.size());
        parts.push_back(noted.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

bool is_count(std::string const& part)
{
    return !part.empty() && part.front() == count_mark;
}

std::string hex(std::uint64_t number)
{
    char digits[16];
    auto const end = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
    return {digits, end};
}

std::uint64_t count_of(std::string const& noted)
{
    std::uint64_t count = 0;
    for (auto const& part : split(noted)) {
        if (!is_count(part)) continue;
        std::from_chars(part.data() + 1, part.data() + part.size(), count, 16);
    }
    return count;
}

}  // namespace

server_past::server_past(context& shared, bound_database& at)
    : shared_(shared),
      at_(at),
      read_retry_(shared.bounds.retry_max, shared.bounds.scan_interval),
      keep_retry_(shared.bounds.scan_interval, keep_pause_max)
{
}

void server_past::forget()
{
    is_known_ = false;
    is_noted_ = false;
    is_raised_ = false;
    start_ = at_.facts().server_start;
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
        kept_.count = std::max(kept_.count, count_in_log());
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
    history_ = now.history;
    if (kept_.history != 0) history_ += '.' + hex(kept_.history);
    is_told_ = !now.history.empty() || kept_.count != 0;
    bool const is_first = of_run_.empty();
    // A guess was of what is kept there, and not of what the server itself tells.
    bool const is_guess_right = is_guess_ && guessed_under_ == now.history;
    if (is_told_ && !is_first && is_guess_right && is_known_ && restored.empty()) {
        of_run_.back() = history_;
    } else if (is_told_ && (is_first || of_run_.back() != history_)) {
        if (!is_first || !restored.empty()) {
            shared_.tell(
                severity::alarm, "resource_manager.history_changed", at_.name(), {},
                "it failed over or was restored: " +
                    (restored.empty() ? "from \"" + of_run_.back() + "\" to \"" + history_ + "\""
                                      : restored));
        }
        of_run_.push_back(history_);
        if (of_run_.size() > histories_max) of_run_.erase(of_run_.begin());
    }
    is_guess_ = !is_known_ && (is_first || is_guess_);
    guessed_under_ = now.history;
    at_.note_history(is_guess_ ? std::string{} : history_);
    write_down();
    is_noted_ = true;
}

/// The count that this node last saw there, in whichever of its epochs.  The latest note has it,
/// since a count only grows; a note that was forgotten is of an epoch of which nothing is left.
std::uint64_t server_past::count_in_log() const
{
    for (auto epoch = shared_.log->current().epoch; epoch > 0; --epoch) {
        auto const noted = shared_.log->server_start(at_.id(), epoch);
        if (noted) return count_of(*noted);
    }
    return 0;
}

/// Reads what the node keeps there.  @return why the server is taken for restored; empty: it is
/// not.
std::string server_past::look_back(driver_session& manage)
{
    auto const known = std::max(kept_.count, count_in_log());
    auto const found = at_.driver().read_past(manage, shared_.log->node(), at_.call_end());
    if (!found) {
        kept_.count = known;
        return {};
    }
    if (found->count >= known || protocol::mutated(protocol::mutation::restore_unnoticed)) {
        kept_ = *found;
        return {};
    }
    // A number that was never there before.
    kept_.count = known + 1;
    kept_.history = kept_.count;
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
    std::string text = start_;
    for (auto const& each : of_run_)
        text += '|' + each;
    if (kept_.count != 0) text += std::string{'|', count_mark} + hex(kept_.count);
    bool const is_new = shared_.log->server_start(at_.id(), shared_.log->current().epoch) != text;
    if (is_new) shared_.log->note_server_start(at_.id(), text);
    at_.note_start(start_);
}

bool server_past::is_same_start(std::uint32_t epoch) const
{
    auto const noted = shared_.log->server_start(at_.id(), epoch);
    // Without a note nothing is known, and nothing is taken as gone.
    return !noted || split(*noted).front() == start_;
}

bool server_past::has_other(std::uint32_t epoch, std::string const& prepared_in) const
{
    if (!is_told_) return false;
    if (!prepared_in.empty()) return prepared_in != history_;
    // An epoch that could note none was in that of the next one that did.
    auto const current = shared_.log->current().epoch;
    for (auto each = epoch; each <= current; ++each) {
        if (auto const noted = histories_of(each); !noted.empty()) return has_other_in(noted);
    }
    return false;
}

bool server_past::has_other_before() const
{
    if (!is_told_) return false;
    auto const current = shared_.log->current().epoch;
    bool is_other = false;  // as the next epoch that noted one says
    for (auto epoch = current; epoch > 0; --epoch) {
        if (auto const noted = histories_of(epoch); !noted.empty()) is_other = has_other_in(noted);
        if (is_other && epoch < current) return true;
    }
    return false;
}

bool server_past::has_other_in(std::vector<std::string> const& noted) const
{
    return std::any_of(noted.begin(), noted.end(),
                       [this](std::string const& one) { return one != history_; });
}

/// As the log notes them; none where they were not told.
std::vector<std::string> server_past::histories_of(std::uint32_t epoch) const
{
    auto noted = split(shared_.log->server_start(at_.id(), epoch).value_or(std::string{}));
    noted.erase(noted.begin());
    noted.erase(std::remove_if(noted.begin(), noted.end(), is_count), noted.end());
    return noted;
}

}  // namespace assent::recovery
