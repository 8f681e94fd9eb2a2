// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.hpp -- one PGconn, driven without ever waiting longer than a deadline.
//
//   send(sql)                      queues the message and flushes what the socket takes
//   next(until) -> event           a result; the end of the message's results; silence; broken
//
// While a message is outstanding the connection is in libpq's non-blocking mode; afterwards the
// owner's own setting is restored.  The one invariant: after abandon() the PGconn is never touched.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP

#include <libpq-fe.h>

#include <initializer_list>
#include <memory>
#include <string>

#include <assent/resource_manager.hpp>

namespace assent::pg {

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

    wire(PGconn* connection, bool is_owned) noexcept : connection_(connection), is_owned_(is_owned)
    {
    }
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;
    /// Closes an owned connection; leaves a borrowed one alone.
    ~wire();

    /// @return false when it could not be sent; the connection is then broken.
    bool send(std::string const& sql);
    bool send_describe_portal(char const* name);
    /// Sends BEGIN, and then the statements of `after`, in one packet but with a
    /// synchronization between, so that they are two messages to the server.
    bool send_begin_and(char const* begin, std::initializer_list<char const*> after);

    /// Begins to read what the application left unread, so that the connection becomes idle.
    bool begin_drain();

    event next(deadline until, result_ptr& result);

    /// Ends a conversation (or a part of one): leaves pipeline mode, restores the owner's blocking
    /// mode.
    void settle() noexcept;

    PGconn* get() const noexcept { return connection_; }
    bool is_broken() const noexcept;
    PGTransactionStatusType transaction_status() const noexcept;
    int descriptor() const noexcept { return connection_ != nullptr ? PQsocket(connection_) : -1; }
    std::string why() const;

    /// Gives the connection up: an answer that nobody waits for may still arrive on it.
    void poison() noexcept { is_out_of_step_ = true; }
    void sever() noexcept;
    void abandon() noexcept { connection_ = nullptr; }

private:
    bool go(int sent);
    bool enter();
    bool drain_copy(PGresult const* result);

    PGconn* connection_;  // null once abandoned
    bool is_owned_;
    bool is_severed_ = false;
    bool is_out_of_step_ = false;
    bool is_outstanding_ = false;
    bool is_draining_ = false;
    bool was_nonblocking_ = false;
};

}  // namespace assent::pg

#endif  // ASSENT_ADAPTERS_POSTGRESQL_WIRE_HPP
