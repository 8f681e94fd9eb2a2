// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver_session.hpp -- one connection, as an adapter implements it.
//
// Each XA verb is split in two, as XA's own asynchronous mode (TMASYNC, xa_complete):
//
//     session.submit(verb::prepare, x);             sends, does not wait
//     ... submit to the other databases ...
//     session.collect(x_deadline) -> reply          one answer, by a deadline

#ifndef ASSENT_DRIVER_SESSION_HPP
#define ASSENT_DRIVER_SESSION_HPP

#include <cstdint>
#include <optional>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/server.hpp>
#include <assent/xa.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// What a session is opened for; it decides the server-side settings.
enum class session_purpose : std::uint8_t {
    work = 1,      ///< leased to the application
    manage = 2,    ///< scans, phase 2 after a lost connection, cancels
    guardian = 3,  ///< holds the node's lock under a server-side lease of ten seconds
};

/// One connection to one database, used by one thread at a time.  The destructor of a session
/// that the manager opened closes it; that of a borrowed one never touches the handle.
class ASSENT_EXPORT driver_session
{
public:
    virtual ~driver_session() = default;

    /// The server's name for this session (pg_backend_pid, CONNECTION_ID), from the client
    /// library, without a round trip.  0: unknown.
    virtual std::uint64_t id() const noexcept = 0;

    /// The server that this session is on, as read when it was opened or borrowed; no round trip.
    virtual server_life life() const { return {}; }

    /// The client library's own handle: PGconn*, MYSQL*, ...
    virtual void* native_handle() noexcept = 0;

    /// The socket, for the fork handler; -1 when there is none.
    virtual int descriptor() const noexcept = 0;

    /// Says how the next branch that is started here, and no other, is to be begun.  Sends nothing
    /// by itself: start applies the modes, without a round trip of its own where the client allows
    /// that, or refuses.
    ///
    /// The server refuses the writes of a branch that is access::read_only.  When such a branch is
    /// asked to prepare, everything that could still make its end fail is checked, and the answer
    /// is reply_detail::still_open, so that nothing that was done in it (a NOTIFY, a temporary
    /// table) takes effect before the whole transaction does.  A driver may prepare it instead.
    virtual void declare(branch_modes const& next) noexcept = 0;

    /// Sends the request for `v` on branch `x` and does not wait.  verb::start takes the mark that
    /// every later end of the branch on this session checks.  A failure to send becomes the reply.
    /// @pre  no reply is outstanding.
    virtual void submit(verb v, xid const& x) noexcept = 0;

    /// Waits for the reply to the last submit.
    /// @return nothing when `until` passed first: the reply is still outstanding, and collect
    ///         may be called again.
    virtual std::optional<reply> collect(deadline until) noexcept = 0;

    /// The transaction of branch `x`, which was started here, is suspended.  Where a branch belongs
    /// to its thread (driver_capabilities::is_thread_bound), the thread leaves it, so that it can
    /// work on another one; everywhere else there is nothing to do, and nothing is sent.
    /// @return ok: whichever thread may resume it; nomigrate: the same thread only.  XA_RB*, nota
    /// and
    ///         a lost reply: the thread has left it, and it can only be rolled back.  Any other
    ///         code: the thread has not left it.
    virtual reply suspend(xid const& x) noexcept
    {
        static_cast<void>(x);
        return {};
    }

    /// The same transaction goes on, on the calling thread.
    /// @return ok: the thread works on it.  Any other code: it does not, and `x` can only be rolled
    ///         back.
    virtual reply resume(xid const& x) noexcept
    {
        static_cast<void>(x);
        return {};
    }

    /// Whether the connection may serve another transaction: the last reply left it idle, outside
    /// any transaction, with its protocol in step, and nothing on it was ever cancelled.
    virtual bool is_reusable() const noexcept = 0;

    /// Asks the server to undo what was done to the session besides transactions (settings,
    /// temporary tables, prepared statements, locks of the session), so that whoever uses it next
    /// finds it as it was opened.  Sends, and does not wait.  Where this cannot be done, or the
    /// session was opened by the application's own function, nothing happens.
    /// @pre  is_reusable(): no branch was left prepared here, since a reset would let go of it.
    virtual void submit_reset() noexcept {}

    /// Waits for the answer to submit_reset(), if one is due.
    /// @return false when it was refused, or not there by `until`: the session is of no more use.
    virtual bool collect_reset(deadline until) noexcept
    {
        static_cast<void>(until);
        return true;
    }

    /// Cuts the connection with shutdown(2) so that the server lets go of the branch.  The owner of
    /// the handle still has to close it.  Outstanding and later replies are reply_lost.
    virtual void sever() noexcept = 0;

    /// In a forked child: forgets the connection without sending or shutting down anything.  The
    /// destructor must not touch the handle afterwards.
    virtual void abandon() noexcept = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_DRIVER_SESSION_HPP
