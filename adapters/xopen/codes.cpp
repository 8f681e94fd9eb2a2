// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/codes.hpp"

#include <algorithm>
#include <cstring>

namespace assent::xopen_switch {

namespace {

constexpr long gtrid_bytes = static_cast<long>(gtrid::length);
constexpr long bqual_bytes = static_cast<long>(bqual::length);

char const* constant_of(int answer)
{
    switch (answer) {
        case XA_OK:
            return "XA_OK";
        case XA_RDONLY:
            return "XA_RDONLY";
        case XA_RETRY:
            return "XA_RETRY";
        case XA_HEURMIX:
            return "XA_HEURMIX";
        case XA_HEURRB:
            return "XA_HEURRB";
        case XA_HEURCOM:
            return "XA_HEURCOM";
        case XA_HEURHAZ:
            return "XA_HEURHAZ";
        case XA_NOMIGRATE:
            return "XA_NOMIGRATE";
        case XA_RBROLLBACK:
            return "XA_RBROLLBACK";
        case XA_RBCOMMFAIL:
            return "XA_RBCOMMFAIL";
        case XA_RBDEADLOCK:
            return "XA_RBDEADLOCK";
        case XA_RBINTEGRITY:
            return "XA_RBINTEGRITY";
        case XA_RBOTHER:
            return "XA_RBOTHER";
        case XA_RBPROTO:
            return "XA_RBPROTO";
        case XA_RBTIMEOUT:
            return "XA_RBTIMEOUT";
        case XA_RBTRANSIENT:
            return "XA_RBTRANSIENT";
        case XAER_ASYNC:
            return "XAER_ASYNC";
        case XAER_RMERR:
            return "XAER_RMERR";
        case XAER_NOTA:
            return "XAER_NOTA";
        case XAER_INVAL:
            return "XAER_INVAL";
        case XAER_PROTO:
            return "XAER_PROTO";
        case XAER_RMFAIL:
            return "XAER_RMFAIL";
        case XAER_DUPID:
            return "XAER_DUPID";
        case XAER_OUTSIDE:
            return "XAER_OUTSIDE";
        default:
            return nullptr;
    }
}

}  // namespace

XID name_of(xid const& branch) noexcept
{
    XID name{};
    name.formatID = assent_format_id;
    name.gtrid_length = gtrid_bytes;
    name.bqual_length = bqual_bytes;
    std::memcpy(name.data, branch.global.text().data(), gtrid::length);
    std::memcpy(name.data + gtrid::length, branch.branch.text().data(), bqual::length);
    return name;
}

std::optional<xid> parse(XID const& listed) noexcept
{
    bool const is_whole = listed.formatID == assent_format_id &&
                          listed.gtrid_length == gtrid_bytes && listed.bqual_length == bqual_bytes;
    bool const is_lost =
        listed.formatID == 0 && listed.gtrid_length == 0 && listed.bqual_length == 0;
    if (!is_whole && !is_lost) return std::nullopt;
    auto const* const rest = listed.data + gtrid_bytes + bqual_bytes;
    bool const is_padded =
        std::all_of(rest, listed.data + XIDDATASIZE, [](char c) { return c == 0; });
    if (is_lost && !is_padded) return std::nullopt;
    auto const global = gtrid::parse({listed.data, gtrid::length});
    auto const branch = bqual::parse({listed.data + gtrid_bytes, bqual::length});
    if (!global || !branch) return std::nullopt;
    return xid{*global, *branch};
}

std::string words_of(char const* routine, int answer)
{
    std::string const said = std::string{routine} + " answered ";
    char const* const name = constant_of(answer);
    return name != nullptr ? said + name
                           : said + std::to_string(answer) + ", which XA has no name for";
}

reply reply_of(char const* routine, int answer)
{
    reply made;
    made.code = static_cast<xa_code>(answer);
    made.native_code = answer;
    if (answer != XA_OK) made.text = words_of(routine, answer);
    if (answer == XAER_RMFAIL) made.detail = reply_detail::reply_lost;
    return made;
}

bool is_rolled_back(int answer) noexcept
{
    return answer >= XA_RBBASE && answer <= XA_RBEND;
}

bool may_have_begun(int answer) noexcept
{
    switch (answer) {
        case XA_OK:
        case XAER_RMERR:
        case XAER_NOTA:
        case XAER_INVAL:
        case XAER_PROTO:
        case XAER_RMFAIL:
        case XAER_DUPID:
        case XAER_OUTSIDE:
            return false;
        default:
            return !is_rolled_back(answer);
    }
}

bool is_dissociated(int answer) noexcept
{
    return answer == XA_OK || answer == XAER_NOTA || is_rolled_back(answer);
}

bool is_settled(int answer) noexcept
{
    return is_rolled_back(answer) || (answer >= XA_HEURMIX && answer <= XA_HEURHAZ);
}

bool may_be_there(int answer) noexcept
{
    bool const is_gone = answer == XA_OK || answer == XAER_RMERR || answer == XAER_NOTA;
    // After XAER_RMFAIL what was not prepared went with the opening.
    return !is_gone && !is_settled(answer) && answer != XAER_RMFAIL;
}

}  // namespace assent::xopen_switch
