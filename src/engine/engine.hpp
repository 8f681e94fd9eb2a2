// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// engine.hpp -- a transaction manager without its doors, which are the public classes (src/api):
// the log, the databases, the transactions that are begun, and its closing.
//
//   engine.cpp       opens, adds databases, begins transactions, says how all stands
//   closing.cpp      close: drains, then stops everything, each within its deadline
//
//   enlistment.hpp   one more branch of a transaction
//   termination.hpp  the end of a transaction
//   reaper.hpp       deadlines
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

#include "engine/enlistment.hpp"
#include "engine/home_process.hpp"
#include "engine/reaper.hpp"
#include "engine/termination.hpp"
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

    /// Starts the reaper's and the keepers' threads; the simulation steps them by hand instead.
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

    /// As termination::run().
    ending end(global_transaction& tx, intent what);

    known_outcome outcome(gtrid const& id) const;
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

private:
    std::shared_ptr<keeper> keeper_of(resource_manager const& rm) const;
    [[noreturn]] void refuse_for_log();

    // closing.cpp
    bool is_quiet() const;
    bool drain_once(deadline until);
    close_report drain(deadline until);
    void stop_all(deadline until) noexcept;

    context shared_;
    reaper reaper_;
    home_process const process_;
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

    mutable std::mutex mutex_;  // guards the two below; no keeper is added once it is closing
    std::map<std::string, std::shared_ptr<keeper>> keepers_;
    bool has_threads_ = false;
    std::atomic<bool> is_log_full_{false};  // told once
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_ENGINE_HPP
