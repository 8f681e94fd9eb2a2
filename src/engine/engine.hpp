// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// engine.hpp -- the only part of the library that waits: it drives the protocol, keeps deadlines,
// and leaves to the keepers what cannot be finished in the caller's time.
//
//   enlisting.cpp      enlist: XA START, a branch that the coordinator knows
//   leasing.cpp        lease: a connection of the pool, or of the application's
//   last_resource.cpp  who need not prepare, and where the decision lives
//   ending.cpp         commit, rollback: the loop over the coordinator
//   deciding.cpp       the commit point: the log, or a row; whom to ask when a reply was lost
//   leaving.cpp        what follows an outcome
//   reaper.cpp         deadlines
//   keeper.cpp         one resource manager's worker: binding, guardian, scans, completion

#ifndef ASSENT_ENGINE_ENGINE_HPP
#define ASSENT_ENGINE_ENGINE_HPP

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <assent/transaction_manager.hpp>

#include "engine/context.hpp"
#include "engine/keeper.hpp"
#include "engine/reaper.hpp"

namespace assent::engine {

/// How a transaction ended, for the door that says it by return or by exception.
struct ending
{
    protocol::verdict verdict = protocol::verdict::open;
    std::string what;
    std::vector<branch_report> branches;
    bool is_retryable = false;
    bool is_confirmed = false;  // rolled back, and every branch said so
    resolver who = resolver::recovery;
};

/// What the application lends: its client's handle, or a session that shows none.
struct lent_connection
{
    lent_connection(void* its_handle) noexcept : handle(its_handle) {}
    lent_connection(sql_session& lent) noexcept : handle(&lent), session(&lent) {}

    void* handle;  ///< what it is known by; the session's address where it is one
    sql_session* session = nullptr;
};

enum class intent : std::uint8_t { commit = 1, rollback = 2, destroy = 3 };

/// Thread safety: every member may be called from several threads at once; a transaction is used
/// by one thread at a time.
class engine
{
public:
    /// Where in a verb's exchange an event is told.
    enum class step : std::uint8_t { before = 1, sent = 2, reply = 3 };

    /// @pre  `opened` is a freshly opened log.
    engine(limits const& bounds, std::shared_ptr<observer> sink,
           std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock);
    ~engine();

    /// Starts the reaper's and the keepers' threads; the simulation steps them by hand instead.
    void start_threads();

    void add(resource_manager const& rm);
    std::shared_ptr<global_transaction> begin(begin_options const& how);

    any_lease lease(global_transaction& tx, resource_manager const& rm,
                    access how = access::read_write);
    /// @return false when this very handle is enlisted already.
    bool enlist(global_transaction& tx, resource_manager const& rm, lent_connection lent,
                release_function on_release, branch_choice which, access how = access::read_write);

    ending end(global_transaction& tx, intent what);

    known_outcome outcome(gtrid const& id) const;
    manager_state state() const;
    close_report close(deadline until);

    /// Unlike the address, never that of an earlier engine.
    std::uint64_t serial() const noexcept { return serial_; }

    /// In a forked child everything is inert.
    bool is_forked() const noexcept { return generation_ != fork_generation(); }
    /// @throws error  errc::forked.
    void require_same_process() const;

    context& shared() noexcept { return shared_; }
    std::vector<std::shared_ptr<keeper>> keepers() const;
    reaper& deadlines() noexcept { return reaper_; }

private:
    // last_resource.cpp
    void settle_place(global_transaction& tx);
    void require_place(global_transaction const& tx, keeper const& joining, access how) const;
    void enlist_last(global_transaction& tx);

    // leasing.cpp
    void start_leased(global_transaction& tx, std::uint16_t rm_id, branch& started);
    void start_lent(global_transaction& tx, std::uint16_t rm_id, branch& started);
    pooled_session open_session(global_transaction const& tx, keeper& rm,
                                pooled_session opened) const;

    // enlisting.cpp
    std::shared_ptr<keeper> keeper_of(resource_manager const& rm) const;
    void require_active(global_transaction& tx);
    std::uint16_t require_fit(global_transaction const& tx, keeper& joining, access how) const;
    void start_borrowed(global_transaction& tx, std::uint16_t rm_id, branch& started,
                        lent_connection lent, errc unfit);
    static std::string words_of(reply const& refusal);
    reply start_branch(driver_session& session, branch const& started, deadline until);
    static void make_room(global_transaction& tx);
    std::shared_ptr<branch> make_branch(global_transaction& tx, std::shared_ptr<keeper> const& rm,
                                        access how);
    std::shared_ptr<branch> admit(global_transaction& tx, std::shared_ptr<branch> started) noexcept;

    // deciding.cpp
    class row_port;
    void decide(global_transaction& tx);
    void ask_witness(global_transaction& tx, std::size_t i);
    void ask_row(global_transaction& tx, std::size_t i);
    void ask_own(branch const& b, std::function<bool(driver_session&, deadline)> const& ask) const;

    // ending.cpp
    void run_before_completion(global_transaction& tx);
    void drive(global_transaction& tx, intent what) noexcept;
    void give_up_stage(global_transaction& tx) noexcept;
    void exchange(global_transaction& tx, deadline until);
    void hear(global_transaction& tx, std::size_t i, deadline until);
    [[noreturn]] void refuse_for_log();
    void tell_step(branch const& b, step at) const;
    void apply(global_transaction& tx, std::size_t i, protocol::reply_class on);
    void hand_over(global_transaction& tx) noexcept;
    std::list<due_branch> unfinished(global_transaction& tx);
    void release(global_transaction& tx) noexcept;
    void call_release(release_function const& on_release, branch const& b,
                      assent::release what) const noexcept;
    ending report(global_transaction& tx) noexcept;
    void describe(global_transaction& tx, ending& told) noexcept;
    void run_after_completion(global_transaction& tx) noexcept;
    bool is_quiet() const;
    deadline stage_end(global_transaction const& tx, intent what) const;

    context shared_;
    reaper reaper_;
    std::uint64_t const generation_ = fork_generation();
    std::uint64_t const serial_;
    std::mutex closing_;      // one close() at a time; a later one says what the first did
    close_report closed_as_;  // guarded by closing_

    mutable std::mutex mutex_;  // guards the three below
    std::map<std::string, std::shared_ptr<keeper>> keepers_;
    bool has_threads_ = false;
    bool is_closed_ = false;
    std::atomic<bool> is_log_full_{false};  // told once
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_ENGINE_HPP
