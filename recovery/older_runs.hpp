// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// older_runs.hpp -- what earlier runs of this log have left in one database, and with it up to
// where everything is finished there.

#ifndef ASSENT_RECOVERY_OLDER_RUNS_HPP
#define ASSENT_RECOVERY_OLDER_RUNS_HPP

#include <string>

#include "recovery/bound_database.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::recovery {

/// Why a database is not drained in which nothing is left but that.
inline constexpr char const* older_sessions_are_left =
    "sessions of its account that are older than this manager's are still connected, and one of "
    "them may yet prepare a branch";

/// Thread safety: the scanner's thread alone.
class older_runs
{
public:
    older_runs(context& shared, bound_database& at) : shared_(shared), at_(at) {}

    /// Everything is finished here once nothing of an earlier run is left; until then the state
    /// says what is.
    /// @param rows_unread  the rows elsewhere that may decide what was lost here, in words.
    void note(plan const& what, std::string const& rows_unread, bool are_sessions_gone);

    /// What this epoch has finished can never come back, whatever sessions are still connected.
    void raise_horizon() noexcept;

    /// Long before begin() is refused because of a branch that is never finished here.
    void warn_of_growth();

private:
    std::string places_of(plan const& what) const;

    context& shared_;
    bound_database& at_;
    bool are_finished_ = false;  // so the horizon is of everything, not of this epoch
    bool was_growth_told_ = false;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_OLDER_RUNS_HPP
