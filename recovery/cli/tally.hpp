// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tally.hpp -- counts what recovery did, from the events that it tells.

#ifndef ASSENT_RECOVERY_CLI_TALLY_HPP
#define ASSENT_RECOVERY_CLI_TALLY_HPP

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include <assent/observer.hpp>

#include "recovery/cli/report.hpp"

namespace assent::cli {

/// Thread safety: every member may be called from several threads at once.
class tally : public observer
{
public:
    void on(event const& what) override;

    /// What was counted for one resource manager; the rest of it is left empty.
    recovered_database of(std::string const& resource_manager) const;

    struct news
    {
        reason what = reason::none;  ///< none: nothing was heard that says why
        std::string text;
    };
    /// What was last heard of a branch that is still there.
    news why_left(std::string const& resource_manager, std::string const& branch) const;

    /// Waits for another event, at most so long.
    void wait(std::chrono::milliseconds at_most);

private:
    mutable std::mutex mutex_;
    std::condition_variable told_;
    bool has_news_ = false;
    std::map<std::string, recovered_database, std::less<>> counts_;
    std::set<std::pair<std::string, std::string>> assumed_;      // told once a scan, counted once
    std::map<std::pair<std::string, std::string>, news> heard_;  // of branches
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_TALLY_HPP
