// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// effects.cpp -- what a call does where nothing objects to it, and what a scripted answer means.

#include "adapters/strict_switch/resource.hpp"

namespace assent::inline v0::testing::strict {

namespace {

bool is_rollback_code(int code) noexcept
{
    return code >= XA_RBBASE && code <= XA_RBEND;
}

bool is_heuristic_code(int code) noexcept
{
    return code >= XA_HEURMIX && code <= XA_HEURHAZ;
}

}  // namespace

int resource::carry_out(asked const& a, caller const& who)
{
    control& me = controls_[who];
    switch (a.what) {
        case switch_call::open:
            if (!me.is_open) me = {};
            me.is_open = true;
            me.life = life_;
            return XA_OK;
        case switch_call::close:
            me = {};
            return XA_OK;
        case switch_call::start:
            return start(a, who);
        case switch_call::end:
            return end(a, who);
        case switch_call::recover:
            return recover(a, me);
        case switch_call::complete:
            return complete(a, me);
        default:
            return end_branch(a);
    }
}

int resource::start(asked const& a, caller const& who)
{
    auto const key = key_of(*a.branch);
    if (branches_[key].is_rollback_only) {
        dissociate(key, who);
        return XA_RBROLLBACK;
    }
    associate(key, who);
    return XA_OK;
}

void resource::associate(std::string const& key, caller const& who)
{
    branch& b = branches_[key];
    control& me = controls_[who];
    b.is_adrift = false;
    b.suspended.erase(who);
    b.associated.insert(who);
    b.worked.insert(who);
    me.suspended.erase(key);
    me.associated = key;
}

void resource::dissociate(std::string const& key, caller const& who)
{
    branch& b = branches_[key];
    control& me = controls_[who];
    b.associated.erase(who);
    b.suspended.erase(who);
    b.is_adrift = false;
    me.suspended.erase(key);
    if (me.associated == key) me.associated.clear();
}

int resource::end(asked const& a, caller const& who)
{
    auto const key = key_of(*a.branch);
    branch& b = branches_[key];
    dissociate(key, who);
    if ((a.flags & TMFAIL) != 0) {
        b.is_rollback_only = true;
        return XA_OK;
    }
    if (b.is_rollback_only) return XA_RBROLLBACK;
    if ((a.flags & TMSUSPEND) != 0) {
        if ((a.flags & TMMIGRATE) != 0) {
            b.is_adrift = true;
        } else {
            b.suspended.insert(who);
            controls_[who].suspended.insert(key);
        }
    }
    return XA_OK;
}

/// xa_prepare, xa_commit, xa_rollback and xa_forget.
int resource::end_branch(asked const& a)
{
    auto const at = branches_.find(key_of(*a.branch));
    branch& b = at->second;
    if (a.what == switch_call::forget) {
        branches_.erase(at);
        save();
        return XA_OK;
    }
    if (b.heuristic != 0) return b.heuristic;
    if (a.what == switch_call::prepare) {
        if (b.adds.empty()) {
            branches_.erase(at);
            return XA_RDONLY;
        }
        b.is_prepared = true;
        save();
        return XA_OK;
    }
    finish(at, a.what == switch_call::commit);
    return XA_OK;
}

void resource::finish(branches::iterator at, bool by_commit)
{
    for (auto const& [row, delta] : at->second.adds) {
        if (by_commit) rows_[row] += delta;
    }
    branches_.erase(at);
    save();
}

/// A mixed one has committed the first of what it wrote.
void resource::settle_heuristically(branches::iterator at, int code)
{
    branch& b = at->second;
    bool is_due = code == XA_HEURCOM || code == XA_HEURMIX;
    for (auto const& [row, delta] : b.adds) {
        if (is_due) rows_[row] += delta;
        is_due = is_due && code == XA_HEURCOM;
    }
    branch settled;
    settled.heuristic = code;
    b = settled;
    save();
}

int resource::recover(asked const& a, control& me) const
{
    if ((a.flags & TMSTARTRSCAN) != 0) {
        me.scan.emplace();
        me.scanned = 0;
        for (auto const& [key, b] : branches_) {
            if (b.is_prepared || b.heuristic != 0) me.scan->push_back(key);
        }
    }
    long given = 0;
    for (; given < a.count && me.scanned < me.scan->size(); ++given)
        a.list[given] = name_of((*me.scan)[me.scanned++]);
    if ((a.flags & TMENDRSCAN) != 0) me.scan.reset();
    return static_cast<int>(given);
}

int resource::complete(asked const& a, control& me) const
{
    bool const waits = (a.flags & TMNOWAIT) == 0;
    if (!waits && !completes_) return XA_RETRY;
    if (!waits && me.pending->polls_left-- > 0) return XA_RETRY;
    *a.handle = me.pending->handle;
    *a.retval = me.pending->answer;
    me.pending.reset();
    return XA_OK;
}

/// A scripted answer, with the effect that tables 6-2 and 6-4 give it.
void resource::take_effect(asked const& a, caller const& who, int code)
{
    bool const may_migrate = a.what == switch_call::end && (a.flags & TMMIGRATE) != 0;
    if (code == XA_OK || (may_migrate && code == XA_NOMIGRATE)) {
        // Suspended all the same, but to be resumed by this thread only.
        asked as = a;
        if (code == XA_NOMIGRATE) as.flags &= ~TMMIGRATE;
        carry_out(as, who);
        return;
    }
    // It does not know the call that it was asked to complete.
    if (a.what == switch_call::complete && code != XA_RETRY) controls_[who].pending.reset();
    if (a.branch == nullptr) return;
    auto const key = key_of(*a.branch);
    bool const is_gone = code == XAER_NOTA;  // it had timed out, and was rolled back
    bool const is_resume = a.what == switch_call::start && (a.flags & TMRESUME) != 0;
    if (a.what == switch_call::start && !is_resume) {
        if (is_rollback_code(code)) branches_[key].is_rollback_only = true;
        return;
    }
    auto const at = branches_.find(key);
    if (a.what == switch_call::end || is_resume) {
        if (!is_rollback_code(code) && !is_gone) return;
        dissociate(key, who);
        at->second.is_rollback_only = true;
        if (is_gone) finish(at, false);
        return;
    }
    bool const is_prepare = a.what == switch_call::prepare;
    if (a.what == switch_call::forget) {
        if (code == XAER_NOTA) finish(at, false);  // there is nothing to forget any more
        return;
    }
    if (at->second.heuristic != 0) return;
    // What was not prepared may have timed out, and was rolled back.  Of a prepared branch this
    // leaves open what became of it: nothing, here.
    bool const has_timed_out = code == XAER_NOTA && !at->second.is_prepared;
    if (is_rollback_code(code) || has_timed_out || (!is_prepare && code == XAER_RMERR)) {
        finish(at, false);
    } else if (is_prepare && code == XA_RDONLY) {
        finish(at, true);
    } else if (!is_prepare && is_heuristic_code(code)) {
        settle_heuristically(at, code);
    }
}

/// Table 6-1: the thread is back in R0, and what it had not prepared is gone.
void resource::lose(caller const& who)
{
    for (auto at = branches_.begin(); at != branches_.end();) {
        branch const& b = at->second;
        bool const is_kept = b.is_prepared || b.heuristic != 0 || b.worked.count(who) == 0;
        at = is_kept ? std::next(at) : branches_.erase(at);
    }
    controls_[who] = {};
}

}  // namespace assent::inline v0::testing::strict
