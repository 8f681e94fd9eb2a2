// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.hpp -- one PGconn, driven without ever waiting longer than a deadline.
//
//   send(sql)                      queues the message and flushes what the socket takes
//   next(until) -> event           a result; the end of the message's results; silence; broken
//   begin_drain(how)               reads what the application left unread, and throws it away
//
// What is drained is read a row at a time where the client library still can, and what it gathers
// is bounded: beyond that, or at once where the branch is rolled back, the server is told to stop.
//
// While a message is outstanding the connection is in libpq's non-blocking mode; afterwards the
// owner's own setting is restored.  Invariant: after abandon() the PGconn is never touched.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <assent/driver.hpp>

#include "adapters/postgresql/cancel.hpp"
#include "adapters/postgresql/watch.hpp"

namespace assent::postgresql_adapter {

struct result_deleter
{
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, result_deleter>;

/// Waits until the socket is readable or writable.
/// @return false when it cannot be waited for; `is_ready` is false when `until` passed first.
bool wait_for_socket(int descriptor, bool wants_read, bool wants_write, deadline until,
                     bool& is_ready);

bool set_close_on_exec(int descriptor) noexcept;

/// What an application left unread is gathered by the client library up to about this.
inline constexpr std::size_t unread_bytes_max = std::size_t{64} << 20;

/// What is unread of a branch that is rolled back may come by itself this long.  Then the server is
/// asked to give it up; again and again, since another statement may stand behind the first.
inline constexpr std::chrono::milliseconds cancel_after{50};
inline constexpr std::chrono::milliseconds cancel_again_at_most{1000};

enum class drain : std::uint8_t {
    to_the_end,  ///< what was asked for is to be done
    given_up,    ///< it is of no interest
};

/// Thread safety: one thread at a time.
class wire
{
public:
    enum class event : std::uint8_t {
        result,   ///< `result` holds one
        end,      ///< PQgetResult returned null
        silence,  ///< the deadline passed first; ask again
        broken,   ///< the connection is lost, severed or out of step
    };

    /// @param watched  knows whether the connection was closed or reset by its owner; may be null.
    wire(PGconn* connection, bool is_owned, std::shared_ptr<watch> watched = {}) noexcept
        : connection_(connection), is_owned_(is_owned), watched_(std::move(watched))
    {
    }
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;
    /// Closes an owned connection; leaves a borrowed one alone.
    ~wire();

    /// @return false when it could not be sent; the connection is then broken.
    bool send(std::string const& sql);

    /// Begins to read what the application left unread, so that the connection becomes idle.
    bool begin_drain(drain mode);
    /// The server was told to stop, so a statement of the application's may have failed by us.
    bool was_cancelled() const noexcept { return cancel_.was_sent(); }

    event next(deadline until, result_ptr& result);

    /// Ends a conversation (or a part of one): leaves pipeline mode, restores the owner's blocking
    /// mode.
    void settle() noexcept;

    PGconn* get() const noexcept { return connection_; }
    bool is_broken() const noexcept;
    PGTransactionStatusType transaction_status() const noexcept;
    int descriptor() const noexcept { return is_there() ? PQsocket(connection_) : -1; }
    std::string why() const;

    /// Gives the connection up: an answer that nobody waits for may still arrive on it.
    void poison() noexcept { is_out_of_step_ = true; }
    void sever() noexcept;
    void abandon() noexcept { connection_ = nullptr; }

private:
    bool go(int sent);
    bool enter();
    bool is_there() const noexcept
    {
        return connection_ != nullptr && (watched_ == nullptr || !watched_->is_closed());
    }
    bool wait(deadline until, bool& is_ready);
    bool consume();
    bool take_drained(PGresult const* result);
    bool drain_copy(PGresult const* result);

    PGconn* connection_;  // null once abandoned
    bool is_owned_;
    std::shared_ptr<watch> watched_;
    bool is_severed_ = false;
    bool is_out_of_step_ = false;
    bool is_outstanding_ = false;
    bool is_draining_ = false;
    bool was_nonblocking_ = false;

    // While draining.
    bool is_by_row_ = false;  // what comes is not gathered
    std::size_t gathered_ = 0;
    deadline cancel_at_ = deadline::max();
    std::chrono::milliseconds cancel_pause_ = cancel_after;
    cancel_request cancel_;
};

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP
