// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transaction.hpp -- one unit of work over several databases.
//
//   auto tx = manager.begin();
//   auto [pg, my] = tx.lease(accounts, orders);  // PostgreSQL: BEGIN; MariaDB: XA START
//   ... run SQL on both: they convert to PGconn* and MYSQL* ...
//   tx.commit();                                 // all or nothing; throws unless committed
//
// A transaction only moves forward:
//
//   active --commit()--> preparing --decision forced to log--> committing --> committed
//     +---- rollback(), a branch voting no, or the deadline ----> rolling back --> rolled back
//
// The commit point is the force of the log.  Before it every failure means "rolled back"; after
// it every failure means "committed, and recovery finishes the branches that did not answer".

#ifndef ASSENT_TRANSACTION_HPP
#define ASSENT_TRANSACTION_HPP

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <assent/enlist_options.hpp>
#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>
#include <assent/resource_manager.hpp>
#include <assent/sql_session.hpp>
#include <assent/synchronization.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

class driver_session;
class transaction_manager;

/// A connection of a pool, the manager's or the application's, for one transaction.  Converts to
/// the client's own handle.  After the transaction's end using it throws error (errc::lease_ended);
/// a handle that was taken from it before cannot throw.  Cheap to copy.
///
/// Thread safety: one shared object unsafe.
class ASSENT_EXPORT any_lease
{
public:
    /// The client's own handle.
    /// @throws error  errc::lease_ended; errc::forked in a forked child.  Safe to retry, but the
    ///                same call fails again.
    void* handle() const;

private:
    friend class transaction;
    explicit any_lease(std::shared_ptr<void> session) noexcept;

    std::shared_ptr<void> session_;
};

/// A lease that knows the type of its client's handle.  Every member throws what
/// any_lease::handle() throws.
template <class Handle>
class lease_of : public any_lease
{
public:
    /// For transaction::lease(): `Handle` is the handle type of the resource manager.
    explicit lease_of(any_lease const& untyped) : any_lease(untyped) {}

    /// The client's handle.
    Handle get() const { return static_cast<Handle>(handle()); }
    /// The same.
    operator Handle() const { return get(); }
    /// The same, for clients whose handle is a pointer to a class.
    Handle operator->() const { return get(); }
};

/// A global transaction.  Owns its branches from enlist() until the outcome is known.
/// Begun by transaction_manager::begin().  Move-only.
///
/// Thread safety: distinct objects safe, one shared object unsafe.  It may move between threads;
/// a connection enlisted in it must not be used while commit() runs.  A thread that is cancelled
/// (pthread_cancel) in one of these functions finishes it first, callbacks included.  With a branch
/// of an X/Open switch it moves no more: lease(), enlist(), join(), commit() and rollback() on
/// another thread than that branch's throw errc::wrong_thread, and nothing is sent.  A suspended
/// one moves again where the switch lets its branches migrate.
class ASSENT_EXPORT transaction
{
public:
    /// The transaction that was moved from has status::no_transaction.
    transaction(transaction&&) noexcept;
    transaction& operator=(transaction&&) = delete;

    /// Rolls back if still active, within limits::destructor_wait.  Never throws and never
    /// commits: a branch that cannot be reached is told to the observer and left to recovery.
    ~transaction();

    /// Takes a connection of `rm` from its pool and starts a branch on it.  A second lease of the
    /// same resource manager gives the same branch, and must not ask for more than the first.
    /// Waits while limits::pooled_sessions_max sessions are leased, first come, first served.
    /// @throws error  errc::exhausted (nothing was given back by this transaction's deadline;
    ///                what() names who holds them), errc::unavailable (`rm`, or the place of the
    ///                commit row, does not serve, or its connection source gave nothing usable),
    ///                errc::rollback_only: the branch did not start, the transaction can only be
    ///                rolled back; errc::invalid_state: `rm` cannot prepare and others take part,
    ///                or there is another last resource, or `rm` lacks the isolation level;
    ///                errc::bad_argument: `rm` was not added, or 64 branches are there.
    /// Safe to retry, in the same transaction: after errc::unavailable.  Otherwise roll back; the
    /// whole transaction may then be run again, since nothing of it is permanent.
    template <class ResourceManager>
    auto lease(ResourceManager const& rm, access mode = access::read_write)
    {
        return lease_of<typename ResourceManager::handle_type>(lease_any(rm, mode));
    }

