// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// engine.hpp -- a transaction manager without its doors, which are the public classes (src/api):
// the log, the databases, the transactions that are begun, and its closing.
//
//   engine.cpp       opens, adds databases, begins transactions
//   state.cpp        says how all stands
//   answering.cpp    says to whoever keeps a branch, and asks, what it is to do with it
//   closing.cpp      close: drains, then stops everything, each within its deadline
//
//   enlistment.hpp   one more branch of a transaction
//   termination.hpp  the end of a transaction
//   reaper.hpp       deadlines
//   collector.hpp    what is still to be answered behind an early return
//
// What cannot be finished in the caller's time is left to the keepers, which finish branches in the
// background, one keeper for each database (recovery/keeper.hpp).

#ifndef ASSENT_ENGINE_ENGINE_HPP
#define ASSENT_ENGINE_ENGINE_HPP

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <assent/transaction_manager.hpp>

#include "engine/collector.hpp"
#include "engine/enlistment.hpp"
#include "engine/home_process.hpp"
#include "engine/reaper.hpp"
#include "engine/termination.hpp"
#include "recovery/desk.hpp"
#include "recovery/facts.hpp"
#include "recovery/keeper.hpp"
#include "shared/context.hpp"

namespace assent::engine {

using recovery::keeper;
using shared::context;
using shared::global_transaction;

/// Thread safety: every member may be called from several threads at once; a transaction is used
/// by one thread at a time.
class engine : public std::enable_shared_from_this<engine>
{
public:
    /// @pre  `opened` is a freshly opened log.
    engine(limits const& bounds, std::shared_ptr<observer> sink,
           std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock);
    ~engine();

    /// Serves what persons ask for in that directory, the log's, once there are threads.
    /// @throws error  errc::log_unusable: it cannot be opened.
    void serve_requests(std::string const& directory);

    /// Starts the reaper's, the desk's and the keepers' threads; the simulation steps them by hand
    /// instead.
    /// @throws error  errc::no_thread.
    void start_threads();

    /// @throws error  errc::no_thread, and all is as before.
    void add(resource_manager const& rm);
    std::shared_ptr<global_transaction> begin(begin_options const& how);

    std::shared_ptr<shared::leased_handle> lease(global_transaction& tx, resource_manager const& rm,
                                                 access how = access::read_write);
    /// The same of each; their starts are under way side by side.
    std::vector<std::shared_ptr<shared::leased_handle>> lease(
        global_transaction& tx, std::vector<resource_manager const*> const& all, access how);
    /// @return false when this very handle is enlisted already.
    bool enlist(global_transaction& tx, resource_manager const& rm, lent_connection lent,
                release_function<void*> on_release, branch_choice which,
                access how = access::read_write);

    /// As transaction::work_on().
    void work_on(global_transaction& tx, resource_manager const& rm, session_work const& what);
    /// As transaction::require_work().  @return who keeps it.
    std::shared_ptr<keeper> require_work(global_transaction& tx, resource_manager const& rm);
    /// As transaction::work_at_commit().
    void work_at_commit(global_transaction& tx, resource_manager const& rm,
                        std::function<void(driver_session&, deadline)> work);

    /// @throws error  errc::invalid_state, no_thread, closed, forked: nothing was changed.
    void set_commit_return(global_transaction& tx, commit_return when);

    // suspending.cpp
    /// The thread leaves the transaction's branches for now.  Nothing happens where it is ending.
    /// @throws error  errc::wrong_thread: nothing was sent; errc::rollback_only: the thread could
    ///                not leave one, and the transaction is not suspended; errc::forked.
    void suspend(global_transaction& tx);
    /// @throws error  errc::wrong_thread: nothing was sent, and it is suspended still;
    ///                errc::rollback_only: the thread is not at work on all its branches again;
    ///                errc::forked.
    void resume(global_transaction& tx);

    /// As termination::run().
    ending end(global_transaction& tx, intent what);

    known_outcome outcome(gtrid const& id) const;
    /// As transaction_manager::ask().
    known_outcome ask(xid const& branch, deadline until);
    manager_state state() const;
    /// Ends by `until`, and a moment; what then still hangs in a call to a server ends by itself,
    /// within the bound of that call, and the log's lock is released with it.
    close_report close(deadline until);
    /// Stops everything, whatever close() has done, and waits for that until `until`.
    /// Needs no memory.  @return whether nothing of this engine runs any more.
    bool stop(deadline until) noexcept;

    /// A number of this engine; unlike its address it was never that of an earlier engine.
    std::uint64_t serial() const noexcept { return serial_; }

    /// In a forked child everything is inert.
    bool is_forked() const noexcept { return process_.is_forked(); }
    /// @throws error  errc::forked.
    void require_same_process() const { process_.require(); }

    context& shared() noexcept { return shared_; }
    std::vector<std::shared_ptr<keeper>> keepers() const;
    reaper& deadlines() noexcept { return reaper_; }
    collector& behind() noexcept { return collector_; }

private:
    std::shared_ptr<keeper> keeper_of(resource_manager const& rm) const;
    /// @throws error  errc::outside: the thread is at work where no transaction may be begun.
    void require_inside() const;
    /// It serves and is guarded now.
    void require_ready(keeper& which) const;
    /// @throws error  errc::no_thread; errc::closed.
    void need_collector();
    std::shared_ptr<keeper> keeper_named(std::string const& name) const;

    // answering.cpp
    bool may_answer(xid const& branch, recovery::log_facts const& facts) const;
    known_outcome answer_to(xid const& branch, recovery::log_facts const& facts, deadline until);
    known_outcome known_while_live(xid const& branch) const;
    known_outcome ask_row(xid const& branch, recovery::log_facts const& facts, deadline until);
    static known_outcome committed_if_due(xid const& branch, recovery::log_facts const& facts);
    void note_told(xid const& branch, recovery::log_facts const& facts) const;
    [[noreturn]] void refuse_for_log();

    // closing.cpp
    bool is_quiet() const;
    bool drain_once(deadline until);
    close_report drain(deadline until);
    void stop_all(deadline until) noexcept;

    context shared_;
    reaper reaper_;
    recovery::desk desk_;
    home_process const process_;
    collector collector_;
    std::uint64_t const serial_;
    std::mutex closing_;  // guards the three below
    std::condition_variable drained_;
    bool is_draining_ = false;
    std::optional<close_report> closed_as_;

    enum class running : std::uint8_t { yes, stopping, no };
    std::mutex stopping_;  // guards the two below
    std::condition_variable stopped_;
    running running_ = running::yes;
    bool is_log_held_ = false;  // by a write that hangs

    mutable std::mutex mutex_;  // guards the three below; no keeper is added once it is closing
    std::map<std::string, std::shared_ptr<keeper>> keepers_;
    bool has_threads_ = false;
    bool is_collecting_ = false;               // the collector has its thread
    std::atomic<bool> may_be_outside_{false};  // a driver has branches that belong to threads
    std::atomic<bool> is_log_full_{false};     // told once
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_ENGINE_HPP
