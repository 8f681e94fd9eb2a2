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
        auto const seen = std::find_if(listed.begin(), listed.end(),
                                       [&](auto const& one) { return one.name == each.name; });
        if (seen == listed.end()) {
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

std::string row_view::why_unknown(gtrid const& which) const
{
    auto where = "its decision lives in a commit row of " + place_of(which);
    auto const at = places_.find(which.parts().place_resource_manager);
    if (at == places_.end()) return where;
    if (!at->second.was_read) return where + ", which was not read: " + at->second.problem;
    if (row_of(which)) return where + ", and that row cannot be read: somebody changed it";
    return where +
           ", and none is there: recovery inserts an abort row in its place, and then rolls back";
}

}  // namespace assent::cli