    /// Leases of several resource managers: `auto [pg, my] = tx.lease(accounts, orders)`.  Their
    /// starts are under way side by side, so that together they take one round trip, where no
    /// connection has to be opened first; what cannot prepare, and what has a connection source, is
    /// leased after the others.
    /// @throws error  as lease(); the leases that did come stay, and are had by asking again.
    /// Safe to retry: as lease().
    template <class First, class Second, class... More>
    auto lease(First const& first, Second const& second, More const&... more)
        -> std::tuple<lease_of<typename First::handle_type>, lease_of<typename Second::handle_type>,
                      lease_of<typename More::handle_type>...>
    {
        auto const all = lease_any({first, second, more...});
        auto next = all.begin();
        // In braces what is listed first is made first.
        return {lease_of<typename First::handle_type>(*next++),
                lease_of<typename Second::handle_type>(*next++),
                lease_of<typename More::handle_type>(*next++)...};
    }

    /// Starts a branch on a borrowed connection of `rm`; SQL that is run on it from now on belongs
    /// to this transaction.  `settings` may be a function alone, which is then called as
    /// enlist_options::on_release().  Enlisting the same handle twice does nothing.
    /// @pre  the connection is idle, outside any transaction, and does not reconnect by itself.
    /// @throws error  no branch started, on_release will not be called; what() says "must be
    ///                closed" where bytes were sent.  errc::bad_argument: the connection is not
    ///                fit, or `rm` was not added; errc::unavailable: `rm` does not serve;
    ///                errc::invalid_state: another connection of `rm` takes part, or as lease();
    ///                errc::rollback_only: the transaction can only be rolled back.
    /// Safe to retry, with the same connection: after errc::unavailable, unless it must be closed.
    template <class ResourceManager>
    void enlist(ResourceManager const& rm, typename ResourceManager::handle_type handle,
                enlist_options<typename ResourceManager::handle_type> const& settings = {})
    {
        enlist_any(rm, handle, settings.untyped());
    }

    /// The same for a connection whose client shows no handle.  It cannot be the last resource,
    /// whose commit carries the decision: errc::invalid_state.
    /// @throws error  as above, and as safe to retry.
    void enlist(resource_manager const& rm, sql_session& session,
                enlist_options<sql_session*> const& settings = {})
    {
        enlist_any(rm, session, settings);
    }

    /// As lease(), for resource managers known only by their base.
    /// @throws error  as lease(), and as safe to retry.
    any_lease lease_any(resource_manager const& rm, access mode = access::read_write);
    /// As lease() of several.
    /// @return a lease of each, in their order.
    /// @throws error  as lease(), and as safe to retry.
    std::vector<any_lease> lease_any(
        std::vector<std::reference_wrapper<resource_manager const>> const& all,
        access mode = access::read_write);
    /// As enlist(), for resource managers known only by their base.
    /// @return false when this very handle is enlisted already.
    /// @throws error  as enlist(), and as safe to retry.
    bool enlist_any(resource_manager const& rm, void* handle,
                    enlist_options<void*> const& settings = {});
    /// The same for a connection whose client shows no handle.
    /// @return false when this very session is enlisted already.
    /// @throws error  as enlist(), and as safe to retry.
    bool enlist_any(resource_manager const& rm, sql_session& session,
                    enlist_options<sql_session*> const& settings = {});

    /// Runs `work` on the session of this transaction's branch at `rm`, until about the given
    /// deadline.  Where there is no branch yet, one is leased; where `rm` shows no handle
    /// (driver_capabilities::runs_handlers), each call begins a branch of its own.
    /// `ready`, if there is one, is called with each session on which such a branch of its own is
    /// about to begin: one that has died meanwhile is replaced by another.
    /// @throws error  as lease(); errc::invalid_state: the transaction, or that branch, is
    ///                read-only, or `work` threw a driver_error with this code;
    ///                errc::rollback_only also where `work` threw another driver_error, whose words
    ///                it has.
    /// @throws what else `work` throws; the transaction can only be rolled back then.
    /// Safe to retry: as lease().
    void work_on(resource_manager const& rm,
                 std::function<void(driver_session&, deadline)> const& work,
                 std::function<void(driver_session&)> const& ready = {});

    /// Asks beforehand what work_at_commit() would refuse.  Nothing is begun, sent or registered.
    /// @throws error  as work_at_commit().
    /// Safe to retry: the same call fails again.
    void require_work(resource_manager const& rm) const;

