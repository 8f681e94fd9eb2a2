// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// watch.hpp -- what libpq was told while a branch was on a connection: a transaction that is left
// is left by a command, and the tag of each command passes here.
//
//   libpq  --each result that the application reads, discards, or leaves for us to drain-->  watch
//
// The setting that was made with BEGIN ends with its transaction, so its absence says that the
// transaction was left, or that somebody said RESET ALL; and a failed transaction cannot be asked.
// The tags say which.  They alone are not exact either: where the client has no memory for a result
// nobody is called.  So both are judged together (docs/adr/0030-the-mark-is-no-query.md).
//
// An event procedure cannot be taken back: it stays with the connection for its life, and so does
// a share of this state.  Invariant: nothing is said here of a connection that is closed
// except that it is closed, so whoever asks first never touches it.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_WATCH_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_WATCH_HPP

#include <libpq-events.h>
#include <libpq-fe.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "adapters/dialects/postgresql/session_identity.hpp"

namespace assent::postgresql_adapter {

using namespace postgresql_dialect;

/// What the server said of the setting.
enum class mark_answer : std::uint8_t {
    there,
    gone,
    unasked,  ///< the transaction has failed, and answers no question
};

enum class verdict : std::uint8_t {
    intact,       ///< this is the transaction that start began
    rolled_back,  ///< it is another one, and nothing was made permanent since start
    left_behind,  ///< it is another one, and something may be
};

/// Thread safety: one thread at a time, that of the connection; is_replaced() from any.
class watch
{
public:
    /// The one of this connection, made when it is first asked for.
    /// @return null  there is no memory for one.
    static std::shared_ptr<watch> on(PGconn* connection) noexcept;

    /// A new owner: whatever replaced the connection before does not count.
    void renew() noexcept { is_replaced_ = false; }
    /// The server's process at the other end of this socket, if it was asked in full once.
    known_process const* known_at(int socket) const noexcept;
    /// What it said.  Behind a proxy it may be another one each time, and is not kept.
    void note(int socket, session_identity const& who);

    /// A branch has begun: from now on tags count.
    void begin() noexcept;
    /// What follows is our own.
    void pause() noexcept { is_on_ = false; }

    /// The connection was closed, or reset to another session: it must not be used.
    bool is_replaced() const noexcept { return is_replaced_; }
    bool is_closed() const noexcept { return is_closed_; }

    /// Certain without a question: the transaction was left.
    bool has_left() const noexcept { return has_left_ || is_replaced_; }
    /// Intact whether or not the setting is there: RESET ALL took it.
    bool excuses_reset() const noexcept
    {
        return is_reset_ && !is_unsure_ && !is_blind_ && !has_left();
    }
    verdict judge(mark_answer mark) const noexcept;
    /// A setting was set in the branch: it may have been SET TRANSACTION.
    bool has_set() const noexcept { return is_set_; }
    /// Where the connection is lost: whose last result is always the client library's own.
    bool has_left_before_loss() const noexcept
    {
        return has_left() || (is_unsure_ && has_begun_again_);
    }

private:
    static int on_event(PGEventId id, void* info, void*) noexcept;
    void on_result(PGresult const* result) noexcept;
    void on_tag(std::string_view tag) noexcept;

    std::optional<known_process> known_;
    std::uint64_t known_at_ = 0;  // the kernel's number of the socket, which it never gives again
    std::atomic<bool> is_replaced_{false};
    std::atomic<bool> is_closed_{false};
    bool is_on_ = false;
    bool has_left_ = false;
    bool has_savepoint_ = false;  // so that the tag ROLLBACK may be of ROLLBACK TO
    bool has_failed_ = false;     // a statement, and no ROLLBACK was seen since
    bool is_unsure_ = false;      // ROLLBACK TO, or ROLLBACK
    bool has_begun_again_ = false;
    bool is_reset_ = false;
    bool is_set_ = false;
    bool is_blind_ = false;  // the client library could not say what the server said
};

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_WATCH_HPP
