// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_past.cpp -- see server_past.hpp.
//
// The log notes a server's start and behind it the histories that were seen in the epoch, the last
// few of them: "1767225600000000|00000001|00000002".

#include "engine/server_past.hpp"

#include <algorithm>

#include "ports/coordinator_log.hpp"

namespace assent::engine {

namespace {

constexpr std::size_t histories_max = 4;

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

}  // namespace

void server_past::note(std::uint16_t id, server_facts const& now)
{
    if (!now.history.empty() && (of_run_.empty() || of_run_.back() != now.history)) {
        if (!of_run_.empty()) {
            shared_.tell(severity::alarm, "resource_manager.history_changed", resource_manager_, {},
                         "it failed over or was restored: from \"" + of_run_.back() + "\" to \"" +
                             now.history + "\"");
        }
        of_run_.push_back(now.history);
        if (of_run_.size() > histories_max) of_run_.erase(of_run_.begin());
    }
    std::string text = now.server_start;
    for (auto const& each : of_run_)
        text += '|' + each;
    if (shared_.log->server_start(id, shared_.log->current().epoch) != text) {
        shared_.log->note_server_start(id, text);
    }
    id_ = id;
    start_ = now.server_start;
    history_ = now.history;
}

bool server_past::is_same_start(std::uint32_t epoch) const
{
    auto const noted = shared_.log->server_start(id_, epoch);
    // Without a note nothing is known, and nothing is taken as gone.
    return !noted || split(*noted).front() == start_;
}

bool server_past::has_other(std::uint32_t epoch, std::string const& prepared_in) const
{
    if (history_.empty()) return false;
    if (!prepared_in.empty()) return prepared_in != history_;
    auto const noted = split(shared_.log->server_start(id_, epoch).value_or(std::string{}));
    return std::any_of(noted.begin() + 1, noted.end(),
                       [this](std::string const& each) { return each != history_; });
}

}  // namespace assent::engine
