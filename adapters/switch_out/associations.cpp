// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// associations.cpp -- xa_open, xa_close, xa_start, xa_end.
//
// xa_end asks the database for nothing: its part goes with the request that ends the branch.

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <utility>

#include "adapters/switch_out/answering.hpp"
#include "adapters/switch_out/process.hpp"
#include "adapters/switch_out/resource.hpp"
#include "adapters/switch_out/this_thread.hpp"

namespace assent::switch_out {

resource::resource(driver_maker make) : make_(make)
{
    on_fork(
        [](void* self) {
            for (auto const& [rmid, one] : static_cast<resource*>(self)->all_)
                one->is_inherited = true;
        },
        this);
}

char const* resource::message() noexcept
{
    auto const* const mine = this_thread::find();
    return mine == nullptr ? "" : mine->words.c_str();
}

void allow(long flags, long taken)
{
    if ((flags & ~(taken | TMASYNC)) != 0) throw refusal{XAER_INVAL, "a flag it does not take"};
    if ((flags & TMASYNC) != 0) throw refusal{XAER_ASYNC, "TMASYNC, and no TMUSEASYNC"};
}

dialects::branch_name name_of(XID const* x)
{
    if (x == nullptr) throw refusal{XAER_INVAL, "no XID"};
    bool const fits = x->gtrid_length >= 1 && x->gtrid_length <= MAXGTRIDSIZE &&
                      x->bqual_length >= 0 && x->bqual_length <= MAXBQUALSIZE;
    if (x->formatID < 0) throw refusal{XAER_INVAL, "the null XID"};
    if (!fits) throw refusal{XAER_INVAL, "an XID with parts too long, or without a gtrid"};
    auto const gtrid_bytes = static_cast<std::size_t>(x->gtrid_length);
    auto const bqual_bytes = static_cast<std::size_t>(x->bqual_length);
    return dialects::branch_name::foreign(x->formatID, {x->data, gtrid_bytes},
                                          {x->data + gtrid_bytes, bqual_bytes})
        .value();
}

// ---- who has it open -------------------------------------------------------------------------

control* resource::find(int rmid) const noexcept
{
    auto* const mine = this_thread::find();
    if (mine == nullptr) return nullptr;
    auto const at = mine->openings.find({this, rmid});
    if (at == mine->openings.end()) return nullptr;
    if (!at->second->of->is_inherited) return at->second.get();
    mine->openings.erase(at);  // the parent process has
    return nullptr;
}

control& resource::opened(int rmid) const
{
    control* const me = find(rmid);
    if (me == nullptr) throw refusal{XAER_PROTO, "the thread has not opened this rmid"};
    return *me;
}

void resource::leave(int rmid) noexcept
{
    if (auto* const mine = this_thread::find()) mine->openings.erase({this, rmid});
}

/// The one of that rmid.  It may be another database than before once nobody uses the former one.
std::shared_ptr<database> resource::database_of(int rmid, std::string const& xa_info)
{
    std::shared_ptr<database> former;  // destroyed behind the lock
    // In the table, and here.
    constexpr long ours = 2;
    auto const is_in_use = [&] {
        return former && !former->is_inherited &&
               (former.use_count() > ours || former->branches.are_needed());
    };
    {
        std::lock_guard const hold{process_lock()};
        auto const at = all_.find(rmid);
        if (at != all_.end()) former = at->second;
        bool const is_usable = former && !former->is_inherited;
        if (is_usable && former->info() == xa_info) return former;
        if (is_in_use()) {
            throw refusal{XAER_INVAL, "this rmid is open with another xa_info"};
        }
    }
    auto made = std::make_shared<database>(make_, rmid, xa_info);
    std::lock_guard const hold{process_lock()};
    auto& place = all_[rmid];
    // Another thread may have been quicker, or have opened the former one meanwhile.
    bool const is_taken = place && place != former;
    if (is_taken ? place->info() != xa_info : is_in_use()) {
        throw refusal{XAER_INVAL, "this rmid is open with another xa_info"};
    }
    if (!is_taken) {
        // It may be the same database by other words.
        if (former && !former->is_inherited) made->branches.inherit(former->branches);
        place = std::move(made);
    }
    return place;
}

int resource::open(char const* xa_info, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMERR, [&] {
        allow(flags, TMNOFLAGS);
        bool const fits = xa_info != nullptr && ::strnlen(xa_info, MAXINFOSIZE) < MAXINFOSIZE;
        if (!fits) throw refusal{XAER_INVAL, "xa_info is longer than 255 bytes, or not there"};
        std::string const info = xa_info;
        if (control const* const me = find(rmid)) {
            if (me->of->info() == info) return XA_OK;
            throw refusal{XAER_INVAL, "the thread has opened this rmid with another xa_info"};
        }
        auto made = std::make_unique<control>(database_of(rmid, info));
        made->spare = made->of->open();
        this_thread::get().openings[{this, rmid}] = std::move(made);
        return XA_OK;
    });
}

int resource::close(int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMERR, [&] {
        allow(flags, TMNOFLAGS);
        control const* const me = find(rmid);
        if (me == nullptr) return XA_OK;
        if (me->associated || !me->suspended.empty()) {
            throw refusal{XAER_PROTO, "the thread is associated with a branch"};
        }
        leave(rmid);
        return XA_OK;
    });
}

