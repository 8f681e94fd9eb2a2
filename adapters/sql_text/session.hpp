// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection, its worker, and what both share.
//
//   caller                                 worker
//   submit(prepare, x) -- job -->          speaker.run(prepare, x)  (sends, and waits)
//   collect(until)     <-- reply --        ... or nothing by `until`: ask again later
//   sever()            gate cut, shutdown(2) on the client's socket: its call fails at once
//
// Only the worker touches the client, and what it touches (core) it owns a share of, so that a call
// that never returns harms nobody.  Once the gate is cut the reply is "lost" without waiting for
// the worker, whatever it may still come to know.
//
// A session that must be cut, and whose socket cannot be told from others, is noted: the manager
// ends it at the server, on a connection of its own, before its next question there.
//
// Invariant: a borrowed connection is given back only when the worker has left it, or when
// its client's call did not return within lent_call_wait after it was cut; while it is being
// enlisted, by the deadline.  Then nothing but that call uses the connection, and the operator is
// told.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_SESSION_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_SESSION_HPP

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/sql_text/link.hpp"
#include "adapters/sql_text/peer.hpp"
#include "adapters/sql_text/speaker.hpp"
#include "adapters/sql_text/unreachable_sessions.hpp"
#include "adapters/sql_text/worker.hpp"

namespace assent::sql_text {

/// What a call on a lent connection may take to return once the connection was cut.  Long enough
/// for a scan (limits::scan_interval) to end the session at the server where only that cuts it.
inline constexpr std::chrono::seconds lent_call_wait{15};

/// Of the time for lending a connection, the part that is kept for its client's call to return once
/// it was cut: one in this many.
inline constexpr int lent_reserve_parts = 4;

/// What the sessions of one driver share.
struct session_family
{
    std::string name;  ///< of the resource manager
    speaker_maker make_speaker = nullptr;
    std::shared_ptr<dialects::cancelled_sessions> cancelled =
        std::make_shared<dialects::cancelled_sessions>();
    unreachable_sessions unreachable;
    std::chrono::milliseconds call_wait = lent_call_wait;  ///< shorter in tests
};

/// How the manager gets a connection of its own.  `seconds` bounds the client, where it can be.
/// @throws driver_error
using link_source =
    std::function<std::unique_ptr<link>(std::shared_ptr<gate> passes, unsigned seconds)>;

/// A connection that the application lends.
struct lending
{
    /// Runs on the worker.  @throws driver_error
    std::function<std::unique_ptr<link>(std::shared_ptr<gate> passes)> make_link;
    /// The session's number as the client knows it; 0 where it does not tell.
    std::uint64_t client_id = 0;
    /// The client's own way to cut its connection, from any thread; @return whether it has one.
    std::function<bool()> sever = [] { return false; };
    /// Refused unless its socket is found.
    bool must_have_socket = true;
};

class session final : public driver_session, public dialects::any_branch_session
{
public:
    /// Connects, and introduces the connection.
    /// @throws driver_error  by `until`.
    static std::unique_ptr<session> open(link_source const& source, session_purpose purpose,
                                         std::shared_ptr<session_family> family, deadline until);

    /// Wraps a lent connection, which is checked as far as its client answers for it.
    /// @throws driver_error  must_close() where it was not answered in time.
    static std::unique_ptr<session> borrow(lending lent, std::shared_ptr<session_family> family,
                                           deadline until);

    ~session() override;

    std::uint64_t id() const noexcept override { return id_; }
    server_life life() const override { return life_; }
    void* native_handle() noexcept override { return handle_; }
    int descriptor() const noexcept override { return is_abandoned_ ? -1 : socket_.descriptor; }
    void declare(branch_modes const& next) noexcept override { next_ = next; }
    /// The next start runs `trial`, which tells whether a commit row could be inserted.
    void announce(std::string trial) { trial_ = std::move(trial); }
    /// The next one-phase commit inserts a commit row by this statement.
    void carry(std::string insertion) { carried_ = std::move(insertion); }
    void submit(verb v, xid const& x) noexcept override { submit_any(v, x); }
    void submit_any(verb v, dialects::branch_name const& x) noexcept override;
    void let_go() noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override;

    database_kind kind() const noexcept { return kind_; }

    /// Whether its socket was found.
    bool can_be_severed() const noexcept { return socket_.descriptor >= 0; }

    /// Has the worker do something with the speaker, and waits for it.  `work` owns whatever it
    /// uses: it may run on when nobody waits any more.
    /// @throws driver_error  what `work` threw; or no answer by `until`, and the session is
    /// severed.
    template <typename Work>
    auto ask(deadline until, Work work) -> std::invoke_result_t<Work, speaker&>
    {
        using result = std::invoke_result_t<Work, speaker&>;
        if constexpr (std::is_void_v<result>) {
            ask_any(until, [work = std::move(work)](speaker& speaks) mutable { work(speaks); });
        } else {
            auto const told = std::make_shared<std::optional<result>>();
            ask_any(until, [told, work = std::move(work)](speaker& speaks) mutable {
                *told = work(speaks);
            });
            return std::move(**told);
        }
    }

private:
    struct core;

    explicit session(std::shared_ptr<session_family> family);

    void ask_any(deadline until, std::function<void(speaker&)> work);
    /// Runs `work` on the worker, and waits.  @return whether it was done by `until`.
    bool run(deadline until, std::function<void(core&)> work);
    void adopt(found_socket const& found);
    /// Leaves a borrowed connection.  @return whether no call on it runs any more.
    bool give_back() noexcept;
    /// Until when an answer is waited for, if all is to be over by `until`.
    deadline answer_by(deadline until) const;
    /// Why a lent connection is refused whose answer did not come; it is given back.
    driver_error not_lent(std::string why);
    /// Cuts the connection, by whatever means there is.
    void cut();
    reply lost() const;

    std::shared_ptr<session_family> family_;
    std::shared_ptr<core> core_;
    worker worker_;

    // Of the caller's thread.
    void* handle_ = nullptr;
    lending lent_;
    database_kind kind_ = database_kind::postgresql;
    std::uint64_t id_ = 0;
    server_life life_;
    socket_reference socket_;
    bool is_borrowed_ = false;
    std::optional<deadline> lending_until_;  ///< before its first verb, when all must be over
    branch_modes next_;
    std::string trial_;
    std::string carried_;
    bool is_waiting_ = false;  ///< a reply is outstanding
    verb verb_ = verb::start;
    bool is_cut_ = false;
    bool is_abandoned_ = false;
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_SESSION_HPP
