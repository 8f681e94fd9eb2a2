// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// registration.cpp -- table 6-3: a switch with TMREGISTER is not told of a branch; it asks, by
// ax_reg, when the thread first works.
//
//   lease --> expected --ax_reg: its XID--> associated --xa_end--> free
//                +------- never asked: nothing was done -------------^
//   no lease -- ax_reg: the null XID --> outside --ax_unreg--> free
//   resumed --ax_reg: its XID, TM_RESUME or TM_JOIN--> associated

#include <utility>

#include <assent/export.hpp>

#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/thread_opening.hpp"

namespace assent::xopen_switch {

int thread_opening::expect(xid const& branch) noexcept
{
    if (is_outside_) return XAER_OUTSIDE;
    at_work_on_ = branch;
    as_ = association::expected;
    return XA_OK;
}

int thread_opening::enter(XID& into) noexcept
{
    if (!registers()) return TMER_INVAL;
    bool const is_associated = at_work_on_ && as_ == association::associated;
    if (!is_open_ || is_forked() || is_outside_ || is_associated) return TMER_PROTO;
    // A transaction that was given up elsewhere is dead: work must not enter its branch.  Nothing
    // of a switch is called from within it, so one that it knows stays until later.
    give_up_left(may_call::no);
    if (!at_work_on_) {
        into = {};
        into.formatID = -1;
        is_outside_ = true;
        return TM_OK;
    }
    if (is_left(*at_work_on_)) return TMER_PROTO;
    into = name_of(*at_work_on_);
    auto const was = std::exchange(as_, association::associated);
    return was == association::suspended ? TM_RESUME : was == association::ended ? TM_JOIN : TM_OK;
}

int thread_opening::leave_outside() noexcept
{
    if (!registers()) return TMER_INVAL;
    if (!is_outside_) return TMER_PROTO;
    is_outside_ = false;
    return TM_OK;
}

}  // namespace assent::xopen_switch

// Called by resource managers' libraries, which find them in the program or in our own library.

extern "C" {

ASSENT_EXPORT int ax_reg(int rmid, XID* xid, long flags)
{
    auto* const on = assent::xopen_switch::thread_opening::of_rmid(rmid);
    if (on == nullptr || xid == nullptr || flags != TMNOFLAGS) return TMER_INVAL;
    return on->enter(*xid);
}

ASSENT_EXPORT int ax_unreg(int rmid, long flags)
{
    auto* const on = assent::xopen_switch::thread_opening::of_rmid(rmid);
    if (on == nullptr || flags != TMNOFLAGS) return TMER_INVAL;
    return on->leave_outside();
}
}
