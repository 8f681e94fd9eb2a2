// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/tally.hpp"

#include <algorithm>
#include <array>

namespace assent::cli {

namespace {

// Events whose text says why a branch is not ended yet; of a reply that says nothing, nothing.
constexpr std::array<std::pair<std::string_view, reason>, 6> reasons{{
    {"recovery.commit.reply", reason::server_refused},
    {"recovery.rollback.reply", reason::server_refused},
    {"branch.not_finished", reason::server_refused},
    {"branch.kept", reason::session_stays},
    {"branch.of_stranger", reason::of_other_account},
    {"branch.misplaced", reason::misplaced},
}};

reason reason_in(event const& what)
{
    if (what.text.empty() || what.id.empty()) return reason::none;
    auto const* const at = std::find_if(reasons.begin(), reasons.end(),
                                        [&](auto const& each) { return each.first == what.name; });
    return at == reasons.end() ? reason::none : at->second;
}

}  // namespace

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
    } else if (auto const why = reason_in(what); why != reason::none) {
        heard_[{std::string{what.resource_manager}, std::string{what.id}}] = {
            why, std::string{what.text}};
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

tally::news tally::why_left(std::string const& resource_manager, std::string const& branch) const
{
    std::lock_guard const held{mutex_};
    auto const at = heard_.find({resource_manager, branch});
    return at == heard_.end() ? news{} : at->second;
}

void tally::wait(std::chrono::milliseconds at_most)
{
    std::unique_lock held{mutex_};
    told_.wait_for(held, at_most, [this] { return has_news_; });
    has_news_ = false;
}

}  // namespace assent::cli
