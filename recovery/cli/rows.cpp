// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/rows.hpp"

#include <algorithm>

#include "recovery/commit_row.hpp"

namespace assent::cli {

row_view::row_view(std::vector<known_database> const& known,
                   std::vector<surveyed_database> const& listed)
{
    for (auto const& each : known) {
        if (!each.is_bound) continue;
        place& at = places_[each.id];
        at.name = each.name;
        auto const* const seen = listing_of(each.name, listed);
        if (each.is_retired) {
            at.is_given_up = true;
            at.problem = "it was given up";
        } else if (seen == nullptr) {
            at.problem = "it is not configured";
        } else if (!seen->scan) {
            at.problem = "it could not be asked";
        } else if (seen->scan->identity != each.identity || !seen->scan->is_writable_primary) {
            at.problem = "another server, or a standby, answered";
        } else {
            at.was_read = seen->rows_problem.empty();
            at.problem = seen->rows_problem;
            for (auto const& row : seen->rows) {
                if (row.name.parts().place_resource_manager == each.id) rows_[row.name] = row;
            }
        }
    }
}

std::optional<decision_row> row_view::row_of(gtrid const& which) const
{
    auto const at = rows_.find(which);
    return at == rows_.end() ? std::nullopt : std::optional{at->second};
}

recovery::known_decision row_view::find(gtrid const& which) const
{
    auto const row = row_of(which);
    if (!row) return {};
    auto decision = recovery::decision_in(*row);
    if (!decision && row->kind != row_kind::abort) return {};  // it cannot be read
    return {true, std::move(decision)};
}

bool row_view::was_read(std::uint16_t id) const
{
    auto const at = places_.find(id);
    return at != places_.end() && at->second.was_read;
}

std::string row_view::place_of(gtrid const& which) const
{
    auto const id = which.parts().place_resource_manager;
    auto const at = places_.find(id);
    if (at != places_.end()) return "\"" + at->second.name + "\"";
    return "resource manager " + std::to_string(id) + ", which this log does not know";
}

explanation row_view::why_unknown(gtrid const& which, std::string const& owner) const
{
    auto const where = place_of(which);
    auto const at = places_.find(which.parts().place_resource_manager);
    if (at == places_.end()) return explain(reason::row_unknown, owner, where);
    if (!at->second.was_read) {
        auto const why = at->second.is_given_up ? reason::row_given_up : reason::row_unread;
        return explain(why, owner, where + ", which was not read: " + at->second.problem);
    }
    return explain(row_of(which) ? reason::row_unreadable : reason::row_missing, owner, where);
}

}  // namespace assent::cli
