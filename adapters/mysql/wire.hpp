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
// Invariant: never two messages without all answers of the first between them;
// libmysqlclient would lose the reply while the server executes.  That holds for the application's
// messages too, on a handle that it works with: listen() says whether an answer of theirs is due.

#ifndef ASSENT_ADAPTERS_MYSQL_WIRE_HPP
#define ASSENT_ADAPTERS_MYSQL_WIRE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/answer.hpp"
#include "adapters/mysql/client.hpp"

namespace assent::mysql_adapter {

// The adapter speaks the dialect: its words are used here without a prefix.
using namespace mysql_dialect;

enum class ownership : std::uint8_t { owned, borrowed };

/// Whose turn it is to speak, as far as it can be known without speaking.
enum class silence : std::uint8_t {
    ours,      ///< every answer was read
    unproven,  ///< nothing waits, and the last answer may be yet to come
    over,      ///< the server said that it ends the session, and nothing else
    closed,    ///< the connection has ended without a word that could be read
    broken,    ///< an answer waits, or is half read, that is nobody's of ours
};

/// What may answer a message.  Somebody else's rows are not read to their end: they may take their
/// time, and then no deadline would hold on a borrowed handle.
enum class rows_expected : std::uint8_t {
    any,
    none,
    echo,  ///< of one column, by the name of echo_column
};
inline constexpr char echo_column[] = "assent_echo";

class wire
{
public:
    /// @pre  `handle` is connected.  An owned handle is closed by the destructor.
    wire(MYSQL* handle, ownership whose);
    ~wire();
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;

    MYSQL* handle() const noexcept { return handle_; }
    bool is_borrowed() const noexcept { return whose_ == ownership::borrowed; }
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

    /// Looks at the handle and at its socket; sends nothing, and takes nothing away from anybody.
    silence listen() const noexcept;

    /// @pre  is_in_step() and not is_waiting().
    void send(std::string_view text, rows_expected rows = rows_expected::any);

    /// Sends what mysql_reset_connection() sends; receive() gives its answer.
    /// @pre  can_fuse(), is_in_step() and not is_waiting().
    void send_reset();

    /// @return nothing when `until` passed.  A broken connection is an answer with a code, and so
    ///         is the lack of any question: no answer is ever made up.
    std::optional<answer> receive(deadline until);

    /// shutdown(2): the server sees the end, the handle stays its owner's to close.
    void sever() noexcept;

    /// Forgets the handle for good: a forked child must neither use nor close it.
    void abandon() noexcept { handle_ = nullptr; }

private:
    enum class stage : std::uint8_t { idle, query, store, more, advance, reset };

    int begin(stage next);
    int resume(int events);
    bool finish_operation(deadline until);
    bool are_rows_expected() const;
    std::optional<answer> conclude();
    answer strange();
    answer failure();

    MYSQL* handle_;
    ownership whose_;
    bool waits_inside_;
    stage stage_ = stage::idle;
    rows_expected rows_ = rows_expected::any;
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
