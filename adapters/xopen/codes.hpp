// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// codes.hpp -- what a switch answers, and by which names it knows a branch.
//
// An XID here: our format id, gtrid and bqual as everywhere, every other byte zero, because some
// resource managers compare all of them.

#ifndef ASSENT_ADAPTERS_XOPEN_CODES_HPP
#define ASSENT_ADAPTERS_XOPEN_CODES_HPP

#include <optional>
#include <string>

#include <xopen/xa.h>
#include <assent/xa.hpp>
#include <assent/xid.hpp>

namespace assent::xopen_switch {

XID name_of(xid const& branch) noexcept;
/// Whose name it is.
/// @return nothing when it is not of our layout.  A resource manager that lost format id and
/// lengths, and kept the bytes (Berkeley DB, after a crash), is understood.
std::optional<xid> parse(XID const& listed) noexcept;

/// "xa_commit answered XAER_RMERR".
std::string words_of(char const* routine, int answer);
/// As the port wants it; XAER_RMFAIL is a connection that was lost.
reply reply_of(char const* routine, int answer);
bool is_rolled_back(int answer) noexcept;
/// Of xa_start without flags: XA has no such answer to it, so that it may have come after the
/// effect.
bool may_have_begun(int answer) noexcept;
/// Of xa_end, and of xa_start(TMRESUME) that did not succeed: the thread has the branch no more.
bool is_dissociated(int answer) noexcept;
/// XA_RB*, or XA_HEUR*: the branch has ended.
bool is_settled(int answer) noexcept;
/// After xa_rollback, or xa_commit in one phase: the branch may be there still, as it was.
bool may_be_there(int answer) noexcept;

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_CODES_HPP
