// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_past.hpp -- which starts and histories of one server the log has noted, epoch by epoch.
//
//   another start of the server:  every session of the starts before it is gone
//   another history (a failover, a restore):  what was prepared in the old one may be lost
//
// A history is what only a promotion or a restore changes.  Some servers tell one themselves
// (server_facts::history; PostgreSQL's timeline).  In others the node keeps a count, raised at each
// connection and while there is work, and the log notes how far it came: a server that shows less
// than that has gone back to an older state, and a new history begins there (kept_past, ADR 32).
//
// Invariant: without a note nothing is concluded; nor is it while the count cannot be read.
// If somebody else holds a lock on the table, conclusions wait, and the work goes on.

#ifndef ASSENT_RECOVERY_SERVER_PAST_HPP
#define ASSENT_RECOVERY_SERVER_PAST_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recovery/bound_database.hpp"
#include "recovery/noted_past.hpp"
#include "shared/backoff.hpp"
#include "shared/context.hpp"

namespace assent::recovery {

using shared::backoff;
using shared::context;

/// Thread safety: its scanner's thread alone.
class server_past
{
public:
    server_past(context& shared, bound_database& at);

    /// Another connection: it may lead to another state of the server.
    void forget();

    /// Reads what the server is now, where that was not done on this connection, and raises the
    /// count that is kept there: on each connection, and after that where transactions were begun
    /// since, but not before limits::scan_interval.  What failed is put off, later and later.
    /// @pre  it is identified; `manage` is connected to it.
    /// Durability: forced before the call returns.
    /// @throws std::system_error  the log refused.
    /// @throws driver_error  no answer, or a lock: nothing is wrong with the server by that.
    void mind(driver_session& manage);

    /// Whether it was read on this connection.  Until then absence from a list says nothing of
    /// what was decided.
    bool is_known() const noexcept { return is_known_; }

    /// Whether a session of that epoch may still be connected.  @pre  mind() was called.
    bool is_same_start(std::uint32_t epoch) const;

    /// Whether the server may have lost a branch of that epoch with a part of its past.
    /// `prepared_in` is the history in which the branch was; empty: any that the epoch saw.
    /// @pre  is_known().
    bool has_other(std::uint32_t epoch, std::string const& prepared_in) const;

    /// Whether that may be so of any epoch before this one of which something may be left.
    bool has_other_before() const;

private:
    std::optional<std::string> told_history() const;
    void read(driver_session& manage);
    void take_down(std::string const& restored);
    std::string look_back(driver_session& manage);
    void keep(driver_session& manage);
    bool is_raise_due() const;
    void write_down();

    context& shared_;
    bound_database& at_;
    noted_past noted_;
    std::string start_;                // of today, as is the history
    std::string history_;              // as the log notes it
    std::vector<std::string> of_run_;  // histories that this epoch has seen, the last few
    kept_past kept_;                   // the highest that is known to be, or to have been, there
    bool is_told_ = false;             // this server shows what has become of its past
    bool is_known_ = false;
    bool is_noted_ = false;  // its start, of this connection
    bool is_guess_ = false;  // the last of those histories: it could not be read when it was noted
    std::string guessed_under_;  // the server's own history then
    bool is_raised_ = false;     // on this connection
    std::uint64_t begun_ = 0;    // as bound_database counts, when the count was raised
    deadline next_raise_{};
    // What may take until its deadline, each time.
    deadline next_read_{};
    deadline next_keep_{};
    backoff read_retry_;
    backoff keep_retry_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_SERVER_PAST_HPP
