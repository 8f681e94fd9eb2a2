// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tables.cpp -- what C193 forbids: tables 6-1 to 6-5, and the flags that each routine takes.
//
// An objection with words is a mistake of the caller's.  XAER_NOTA and XAER_OUTSIDE have none:
// whoever recovers asks for branches that may be gone, and whose work is outside only the
// application knows.

#include <algorithm>

#include "adapters/strict_switch/resource.hpp"

namespace assent::inline v0::testing::strict {

namespace {

objection protocol(std::string why)
{
    return {XAER_PROTO, std::move(why)};
}

objection invalid(std::string why)
{
    return {XAER_INVAL, std::move(why)};
}

long flags_of(switch_call what)
{
    switch (what) {
        case switch_call::start:
            return TMJOIN | TMRESUME | TMNOWAIT | TMASYNC;
        case switch_call::end:
            return TMSUSPEND | TMSUCCESS | TMFAIL | TMMIGRATE | TMASYNC;
        case switch_call::commit:
            return TMNOWAIT | TMONEPHASE | TMASYNC;
        case switch_call::recover:
            return TMSTARTRSCAN | TMENDRSCAN;
        case switch_call::complete:
            return TMMULTIPLE | TMNOWAIT;
        default:
            return TMASYNC;
    }
}

/// C193, 4.2; and an XID is compared by some resource managers with all of its bytes.
objection object_to_name(XID const* name)
{
    if (name == nullptr) return invalid("no XID");
    if (name->formatID < 0) return invalid("the null XID");
    bool const fits = name->gtrid_length >= 1 && name->gtrid_length <= MAXGTRIDSIZE &&
                      name->bqual_length >= 1 && name->bqual_length <= MAXBQUALSIZE;
    if (!fits) return invalid("an XID whose lengths are not 1 to 64");
    auto const* const end = name->data + name->gtrid_length + name->bqual_length;
    if (std::any_of(end, name->data + XIDDATASIZE, [](char c) { return c != 0; }))
        return invalid("an XID whose unused bytes are not zero");
    return {};
}

}  // namespace

objection resource::object(asked const& a, caller const& who)
{
    control const& me = controls_[who];
    if ((a.flags & ~flags_of(a.what)) != 0) return invalid("a flag that it does not take");
    bool const is_async = (a.flags & TMASYNC) != 0;
    if (is_async && (flags_ & TMUSEASYNC) == 0) {
        return {XAER_ASYNC, "TMASYNC, and the switch has not TMUSEASYNC"};
    }
    if (me.pending && a.what != switch_call::complete) {
        std::string const why = "the thread has not completed an asynchronous call";
        return is_async ? objection{XAER_ASYNC, why} : protocol(why);
    }
    if (a.what == switch_call::open) return {};
    if (a.what == switch_call::close) {
        bool const is_bound = !me.associated.empty() || !me.suspended.empty();
        return is_bound ? protocol("the thread is associated with a branch") : objection{};
    }
    if (!me.is_open) return protocol("the thread has not opened it");
    if (a.what == switch_call::recover) return object_to_scan(a, me);
    if (a.what == switch_call::complete) return object_to_complete(a, me);
    auto against = object_to_name(a.branch);
    if (against.code != XA_OK) return against;
    if (a.what == switch_call::start) return object_to_start(a, who);
    if (a.what == switch_call::end) return object_to_end(a, who);
    return object_to_ending(a);
}

/// Tables 6-2 and 6-4, xa_start.
objection resource::object_to_start(asked const& a, caller const& who)
{
    control const& me = controls_[who];
    bool const is_join = (a.flags & TMJOIN) != 0;
    bool const is_resume = (a.flags & TMRESUME) != 0;
    if ((flags_ & TMREGISTER) != 0) return protocol("it registers dynamically");
    if (is_join && is_resume) return invalid("TMJOIN and TMRESUME");
    if (!me.associated.empty()) return protocol("the thread is associated with a branch");
    auto const key = key_of(*a.branch);
    auto const at = branches_.find(key);
    bool const is_known = at != branches_.end();
    if (is_join || is_resume) {
        if (!is_known) return {XAER_NOTA, {}};
        branch const& b = at->second;
        if (b.is_prepared || b.heuristic != 0) return protocol("its end was begun");
        bool const is_mine = me.suspended.count(key) != 0;
        if (is_resume && !is_mine && !b.is_adrift) {
            return protocol("this thread has not suspended it");
        }
        if (is_join && is_mine) return protocol("this thread has suspended it, and must resume it");
    } else if (is_known) {
        return {XAER_DUPID, "the branch is known"};
    }
    if (me.is_outside) return {XAER_OUTSIDE, {}};
    return {};
}

/// Table 6-2, xa_end.
objection resource::object_to_end(asked const& a, caller const& who)
{
    control const& me = controls_[who];
    bool const is_suspend = (a.flags & TMSUSPEND) != 0;
    int const ways =
        int{is_suspend} + int{(a.flags & TMSUCCESS) != 0} + int{(a.flags & TMFAIL) != 0};
    if (ways != 1) return invalid("not exactly one of TMSUSPEND, TMSUCCESS and TMFAIL");
    if ((a.flags & TMMIGRATE) != 0) {
        if (!is_suspend) return invalid("TMMIGRATE without TMSUSPEND");
        if ((flags_ & TMNOMIGRATE) != 0)
            return invalid("TMMIGRATE, and the switch has TMNOMIGRATE");
    }
    auto const key = key_of(*a.branch);
    if (branches_.count(key) == 0) return {XAER_NOTA, {}};
    if (me.associated == key) return {};
    bool const is_suspended = me.suspended.count(key) != 0;
    if (is_suspended && !is_suspend) return {};
    return protocol(is_suspended ? "it is suspended" : "the thread is not associated with it");
}

/// Table 6-4, the routines that end a branch.
objection resource::object_to_ending(asked const& a)
{
    auto const at = branches_.find(key_of(*a.branch));
    if (at == branches_.end()) return {XAER_NOTA, {}};
    branch const& b = at->second;
    bool const is_completed = b.heuristic != 0;
    switch (a.what) {
        case switch_call::prepare:
            return b.is_idle() ? objection{} : protocol("the branch is not idle");
        case switch_call::commit: {
            if (is_completed) return {};
            bool const is_one_phase = (a.flags & TMONEPHASE) != 0;
            if (is_one_phase) {
                return b.is_idle() ? objection{} : protocol("one phase, and it is not idle");
            }
            return b.is_prepared ? objection{} : protocol("the branch is not prepared");
        }
        case switch_call::rollback:
            return b.is_active() ? protocol("a thread is associated with it") : objection{};
        default:  // xa_forget
            return is_completed ? objection{} : protocol("it was not completed heuristically");
    }
}

objection resource::object_to_scan(asked const& a, control const& me)
{
    if (a.count < 0) return invalid("a negative count");
    if (a.list == nullptr && a.count > 0) return invalid("no room for the list");
    bool const is_first = (a.flags & TMSTARTRSCAN) != 0;
    if (!is_first && !me.scan) return invalid("no scan was started");
    return {};
}

/// Table 6-5.
objection resource::object_to_complete(asked const& a, control const& me)
{
    if (!me.pending) return protocol("no asynchronous call is outstanding");
    if (a.handle == nullptr || a.retval == nullptr) return invalid("no room for the answer");
    bool const is_any = (a.flags & TMMULTIPLE) != 0;
    if (!is_any && *a.handle != me.pending->handle) return invalid("an unknown handle");
    return {};
}

}  // namespace assent::inline v0::testing::strict
