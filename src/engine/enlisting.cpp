// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlisting.cpp -- a session, XA START, a branch that the coordinator knows.
//
//   make_branch: where the decision lives, room for one more --> start_branch: XA START --> admit
//
// Leases begin theirs in leasing.cpp; here are the steps that both take, and enlist, which borrows
// the application's connection.
//
// The one invariant: admit() cannot fail, so a branch that was started takes part.

#include <algorithm>
#include <new>
#include <utility>

#include "engine/engine.hpp"

namespace assent::engine {

namespace {

constexpr std::size_t branches_max = 64;  // a decision fits into one page of the log

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

std::string engine::words_of(reply const& refusal)
{
    std::string text = refusal.text;
    if (!refusal.sqlstate.empty()) text += " (SQLSTATE " + refusal.sqlstate + ")";
    if (text.empty()) text = "the reply was lost";
    return text;
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

/// Waits first: some drivers know what their database can do only once it was seen.
/// @return the id under which the log knows it.
std::uint16_t engine::require_fit(global_transaction const& tx, keeper& joining, access how) const
{
    auto const id = joining.wait_until_serving(tx.until);
    require_place(tx, joining, how);
    return id;
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
    std::string const why = "\"" + rm.name() + "\" did not start a branch: " + words_of(answer) +
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
    auto const rm_id = require_fit(tx, *keeper, how);
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
