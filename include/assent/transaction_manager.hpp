// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transaction_manager.hpp -- the door: opens the log, recovers, begins transactions.
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

/// How a resource manager stands.
struct resource_manager_state
{
    std::string name;
    std::string kind;
    bool is_serving = false;       ///< bound, guarded, scanned: leases are given
    bool is_configured = true;     ///< false: the log knows it, this process did not add it
    std::string why;               ///< what it waits for, or was refused for
    std::size_t branches_due = 0;  ///< decided branches that wait to be finished there
    bool is_drained = false;  ///< nothing of earlier runs is, or can come to be, in doubt there
    std::string undrained;    ///< why it is not drained
    std::size_t sessions_max = 0;     ///< that its pool may have; 0: leases are the application's
    std::size_t sessions_leased = 0;  ///< of the manager's own pool, now
    std::size_t sessions_idle = 0;    ///< ... ready for the next lease
    std::size_t leases_waiting = 0;   ///< calls of lease() that wait for a session now
};

/// How a manager stands.
struct manager_state
{
    bool is_accepting = true;  ///< begin() works
    std::string why;           ///< why it does not
    std::uint64_t node = 0;
    std::uint32_t epoch = 0;
    std::size_t live_transactions = 0;
    std::uint64_t decisions = 0;  ///< forced in this epoch
    std::uint64_t forces = 0;     ///< forced writes of decisions: at most one per commit
    std::size_t heuristics = 0;   ///< recorded, for the operator
    /// The file system of the log and how it is forced: "ext4, O_DIRECT and O_DSYNC".
    std::string log_medium;
    std::int64_t log_room = 0;        ///< transactions that may begin before one ends
    std::uint64_t log_decisions = 0;  ///< kept in memory and in the log
    std::vector<resource_manager_state> resource_managers;
    std::vector<std::string> quarantined;  ///< branches that a person must look at
};

/// What close() left behind.
struct close_report
{
    bool is_drained = false;         ///< nothing of this node is in doubt anywhere
    std::vector<gtrid> unfinished;   ///< transactions whose branches recovery must finish
    std::vector<std::string> notes;  ///< in words
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
    ///                another node label, on a file system that keeps nothing; errc::bad_argument.
    /// Durability: the new epoch and everything recovered are forced before this returns.
    explicit transaction_manager(options const& how);
    transaction_manager(transaction_manager const&) = delete;
    transaction_manager& operator=(transaction_manager const&) = delete;

    /// close() within limits::close; safe during static destruction.
    ~transaction_manager();

    /// Makes a resource manager known; recovery of earlier runs starts there, in the background.
    /// Never waits for the network.
    /// @throws error  errc::bad_argument: the name is taken, empty, too long, or not printable.
    template <class ResourceManager>
    ResourceManager add(ResourceManager rm)
    {
        add_any(rm);
        return rm;
    }
    void add_any(resource_manager const& rm);

    /// Begins a transaction.  Never waits.
    /// @throws error  errc::bad_argument: the place of the commit row was not added, or holds none;
    ///                errc::log_full, log_unusable (poisoned), twin, closed, forked.
    transaction begin(begin_options const& how = {});

    /// Begins, calls `work`, commits; after a failure that is safe to repeat, again, with a
    /// back-off, up to attempts_max().  The transaction is current() on this thread meanwhile.
    /// Nothing is repeated after in doubt, heuristic, pending, or an unconfirmed rollback.
    /// @throws what `work` or commit() threw last (retry_requested too), or a heuristic_error.
    assent::outcome run(run_options const& how, std::function<void(transaction&)> const& work);
    assent::outcome run(std::function<void(transaction&)> const& work);

    /// The transaction bound to this thread (user_transaction, run(), resume()), or nullptr.
    transaction* current() const noexcept;

    /// Unbinds this thread's transaction; empty when there is none.
    suspended_transaction suspend();
    /// Binds it to this thread.  @throws error  errc::invalid_state: this thread has one already,
    /// or `what` is empty or has ended.
    void resume(suspended_transaction what);

    /// What is known of a transaction of this node, also of earlier runs.
    known_outcome outcome(gtrid const& id) const;

    manager_state state() const;

    /// Refuses begin(), ends what is active, finishes what can be finished by `until`, and
    /// releases the log when nothing of this process can change it any more.
    close_report close(deadline until);

private:
    friend class user_transaction;
    struct impl;

    std::unique_ptr<transaction> begin_owned(begin_options const& how);

    std::unique_ptr<impl> impl_;
};

enum class join_result : std::uint8_t { joined = 1, already = 2, none = 3 };

/// Enlists `handle` in this thread's transaction, if there is one: the line that old code, deep
/// in the call stack, adds.
/// @return joined (only then `on_release` will be called), already, or none.
template <class ResourceManager>
join_result join(transaction_manager& tm, ResourceManager const& rm,
                 typename ResourceManager::handle_type handle, release_function on_release = {})
{
    transaction* const tx = tm.current();
    if (tx == nullptr) return join_result::none;
    return tx->enlist_any(rm, handle, std::move(on_release),
                          branch_choice::one_per_resource_manager)
               ? join_result::joined
               : join_result::already;
}

/// The same for a connection whose client shows no handle.
inline join_result join(transaction_manager& tm, resource_manager const& rm, sql_session& session,
                        release_function on_release = {})
{
    transaction* const tx = tm.current();
    if (tx == nullptr) return join_result::none;
    return tx->enlist_any(rm, session, std::move(on_release),
                          branch_choice::one_per_resource_manager)
               ? join_result::joined
               : join_result::already;
}

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TRANSACTION_MANAGER_HPP
