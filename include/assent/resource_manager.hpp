// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.hpp -- the user's handle on a database, and the options of its branches.
//
//   resource_manager    a cheap handle on a shared driver; each adapter's derives from it.
//
//   connection_source   the application's own pool, for leases.
//
//   isolation, access   how a branch is begun.
//
// What an adapter implements is in driver.hpp.

#ifndef ASSENT_RESOURCE_MANAGER_HPP
#define ASSENT_RESOURCE_MANAGER_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <assent/error.hpp>
#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

class resource_manager_driver;

/// The end of a wait, on the monotonic clock.
using deadline = std::chrono::steady_clock::time_point;

/// SQL's levels of isolation (SET TRANSACTION ISOLATION LEVEL).  A database may run a branch at a
/// higher level than was asked for, as SQL allows, and never at a lower one.
enum class isolation : std::uint8_t {
    read_uncommitted = 1,
    read_committed = 2,
    repeatable_read = 3,
    serializable = 4,
};

/// SQL's name of an isolation level.
inline char const* name_of(isolation level) noexcept
{
    switch (level) {
        case isolation::read_uncommitted:
            return "READ UNCOMMITTED";
        case isolation::read_committed:
            return "READ COMMITTED";
        case isolation::repeatable_read:
            return "REPEATABLE READ";
        case isolation::serializable:
            break;
    }
    return "SERIALIZABLE";
}

/// What a branch may do.  A read-only branch is not prepared: the server refuses its writes, it
/// costs no forced write anywhere, and it ends with the outcome of the transaction.
enum class access : std::uint8_t { read_write = 1, read_only = 2 };

/// How a branch's transaction is begun.  A mode that is not given is left as it is: the default of
/// the server, the account or the session, or what the application chose for its next transaction.
struct branch_modes
{
    std::optional<isolation> level;  ///< the isolation level
    std::optional<access> may;       ///< read only, or read-write
    /// Whether a commit in one phase asks first by which name the server will remember it.
    bool has_witness = true;

    /// Whether the branch is to be read only.
    bool is_read_only() const noexcept { return may == access::read_only; }
};

/// What to do with a connection of the application's when its transaction has ended.
enum class release : std::uint8_t {
    keep = 1,        ///< the connection is idle and sound, and may be used again
    must_close = 2,  ///< close it: it was cut or cancelled, or its state is not known
};

/// The application's own pool, as leases see it (resource_manager's leases_from()).
///
/// A connection that a lease acquires is given back exactly once: after the branch's last byte, on
/// the thread that ends the transaction; or, where the branch did not start, at once, on the thread
/// that asked for the lease, and then it must be closed.  The manager does not touch a handle that
/// was given back.
/// @pre  an acquired connection is as transaction::enlist() wants it: idle, outside any
///       transaction, and it does not reconnect by itself.  Each one is checked.
///
/// Thread safety: both functions may be called from several threads at once, with no lock held.
template <class Handle>
struct connection_source
{
    /// Waits for a connection no longer than `until`; throws when there is none.
    std::function<Handle(deadline until)> acquire;
    /// Takes a connection back.  An exception is told to the observer, and changes nothing.
    std::function<void(Handle handle, release instruction)> give_back;
};

/// A user's handle on a database: cheap to copy, compares by identity of the driver.
class ASSENT_EXPORT resource_manager
{
public:
    /// For adapters: `driver` is not null.
    explicit resource_manager(std::shared_ptr<resource_manager_driver> driver) noexcept;

    /// The name by which the log knows this resource manager.
    std::string const& name() const noexcept;
    /// The driver through which the manager works; all copies share it.
    std::shared_ptr<resource_manager_driver> const& driver() const noexcept { return driver_; }

    /// Where leases come from; null: from the manager's own pool.  The copy that is given to
    /// transaction_manager::add() decides.
    std::shared_ptr<connection_source<void*> const> const& source() const noexcept
    {
        return source_;
    }

    friend bool operator==(resource_manager const& a, resource_manager const& b) noexcept
    {
        return a.driver_ == b.driver_;
    }
    friend bool operator!=(resource_manager const& a, resource_manager const& b) noexcept
    {
        return !(a == b);
    }

protected:
    /// Makes `pool` the source of leases.
    /// @throws driver_error  errc::bad_argument: a function is missing.  The same call fails again.
    template <class Handle>
    void lease_from(connection_source<Handle> pool)
    {
        if (!pool.acquire || !pool.give_back) {
            throw driver_error(
                errc::bad_argument,
                "resource manager \"" + name() +
                    "\": a connection source has two functions, acquire and give_back");
        }
        connection_source<void*> untyped;
        untyped.acquire = [acquire = std::move(pool.acquire)](deadline until) {
            return static_cast<void*>(acquire(until));
        };
        untyped.give_back = [give = std::move(pool.give_back)](void* handle, release instruction) {
            give(static_cast<Handle>(handle), instruction);
        };
        source_ = std::make_shared<connection_source<void*> const>(std::move(untyped));
    }

private:
    std::shared_ptr<resource_manager_driver> driver_;
    std::shared_ptr<connection_source<void*> const> source_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_RESOURCE_MANAGER_HPP
