// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transaction_manager.hpp -- where everything begins: opens the log, recovers, begins transactions.
//
//   assent::transaction_manager tm{
//       assent::options{}.log_directory("/var/lib/shop/txlog").node_label("shop-1")};
//   auto accounts = tm.add(assent::postgresql::resource_manager{"accounts", "dbname=accounts"});
//   auto orders   = tm.add(assent::mysql::resource_manager{"orders", my_connect_function});
//
//   tm.run(assent::run_options{}.attempts_max(5), [&](assent::transaction& tx) {
//       PGconn* pg = tx.lease(accounts);
//       ...
//   });                                      // commits at the end; runs again where that is safe

#ifndef ASSENT_TRANSACTION_MANAGER_HPP
#define ASSENT_TRANSACTION_MANAGER_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// The present state of a resource manager.
struct resource_manager_state
{
    std::string name;              ///< as it was given
    std::string kind;              ///< as server_facts::kind; empty until a server was seen
    bool is_serving = false;       ///< bound, guarded, scanned: leases are given
    bool is_configured = true;     ///< false: the log knows it, this process did not add it
    std::string why;               ///< what it waits for, or why it was refused
    std::size_t branches_due = 0;  ///< decided branches that wait to be finished there
    /// How long the first of them has waited in this process; 0 where none does.
    std::chrono::milliseconds oldest_due{0};
    bool is_drained = false;  ///< nothing of earlier runs is, or can come to be, in doubt there
    std::string undrained;    ///< why it is not drained
    std::size_t sessions_max = 0;     ///< limit of its pool; 0: the application's own pool is used
    std::size_t sessions_leased = 0;  ///< sessions of the manager's own pool that are leased now
    std::size_t sessions_idle = 0;    ///< its sessions that are ready for the next lease
    std::size_t leases_waiting = 0;   ///< calls of lease() that wait for a session now
};

/// How often one phase of ending a transaction was gone through since the log was opened, and how
/// long that took together.
struct phase_state
{
    std::uint64_t count = 0;            ///< how often
    std::chrono::microseconds time{0};  ///< together
};

/// The present state of a manager.
struct manager_state
{
    bool is_accepting = true;           ///< begin() works
    std::string why;                    ///< why begin() does not work
    std::uint64_t node = 0;             ///< of the log
    std::uint32_t epoch = 0;            ///< of this opening
    std::size_t live_transactions = 0;  ///< begun and not finished
    std::uint64_t decisions = 0;        ///< forced in this epoch
    std::uint64_t forces = 0;           ///< forced writes of decisions: at most one per commit
    std::chrono::microseconds force_time{0};  ///< that these took, together
    std::size_t forces_waiting = 0;           ///< threads that wait for a forced write now
    phase_state preparing;       ///< the branches were asked to prepare, and have voted
    phase_state deciding;        ///< the decision was made durable: in the log, or as a commit row
    phase_state committing;      ///< the branches were asked to commit, in one phase or two
    phase_state rolling_back;    ///< the branches were asked to roll back
    std::size_t heuristics = 0;  ///< recorded, for the operator
    /// The file system of the log and how it is forced: "ext4, O_DIRECT and O_DSYNC".
    std::string log_medium;
    std::int64_t log_room = 0;        ///< how many transactions may begin before one ends
    std::uint64_t log_decisions = 0;  ///< decisions that memory and the log keep
    std::vector<resource_manager_state> resource_managers;  ///< also those that only the log knows
    std::vector<std::string> quarantined;                   ///< branches that a person must look at
};

/// What close() left behind.
struct close_report
{
    bool is_drained = false;         ///< nothing of this node is in doubt anywhere
    std::vector<gtrid> unfinished;   ///< transactions whose branches recovery must finish
    std::vector<std::string> notes;  ///< what else is to be known, in words
};

/// A transaction unbound from its thread; its address does not change.
using suspended_transaction = std::unique_ptr<transaction>;

