// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlistment.hpp -- one more branch of a transaction: one call of lease() or enlist().
//
//   enlisting.cpp      the steps that both take, and enlist: XA START on the application's own
//                      connection
//   working.cpp        work: on the session of a branch, now or when the commit begins
//   leasing.cpp        lease: a connection of the pool, or of the application's; several leases,
//                      whose starts are under way side by side
//   last_resource.cpp  which branch need not prepare, and where the decision lives

#ifndef ASSENT_ENGINE_ENLISTMENT_HPP
#define ASSENT_ENGINE_ENLISTMENT_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/home_process.hpp"
#include "recovery/keeper.hpp"
#include "shared/context.hpp"

namespace assent::engine {

using recovery::keeper;
using shared::branch;
using shared::context;
using shared::global_transaction;
using shared::pooled_session;

/// What the application lends: its client's handle, or a session that shows none.
struct lent_connection
{
    lent_connection(void* its_handle) noexcept : handle(its_handle) {}
    lent_connection(sql_session& lent) noexcept : handle(&lent), session(&lent) {}

    void* handle;  ///< what it is known by; the session's address where it is one
    sql_session* session = nullptr;
};

/// @throws error  errc::wrong_thread: a branch belongs to another one; nothing was sent.
void require_thread(global_transaction const& tx);

/// @throws error  errc::wrong_thread; errc::rollback_only; errc::invalid_state: it has ended;
///                errc::forked.
void require_active(home_process const& here, global_transaction& tx);

/// While the application's code runs inside of the transaction, or it is being ended, it cannot be
/// ended by what is called back.
struct in_end
{
    explicit in_end(global_transaction& of) noexcept : tx(of), was(of.is_in_end)
    {
        tx.is_in_end = true;
    }
    in_end(in_end const&) = delete;
    in_end& operator=(in_end const&) = delete;
    ~in_end() { tx.is_in_end = was; }
    global_transaction& tx;
    bool const was;
};

/// Where a row decides and others will vote, its place gets a branch at the last moment; without
/// one the transaction can only be rolled back.
void enlist_last(context& shared, home_process const& here, global_transaction& tx);

/// What was to be done when the commit begins; where it fails the transaction can only be rolled
/// back.
void do_last_works(context& shared, home_process const& here, global_transaction& tx);

/// As enlistment::lease() of each, but that all starts are sent before one is answered.  Where one
/// has no session, nothing is begun; where one does not start, the others are leased.
std::vector<std::shared_ptr<shared::leased_handle>> lease_all(
    context& shared, home_process const& here, global_transaction& tx,
    std::vector<std::shared_ptr<keeper>> const& from, access how);

/// What is done in a branch that nobody has a handle of.
struct session_work
{
    std::function<void(driver_session&, deadline)> work;
    std::function<void(driver_session&)> ready;  ///< before the branch begins; may be empty
};

class enlistment
{
public:
    /// @pre  require_active().
    enlistment(context& shared, home_process const& here, global_transaction& tx,
               std::shared_ptr<keeper> rm, access how)
        : shared_(shared), process_(here), tx_(tx), rm_(std::move(rm)), how_(how)
    {
    }
    enlistment(enlistment const&) = delete;
    enlistment& operator=(enlistment const&) = delete;
    /// A branch that did not start is forgotten: nobody may send its PREPARE.  A session to which
    /// no start was sent goes back to its pool; any other is closed, which ends what it began.
    ~enlistment();

    std::shared_ptr<shared::leased_handle> lease();
    /// @return false when this very handle is enlisted already.
    bool enlist(lent_connection lent, release_function<void*> on_release, branch_choice which);

    /// Runs `what` on the session of the branch there, or in a branch that nobody has a handle of.
    void work(session_work const& what);
    /// @throws error  errc::invalid_state: no work can be done there.
    void require_work() const;

    // lease() by steps.

    /// Has a session and no start yet.
    /// @return false where there is no lease that could be under way beside others.
    bool take_session();
    void submit_start();
    /// Waits for the answer; a session of the pool that does not start is replaced.
    void finish_start();

private:
    deadline wait_end() const { return tx_.wait_end(shared_.time.now()); }

    // working.cpp
    std::shared_ptr<branch> branch_for_work(session_work const& what);
    void begin_own(session_work const& what);

    // last_resource.cpp
    void settle_place();
    void require_place(bool is_read_only) const;

    // leasing.cpp
    std::shared_ptr<shared::leased_handle> known_lease() const;
    void enter_pool();
    void take_next();
    void start_lent();
    pooled_session open_session(pooled_session opened) const;
    void take_fresh();
    void end_silent();

    // enlisting.cpp
    void require_resumed() const;
    void require_handle() const;
    void require_fit();
    void make_branch();
    void make_room();
    void name(driver_session const& session);
    void start_borrowed(lent_connection lent, errc unfit);
    void submit_start(driver_session& session);
    std::optional<reply> collect_start(driver_session& session, deadline until) const;
    static reply silence();
    static std::string words_of(reply const& refusal);
    [[noreturn]] void refuse_start(reply const& answer, std::string const& what_to_do,
                                   bool is_transient);
    server_life life_of(driver_session const& session) const;
    void require_same_server(driver_session const& session) const;
    void admit() noexcept;

    context& shared_;
    home_process const& process_;
    global_transaction& tx_;
    std::shared_ptr<keeper> const rm_;
    access const how_;
    std::uint16_t rm_id_ = 0;          // under which the log knows it
    std::shared_ptr<branch> started_;  // made, and not of the transaction yet
    pooled_session taken_;             // of the pool, for it
    bool is_fresh_ = false;            // it was opened just now
    bool is_sent_ = false;             // its start was sent, or was about to be; it may have begun
    std::function<void(driver_session&)> ready_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_ENLISTMENT_HPP
