// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "protocol/reply_class.hpp"

namespace assent::protocol {

reply_class classify(reply const& what) noexcept
{
    switch (what.detail) {
        case reply_detail::reply_lost:
            // The server may have done what it was asked before the connection broke.
            return reply_class::rmfail;
        case reply_detail::left_behind:
            return reply_class::left_behind;
        case reply_detail::read_only_owner_left:
            return reply_class::read_only_left;
        case reply_detail::busy:
            return reply_class::retry;
        case reply_detail::still_open:
            return what.code == xa_code::rdonly ? reply_class::still_open : reply_class::unknown;
        case reply_detail::may_be_undone:
        case reply_detail::none:
            break;
        default:
            return reply_class::unknown;
    }
    auto const code = static_cast<int>(what.code);
    if (code >= static_cast<int>(xa_code::rbrollback) &&
        code <= static_cast<int>(xa_code::rbtransient)) {
        return reply_class::rolled_back;
    }
    switch (what.code) {
        case xa_code::ok:
            return reply_class::ok;
        case xa_code::rdonly:
            return reply_class::rdonly;
        case xa_code::retry:
            return reply_class::retry;
        case xa_code::heurcom:
            return reply_class::heuristic_commit;
        case xa_code::heurrb:
            return reply_class::heuristic_rollback;
        case xa_code::heurmix:
            return reply_class::heuristic_mixed;
        case xa_code::heurhaz:
            return reply_class::heuristic_hazard;
        case xa_code::rmerr:
            return reply_class::rmerr;
        case xa_code::rmfail:
            return reply_class::rmfail;
        case xa_code::nota:
            return reply_class::nota;
        default:
            // Whatever XA has no meaning for must never pass for a success, or for a rollback.
            return reply_class::unknown;
    }
}

std::string_view name_of(reply_class what) noexcept
{
    constexpr std::string_view names[reply_class_count] = {
        "ok",
        "rdonly",
        "retry",
        "rolled back",
        "heuristic commit",
        "heuristic rollback",
        "heuristic mixed",
        "heuristic hazard",
        "rmerr",
        "rmfail",
        "nota",
        "left behind",
        "read-only, owner left",
        "silent",
        "unknown",
        "listed",
        "absent",
        "witness: committed",
        "witness: rolled back",
        "vanished",
        "row: commit",
        "row: abort",
        "still open",
    };
    return names[static_cast<int>(what)];
}

}  // namespace assent::protocol
