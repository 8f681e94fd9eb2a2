// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// verdicts.hpp -- what a database's reply to a verb becomes: the answer of XA, and what is known of
// the branch from now on.  Pure.
//
//   what the database said          prepare       one phase     rollback      commit    rollback
//                                   (idle)        (idle)        (idle)        (prepared)
//   ok                              XA_OK         XA_OK         XA_OK         XA_OK     XA_OK
//   rolled back                     XA_RB*        XA_RB*        XA_OK         XA_HEURRB XA_OK
//   left behind our back            XAER_RMERR    XA_HEURHAZ    XA_HEURHAZ    XA_HEURHAZ
//   the answer was lost             XAER_RMFAIL   XAER_RMFAIL   XAER_RMFAIL   XAER_RMFAIL
//   busy with the branch                                                      XA_RETRY  XAER_RMFAIL
//   no such branch                                                            ask the list
//   anything else                   XAER_RMERR    XAER_RMFAIL   XAER_RMFAIL   XAER_RMFAIL
//
// XAER_RMFAIL is XA's "nobody knows; open again, and recover".  Invariant: XA_OK and XA_RB* are
// said where the reply was heard and says so; XAER_RMERR is said to xa_prepare only, where a
// monitor rolls back, because to xa_commit it would mean "rolled back".

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_VERDICTS_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_VERDICTS_HPP

#include <cstdint>

#include <assent/driver.hpp>

namespace assent::switch_out {

/// What becomes of the branch.
enum class fate : std::uint8_t {
    over,      ///< the resource manager knows it no more
    prepared,  ///< it is, or still is
    settled,   ///< heuristically: it stays known until xa_forget
    in_doubt,  ///< nobody knows, and the server may be about to prepare or commit it
    unknown,   ///< the connection is given up; what is prepared is found by xa_recover
    unlisted,  ///< the database says that it has none: its list must be read to believe it
};

struct verdict
{
    int answer;  ///< to the monitor; of a settled branch again and again
    fate then;
};

verdict of_prepare(reply const& said) noexcept;
verdict of_one_phase(reply const& said) noexcept;
/// Of a branch that is not prepared.
verdict of_undoing(reply const& said) noexcept;

/// Of a prepared branch.
/// @param is_attached  to the session that was asked, which prepared it.
verdict of_commit(reply const& said, bool is_attached) noexcept;
verdict of_rollback(reply const& said) noexcept;

/// What was read where the reply was fate::unlisted.
struct absence
{
    bool is_listed = false;
    /// The database began to commit it once, and may have undone that.
    bool may_be_undone = false;
    /// The server may have lost a part of its past since it was first seen.
    bool is_past_lost = false;
};
verdict after_list(verb asked, absence const& read) noexcept;

/// Where nothing was sent, since a session that may have prepared the branch is still there.
verdict while_it_is_kept(verb asked) noexcept;

/// xa_start; nothing was begun unless it is XA_OK.
int of_start(reply const& said) noexcept;

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_VERDICTS_HPP
