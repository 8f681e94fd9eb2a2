// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tx/answers.hpp"

namespace assent::tx {

branch_end end_of(std::string_view state) noexcept
{
    if (state == "read-only") return branch_end::none;
    if (state == "committed" || state == "heuristic commit") return branch_end::committed;
    if (state == "rolled back" || state == "heuristic rollback") return branch_end::rolled_back;
    if (state == "heuristic mixed") return branch_end::mixed;
    return branch_end::unknown;
}

int answer_to(outcome told, COMMIT_RETURN when) noexcept
{
    switch (told) {
        case outcome::committed:
        case outcome::rolled_back:  // that is what was asked for: else it is an exception
            return TX_OK;
        case outcome::committed_pending:
            // The decision stands, but that each branch has committed is not known yet.
            return when == TX_COMMIT_DECISION_LOGGED ? TX_OK : TX_HAZARD;
        case outcome::unknown:
            break;
    }
    return TX_HAZARD;
}

int answer_to(std::vector<branch_report> const& branches, ending how) noexcept
{
    bool seen[5] = {};
    for (auto const& each : branches)
        seen[static_cast<int>(end_of(each.state))] = true;
    bool const is_committed = seen[static_cast<int>(branch_end::committed)];
    bool const is_rolled_back = seen[static_cast<int>(branch_end::rolled_back)];
    if (seen[static_cast<int>(branch_end::mixed)] || (is_committed && is_rolled_back)) {
        return TX_MIXED;
    }
    if (seen[static_cast<int>(branch_end::unknown)]) return TX_HAZARD;
    if (is_committed) return how == ending::commit ? TX_OK : TX_COMMITTED;
    if (is_rolled_back) return how == ending::commit ? TX_ROLLBACK : TX_OK;
    return TX_HAZARD;  // memory ran out for the reports
}

int answer_to(errc why) noexcept
{
    switch (why) {
        case errc::bad_argument:
            return TX_EINVAL;
        case errc::invalid_state:
            return TX_PROTOCOL_ERROR;
        case errc::outside:
            return TX_OUTSIDE;
        case errc::closed:
        case errc::forked:
        case errc::log_unusable:
        case errc::twin:
            return TX_FAIL;
        default:
            return TX_ERROR;
    }
}

}  // namespace assent::tx
