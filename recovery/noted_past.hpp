// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// noted_past.hpp -- what the log notes of the past of one server, epoch by epoch.  Pure.
//
// A note is the server's start, behind it the histories that were seen in the epoch, the last few
// of them, and last the count that the node keeps there: "1767225600000000|00000001|00000002",
// "1767225600||.2a|#44".  A history is what the server tells, and behind a dot the kept one.
//
// The owner of the log and a view of it judge by this alone whether the server may have lost what
// was prepared there.  Invariant: without a note nothing is concluded.

#ifndef ASSENT_RECOVERY_NOTED_PAST_HPP
#define ASSENT_RECOVERY_NOTED_PAST_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <assent/server.hpp>

namespace assent::recovery {

/// The server's start in what the log notes of it.
std::string start_in(std::string const& noted);
/// The histories in it, oldest first; none where the server told none.
std::vector<std::string> histories_in(std::string const& noted);
/// The count in it; 0: none.
std::uint64_t count_in(std::string const& noted);
std::string make_note(std::string const& start, std::vector<std::string> const& histories,
                      std::uint64_t count);

/// A history as notes have it: what the server tells, and what the node keeps there.
std::string history_of(std::string const& told, kept_past const& kept);

struct noted_past
{
    std::function<std::optional<std::string>(std::uint32_t epoch)> note;
    std::uint32_t current = 0;        ///< epoch
    std::uint32_t rebound_epoch = 0;  ///< as in ports::binding

    /// The count that the node last saw there, in whichever of its epochs.
    std::uint64_t last_count() const;
    /// The last history that an epoch before the current one noted, since a person said which
    /// database it is.
    std::optional<std::string> last_history_before() const;
    /// Whether a server whose history is `now` may have lost a branch of that epoch with a part of
    /// its past.  No `now`: the server does not tell.
    bool has_other(std::uint32_t epoch, std::optional<std::string> const& now) const;
    /// Whether the server of some epoch before the current one had another history.
    bool has_other_before(std::optional<std::string> const& now) const;

private:
    std::optional<bool> is_other_in(std::uint32_t epoch, std::string const& now) const;
};

/// What is there now, by the count that the log has seen there: a smaller one is an older state, in
/// which a new history begins.
struct kept_finding
{
    kept_past kept;
    bool is_restored = false;
};
kept_finding compare_kept(kept_past const& found, std::uint64_t known);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_NOTED_PAST_HPP