/// Owns a decision log and recovers its transactions.  One process at a time per log directory.
///
/// Thread safety: every member may be called from several threads at once.
/// In a forked child every call throws error (errc::forked) and the destructor does nothing.
class ASSENT_EXPORT transaction_manager
{
public:
    /// Opens the log, within limits::log_lock.
    /// @throws error  errc::log_unusable: locked (what() names the owner's pid), damaged, of
    ///                another node label, on a file system that keeps nothing; errc::bad_argument;
    ///                errc::no_thread.
    /// Safe to retry, once the cause is gone: nothing was begun.
    /// Durability: the new epoch and everything recovered are forced before this returns.
    explicit transaction_manager(options const& settings);
    transaction_manager(transaction_manager const&) = delete;
    transaction_manager& operator=(transaction_manager const&) = delete;

    /// Does close() within limits::close; then waits for calls to a database that still hang, for
    /// the longer of limits::connect and limits::server_call.  Safe during static destruction.
    ~transaction_manager();

    /// Makes a resource manager known; recovery of earlier runs starts there, in the background.
    /// Never waits for the network.
    /// @throws error  errc::bad_argument: the name is taken, or is no name (is_good_name(), in the
    ///                words of every constructor); errc::no_thread; errc::closed; errc::forked.
    /// Safe to retry: nothing was changed.  A retry helps after errc::no_thread.
    template <class ResourceManager>
    ResourceManager add(ResourceManager rm)
    {
        add_any(rm);
        return rm;
    }
    /// As add(), for a resource manager known only by its base.
    /// @throws error  as add(), and as safe to retry.
    void add_any(resource_manager const& rm);

    /// Begins a transaction.  Never waits.
    /// @throws error  errc::bad_argument: the place of the commit row was not added, or holds none;
    ///                errc::unavailable: a resource manager that was expected does not serve now;
    ///                errc::no_thread: none for those who wait behind an early return;
    ///                errc::outside: this thread is at work at an X/Open switch outside of any
    ///                transaction;
    ///                errc::log_full, log_unusable (poisoned), twin, closed, forked.
    /// Safe to retry: nothing was begun.  A retry helps after errc::log_full, once there is room,
    /// after errc::unavailable, once that resource manager serves, and after errc::outside, once
    /// that work has ended.
    transaction begin(begin_options const& settings = {});

    /// Begins a transaction, calls `work`, and commits.  After a failure that is safe to repeat it
    /// does so again, with a back-off; `work` runs attempts_max() times at most.  The transaction
    /// is current() on this thread meanwhile.  Nothing is repeated after in doubt, heuristic,
    /// pending, or an unconfirmed rollback.
    /// @throws error  what begin() throws; errc::bad_argument: attempts_max() is less than 1;
    ///                errc::invalid_state: this thread has a transaction already, or `work` ended
    ///                or suspended its own.  Otherwise what `work` or commit() threw last
    ///                (retry_requested too), or a heuristic_error.
    /// Safe to retry: after rolled_back_error and retry_requested, which it has repeated already.
    assent::outcome run(run_options const& settings, std::function<void(transaction&)> const& work);
    /// The same, with the defaults of run_options.
    /// @throws error  as above, and as safe to retry.
    assent::outcome run(std::function<void(transaction&)> const& work);

    /// The transaction bound to this thread (user_transaction, run(), resume()), or nullptr.
    transaction* current() const noexcept;

    /// Unbinds this thread's transaction; empty when there is none.  Connections are told nothing.
    /// The thread leaves the branches of X/Open switches (xa_end with TMSUSPEND), so that it can
    /// work on others there; until resume() no lease of a switch is to be had in the transaction.
    /// Where each of those switches lets a branch migrate, any thread may resume or end it.
    /// @throws error  errc::rollback_only: a switch did not let go of the thread, which has its
    ///                transaction still, and can only roll it back.  It is at work again on the
    ///                branches that it had left before, but for those that what() says were not
    ///                resumed: what it does there is outside of the transaction.
    ///                errc::wrong_thread: a branch of it belongs to another thread, and nothing was
    ///                sent; errc::forked.
    /// Safe to retry: after errc::wrong_thread, on that thread.
    suspended_transaction suspend();
    /// Binds a suspended transaction to this thread, which works on its branches of X/Open switches
    /// again (xa_start with TMRESUME).
    /// @throws error  errc::invalid_state: this thread has one already, or `suspended` is empty,
    ///                ended, or is another manager's; errc::wrong_thread: a branch of a switch
    ///                belongs to the thread that suspended it, and nothing was sent;
    ///                errc::rollback_only: a branch of a switch could not be resumed, and what()
    ///                says why.  In each case it is rolled back, as ~transaction does;
    ///                errc::forked.
    /// Safe to retry: no, `suspended` is gone.
    void resume(suspended_transaction suspended);

