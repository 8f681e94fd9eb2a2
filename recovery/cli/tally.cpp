// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/tally.hpp"

namespace assent::cli {

void tally::on(event const& what)
{
    std::lock_guard const held{mutex_};
    auto& counts = counts_[std::string{what.resource_manager}];
    if (what.name == "branch.finished") {
        if (what.text == "committed") ++counts.committed;
        if (what.text == "rolled back") ++counts.rolled_back;
    } else if (what.name == "branch.finished_assumed") {
        bool const is_new = assumed_.emplace(what.resource_manager, what.id).second;
        counts.found_finished += is_new ? 1 : 0;
    } else if (what.name == "branch.heuristic") {
        ++counts.heuristics;
    }
    has_news_ = true;
    told_.notify_all();
}

recovered_database tally::of(std::string const& resource_manager) const
{
    std::lock_guard const held{mutex_};
    auto const at = counts_.find(resource_manager);
    auto counted = at == counts_.end() ? recovered_database{} : at->second;
    counted.name = resource_manager;
    return counted;
}

void tally::wait(std::chrono::milliseconds at_most)
{
    std::unique_lock held{mutex_};
    told_.wait_for(held, at_most, [this] { return has_news_; });
    has_news_ = false;
}

}  // namespace assent::cli
