// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_pool.hpp -- the sessions of one database for leases: as many as there are seats.
//
//   lease    take a seat (waits; first come, first served) -> an idle session, or a new one
//   release  give the session back: its reset is sent, and read when it is taken again;
//            then leave the seat, which calls whoever waits longest
//
// Idle sessions are last in, first out, so that what is not needed grows old at the bottom and is
// closed there.  Each is looked at before it is used: one that is too old, was idle for too long,
// or whose socket holds bytes that nobody asked for, is closed and not given out.
//
// Invariant: sessions are made by whoever holds a seat and found nothing idle, so there are
// never more of them than seats.

#ifndef ASSENT_SHARED_SESSION_POOL_HPP
#define ASSENT_SHARED_SESSION_POOL_HPP

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>
#include <assent/xid.hpp>

#include "ports/forks.hpp"

namespace assent::shared {

class context;
class session_pool;

/// Since when a session exists, and how often the database had been lost by then.
struct session_origin
{
    deadline opened{};
    std::uint64_t era = 0;
};

struct pooled_session
{
    std::unique_ptr<driver_session> session;
    ports::inherited_descriptor in_child;
    session_origin origin;
    deadline idle_since{};
    bool is_resetting = false;  ///< the answer to its reset was not read yet
};

/// Who may have a session.
struct seat_holder
{
    gtrid of;
    deadline since{};
    pid_t thread = 0;
};

/// The right to one session; its destructor gives the right up.
class pool_seat
{
public:
    pool_seat() noexcept = default;
    pool_seat(session_pool& pool, std::list<seat_holder>::iterator where) noexcept
        : pool_(&pool), where_(where)
    {
    }
    pool_seat(pool_seat&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), where_(other.where_)
    {
    }
    pool_seat& operator=(pool_seat&& other) noexcept;
    ~pool_seat() { leave(); }

    void leave() noexcept;

private:
    session_pool* pool_ = nullptr;
    std::list<seat_holder>::iterator where_;
};

/// Thread safety: every member may be called from several threads at once.
class session_pool
{
public:
    struct counts
    {
        std::size_t leased = 0;
        std::size_t idle = 0;
        std::size_t waiting = 0;
    };

    /// `always_resets`: whatever limits::reset_leases says.  Handlers of one reservation shall not
    /// hide the table from the next, as a temporary one of its name does on MariaDB and MySQL.
    session_pool(context& shared, std::string resource_manager, bool always_resets);

    /// Waits for a seat.
    /// @throws error  errc::exhausted when there is none by `until`; errc::closed.
    pool_seat enter(gtrid const& who, deadline until);

    /// An idle session that is fit for use; or none, and the origin of one that is opened now.
    /// @pre  the caller holds a seat.
    pooled_session take(deadline until);

    /// @pre  is_reusable(): its last branch ended well.  The caller leaves its seat afterwards.
    void give(pooled_session idle) noexcept;

    /// The database was lost: no session that was opened before serves another lease.
    void drop_all();
    /// Closes what was idle for too long.
    void tend();
    /// Nobody gets a seat any more, and whoever waits for one is told.
    void close();

    counts now() const;

private:
    friend class pool_seat;
    struct waiter
    {
        std::condition_variable called;
    };

    bool has_room() const;
    void call_next();
    void leave(std::list<seat_holder>::iterator where) noexcept;
    pooled_session pop();
    std::string why_unfit(pooled_session& one, deadline until);
    std::string exhausted(deadline now) const;

    context& shared_;
    std::string const name_;
    bool const always_resets_;

    mutable std::mutex mutex_;        // guards what follows
    std::list<seat_holder> holders_;  // longest first
    std::deque<waiter*> waiting_;     // longest first
    std::vector<pooled_session> idle_;
    std::uint64_t era_ = 0;
    bool is_closed_ = false;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_SESSION_POOL_HPP
