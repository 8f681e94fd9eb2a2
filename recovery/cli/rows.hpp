// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rows.hpp -- decisions that live in commit rows, as a survey of the databases saw them.
//
// A row that was seen is there for good.  One that was not seen says nothing: recovery, and never a
// view, inserts an abort row in its place.

#ifndef ASSENT_RECOVERY_CLI_ROWS_HPP
#define ASSENT_RECOVERY_CLI_ROWS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "recovery/cli/report.hpp"
#include "recovery/cli/survey.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::cli {

/// Whether a commit row in the resource manager of that id decides the transaction.
inline bool is_decided_in_row_of(gtrid const& which, std::uint16_t id)
{
    auto const parts = which.parts();
    return parts.place == decision_place::commit_row && parts.place_resource_manager == id;
}

class row_view
{
public:
    row_view(std::vector<known_database> const& known,
             std::vector<surveyed_database> const& listed);

    /// @pre  the decision of `which` lives in a commit row.
    recovery::known_decision find(gtrid const& which) const;
    std::optional<decision_row> row_of(gtrid const& which) const;

    /// Whether the rows in that resource manager were listed.
    bool was_read(std::uint16_t id) const;

    /// The database in whose table the row is, in words.
    std::string place_of(gtrid const& which) const;
    /// Why nothing is known of the row.
    explanation why_unknown(gtrid const& which, std::string const& owner) const;

private:
    struct place
    {
        std::string name;
        bool was_read = false;
        bool is_given_up = false;
        std::string problem;
    };

    std::map<std::uint16_t, place> places_;
    std::map<gtrid, decision_row> rows_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_ROWS_HPP
