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

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction.hpp>

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
    bool is_drained = false;  ///< nothing of earlier runs is, or can come to be, in doubt there
    std::string undrained;    ///< why it is not drained
    std::size_t sessions_max = 0;     ///< limit of its pool; 0: the application's own pool is used
    std::size_t sessions_leased = 0;  ///< sessions of the manager's own pool that are leased now
    std::size_t sessions_idle = 0;    ///< its sessions that are ready for the next lease
    std::size_t leases_waiting = 0;   ///< calls of lease() that wait for a session now
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
    std::size_t heuristics = 0;         ///< recorded, for the operator
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
    ///                errc::log_full, log_unusable (poisoned), twin, closed, forked.
    /// Safe to retry: nothing was begun.  A retry helps after errc::log_full, once there is room.
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

    /// Unbinds this thread's transaction; empty when there is none.
    /// @throws error  errc::forked.  Safe to retry.
    suspended_transaction suspend();
    /// Binds a suspended transaction to this thread.
    /// @throws error  errc::invalid_state: this thread has one already, or `suspended` is empty,
    ///                ended, or is another manager's.  It is rolled back then, as ~transaction
    ///                does; errc::forked.
    /// Safe to retry: no, `suspended` is gone.
    void resume(suspended_transaction suspended);

    /// What is known of a transaction of this node, also of earlier runs.  Asks no database.
    /// @throws error  errc::forked.  Safe to retry, and to ask again later.
    known_outcome outcome(gtrid const& id) const;

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
