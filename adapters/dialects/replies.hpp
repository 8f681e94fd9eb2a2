// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// replies.hpp -- what every adapter says: a code with words, a reply that was lost, XA_RB*.

#ifndef ASSENT_ADAPTERS_DIALECTS_REPLIES_HPP
#define ASSENT_ADAPTERS_DIALECTS_REPLIES_HPP

#include <string>
#include <utility>

#include <assent/xa.hpp>

namespace assent::dialects {

inline reply make_reply(xa_code code, std::string text, reply_detail detail = reply_detail::none)
{
    reply made;
    made.code = code;
    made.detail = detail;
    made.text = std::move(text);
    return made;
}

inline reply lost(std::string text)
{
    return make_reply(xa_code::rmfail, std::move(text), reply_detail::reply_lost);
}

/// XA_RB*: it can never commit.
inline bool is_rolled_back(reply const& said) noexcept
{
    return said.code >= xa_code::rbrollback && said.code <= xa_code::rbtransient;
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_REPLIES_HPP