    /// What is known of a transaction of this node, also of earlier runs.  Asks no database.
    /// @throws error  errc::forked.  Safe to retry, and to ask again later.
    known_outcome outcome(gtrid const& id) const;

    /// For whoever keeps a branch prepared and asks what to do with it: a broker that asks back
    /// for a half message (half_message.hpp).  `committed`: it is to be carried out; `rolled_back`:
    /// it can never be, and is to be dropped; `pending`: it is to be kept, and asked about again;
    /// `unknown`: this manager does not know, and others may (a branch of another node, of another
    /// log, of a transaction that is finished and forgotten), so it is to be kept.
    ///
    /// A branch that is finished and is there all the same was restored from a backup: of one that
    /// committed this says `unknown`, from the next list of its resource manager on, which
    /// quarantines it.  Once a copy of this log was found to be at work, everything is unknown.
    ///
    /// Where a commit row decides and none is there, an abort row is put in its place before this
    /// says rolled_back, so that no commit which is still under way can come after it.  Nothing of
    /// a transaction that is at work is touched: it is `pending` until it is decided.
    /// @pre  the branch is prepared, or was, by whoever keeps it: of one that took no part, an
    ///       answer other than pending says nothing.
    /// A database is asked until `until`; then, and once close() stops everything, the answer is
    /// `pending`.
    /// May be called from any thread, also within callbacks of a transaction, and of a broker.  The
    /// manager may be destroyed while it is under way, but not before it has begun.
    /// Safe to retry, and to ask again later.
    /// @throws error  errc::forked.
    known_outcome ask(xid const& branch, deadline until);
    /// The same, by the name as it was given: xid::text().
    /// @throws error  as above; errc::bad_argument: it is not the name of a branch, and the same
    ///                call fails again.
    known_outcome ask(std::string_view branch, deadline until);

    /// The manager's present state.  Asks no database.
    /// @throws error  errc::forked.  Safe to retry.
    manager_state state() const;

    /// Refuses begin(), ends what is active, finishes what can be finished by `until`, and
    /// releases the log when nothing of this process can change it any more.  A call to a database
    /// that is not answered by then is left to end by itself; a note says so, and the log stays
    /// locked meanwhile.
    /// Safe to call again: close() then goes on waiting for what was left.
    /// @throws error  errc::forked.
    close_report close(deadline until);

private:
    friend class user_transaction;
    struct impl;

    std::unique_ptr<transaction> begin_owned(begin_options const& settings);

    std::unique_ptr<impl> impl_;
};

/// What join() did.
enum class join_result : std::uint8_t { joined = 1, already = 2, none = 3 };

/// Enlists `handle` in this thread's transaction, if there is one.  It is the one line to add to
/// old code that is deep in the call stack.
/// @return joined (only then on_release will be called); already, where the handle was enlisted
///         before; or none, where this thread has no transaction.
/// @throws error  as transaction::enlist(), and as safe to retry.
template <class ResourceManager>
join_result join(transaction_manager& tm, ResourceManager const& rm,
                 typename ResourceManager::handle_type handle,
                 enlist_options<typename ResourceManager::handle_type> const& settings = {})
{
    transaction* const tx = tm.current();
    if (tx == nullptr) return join_result::none;
    return tx->enlist_any(rm, handle, settings.untyped()) ? join_result::joined
                                                          : join_result::already;
}

/// The same for a connection whose client shows no handle.
/// @throws error  as transaction::enlist(), and as safe to retry.
inline join_result join(transaction_manager& tm, resource_manager const& rm, sql_session& session,
                        enlist_options<sql_session*> const& settings = {})
{
    transaction* const tx = tm.current();
    if (tx == nullptr) return join_result::none;
    return tx->enlist_any(rm, session, settings) ? join_result::joined : join_result::already;
}

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TRANSACTION_MANAGER_HPP
