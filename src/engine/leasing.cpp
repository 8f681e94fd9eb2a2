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
#include "shared/connecting.hpp"

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
    if (rm_->manager().source() || known_lease()) return false;
    require_fit();
    if (!rm_->driver().capabilities().is_two_phase) return false;
    make_branch();
    enter_pool();
    return true;
}

void enlistment::enter_pool()
{
    started_->seat = rm_->pool().enter(tx_.id, tx_.until);
    require_active(process_, tx_);  // others may have decided against it while it waited
    take_next();
}

void enlistment::take_next()
{
    taken_ = rm_->pool().take(tx_.until);
    is_fresh_ = !taken_.session;
    if (is_fresh_) taken_ = open_session(std::move(taken_));
}

void enlistment::submit_start()
{
    is_sent_ = true;
    submit_start(*taken_.session);
}

/// A pooled session may have died unseen, or keep what an earlier lease did to it (a role, a
/// setting): it is closed, which ends whatever it began, and another one is tried.
void enlistment::finish_start()
{
    for (;;) {
        // Nothing that a start does waits for others, so silence means a connection that a
        // firewall forgot; there is time for a new one.
        auto const asked = shared_.time.now();
        auto const silent_by = asked + shared_.bounds.server_call;
        auto const patience = is_fresh_ ? tx_.until : std::min(tx_.until, silent_by);
        auto const answer = collect_start(*taken_.session, patience);
        if (answer.is_ok()) break;
        if (is_fresh_) refuse_start(answer, {}, answer.detail == reply_detail::reply_lost);
        shared_.tell(severity::debug, "pool.session_replaced", rm_->name(), started_->id.text(),
                     words_of(answer));
        // What was idle beside a silent one would only cost the same wait again.
        if (shared_.time.now() >= silent_by) rm_->pool().drop_all();
        take_next();
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
        auto const until = std::min(tx_.until, shared_.time.now() + shared_.bounds.connect);
        opened.session =
            shared::connect(rm_->driver(), session_purpose::work, until, opened.in_child);
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
        handle = source->acquire(tx_.until);
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
