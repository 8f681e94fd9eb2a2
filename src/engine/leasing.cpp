// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leasing.cpp -- a lease: a connection for one transaction, of the keeper's pool or of the
// application's own.
//
//   leased    seat in the pool --> an idle session, or a new one --> XA START; refused: another one
//   lent      source->acquire  --> borrowed, as by enlist        --> XA START; refused: given back

#include <algorithm>
#include <utility>

#include "engine/engine.hpp"

namespace assent::engine {

any_lease engine::lease(global_transaction& tx, resource_manager const& rm, access how)
{
    require_active(tx);
    auto const keeper = keeper_of(rm);
    for (auto const& each : tx.branches) {
        if (each->rm != keeper || !each->lease) continue;
        if (each->is_read_only && how != access::read_only) {
            throw error{errc::invalid_state,
                        "\"" + keeper->name() +
                            "\" is leased read-only in this transaction; ask for read_write first",
                        tx.id};
        }
        return any_lease{each->lease};
    }
    for (auto const& each : tx.branches) {
        if (each->rm != keeper) continue;
        throw error{errc::invalid_state,
                    "a connection of \"" + keeper->name() +
                        "\" is enlisted in this transaction; a lease beside it would be a second "
                        "branch that sees nothing of the first",
                    tx.id};
    }
    auto const rm_id = require_fit(tx, *keeper, how);
    auto started = make_branch(tx, keeper, how);
    if (keeper->manager().source()) {
        start_lent(tx, rm_id, *started);
    } else {
        start_leased(tx, rm_id, *started);
    }
    return any_lease{admit(tx, std::move(started))->lease};
}

/// A pooled session may have died unseen, or keep what an earlier lease did to it (a role, a
/// setting): it is closed, which ends whatever it began, and another one is tried.
void engine::start_leased(global_transaction& tx, std::uint16_t rm_id, branch& started)
{
    keeper& rm = *started.rm;
    auto const number = static_cast<std::uint16_t>(tx.branches.size() + 1);
    auto seat = rm.pool().enter(tx.id, tx.until);
    require_active(tx);  // others may have decided against it while it waited
    for (;;) {
        auto taken = rm.pool().take(tx.until);
        bool const is_fresh = !taken.session;
        if (is_fresh) taken = open_session(tx, rm, std::move(taken));
        started.id = {tx.id, bqual::make({rm_id, number, taken.session->id()})};
        // Nothing that a start does waits for others, so silence means a connection that a
        // firewall forgot; there is time for a new one.
        auto const now = shared_.time.now();
        auto const patience =
            is_fresh ? tx.until : std::min(tx.until, now + shared_.bounds.server_call);
        auto const answer = start_branch(*taken.session, started, patience);
        if (answer.is_ok()) {
            started.session = std::move(taken.session);
            started.in_child = std::move(taken.in_child);
            started.origin = taken.origin;
            started.seat = std::move(seat);
            started.handle = started.session->native_handle();
            started.lease = std::make_shared<leased_session>(started.handle);
            return;
        }
        if (is_fresh) {
            std::string const why =
                "\"" + rm.name() + "\" did not start a branch: " + words_of(answer);
            tx.mark_rollback_only({why, answer.detail == reply_detail::reply_lost});
            throw error{errc::rollback_only, why, tx.id};
        }
        shared_.tell(severity::debug, "pool.session_replaced", rm.name(), started.id.text(),
                     words_of(answer));
        // What was idle beside a silent one would only cost the same wait again.
        if (shared_.time.now() >= patience) rm.pool().drop_all();
    }
}

pooled_session engine::open_session(global_transaction const& tx, keeper& rm,
                                    pooled_session opened) const
{
    try {
        opened.session = rm.driver().connect(
            session_purpose::work, std::min(tx.until, shared_.time.now() + shared_.bounds.connect));
    } catch (std::exception const& e) {  // of the application's own connect function, too
        throw error{errc::unavailable, "\"" + rm.name() + "\": " + e.what(), tx.id};
    }
    opened.in_child = inherited_descriptor{opened.session->descriptor()};
    return opened;
}

/// A lease from the application's own pool: what it gave it gets back, whatever happens.
void engine::start_lent(global_transaction& tx, std::uint16_t rm_id, branch& started)
{
    auto const source = started.rm->manager().source();
    auto const& name = started.rm->name();
    started.on_release = [source](void* handle, assent::release what) {
        source->give_back(handle, what);
    };
    try {
        started.handle = source->acquire(tx.until);
    } catch (std::exception const& e) {
        throw error{errc::unavailable, "\"" + name + "\": its connection source: " + e.what(),
                    tx.id};
    }
    if (started.handle == nullptr) {
        throw error{errc::unavailable, "\"" + name + "\": its connection source gave no connection",
                    tx.id};
    }
    for (auto const& each : tx.branches) {
        if (each->handle != started.handle) continue;
        // Not given back: the first branch is still at work on it, and will.
        throw error{errc::bad_argument,
                    "\"" + name +
                        "\": its connection source gave a connection that is enlisted in "
                        "this transaction already",
                    tx.id};
    }
    try {
        start_borrowed(tx, rm_id, started, started.handle, errc::unavailable);
        started.lease = std::make_shared<leased_session>(started.handle);
    } catch (...) {
        started.session.reset();
        call_release(started.on_release, started, assent::release::must_close);
        throw;
    }
}

}  // namespace assent::engine
