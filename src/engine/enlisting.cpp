// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlisting.cpp -- lease and enlist: a session, XA START, a branch that the coordinator knows.

#include <algorithm>
#include <new>
#include <utility>

#include "engine/engine.hpp"

namespace assent::engine {

namespace {

constexpr std::size_t branches_max = 64;  // a decision fits into one page of the log

std::string words(reply const& what)
{
    std::string text = what.text;
    if (!what.sqlstate.empty()) text += " (SQLSTATE " + what.sqlstate + ")";
    if (text.empty()) text = "the reply was lost";
    return text;
}

}  // namespace

std::shared_ptr<keeper> engine::keeper_of(resource_manager const& rm) const
{
    std::lock_guard const held{mutex_};
    auto const found = keepers_.find(rm.name());
    if (found == keepers_.end() || &found->second->driver() != rm.driver().get()) {
        throw error{errc::bad_argument, "resource manager \"" + rm.name() +
                                            "\" was not added to this transaction manager"};
    }
    return found->second;
}

void engine::require_active(global_transaction& tx)
{
    require_same_process();
    std::lock_guard const held{tx.mutex};
    if (tx.cause) throw error{errc::rollback_only, "rollback-only: " + tx.cause->text, tx.id};
    if (tx.is_ending) {
        throw error{errc::invalid_state, "this transaction has ended, or is ending", tx.id};
    }
    if (tx.branches.size() >= branches_max) {
        throw error{errc::bad_argument, "a transaction has at most 64 branches", tx.id};
    }
}

/// Where the decision lives is fixed before the first branch begins: its name says it for ever.
void engine::settle_place(global_transaction& tx)
{
    if (tx.row_place == nullptr || tx.is_placed) return;
    auto name = tx.id.parts();
    auto const id = tx.row_place->wait_until_holding_rows(tx.until);
    if (name.place_resource_manager != id) {
        name.place_resource_manager = id;
        shared_.live.rename(tx, gtrid::make(name));
    }
    tx.is_placed = true;
}

/// A database that cannot prepare takes part alone, or as the one whose commit row decides.
void engine::require_place(global_transaction const& tx, keeper const& joining, access how) const
{
    auto const refuse = [&tx](std::string const& why) {
        throw error{errc::invalid_state, why, tx.id};
    };
    auto const& name = joining.name();
    if (tx.row_place.get() == &joining) {
        if (how == access::read_only) {
            refuse("the commit row is written into \"" + name + "\": ask for read_write there");
        }
        for (auto const& each : tx.branches) {
            if (each->is_last) refuse("\"" + name + "\" holds the commit row, in one branch only");
        }
        return;
    }
    if (how == access::read_only) return;
    bool const can_prepare = joining.driver().capabilities().is_two_phase;
    if (!can_prepare && tx.row_place) {
        refuse("\"" + name + "\" cannot prepare, and \"" + tx.row_place->name() +
               "\" is the last resource of this transaction, which has only one");
    }
    for (auto const& each : tx.branches) {
        if (each->is_read_only || each->is_last) continue;
        bool const both = can_prepare && each->rm->driver().capabilities().is_two_phase;
        if (both) continue;
        auto const& last = can_prepare ? each->rm->name() : name;
        refuse("\"" + last +
               "\" cannot prepare, so beside other databases its own commit must be "
               "the decision: begin with begin_options{}.commit_row(" +
               last + ")");
    }
}

/// The declared place of the row has no branch yet, and others will vote: it gets one now.
void engine::enlist_last(global_transaction& tx)
try {
    if (tx.row_place == nullptr || tx.is_rollback_only()) return;
    std::size_t voters = 0;
    for (auto const& each : tx.branches) {
        if (each->is_last) return;
        voters += !each->is_read_only;
    }
    if (voters > 1) lease(tx, tx.row_place->manager());
} catch (std::exception const& e) {
    tx.mark_rollback_only({std::string{"no commit row can be written: "} + e.what(), false});
} catch (...) {
    tx.mark_rollback_only({"no commit row can be written", false});
}

reply engine::start_branch(driver_session& session, branch const& started, deadline until)
{
    if (shared_.is_observed()) {
        shared_.tell(severity::debug, "branch.start", started.rm->name(), started.id.text(), {});
    }
    if (started.is_read_only) session.declare_read_only();
    session.submit(verb::start, started.id);
    auto const answer = session.collect(until);
    if (shared_.is_observed() && answer) {
        shared_.tell(severity::debug, "branch.start.reply", started.rm->name(), started.id.text(),
                     answer->text);
    }
    if (answer) return *answer;
    session.sever();
    reply silent;
    silent.code = xa_code::rmfail;
    silent.detail = reply_detail::reply_lost;
    silent.text = "no reply before the deadline";
    return silent;
}

/// For one more branch, before anything is done for it: a coordinator that counts a branch which
/// the transaction has not would wait for its vote for ever, and a connection that began a branch
/// would be nobody's to give back.
void engine::make_room(global_transaction& tx)
{
    std::lock_guard const held{tx.mutex};
    tx.branches.reserve(tx.branches.size() + 1);
    tx.coordinator.reserve(tx.branches.size() + 1);
}

/// @pre  make_room(), so that nothing throws here: a branch that began takes part.
std::shared_ptr<branch> engine::admit(global_transaction& tx,
                                      std::shared_ptr<branch> started) noexcept
{
    std::lock_guard const held{tx.mutex};
    tx.coordinator.add_branch(started->is_last        ? protocol::branch_role::last
                              : started->is_read_only ? protocol::branch_role::reader
                                                      : protocol::branch_role::voter);
    started->is_cancellable = true;
    tx.branches.push_back(started);
    // A deadline that struck meanwhile did not see this branch; the reaper's cancel must.
    if (tx.is_expired) {
        try {
            started->rm->cancel(started, shared_.time.now() + shared_.bounds.deadline_grace);
        } catch (std::bad_alloc const& e) {  // it is rollback-only all the same
            shared_.tell(severity::warning, "session.not_cancelled", started->rm->name(),
                         tx.id.text(), e.what());
        }
    }
    return started;
}

/// The record of a branch that is to be started; from here on the place of the decision is settled.
std::shared_ptr<branch> engine::make_branch(global_transaction& tx,
                                            std::shared_ptr<keeper> const& rm, access how)
{
    settle_place(tx);
    make_room(tx);
    auto made = std::make_shared<branch>();
    made->rm = rm;
    made->history = rm->history();
    made->is_read_only = how == access::read_only;
    made->is_last = rm == tx.row_place;
    return made;
}

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
    // First, because some drivers know what their database can do only once it was seen.
    auto const rm_id = keeper->wait_until_serving(tx.until);
    require_place(tx, *keeper, how);
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
                "\"" + rm.name() + "\" did not start a branch: " + words(answer);
            tx.mark_rollback_only({why, answer.detail == reply_detail::reply_lost});
            throw error{errc::rollback_only, why, tx.id};
        }
        shared_.tell(severity::debug, "pool.session_replaced", rm.name(), started.id.text(),
                     words(answer));
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

