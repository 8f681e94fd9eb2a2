// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/verdicts.hpp"

#include <xopen/xa.h>

#include "adapters/dialects/replies.hpp"

namespace assent::switch_out {

namespace {

bool is_rolled_back(reply const& said) noexcept
{
    return dialects::is_rolled_back(said) && said.detail == reply_detail::none;
}

constexpr verdict hazard{XA_HEURHAZ, fate::settled};
constexpr verdict nobody_knows{XAER_RMFAIL, fate::unknown};
constexpr verdict in_doubt{XAER_RMFAIL, fate::in_doubt};

}  // namespace

verdict of_prepare(reply const& said) noexcept
{
    if (said.is_ok()) return {XA_OK, fate::prepared};
    if (is_rolled_back(said)) return {static_cast<int>(said.code), fate::over};
    // XA has no heuristic answer to xa_prepare: the rollback that follows is told.
    if (said.detail == reply_detail::left_behind) return {XAER_RMERR, fate::settled};
    if (said.code == xa_code::rmfail) return in_doubt;
    return {XAER_RMERR, fate::unknown};
}

verdict of_one_phase(reply const& said) noexcept
{
    if (said.is_ok()) return {XA_OK, fate::over};
    if (is_rolled_back(said)) return {static_cast<int>(said.code), fate::over};
    return said.detail == reply_detail::left_behind ? hazard : in_doubt;
}

verdict of_undoing(reply const& said) noexcept
{
    if (said.is_ok() || is_rolled_back(said)) return {XA_OK, fate::over};
    return said.detail == reply_detail::left_behind ? hazard : nobody_knows;
}

verdict of_commit(reply const& said, bool is_attached) noexcept
{
    if (said.is_ok()) return {XA_OK, fate::over};
    switch (said.detail) {
        case reply_detail::read_only_owner_left:
            // Nothing was written.  On the session that prepared it the owner cannot have left.
            return is_attached ? hazard : verdict{XA_OK, fate::over};
        case reply_detail::left_behind:
            return hazard;
        default:
            break;
    }
    if (said.code == xa_code::retry) return {XA_RETRY, fate::prepared};
    if (said.code == xa_code::nota) return {XAER_NOTA, fate::unlisted};
    if (is_rolled_back(said)) return {XA_HEURRB, fate::settled};
    return nobody_knows;
}

verdict of_rollback(reply const& said) noexcept
{
    if (said.is_ok() || is_rolled_back(said)) return {XA_OK, fate::over};
    switch (said.detail) {
        case reply_detail::read_only_owner_left:
            return {XA_OK, fate::over};
        case reply_detail::left_behind:
            return hazard;
        default:
            break;
    }
    if (said.code == xa_code::nota) return {XAER_NOTA, fate::unlisted};
    return nobody_knows;
}

verdict while_it_is_kept(verb asked) noexcept
{
    return {asked == verb::commit ? XA_RETRY : XAER_RMFAIL, fate::prepared};
}

verdict after_list(verb asked, absence const& read) noexcept
{
    // MariaDB says "no such branch" of one that another session keeps.
    if (read.is_listed) return while_it_is_kept(asked);
    if (read.may_be_undone) return hazard;
    // What was lost with the past is rolled back, which is what xa_rollback asks for.
    bool const is_hazard = read.is_past_lost && asked == verb::commit;
    return is_hazard ? hazard : verdict{XAER_NOTA, fate::over};
}

int of_start(reply const& said) noexcept
{
    switch (said.code) {
        case xa_code::ok:
            return XA_OK;
        case xa_code::dupid:
        case xa_code::inval:
        case xa_code::outside:
        case xa_code::rmfail:
            return static_cast<int>(said.code);
        default:
            return XAER_RMERR;
    }
}

}  // namespace assent::switch_out
