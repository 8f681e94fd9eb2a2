// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/heuristics.hpp"

#include <exception>
#include <new>
#include <optional>
#include <string>

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

/// @return why it could not be put on record; nothing: it is.
static std::optional<std::string> force(context& shared, std::string const& resource_manager,
                                        xid const& id, protocol::branch_state state,
                                        std::string const& text)
{
    constexpr std::size_t text_max = 500;
    try {
        shared.log->record({id, resource_manager, code_of(state), text.substr(0, text_max),
                            shared.time.unix_ms()});
        return std::nullopt;
    } catch (std::exception const& e) {
        return e.what();
    }
}

bool record_heuristic(context& shared, std::string const& resource_manager, xid const& id,
                      protocol::branch_state state, reply const& what, bool is_first) noexcept
try {
    std::string text{protocol::name_of(state)};
    if (!what.text.empty()) text += ": " + what.text;
    // First, because whoever is told acts on it: what is parked stays parked.
    auto const why_not = force(shared, resource_manager, id, state, text);
    if (is_first) {
        shared.tell(severity::alarm, "branch.heuristic", resource_manager, id.text(), text);
    }
    if (!why_not) return true;
    if (is_first) {
        shared.tell(severity::alarm, "branch.heuristic.not_recorded", resource_manager, {},
                    *why_not);
    }
    return false;
} catch (std::bad_alloc const&) {
    return false;
}

bool is_forget_due(reply const& what) noexcept
{
    if (what.detail != reply_detail::none) return false;
    return what.code >= xa_code::heurmix && what.code <= xa_code::heurhaz;
}

}  // namespace assent::recovery
