// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/heuristics.hpp"

#include <exception>

namespace assent::recovery {

namespace {

xa_code code_of(protocol::branch_state state) noexcept
{
    switch (state) {
        case protocol::branch_state::heuristic_commit:
            return xa_code::heurcom;
        case protocol::branch_state::heuristic_rollback:
            return xa_code::heurrb;
        case protocol::branch_state::heuristic_mixed:
            return xa_code::heurmix;
        default:
            return xa_code::heurhaz;
    }
}

}  // namespace

bool record_heuristic(context& shared, std::string const& resource_manager, xid const& id,
                      protocol::branch_state state, reply const& what, bool is_first) noexcept
{
    try {
        std::string text{protocol::name_of(state)};
        if (!what.text.empty()) text += ": " + what.text;
        if (is_first) {
            shared.tell(severity::alarm, "branch.heuristic", resource_manager, id.text(), text);
        }
        constexpr std::size_t text_max = 500;
        if (text.size() > text_max) text.resize(text_max);
        shared.log->record({id, resource_manager, code_of(state), text, shared.time.unix_ms()});
        return true;
    } catch (std::exception const& e) {
        if (is_first) {
            shared.tell(severity::alarm, "branch.heuristic.not_recorded", resource_manager, {},
                        e.what());
        }
        return false;
    }
}

bool is_forget_due(reply const& what) noexcept
{
    if (what.detail != reply_detail::none) return false;
    return what.code >= xa_code::heurmix && what.code <= xa_code::heurhaz;
}

}  // namespace assent::recovery