    /// As work_on(), but `work` runs when the commit begins, after every before_completion, and
    /// never where it does not.  What was registered for several databases runs in the order of
    /// their identities, so that transactions which lock rows there do not wait for one another in
    /// a circle.  Where it fails, the transaction is rolled back, and its error has the words.
    /// @throws error  errc::rollback_only; errc::invalid_state: the transaction, or its branch at
    ///                `rm`, is read-only, or it has ended; errc::bad_argument: `rm` was not added;
    ///                errc::wrong_thread; errc::forked.
    /// Safe to retry: nothing was registered, and the same call fails again.
    void work_at_commit(resource_manager const& rm,
                        std::function<void(driver_session&, deadline)> work);

    /// Makes the work of every branch permanent, or of none.
    /// @return committed, or committed_pending when the decision is durable but a branch has yet
    ///         to confirm it.  Do not repeat the work in either case.
    /// @throws rolled_back_error  nothing happened anywhere; safe to run again if is_retryable().
    /// @throws heuristic_error    a database decided on its own; data may differ, page a human.
    /// @throws in_doubt_error     not known; resolved_by() says who will know.  Never run it again.
    /// @throws error              errc::invalid_state: it has ended, or is ending; errc::forked.
    /// Safe to retry: never this call; the whole transaction, after rolled_back_error.
    /// Durability: when it returns, the outcome survives power loss of every machine involved.
    assent::outcome commit();

    /// As commit(), reporting through `ec` and `diag` instead of throwing.
    /// @return outcome::unknown beside errc::heuristic, errc::in_doubt and errors of the call.
    /// Safe to retry: as commit().
    assent::outcome commit(std::error_code& ec, diagnostics& diag);

    /// Undoes the work of every branch.
    /// @return rolled_back; also when a branch, which cannot commit, has yet to confirm that.
    /// @throws heuristic_error  a branch was committed or left behind our back; page a human.
    /// @throws error            errc::invalid_state: it has ended, or is ending; errc::forked.
    /// Safe to retry: never this call; the whole transaction, after it has returned.
    assent::outcome rollback();
    /// As rollback(), reporting through `ec` and `diag` instead of throwing.
    /// @return outcome::unknown beside errc::heuristic and errors of the call.
    /// Safe to retry: as rollback().
    assent::outcome rollback(std::error_code& ec, diagnostics& diag);

    /// From now on the transaction can only be rolled back.
    /// @throws error  errc::invalid_state: it has ended, or is ending; errc::forked.
    /// Safe to retry, and to repeat.
    void set_rollback_only();

    /// As begin_options::commit_return(), for a transaction that has begun.  What was said last
    /// before commit() holds.
    /// @throws error  errc::invalid_state: it has ended, or is ending; errc::no_thread;
    /// errc::closed;
    ///                errc::forked.
    /// Safe to retry: nothing was changed.  A retry helps after errc::no_thread.
    void set_commit_return(assent::commit_return when);

    /// The transaction's status.  It is status::no_transaction where the object was moved from, of
    /// which nothing else may be asked.
    /// Thread safety: may be called from any thread while the object lives.
    assent::status status() const noexcept;

    /// The identifier to look for in logs, in `assent show`, and in the databases themselves. Where
    /// a commit row decides, in a database that this log has never met, the identifier is final
    /// only from the first branch on.
    gtrid const& id() const noexcept;

    /// Registers callbacks around the end of this transaction.
    /// @throws error  errc::rollback_only; errc::invalid_state once commit() has begun its votes;
    ///                errc::forked.
    /// Safe to retry: nothing was registered, and the same call fails again.
    void register_synchronization(synchronization callbacks);
    /// The same for whoever stands between the application and its databases, such as a cache that
    /// writes itself out when all that is the application's was called (JTA's interposed
    /// synchronizations): before_completion runs after that of all others, and after_completion
    /// before.
    /// @throws error  as register_synchronization(), and as safe to retry.
    void register_interposed_synchronization(synchronization callbacks);

    /// Keeps `value` with this transaction under `key`, in place of what was kept there.  All that
    /// is kept is destroyed when the transaction has ended and its callbacks were called, on the
    /// thread that ends it.
    /// @throws error  errc::invalid_state: it has ended; errc::forked.
    /// Safe to retry: nothing was changed, and the same call fails again.
    void put_resource(std::string key, std::any value);
    /// What is kept under `key`; empty where nothing is, as after the transaction's end.
    /// @throws error  errc::forked.  Safe to retry, but the same call fails again.
    std::any get_resource(std::string const& key) const;

private:
    friend class transaction_manager;
    friend class user_transaction;
    struct impl;
    explicit transaction(std::unique_ptr<impl> made) noexcept;

    std::unique_ptr<impl> impl_;  // null only when moved from
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TRANSACTION_HPP
