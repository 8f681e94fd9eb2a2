// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// prediction.hpp -- what recovery does with what one database lists, and lacks, by the very rules
// that recovery goes by (recovery/scan_plan.hpp, recovery/noted_past.hpp), and why.
//
// Invariant: what is predicted is what a recovery does that sees the same.  Where that is not known
// it is "wait", and never an outcome.

#ifndef ASSENT_RECOVERY_CLI_PREDICTION_HPP
#define ASSENT_RECOVERY_CLI_PREDICTION_HPP

#include <string>
#include <vector>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/rows.hpp"
#include "recovery/cli/survey.hpp"

namespace assent::cli {

/// What the databases and the log said together.  @pre  what it refers to outlives it.
class prediction
{
public:
    prediction(configuration const& from, two_looks const& seen,
               std::vector<surveyed_database> const& listed, log_report const& log);
    prediction(prediction const&) = delete;
    prediction& operator=(prediction const&) = delete;

    std::vector<known_database> const& known() const noexcept { return known_; }

    /// What becomes of the branches in `which`.
    /// @param code  how bad it is that nothing can be said of it, where that is so.
    scanned_database of(known_database const& which, exit_code& code) const;

private:
    explanation why_inconclusive(surveyed_database const& listed, exit_code& code) const;
    void judge_listed(scanned_database& into, known_database const& which,
                      surveyed_database const& at) const;
    void judge_missing(scanned_database& into, known_database const& which,
                       surveyed_database const& at, std::vector<xid> const& gone) const;
    recovery::plan plan_for(known_database const& which, surveyed_database const& at,
                            bool may_presume) const;
    scanned_branch judge(recovery::listed_branch const& listed, surveyed_database const& at) const;
    scanned_branch waiting(xid const& id) const;
    bool is_kept_by_session(xid const& id, surveyed_database const& at) const;
    explanation say(reason what, xid const& id, std::string const& seen = {}) const;
    std::string place_of(std::uint16_t id) const;
    std::string instance_of(std::uint16_t id) const;

    configuration const& from_;
    two_looks const& seen_;
    std::vector<surveyed_database> const& listed_;
    log_report const& log_;
    std::string const owner_;  // empty: nobody
    std::vector<known_database> const known_;
    row_view const rows_;
    recovery::log_facts facts_;
    recovery::log_facts before_;
    bool sees_twin_ = false;  // a twin's branch is listed somewhere: abort is presumed nowhere
    std::string locked_in_;   // the database where another process has the node's lock
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_PREDICTION_HPP
