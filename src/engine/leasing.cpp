// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leasing.cpp -- a lease: a connection for one transaction, of the keeper's pool or of the
// application's own.
//
//   leased    seat in the pool --> an idle session, or a new one --> XA START; refused: another one
//   lent      source->acquire  --> borrowed, as by enlist        --> XA START; refused: given back

#include <algorithm>
#include <utility>

#include "engine/enlistment.hpp"
#include "engine/giving_back.hpp"
#include "shared/connecting.hpp"

namespace assent::engine {

std::shared_ptr<shared::leased_handle> enlistment::lease()
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
    require_fit();
    auto const started = begin_branch([&](branch& one) {
        if (rm_->manager().source()) {
            start_lent(one);
        } else {
            start_leased(one);
        }
    });
    return started->lease;
}

/// A pooled session may have died unseen, or keep what an earlier lease did to it (a role, a
/// setting): it is closed, which ends whatever it began, and another one is tried.
void enlistment::start_leased(branch& started)
{
    auto& pool = rm_->pool();
    auto seat = pool.enter(tx_.id, tx_.until);
    require_active(process_, tx_);  // others may have decided against it while it waited
    for (;;) {
        auto taken = pool.take(tx_.until);
        bool const is_fresh = !taken.session;
        if (is_fresh) taken = open_session(std::move(taken));
        name(started, *taken.session);
        // Nothing that a start does waits for others, so silence means a connection that a
        // firewall forgot; there is time for a new one.
        auto const now = shared_.time.now();
        auto const patience =
            is_fresh ? tx_.until : std::min(tx_.until, now + shared_.bounds.server_call);
        auto const answer = start_branch(started, *taken.session, patience);
        if (answer.is_ok()) {
            started.session = std::move(taken.session);
            started.in_child = std::move(taken.in_child);
            started.origin = taken.origin;
            started.seat = std::move(seat);
            started.handle = started.session->native_handle();
            started.lease = std::make_shared<shared::leased_handle>(started.handle);
            return;
        }
        if (is_fresh) refuse_start(answer, {}, answer.detail == reply_detail::reply_lost);
        shared_.tell(severity::debug, "pool.session_replaced", rm_->name(), started.id.text(),
                     words_of(answer));
        // What was idle beside a silent one would only cost the same wait again.
        if (shared_.time.now() >= patience) pool.drop_all();
    }
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
void enlistment::start_lent(branch& started)
{
    auto const source = rm_->manager().source();
    auto const& from = rm_->name();
    started.on_release = [source](void* handle, assent::release what) {
        source->give_back(handle, what);
    };
    try {
        started.handle = source->acquire(tx_.until);
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
    if (started.handle == nullptr) {
        throw error{errc::unavailable, "\"" + from + "\": its connection source gave no connection",
                    tx_.id};
    }
    for (auto const& each : tx_.branches) {
        if (each->handle != started.handle) continue;
        // Not given back: the first branch is still at work on it, and will.
        throw error{errc::bad_argument,
                    "\"" + from +
                        "\": its connection source gave a connection that is enlisted in "
                        "this transaction already",
                    tx_.id};
    }
    try {
        start_borrowed(started, started.handle, errc::unavailable);
        started.lease = std::make_shared<shared::leased_handle>(started.handle);
    } catch (...) {
        started.session.reset();
        give_back(shared_, started.on_release, started, assent::release::must_close);
        throw;
    }
}

}  // namespace assent::engine
