// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// own_session.hpp -- one worker's connection to its database: it is opened when it is needed,
// opened again after it was lost (with growing pauses), and closed when it is needed no more.

#ifndef ASSENT_RECOVERY_OWN_SESSION_HPP
#define ASSENT_RECOVERY_OWN_SESSION_HPP

#include <cstdint>
#include <memory>
#include <mutex>

#include "ports/forks.hpp"
#include "recovery/bound_database.hpp"
#include "shared/backoff.hpp"

namespace assent::recovery {

using ports::inherited_descriptor;
using shared::backoff;
using shared::context;

/// Thread safety: its worker's thread alone, but for cut().
class own_session
{
public:
    /// One session leads: it tells which server is the right one.  The others follow.
    enum class part : std::uint8_t { follows = 1, leads = 2 };

    own_session(context& shared, bound_database& at, session_purpose purpose,
                part plays = part::follows)
        : shared_(shared),
          at_(at),
          purpose_(purpose),
          plays_(plays),
          retry_(shared.bounds.retry_min, shared.bounds.retry_max)
    {
    }
    ~own_session() { close(); }

    /// The session, opened if it has to be.
    /// @return null until next_try().
    /// @throws driver_error  it could not be opened, or is not on the server that is scanned. Where
    ///                       the server refused the account, the next try of any worker there
    ///                       comes late, whatever wants it sooner.
    driver_session* get();
    /// @pre  get() returned it.
    driver_session& operator*() const noexcept { return *session_; }
    bool is_open() const noexcept { return session_ != nullptr; }

    /// Who the server was when it was opened; not of a guardian.
    server_facts const& facts() const noexcept { return facts_; }

    /// It is of no use, or could not be opened; the next try comes after a pause of `at_most`.
    void lose(limits::duration at_most) noexcept;
    /// It works: the next pause is a short one again.
    void note_good() noexcept { retry_.reset(); }
    /// Closes it where it was not used for limits::session_idle_max.
    void tend() noexcept;
    void close() noexcept;

    /// Ends whatever its worker waits for, when the manager is closed.  From any thread.
    void cut() noexcept;

    deadline next_try() const noexcept { return next_try_; }

private:
    context& shared_;
    bound_database& at_;
    session_purpose const purpose_;
    part const plays_;
    backoff retry_;
    deadline next_try_{};
    deadline used_at_{};
    server_facts facts_;
    std::unique_ptr<driver_session> session_;
    inherited_descriptor in_child_;

    // A second descriptor of the session's socket: the client library closes its own whenever it
    // likes, and the number may then be another file's.
    std::mutex mutex_;  // guards what follows
    int to_cut_ = -1;
    inherited_descriptor to_cut_in_child_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_OWN_SESSION_HPP
