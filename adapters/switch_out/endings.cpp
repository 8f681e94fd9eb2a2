// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// endings.cpp -- xa_prepare, xa_commit, xa_rollback, xa_forget, xa_recover, xa_complete.
//
// An idle branch is ended on its connection, by whichever thread asks; a prepared one on any,
// unless the database keeps it to the one that prepared it.

#include <algorithm>
#include <mutex>
#include <utility>

#include "adapters/switch_out/answering.hpp"
#include "adapters/switch_out/process.hpp"
#include "adapters/switch_out/resource.hpp"

namespace assent::switch_out {

namespace {

XID xid_of(dialects::branch_name const& name) noexcept
{
    XID x{};
    x.formatID = name.format_id();
    x.gtrid_length = static_cast<long>(name.gtrid().size());
    x.bqual_length = static_cast<long>(name.bqual().size());
    auto* const behind = std::copy(name.gtrid().begin(), name.gtrid().end(), x.data);
    std::copy(name.bqual().begin(), name.bqual().end(), behind);
    return x;
}

}  // namespace

int resource::heuristic_of(control const& me, dialects::branch_name const& name)
{
    std::lock_guard const hold{process_lock()};
    auto const known = me.of->branches.find(name);
    return known && known->at == branch::step::settled ? known->heuristic : 0;
}

bool resource::is_idle(control const& me, dialects::branch_name const& name)
{
    std::lock_guard const hold{process_lock()};
    auto const known = me.of->branches.find(name);
    return known && known->at == branch::step::idle;
}

bool resource::is_in_doubt(control const& me, dialects::branch_name const& name)
{
    std::lock_guard const hold{process_lock()};
    auto const known = me.of->branches.find(name);
    return known && known->unheard;
}

branch_ptr resource::claim_idle(control& me, dialects::branch_name const& name)
{
    std::lock_guard const hold{process_lock()};
    auto known = me.of->branches.find(name);
    if (!known) throw refusal{XAER_NOTA, "no such branch is at work in this process"};
    if (known->at != branch::step::idle) throw refusal{XAER_PROTO, "the branch is not idle"};
    known->at = branch::step::ending;
    return known;
}

/// Also one that this process knows nothing of: the database does.
branch_ptr resource::claim_prepared(control& me, dialects::branch_name const& name, verb how)
{
    std::lock_guard const hold{process_lock()};
    auto known = me.of->branches.find(name);
    if (!known)
        known = me.of->branches.add(name);
    else if (known->at == branch::step::finishing) {
        throw refusal{while_it_is_kept(how).answer, "another thread ends it"};
    } else if (known->at != branch::step::prepared) {
        throw refusal{XAER_PROTO, "it is not prepared"};
    }
    known->at = branch::step::finishing;
    return known;
}

/// Says in the table what has become of a branch that was claimed.
/// @param stays  with its connection, where it is prepared.
int resource::conclude(control& me, branch_ptr const& which, verdict found, bool stays)
{
    std::shared_ptr<connection> free;  // closed behind the lock, where nobody keeps it
    bool const is_kept = found.then == fate::prepared && stays;
    {
        std::lock_guard const hold{process_lock()};
        if (!is_kept) free = std::exchange(which->on, nullptr);
        if (free && found.then != fate::over && found.then != fate::prepared) free->give_up();
        switch (found.then) {
            case fate::prepared:
                if (which->on) {
                    which->at = branch::step::prepared;
                } else {
                    me.of->branches.remember(which);
                }
                break;
            case fate::settled:
                which->at = branch::step::settled;
                which->heuristic = found.answer == XA_HEURRB ? XA_HEURRB : XA_HEURHAZ;
                break;
            case fate::in_doubt:
                me.of->branches.remember(which);
                break;
            case fate::unknown: {
                bool const is_needed = which->is_doubtful() || which->first_asked.id != 0;
                if (is_needed) {
                    me.of->branches.remember(which);
                } else {
                    me.of->branches.forget(which->name);
                }
                break;
            }
            default:
                me.of->branches.forget(which->name);
                break;
        }
    }
    if (free && found.then == fate::prepared) free->let_go();
    if (found.then == fate::prepared || found.then == fate::over) me.give_back(std::move(free));
    return found.answer;
}

/// Whatever is thrown while a branch is claimed must not leave it claimed for ever.
template <typename Work>
static verdict or_else(fate then, Work work)
{
    try {
        return work();
    } catch (std::exception const& failed) {
        say(failed.what());
        return {XAER_RMFAIL, then};
    }
}

/// As the server's answer to one phase; in two, where a crash may undo what was one.  In between
/// the branch is listed, and nobody knows of a decision: whoever recovers rolls it back.
static reply commit_alone(control const& me, branch const& which)
{
    auto const send = [&](verb what) {
        return which.on->perform(what, which.name, me.of->given().timeout);
    };
    if (!me.of->undoes_one_phase()) return send(verb::commit_one_phase);
    reply const vote = send(verb::prepare);
    return vote.is_ok() ? send(verb::commit) : vote;
}

int resource::end_idle(control& me, branch_ptr const& which, verb how)
{
    verb const sent = which->must_roll_back ? verb::rollback : how;
    session_mark const told{which->on->id(), which->on->life()};
    fate const unheard = sent == verb::rollback ? fate::unknown : fate::in_doubt;
    verdict const found = or_else(unheard, [&] {
        reply const said = sent == verb::commit_one_phase
                               ? commit_alone(me, *which)
                               : which->on->perform(sent, which->name, me.of->given().timeout);
        say(said.text.c_str());
        if (sent == verb::prepare) return of_prepare(said);
        if (sent == verb::commit_one_phase) return of_one_phase(said);
        verdict undone = of_undoing(said);
        if (how == verb::rollback) return undone;
        if (undone.answer == XA_OK) undone.answer = XA_RBROLLBACK;
        if (how == verb::prepare && undone.then == fate::settled) undone.answer = XAER_RMERR;
        return undone;
    });
    if (found.then == fate::in_doubt) {
        std::lock_guard const hold{process_lock()};
        which->unheard = told;
    }
    return conclude(me, which, found, me.of->keeps_prepared());
}

bool resource::is_kept_here(dialects::branch_name const& name) const
{
    std::lock_guard const hold{process_lock()};
    return std::any_of(all_.begin(), all_.end(), [&](auto const& each) {
        auto const known = each.second->branches.find(name);
        return known && known->on;
    });
}

int resource::end_prepared(control& me, branch_ptr const& which, verb how)
{
    bool const is_attached = which->on != nullptr;
    verdict const found = or_else(fate::unknown, [&] {
        if (which->unheard && !me.of->is_gone(*which->unheard)) {
            say("the session that was told to prepare the branch may be doing so yet");
            return while_it_is_kept(how);
        }
        bool const is_by_name = !is_attached && me.of->keeps_prepared();
        if (is_by_name &&
            (is_kept_here(which->name) || !me.of->is_owner_gone(which->first_asked))) {
            say("a session that may have prepared the branch is still there, and keeps it");
            return while_it_is_kept(how);
        }
        if (!is_attached) {
            auto taken = me.take();
            std::lock_guard const hold{process_lock()};
            which->on = std::move(taken);
            which->unheard.reset();  // it is gone, so what is listed from now on is true
        }
        reply const said = which->on->perform(how, which->name, me.of->given().timeout);
        say(said.text.c_str());
        verdict const first =
            how == verb::commit ? of_commit(said, is_attached) : of_rollback(said);
        if (first.then != fate::unlisted) return first;
        {
            std::lock_guard const hold{process_lock()};
            which->may_be_undone =
                which->may_be_undone || said.detail == reply_detail::may_be_undone;
        }
        absence read = me.of->look_for(which->name, which->on->life());
        read.may_be_undone = which->may_be_undone;
        return after_list(how, read);
    });
    return conclude(me, which, found, is_attached);
}

int resource::prepare(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMNOFLAGS);
        control& me = opened(rmid);
        return end_idle(me, claim_idle(me, name_of(x)), verb::prepare);
    });
}

