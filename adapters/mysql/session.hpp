// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection: each verb as a short conversation with the server.
//
//   start              XA START x
//   prepare            XA END x; XA PREPARE x             one message on a connection of ours
//   commit_one_phase   XA END x; XA COMMIT x ONE PHASE    likewise
//   rollback, active   XA END x; XA ROLLBACK x            likewise
//   commit, rollback   XA COMMIT x | XA ROLLBACK x        of a prepared branch, on any connection
//
// On a borrowed connection each statement is a message of its own: several statements in one
// would have to be switched on, which costs a round trip and is never left on for others.
//
// What XA END says on the connection that began the branch is the mark, checked at every end:
//
//   OK                       the branch is attached; so must the status flag say
//   1399 ROLLBACK ONLY,      attached, and lost against others: XA ROLLBACK, then a no vote
//   1402, 1613, 1614
//   1399 IDLE                the application has sent XA END itself: go on
//   1399 NON-EXISTING, 1397  left behind: mysql_reset_connection, a silent reconnect, or the
//                            application's own XA COMMIT; later statements were permanent at once
//   another thread id        left behind, by a silent reconnect
//
// The one invariant: a no vote (XA_RB*) is given only after XA ROLLBACK was answered here, so the
// branch is gone and no rollback will be sent.  Every other negative answer to prepare leaves the
// branch as it may be, and the engine sends rollback.

#ifndef ASSENT_ADAPTERS_MYSQL_SESSION_HPP
#define ASSENT_ADAPTERS_MYSQL_SESSION_HPP

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <assent/resource_manager.hpp>

#include "adapters/mysql/error.hpp"
#include "adapters/mysql/wire.hpp"

namespace assent::mysql_adapter {

/// Sessions that were sent a cancel.  It may come late and hit somebody else's statement, so such
/// a session never serves another transaction.
class cancelled_sessions
{
public:
    void add(std::uint64_t id);
    void forget(std::uint64_t id) noexcept;
    bool contains(std::uint64_t id) const noexcept;

private:
    mutable std::mutex mutex_;
    std::set<std::uint64_t> ids_;
};

class session final : public driver_session
{
public:
    /// `keeps_prepared`: the server ties a prepared branch to its session (MariaDB).
    session(std::unique_ptr<wire> connection, std::shared_ptr<cancelled_sessions> cancelled,
            bool keeps_prepared);
    ~session() override;

    std::uint64_t id() const noexcept override { return is_proxied_ ? 0 : opened_as_; }
    void* native_handle() noexcept override { return wire_->handle(); }
    int descriptor() const noexcept override { return wire_->descriptor(); }
    void declare_read_only() noexcept override { is_read_only_next_ = true; }
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override;

    /// For the manager's own questions, outside of any branch.
    wire& connection() noexcept { return *wire_; }

    /// The number in the client library is a proxy's, and may be another session's at the server.
    void set_proxied() noexcept { is_proxied_ = true; }

    /// The lock that this guardian holds.
    std::string const& guard_name() const noexcept { return guard_name_; }
    void set_guard_name(std::string name) { guard_name_ = std::move(name); }

private:
    enum class attachment : std::uint8_t {
        none,
        unsure,    ///< the reply to XA START was lost or cut short
        active,    ///< begun here
        ended,     ///< XA END said that it was attached; what followed gave no final answer
        prepared,  ///< prepared here
    };
    enum class step : std::uint8_t { read_only, start, end, prepare, commit, one_phase, rollback };

    void begin_verb(verb v, xid const& x);
    std::optional<reply> refuse(verb v);
    std::vector<step> plan_for(verb v) const;
    void send_steps();
    std::string statement(step what) const;

    std::optional<reply> converse(deadline until);
    std::optional<reply> advance(answer const& said);
    std::optional<reply> after_read_only(answer const& said);
    std::optional<reply> after_start(answer const& said);
    std::optional<reply> after_end(answer const& said);
    std::optional<reply> after_prepare(answer const& said);
    std::optional<reply> after_one_phase(answer const& said);
    std::optional<reply> after_commit(answer const& said);
    std::optional<reply> after_rollback(answer const& said);
    std::optional<reply> turn_to_rollback(answer const& cause);
    static reply left_behind(answer const& said, std::string text);
    reply settle(reply said);
    bool owns(attachment how) const noexcept;

    std::unique_ptr<wire> wire_;
    std::shared_ptr<cancelled_sessions> cancelled_;
    bool keeps_prepared_;
    std::uint64_t opened_as_;  ///< thread id; another one means a silent reconnect
    bool is_proxied_ = false;
    std::string guard_name_;

    xid branch_;
    std::string branch_text_;
    attachment attachment_ = attachment::none;

    // The verb that is being answered.
    bool is_read_only_next_ = false;
    verb verb_ = verb::start;
    xid asked_;
    std::string asked_text_;
    std::vector<step> steps_;      ///< to be answered, first one first
    std::size_t sent_ = 0;         ///< how many of them are in the message that was sent
    bool is_proven_ = false;       ///< XA END said that the branch is attached
    std::optional<answer> cause_;  ///< why a rollback replaced what was asked
    std::optional<reply> ready_;

    bool is_sound_ = true;     ///< the last reply left the session in a state that is known
    bool is_spoiled_ = false;  ///< left behind, or interrupted: never to be used again
    bool is_cut_ = false;
};

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_SESSION_HPP
