// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transaction.hpp -- one unit of work over several databases.
//
//   auto tx = manager.begin();
//   auto pg = tx.lease(accounts);        // PostgreSQL: BEGIN; converts to PGconn*
//   auto my = tx.lease(orders);          // MariaDB: XA START; converts to MYSQL*
//   ... run SQL on both connections ...
//   tx.commit();                         // all or nothing; throws unless committed
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

#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>

#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>
#include <assent/resource_manager.hpp>
#include <assent/sql_session.hpp>
#include <assent/synchronization.hpp>
#include <assent/xid.hpp>

namespace assent {
namespace engine {
class leased_session;
}

inline namespace v0 {

class transaction_manager;

using release_function = std::function<void(void* handle, release what)>;

/// One branch per resource manager, unless a second one is asked for.
enum class branch_choice : std::uint8_t { one_per_resource_manager = 1, another = 2 };

/// What a branch may do.  A read-only branch is not prepared and needs no vote: the server refuses
/// its writes, and its end costs no forced write anywhere.
enum class access : std::uint8_t { read_write = 1, read_only = 2 };

/// A connection of a pool, the manager's or the application's, for one transaction.  Converts to
/// the client's own handle.  Dead after the transaction's end: using it throws error
/// (errc::lease_ended); a handle taken from it before cannot throw.  Cheap to copy.
///
/// Thread safety: one shared object unsafe.
class ASSENT_EXPORT any_lease
{
public:
    /// @throws error  errc::lease_ended; errc::forked in a forked child.
    void* handle() const;

    explicit any_lease(std::shared_ptr<engine::leased_session> session) noexcept;

private:
    std::shared_ptr<engine::leased_session> session_;
};

template <class Handle>
class lease_of : public any_lease
{
public:
    explicit lease_of(any_lease const& untyped) : any_lease(untyped) {}

    Handle get() const { return static_cast<Handle>(handle()); }
    operator Handle() const { return get(); }
    Handle operator->() const { return get(); }
};

/// A global transaction.  Owns its branches from enlist() until the outcome is known.
/// Begun by transaction_manager::begin().  Move-only.
///
/// Thread safety: distinct objects safe, one shared object unsafe.  It may move between threads;
/// a connection enlisted in it must not be used while commit() runs.
class ASSENT_EXPORT transaction
{
public:
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
    ///                or there is another last resource.
    template <class ResourceManager>
    auto lease(ResourceManager const& rm, access how = access::read_write)
    {
        return lease_of<typename ResourceManager::handle_type>(lease_any(rm, how));
    }

    /// Starts a branch on a borrowed connection of `rm`; SQL run on it now belongs here.
    ///
    /// `on_release` runs once, on the thread that ends the transaction, in reverse order of
    /// enlisting, after the branch's last byte and before after_completion; the handle is not
    /// touched afterwards.  The same handle twice is a no-op.
    /// @pre  the connection is idle, outside any transaction, and does not reconnect by itself.
    /// @throws error  no branch started, `on_release` will not be called; what() says "must be
    ///                closed" where bytes were sent.  errc::rollback_only: the transaction is lost.
    template <class ResourceManager>
    void enlist(ResourceManager const& rm, typename ResourceManager::handle_type handle,
                release_function on_release = {},
                branch_choice which = branch_choice::one_per_resource_manager,
                access how = access::read_write)
    {
        enlist_any(rm, handle, std::move(on_release), which, how);
    }

    /// The same for a connection whose client shows no handle.  `on_release` is given the
    /// sql_session's address.  It cannot be the last resource, whose commit carries the decision:
    /// errc::invalid_state.
    void enlist(resource_manager const& rm, sql_session& session, release_function on_release = {},
                branch_choice which = branch_choice::one_per_resource_manager,
                access how = access::read_write)
    {
        enlist_any(rm, session, std::move(on_release), which, how);
    }

    /// As lease() and enlist(), for resource managers known only by their base.
    any_lease lease_any(resource_manager const& rm, access how = access::read_write);
    /// @return false when this very handle is enlisted already.
    bool enlist_any(resource_manager const& rm, void* handle, release_function on_release,
                    branch_choice which, access how = access::read_write);
    bool enlist_any(resource_manager const& rm, sql_session& session, release_function on_release,
                    branch_choice which, access how = access::read_write);

    /// Makes the work of every branch permanent, or of none.
    /// @return committed, or committed_pending when the decision is durable but a branch has yet
    ///         to confirm it.  Do not repeat the work in either case.
    /// @throws rolled_back_error  nothing happened anywhere; safe to run again if is_retryable().
    /// @throws heuristic_error    a database decided on its own; data may differ, page a human.
    /// @throws in_doubt_error     unknown; resolved_by() says who will know.  Never run it again.
    /// Durability: when it returns, the outcome survives power loss of every machine involved.
    assent::outcome commit();

    /// As commit(), reporting through `ec` and `diag`.
    assent::outcome commit(std::error_code& ec, diagnostics& diag);

    /// Undoes the work of every branch.
    /// @return rolled_back; also when that is yet to be confirmed by a branch that cannot commit.
    /// @throws heuristic_error  a branch was committed or left behind our back; page a human.
    assent::outcome rollback();
    assent::outcome rollback(std::error_code& ec, diagnostics& diag);

    /// From now on the transaction can only be rolled back.
    void set_rollback_only();

    /// Thread safety: may be called from any thread while the object lives.
    assent::status status() const noexcept;

    /// The identifier to look for in logs, in `assent show`, and in the databases themselves. Where
    /// a commit row decides, in a database that this log has never met, final from the first branch
    /// on.
    gtrid const& id() const noexcept;

    /// @throws error  errc::rollback_only, errc::invalid_state once commit() has begun its votes.
    void synchronize(synchronization callbacks);

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