int resource::commit(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMONEPHASE | TMNOWAIT);
        control& me = opened(rmid);
        auto const name = name_of(x);
        if (int const settled = heuristic_of(me, name)) return settled;
        if ((flags & TMONEPHASE) != 0) {
            if (is_in_doubt(me, name)) throw refusal{XAER_RMFAIL, "nobody knows what became of it"};
            return end_idle(me, claim_idle(me, name), verb::commit_one_phase);
        }
        return end_prepared(me, claim_prepared(me, name, verb::commit), verb::commit);
    });
}

int resource::rollback(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMNOFLAGS);
        control& me = opened(rmid);
        auto const name = name_of(x);
        if (int const settled = heuristic_of(me, name)) return settled;
        if (is_idle(me, name)) return end_idle(me, claim_idle(me, name), verb::rollback);
        return end_prepared(me, claim_prepared(me, name, verb::rollback), verb::rollback);
    });
}

int resource::forget(XID const* x, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMERR, [&] {
        allow(flags, TMNOFLAGS);
        control const& me = opened(rmid);
        auto const name = name_of(x);
        std::lock_guard const hold{process_lock()};
        auto const known = me.of->branches.find(name);
        if (!known) throw refusal{XAER_NOTA, "it was not completed heuristically"};
        if (known->at != branch::step::settled) {
            throw refusal{XAER_PROTO, "it was not completed heuristically"};
        }
        me.of->branches.forget(name);
        return XA_OK;
    });
}

int resource::recover(XID* list, long count, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMFAIL, [&] {
        allow(flags, TMSTARTRSCAN | TMENDRSCAN);
        control& me = opened(rmid);
        if (count < 0 || (list == nullptr && count > 0)) {
            throw refusal{XAER_INVAL, "no room for a list"};
        }
        if ((flags & TMSTARTRSCAN) != 0) {
            auto listed = me.of->list();
            std::lock_guard const hold{process_lock()};
            me.scan = scan_cursor{me.of->branches.with_settled(std::move(listed)), 0};
        }
        if (!me.scan) throw refusal{XAER_INVAL, "no scan was started"};
        auto const left = me.scan->listed.size() - me.scan->given;
        auto const given = std::min(left, static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < given; ++i)
            list[i] = xid_of(me.scan->listed[me.scan->given++]);
        if ((flags & TMENDRSCAN) != 0) me.scan.reset();
        return static_cast<int>(given);
    });
}

int resource::complete(int const* handle, int const* retval, int rmid, long flags) noexcept
{
    return answered(rmid, XAER_RMERR, [&]() -> int {
        if ((flags & ~(TMMULTIPLE | TMNOWAIT)) != 0) {
            throw refusal{XAER_INVAL, "a flag it does not take"};
        }
        opened(rmid);
        if (handle == nullptr || retval == nullptr) throw refusal{XAER_INVAL, "no room"};
        throw refusal{XAER_PROTO, "no asynchronous call is outstanding: there are none"};
    });
}

}  // namespace assent::switch_out