/// @pre  `started` has its handle.
/// @throws error  `unfit`: the connection cannot take part; errc::rollback_only.
void engine::start_borrowed(global_transaction& tx, std::uint16_t rm_id, branch& started,
                            lent_connection lent, errc unfit)
{
    auto& rm = *started.rm;
    started.is_borrowed = true;
    try {
        auto const until = std::min(tx.until, shared_.time.now() + shared_.bounds.server_call);
        started.session = lent.session != nullptr
                              ? rm.driver().borrow_session(*lent.session, rm.facts(), until)
                              : rm.driver().borrow(lent.handle, rm.facts(), until);
    } catch (driver_error const& e) {
        std::string why = "\"" + rm.name() + "\": " + e.what();
        if (e.must_close()) why += "; the connection must be closed";
        throw error{unfit, why, tx.id};
    }
    auto const number = static_cast<std::uint16_t>(tx.branches.size() + 1);
    started.id = {tx.id, bqual::make({rm_id, number, started.session->id()})};
    auto const answer = start_branch(*started.session, started, tx.until);
    if (answer.is_ok()) return;
    std::string const why = "\"" + rm.name() + "\" did not start a branch: " + words(answer) +
                            "; the connection must be closed";
    tx.mark_rollback_only({why, false});
    throw error{errc::rollback_only, why, tx.id};
}

bool engine::enlist(global_transaction& tx, resource_manager const& rm, lent_connection lent,
                    release_function on_release, branch_choice which, access how)
{
    require_active(tx);
    void* const handle = lent.handle;
    if (handle == nullptr) throw error{errc::bad_argument, "the handle is null", tx.id};
    auto const keeper = keeper_of(rm);
    for (auto const& each : tx.branches) {
        if (each->handle == handle) return false;
        if (each->rm == keeper && which == branch_choice::one_per_resource_manager) {
            throw error{errc::invalid_state,
                        "another connection of \"" + keeper->name() +
                            "\" is enlisted in this transaction; a second branch there sees "
                            "nothing of the first, so ask for branch_choice::another",
                        tx.id};
        }
    }
    // First, because some drivers know what their database can do only once it was seen.
    auto const rm_id = keeper->wait_until_serving(tx.until);
    require_place(tx, *keeper, how);
    if (lent.session != nullptr && keeper == tx.row_place) {
        // A client that reconnects without a word would insert the row into no transaction: it
        // would stay, and say that the branches commit, when the work that it came with is gone.
        throw error{errc::invalid_state,
                    "the commit row is written into \"" + keeper->name() +
                        "\", and not by a sql_session: take a lease there, or enlist a handle",
                    tx.id};
    }
    auto started = make_branch(tx, keeper, how);
    started->handle = handle;
    start_borrowed(tx, rm_id, *started, lent, errc::bad_argument);
    started->on_release = std::move(on_release);
    admit(tx, std::move(started));
    return true;
}

}  // namespace assent::engine
