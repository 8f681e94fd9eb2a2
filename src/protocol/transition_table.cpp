// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transition_table.cpp -- names for people, and what the compiler can check of the table.

#include "protocol/transition_table.hpp"

namespace assent::protocol {

namespace {

constexpr bool has_one_row_per_pair()
{
    for (auto const& a : table::rows) {
        int same = 0;
        for (auto const& b : table::rows) {
            same += a.from == b.from && a.on == b.on;
        }
        if (same != 1) return false;
    }
    return true;
}

/// Asked of the rows, not of find_transition(): under -fsanitize=undefined, g++ 12 takes no
/// comparison of a pointer with null for a constant.
constexpr bool has_default(branch_state from)
{
    for (auto const& row : table::rows) {
        if (row.from == from && row.on == reply_class::unknown) return true;
    }
    return false;
}

/// Every state that waits has an `unknown` row, so that find_transition() never comes back empty.
constexpr bool every_waiting_state_has_a_default()
{
    for (int i = 0; i < branch_state_count; ++i) {
        auto const state = static_cast<branch_state>(i);
        bool const waits =
            is_outstanding(state) || state == branch_state::in_doubt ||
            state == branch_state::row_in_doubt || state == branch_state::row_awaited ||
            state == branch_state::commit_verify || state == branch_state::hazard_verify ||
            state == branch_state::rollback_verify;
        if (waits != has_default(state)) return false;
    }
    return true;
}

/// Unknown, silence and NOTA never finish a branch as committed or rolled back.
constexpr bool nothing_unknown_is_final()
{
    for (auto const& row : table::rows) {
        if (row.from == branch_state::ending_voted_read) continue;  // neither: it wrote nothing
        bool const says_nothing = row.on == reply_class::unknown || row.on == reply_class::silent ||
                                  row.on == reply_class::nota;
        if (says_nothing && is_final(row.to)) return false;
    }
    return true;
}

static_assert(has_one_row_per_pair());
static_assert(every_waiting_state_has_a_default());
static_assert(nothing_unknown_is_final());

}  // namespace

std::string_view name_of(branch_state what) noexcept
{
    constexpr std::string_view names[branch_state_count] = {
        "active",
        "prepared",
        "asked to prepare",
        "read-only",
        "committed",
        "rolled back",
        "commit due",
        "commit to verify",
        "hazard to verify",
        "rollback due",
        "rollback to verify",
        "in doubt",
        "heuristic commit",
        "heuristic rollback",
        "heuristic mixed",
        "heuristic hazard",
        "left behind",
        "row in doubt",
        "row awaited",
        "read-only vote",
        "preparing",
        "ending read-only",
        "ending a read-only vote",
        "one-phase",
        "committing row",
        "committing",
        "recommitting",
        "rolling back",
        "rolling back prepared",
    };
    return names[static_cast<int>(what)];
}

}  // namespace assent::protocol
