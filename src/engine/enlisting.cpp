// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlisting.cpp -- a session, XA START, a branch that the coordinator knows.
//
//   make_branch: where the decision lives, room for one more --> XA START --> admit
//
// Leases begin theirs in leasing.cpp; here are the steps that both take, and enlist, which borrows
// the application's connection.
//
// Invariant: admit() cannot fail, so a branch that was started takes part.

#include <algorithm>
#include <new>
#include <utility>

#include "engine/enlistment.hpp"
#include "engine/giving_back.hpp"
#include "ports/connecting.hpp"

namespace assent::engine {

namespace {

constexpr std::size_t branches_max = 64;  // a decision fits into one page of the log

}  // namespace

void require_thread(global_transaction const& tx)
{
    if (tx.is_here()) return;
    throw error{errc::wrong_thread,
                "this transaction has a branch that belongs to the thread which took its lease: "
                "end it there, and lease for it there; nothing was sent",
                tx.id};
}

void require_active(home_process const& here, global_transaction& tx)
{
    here.require();
    require_thread(tx);
    std::lock_guard const held{tx.mutex};
    if (tx.cause) throw error{errc::rollback_only, "rollback-only: " + tx.cause->text, tx.id};
    if (tx.is_ending) {
        throw error{errc::invalid_state, "this transaction has ended, or is ending", tx.id};
    }
}

bool enlistment::enlist(lent_connection lent, release_function<void*> on_release,
                        branch_choice which)
{
    require_handle();
    void* const handle = lent.handle;
    for (auto const& each : tx_.branches) {
        if (each->handle == handle) return false;
        if (each->rm == rm_ && which == branch_choice::one_per_resource_manager) {
            throw error{errc::invalid_state,
                        "another connection of \"" + rm_->name() +
                            "\" is enlisted in this transaction; a second branch there sees "
                            "nothing of the first, so ask for branch_choice::another",
                        tx_.id};
        }
    }
    require_fit();
    if (lent.session != nullptr && rm_ == tx_.row_place) {
        // A client that reconnects without a word would insert the row into no transaction: it
        // would stay, and say that the branches commit, when the work that it came with is gone.
        throw error{errc::invalid_state,
                    "the commit row is written into \"" + rm_->name() +
                        "\", and not by a sql_session: take a lease there, or enlist a handle",
                    tx_.id};
    }
    make_branch();
    started_->handle = handle;
    start_borrowed(lent, errc::bad_argument);
    started_->on_release = std::move(on_release);
    admit();
    return true;
}

/// Otherwise the thread would work on whatever it works on now, or outside of any transaction.
void enlistment::require_resumed() const
{
    if (!tx_.is_suspended || !rm_->driver().capabilities().is_thread_bound) return;
    throw error{
        errc::invalid_state,
        "this transaction is suspended: resume it before it works in \"" + rm_->name() + '"',
        tx_.id};
}

/// Whoever works by handlers would lose what a handle does besides.
void enlistment::require_handle() const
{
    if (!rm_->driver().capabilities().runs_handlers) return;
    throw error{
        errc::invalid_state,
        "\"" + rm_->name() +
            "\" shows no handle: reserve there by tcc::attempt(), or, where it is a broker, "
            "send by half::send()",
        tx_.id};
}

/// Waits first: some drivers know what their database can do only once it was seen.
void enlistment::require_fit()
{
    rm_id_ = rm_->wait_until_serving(wait_end());
    auto const modes = tx_.modes_for(how_);
    bool const is_weaker = modes.level && modes.level != isolation::serializable;
    if (is_weaker && rm_->driver().capabilities().is_always_serializable) {
        throw error{errc::invalid_state,
                    "\"" + rm_->name() + "\" has no isolation level " + name_of(*modes.level) +
                        ", only SERIALIZABLE",
                    tx_.id};
    }
    require_place(modes.is_read_only());
}

/// The record of a branch that is to be started; from here on the place of the decision is settled.
void enlistment::make_branch()
{
    settle_place();
    auto made = std::make_shared<branch>();
    made->rm = rm_;
    rm_->note_begun();
    made->history = rm_->history();
    made->modes = tx_.modes_for(how_);
    made->is_last = rm_ == tx_.row_place;
    made->always_votes = rm_->driver().capabilities().runs_handlers || !rm_->is_one_phase_durable();
    make_room();
    started_ = std::move(made);
}

enlistment::~enlistment()
{
    if (!started_) return;
    if (process_.is_forked()) {  // all of it is the parent's
        if (taken_.session) taken_.session->abandon();
        return;
    }
    bool const is_unused =
        taken_.session && !is_sent_ && !rm_->driver().capabilities().is_thread_bound;
    if (is_unused && taken_.session->is_reusable()) rm_->pool().give(std::move(taken_));
    taken_.session.reset();  // before the place is forgotten: it may have begun a branch there
    std::lock_guard const held{tx_.mutex};
    tx_.places.erase(std::find(tx_.places.begin(), tx_.places.end(), rm_id_));
}

/// For one more branch, before anything is done for it: a coordinator that counts a branch which
/// the transaction has not would wait for its vote for ever, and a connection that began a branch
/// would be nobody's to give back.  A transaction that was barred meanwhile gets none: horizons
/// have risen over it where it had no branch.
void enlistment::make_room()
{
    std::lock_guard const held{tx_.mutex};
    if (tx_.cause) throw error{errc::rollback_only, "rollback-only: " + tx_.cause->text, tx_.id};
    auto const all = tx_.places.size() + 1;  // those whose starts are under way among them
    if (all > branches_max) {
        throw error{errc::bad_argument, "a transaction has at most 64 branches", tx_.id};
    }
    tx_.branches.reserve(all);
    tx_.coordinator.reserve(all);
    tx_.places.push_back(rm_id_);
}

/// @pre  the branch has its handle.
/// @throws error  `unfit`: the connection cannot take part; errc::rollback_only.
void enlistment::start_borrowed(lent_connection lent, errc unfit)
{
    auto& session = started_->session;
    started_->is_borrowed = true;
    try {
        auto const until = std::min(wait_end(), shared_.time.now() + shared_.bounds.server_call);
        auto& driver = rm_->driver();
        session = lent.session != nullptr
                      ? driver.borrow_session(*lent.session, rm_->facts(), until)
                      : driver.borrow(lent.handle, rm_->facts(), until);
    } catch (driver_error const& e) {
        std::string why = "\"" + rm_->name() + "\": " + e.what();
        if (e.must_close()) why += "; the connection must be closed";
        throw error{unfit, why, tx_.id};
    }
    require_same_server(*session);
    if (auto const why = ports::why_not(session->descriptor()); !why.empty()) {
        throw error{unfit, "\"" + rm_->name() + "\": " + why, tx_.id};
    }
    submit_start(*session);
    auto const answer = collect_start(*session, wait_end()).value_or(silence());
    if (!answer.is_ok()) refuse_start(answer, "; the connection must be closed", false);
}

/// Which branch, of which session, in which life of a server.  No name is given twice, also where a
/// session did not start, and its server does not tell its number.
void enlistment::name(driver_session const& session)
{
    started_->id = {tx_.id, bqual::make({rm_id_, ++tx_.branches_named, session.id()})};
    started_->life = life_of(session);
}

std::string enlistment::words_of(reply const& refusal)
{
    std::string text = refusal.text;
    if (!refusal.sqlstate.empty()) text += " (SQLSTATE " + refusal.sqlstate + ")";
    if (text.empty()) text = "the reply was lost";
    return text;
}

void enlistment::submit_start(driver_session& session)
{
    name(session);
    if (shared_.is_observed()) {
        shared_.tell(severity::debug, "branch.start", rm_->name(), started_->id.text(), {});
    }
    if (ready_) ready_(session);
    session.declare(started_->modes);
    if (started_->is_last) rm_->driver().decisions()->announce(session);
    session.submit(verb::start, started_->id);
}

/// @return nothing: there was none by `until`, and the session is cut.
std::optional<reply> enlistment::collect_start(driver_session& session, deadline until) const
{
    auto answer = session.collect(until);
    if (shared_.is_observed() && answer) {
        shared_.tell(severity::debug, "branch.start.reply", rm_->name(), started_->id.text(),
                     answer->text);
    }
    if (!answer) session.sever();
    return answer;
}

reply enlistment::silence()
{
    reply silent;
    silent.code = xa_code::rmfail;
    silent.detail = reply_detail::reply_lost;
    silent.text = "no reply before the deadline";
    return silent;
}

void enlistment::refuse_start(reply const& answer, std::string const& what_to_do, bool is_transient)
{
    std::string const why =
        "\"" + rm_->name() + "\" did not start a branch: " + words_of(answer) + what_to_do;
    tx_.mark_rollback_only({why, is_transient});
    throw error{errc::rollback_only, why, tx_.id};
}

/// The life of the server that a session is on; where the session does not say, it counts as the
/// one that is scanned.
server_life enlistment::life_of(driver_session const& session) const
{
    auto life = session.life();
    if (!life.instance.empty() && !life.start.empty()) return life;
    auto const scanned = rm_->life();
    if (life.instance.empty()) life.instance = scanned.instance;
    if (life.start.empty()) life.start = scanned.start;
    return life;
}

/// A replica that takes writes has the identity of its primary, and its branches would be seen by
/// nobody.
void enlistment::require_same_server(driver_session const& session) const
{
    try {
        rm_->require_same_instance(session.life());
    } catch (driver_error const& e) {
        throw error{errc::unavailable, "\"" + rm_->name() + "\": " + e.what(), tx_.id};
    }
}

/// @pre  make_room(), so that nothing throws here: a branch that began takes part.
void enlistment::admit() noexcept
{
    std::lock_guard const held{tx_.mutex};
    auto const one = std::move(started_);
    auto const can = rm_->driver().capabilities();
    tx_.coordinator.add_branch(one->is_last                ? protocol::branch_role::last
                               : one->modes.is_read_only() ? protocol::branch_role::reader
                               : one->always_votes         ? protocol::branch_role::promiser
                                                           : protocol::branch_role::voter);
    one->is_cancellable = true;
    if (can.is_thread_bound) tx_.bound_to = shared::this_thread();
    tx_.branches.push_back(one);
    // A deadline that struck meanwhile did not see this branch; the reaper's cancel must.
    if (tx_.is_expired) {
        try {
            rm_->cancel(one, shared_.time.now() + shared_.bounds.deadline_grace);
        } catch (std::bad_alloc const& e) {  // it is rollback-only all the same
            shared_.tell(severity::warning, "session.not_cancelled", rm_->name(), tx_.id.text(),
                         e.what());
        }
    }
}

}  // namespace assent::engine