// ---- who works on which branch -----------------------------------------------------------------

int resource::start(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMJOIN | TMRESUME | TMNOWAIT);
        control& me = opened(rmid);
        auto const name = name_of(x);
        bool const is_join = (flags & TMJOIN) != 0;
        bool const is_resume = (flags & TMRESUME) != 0;
        if (is_join && is_resume) throw refusal{XAER_INVAL, "TMJOIN and TMRESUME"};
        if (me.associated) throw refusal{XAER_PROTO, "the thread is associated with a branch"};
        if (is_join) return join(me, name);
        return is_resume ? resume(me, name) : begin(me, name);
    });
}

int resource::begin(control& me, dialects::branch_name const& name)
{
    branch_ptr made;
    {
        std::lock_guard const hold{process_lock()};
        if (me.of->branches.find(name)) throw refusal{XAER_DUPID, "the branch is known"};
        made = me.of->branches.add(name);
    }
    struct forget_unless_begun
    {
        control& me;
        branch const& which;
        bool is_begun = false;
        ~forget_unless_begun()
        {
            std::lock_guard const hold{process_lock()};
            if (!is_begun) me.of->branches.forget(which.name);
        }
    } guard{me, *made};

    auto on = me.take();
    reply const said = on->perform(verb::start, name, me.of->given().timeout);
    int const answer = of_start(said);
    if (answer != XA_OK) {
        say(said.text.c_str());
        // A transaction of the application's own is its own to end.
        if (answer == XAER_OUTSIDE) {
            me.spare = std::move(on);
        } else {
            me.give_back(std::move(on));
        }
        return answer;
    }
    std::lock_guard const hold{process_lock()};
    made->on = std::move(on);
    made->at = branch::step::active;
    me.associated = made;
    guard.is_begun = true;
    return XA_OK;
}

int resource::join(control& me, dialects::branch_name const& name)
{
    std::lock_guard const hold{process_lock()};
    auto const known = me.of->branches.find(name);
    if (!known) throw refusal{XAER_NOTA, "no such branch is at work in this process"};
    switch (known->at) {
        case branch::step::idle:
            known->at = branch::step::active;
            me.associated = known;
            return XA_OK;
        case branch::step::active: {
            auto const& mine = me.suspended;
            if (std::find(mine.begin(), mine.end(), known) != mine.end()) {
                throw refusal{XAER_PROTO, "the thread has suspended it, and must resume it"};
            }
            throw refusal{XAER_RMERR, "another thread works on it, and it has one connection"};
        }
        default:
            throw refusal{XAER_PROTO, "its end was begun"};
    }
}

int resource::resume(control& me, dialects::branch_name const& name)
{
    auto const at = std::find_if(me.suspended.begin(), me.suspended.end(),
                                 [&](branch_ptr const& each) { return each->name == name; });
    if (at != me.suspended.end()) {
        me.associated = std::move(*at);
        me.suspended.erase(at);
        return XA_OK;
    }
    std::lock_guard const hold{process_lock()};
    if (!me.of->branches.find(name)) throw refusal{XAER_NOTA, "no such branch"};
    throw refusal{XAER_PROTO, "the thread has not suspended it"};
}

int resource::end(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMSUSPEND | TMSUCCESS | TMFAIL | TMMIGRATE);
        control& me = opened(rmid);
        auto const name = name_of(x);
        long const how = flags & (TMSUSPEND | TMSUCCESS | TMFAIL);
        if (how != TMSUSPEND && how != TMSUCCESS && how != TMFAIL) {
            throw refusal{XAER_INVAL, "not exactly one of TMSUSPEND, TMSUCCESS and TMFAIL"};
        }
        if ((flags & TMMIGRATE) != 0)
            throw refusal{XAER_INVAL, "TMMIGRATE, and TMNOMIGRATE is set"};
        return dissociate(me, name, how);
    });
}

int resource::dissociate(control& me, dialects::branch_name const& name, long flags)
{
    bool const is_suspend = flags == TMSUSPEND;
    auto const at = std::find_if(me.suspended.begin(), me.suspended.end(),
                                 [&](branch_ptr const& each) { return each->name == name; });
    bool const is_associated = me.associated && me.associated->name == name;
    if (is_suspend && is_associated) {
        me.suspended.push_back(me.associated);
        me.associated.reset();
        return XA_OK;
    }
    std::lock_guard const hold{process_lock()};
    if (is_suspend || (!is_associated && at == me.suspended.end())) {
        if (!me.of->branches.find(name)) throw refusal{XAER_NOTA, "no such branch"};
        throw refusal{XAER_PROTO, "the thread is not associated with it"};
    }
    branch& left = is_associated ? *me.associated : **at;
    left.at = branch::step::idle;
    left.must_roll_back = left.must_roll_back || flags == TMFAIL;
    if (is_associated) {
        me.associated.reset();
    } else {
        me.suspended.erase(at);
    }
    return XA_OK;
}

void* resource::handle(int rmid) const noexcept
{
    control const* const me = find(rmid);
    bool const is_at_work = me != nullptr && me->associated && me->associated->on;
    return is_at_work ? me->associated->on->handle() : nullptr;
}

}  // namespace assent::switch_out
