// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.hpp -- one connection of the client library: messages out, answers in, by a deadline.
//
//   wire.send("XA END x; XA PREPARE x");
//   answer end     = wire.receive(until);      // nothing when `until` passed: ask again later
//   answer prepare = wire.receive(until);      // end.has_more was true
//
// Two ways of waiting:
//
//   inside   the client library suspends itself whenever it would block (MariaDB's _start/_cont
//            functions, MySQL's _nonblocking ones): every byte is waited for by the deadline.
//   before   poll(2) before the *first* answer of a message, then the library reads and may
//            block.  Never poll before a later one: it may already be in the library's buffer,
//            and then the socket stays silent for ever.  So where only this way is open (a
//            borrowed handle under Connector/C), a message holds one statement.
//
// The one invariant: never two messages without all answers of the first between them;
// libmysqlclient would lose the reply while the server executes.

#ifndef ASSENT_ADAPTERS_MYSQL_WIRE_HPP
#define ASSENT_ADAPTERS_MYSQL_WIRE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <assent/resource_manager.hpp>

#include "adapters/dialects/mysql/answer.hpp"
#include "adapters/mysql/client.hpp"

namespace assent::mysql_adapter {

// The adapter speaks the dialect: its words are used here without a prefix.
using namespace mysql_dialect;

enum class ownership : std::uint8_t { owned, borrowed };

class wire
{
public:
    /// @pre  `handle` is connected.  An owned handle is closed by the destructor.
    wire(MYSQL* handle, ownership whose);
    ~wire();
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;

    MYSQL* handle() const noexcept { return handle_; }
    int descriptor() const noexcept;
    std::uint64_t thread_id() const noexcept;
    unsigned server_status() const noexcept;

    /// Whether a message may hold several statements.
    bool can_fuse() const noexcept { return waits_inside_; }

    /// Whether the session was reset since our last answer: mysql_reset_connection() leaves the
    /// status as it was, and a number of rows that no good answer has.
    bool was_reset() const noexcept;

    /// Whether every answer was read, and the user left no result half read.
    bool is_in_step() const noexcept;

    /// Whether an answer of ours is still to be received.
    bool is_waiting() const noexcept { return stage_ != stage::idle; }

    /// @pre  is_in_step() and not is_waiting().
    void send(std::string_view text);

    /// Sends what mysql_reset_connection() sends; receive() gives its answer.
    /// @pre  can_fuse(), is_in_step() and not is_waiting().
    void send_reset();

    /// @return nothing when `until` passed.  A broken connection is an answer with a code.
    std::optional<answer> receive(deadline until);

    /// shutdown(2): the server sees the end, the handle stays its owner's to close.
    void sever() noexcept;

    /// Forgets the handle for good: a forked child must neither use nor close it.
    void abandon() noexcept { handle_ = nullptr; }

private:
    enum class stage : std::uint8_t { idle, query, store, more, advance, reset };

    int begin(stage which);
    int resume(int events);
    bool finish_operation(deadline until);
    std::optional<answer> conclude();
    answer failure();

    MYSQL* handle_;
    ownership whose_;
    bool waits_inside_;
    stage stage_ = stage::idle;
    std::string text_;  ///< the library reads it until the message was sent
    int pending_ = 0;   ///< events that the suspended operation waits for; 0: it has ended
    int result_ = 0;    ///< of the operation: 0 OK, -1 no more results, else error
    MYSQL_RES* stored_ = nullptr;
    bool has_failed_ = false;  ///< our last answer was an error, which has that number too
};

/// poll(2), restarted after signals.
/// @return the events that came, 0 when `until` passed.
int poll_descriptor(int descriptor, int events, deadline until) noexcept;

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_WIRE_HPP
