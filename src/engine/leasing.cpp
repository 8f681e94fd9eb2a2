// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leasing.cpp -- a lease: a connection for one transaction, of the keeper's pool or of the
// application's own.
//
//   leased    seat in the pool --> an idle session, or a new one --> XA START; refused: another one
//   lent      source->acquire  --> borrowed, as by enlist        --> XA START; refused: given back
//
// Several in one call: each takes its session, then all starts are sent, then all are answered.

#include <algorithm>
#include <exception>
#include <utility>

#include "engine/enlistment.hpp"
#include "engine/giving_back.hpp"
#include "engine/termination.hpp"
#include "ports/connecting.hpp"

namespace assent::engine {

std::vector<std::shared_ptr<shared::leased_handle>> lease_all(
    context& shared, home_process const& here, global_transaction& tx,
    std::vector<std::shared_ptr<keeper>> const& from, access how)
{
    std::vector<std::unique_ptr<enlistment>> all;
    for (auto const& each : from) {
        if (std::count(from.begin(), from.end(), each) > 1) continue;
        require_active(here, tx);
        auto one = std::make_unique<enlistment>(shared, here, tx, each, how);
        if (one->take_session()) all.push_back(std::move(one));
    }
    require_active(here, tx);  // others may have decided against it meanwhile
    for (auto const& each : all)
        each->submit_start();
    std::exception_ptr failed;
    for (auto const& each : all) {
        try {
            each->finish_start();
        } catch (...) {
            if (!failed) failed = std::current_exception();
            if (here.is_forked()) break;  // by a connect function: the rest is the parent's
        }
    }
    if (failed) std::rethrow_exception(failed);
    std::vector<std::shared_ptr<shared::leased_handle>> leases;
    for (auto const& each : from) {
        require_active(here, tx);
        leases.push_back(enlistment{shared, here, tx, each, how}.lease());
    }
    return leases;
}

std::shared_ptr<shared::leased_handle> enlistment::lease()
{
    require_resumed();
    require_handle();
    if (auto known = known_lease()) return known;
    require_fit();
    make_branch();
    if (rm_->manager().source()) {
        start_lent();
        admit();
    } else {
        enter_pool();
        submit_start();
        finish_start();
    }
    return known_lease();
}

/// The one that this transaction has already.
std::shared_ptr<shared::leased_handle> enlistment::known_lease() const
{
    for (auto const& each : tx_.branches) {
        if (each->rm != rm_ || !each->lease) continue;
        if (each->modes.is_read_only() && !tx_.modes_for(how_).is_read_only()) {
            throw error{errc::invalid_state,
                        "\"" + rm_->name() +
                            "\" is leased read-only in this transaction; ask for read_write first",
                        tx_.id};
        }
        return each->lease;
    }
    for (auto const& each : tx_.branches) {
        if (each->rm != rm_) continue;
        throw error{errc::invalid_state,
                    "a connection of \"" + rm_->name() +
                        "\" is enlisted in this transaction; a lease beside it would be a second "
                        "branch that sees nothing of the first",
                    tx_.id};
    }
    return nullptr;
}

/// What cannot prepare is leased alone: whether it may take part depends on who does already.
bool enlistment::take_session()
{
    require_resumed();
    require_handle();
    if (rm_->manager().source() || known_lease()) return false;
    require_fit();
    if (!rm_->driver().capabilities().is_two_phase) return false;
    make_branch();
    enter_pool();
    return true;
}

void enlistment::enter_pool()
{
    started_->seat = rm_->pool().enter(tx_.id, wait_end());
    require_active(process_, tx_);  // others may have decided against it while it waited
    take_next();
}

void enlistment::take_next()
{
    taken_ = rm_->pool().take(wait_end());
    is_fresh_ = !taken_.session;
    if (is_fresh_) taken_ = open_session(std::move(taken_));
}

/// In place of the present one, and not of the pool.
void enlistment::take_fresh()
{
    taken_.session.reset();
    taken_.origin.opened = shared_.time.now();
    is_fresh_ = true;
    taken_ = open_session(std::move(taken_));
}

/// The server does not see that nobody listens any more, as long as the session waits for a lock:
/// it is ended there by its number, or such sessions would pile up.
void enlistment::end_silent()
{
    auto left = std::make_shared<branch>();
    left->id = started_->id;
    left->life = started_->life;
    left->is_cancellable = true;
    rm_->cancel(std::move(left), shared_.time.now());
}

void enlistment::submit_start()
{
    is_sent_ = true;
    submit_start(*taken_.session);
}

/// A pooled session may have died unseen, or keep what an earlier lease did to it (a role, a
/// setting): it is closed, which ends whatever it began, and another one is tried.
///
/// A start that does something besides (ready_) may be refused for that, which another session
/// would not change; and it may wait for a lock.
void enlistment::finish_start()
{
    bool was_silent = false;
    for (;;) {
        // Nothing else that a start does waits for others, so silence means a connection that a
        // firewall forgot; there is time for a new one.
        auto const silent_by = shared_.time.now() + shared_.bounds.server_call;
        auto const patience = is_fresh_ ? wait_end() : std::min(wait_end(), silent_by);
        auto const answer = collect_start(*taken_.session, patience);
        bool const is_quick = shared_.time.now() < silent_by;
        if (answer && answer->is_ok()) {
            if (was_silent && is_quick) rm_->pool().drop_all();
            break;
        }
        auto const why = answer.value_or(silence());
        bool const may_wait = ready_ && !answer;
        if (may_wait) end_silent();
        bool const is_refusal = ready_ && taken_.session->is_reusable();
        if (is_refusal) is_sent_ = false;  // heard: nothing is left of it
        if (is_fresh_ || is_refusal) {
            refuse_start(why, {}, why.detail == reply_detail::reply_lost || is_transient(why));
        }
        shared_.tell(severity::debug, "pool.session_replaced", rm_->name(), started_->id.text(),
                     words_of(why));
        // What was idle beside a silent one would only cost the same wait again.  Of one that may
        // wait for a lock this is known once a new one is answered.
        if (may_wait) {
            was_silent = true;
            take_fresh();
        } else {
            if (!is_quick) rm_->pool().drop_all();
            take_next();
        }
        submit_start(*taken_.session);
    }
    started_->handle = taken_.session->native_handle();
    started_->lease = std::make_shared<shared::leased_handle>(started_->handle);
    started_->session = std::move(taken_.session);
    started_->in_child = std::move(taken_.in_child);
    started_->origin = taken_.origin;
    admit();
}

pooled_session enlistment::open_session(pooled_session opened) const
{
    try {
        auto const until = std::min(wait_end(), shared_.time.now() + shared_.bounds.connect);
        opened.session =
            ports::connect(rm_->driver(), session_purpose::work, until, opened.in_child);
    } catch (std::exception const& e) {
        throw error{errc::unavailable, "\"" + rm_->name() + "\": " + e.what(), tx_.id};
    }
    process_.require();  // that function may have forked, too
    require_same_server(*opened.session);
    return opened;
}

/// A lease from the application's own pool, which gets back whatever it gave, whatever happens.
void enlistment::start_lent()
{
    auto const source = rm_->manager().source();
    auto const& from = rm_->name();
    started_->on_release = [source](void* handle, assent::release what) {
        source->give_back(handle, what);
    };
    auto& handle = started_->handle;
    try {
        handle = source->acquire(wait_end());
    } catch (std::exception const& e) {
        throw error{errc::unavailable, "\"" + from + "\": its connection source: " + e.what(),
                    tx_.id};
    } catch (...) {
        throw error{
            errc::unavailable,
            "\"" + from + "\": its connection source threw something that is no std::exception",
            tx_.id};
    }
    process_.require();  // a child has no part in it, and gives nothing back
    if (handle == nullptr) {
        throw error{errc::unavailable, "\"" + from + "\": its connection source gave no connection",
                    tx_.id};
    }
    for (auto const& each : tx_.branches) {
        if (each->handle != handle) continue;
        // Not given back: the first branch is still at work on it, and will.
        throw error{errc::bad_argument,
                    "\"" + from +
                        "\": its connection source gave a connection that is enlisted in "
                        "this transaction already",
                    tx_.id};
    }
    try {
        start_borrowed(handle, errc::unavailable);
        started_->lease = std::make_shared<shared::leased_handle>(handle);
    } catch (...) {
        started_->session.reset();
        give_back(shared_, started_->on_release, *started_, assent::release::must_close);
        throw;
    }
}

}  // namespace assent::engine
