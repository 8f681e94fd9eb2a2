// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection: a conversation of the dialect, carried by the client library.
//
// What is sent for each verb, and what the answers mean, is the dialect's
// (adapters/dialects/mysql/conversation.hpp).  Here is what only the client library knows:
//
//   another thread id              a silent reconnect: the branch was left behind
//   prepared, yet the status flag  the session was reset; MariaDB would answer OK to a commit
//   says "in no transaction"       that commits nothing
//
// On a borrowed connection each statement is a message of its own: several statements in one
// would have to be switched on, which costs a round trip and is never left on for others.

#ifndef ASSENT_ADAPTERS_MYSQL_SESSION_HPP
#define ASSENT_ADAPTERS_MYSQL_SESSION_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/resource_manager.hpp>

#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/mysql/wire.hpp"

namespace assent::mysql_adapter {

using dialects::cancelled_sessions;

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
    void declare_read_only() noexcept override { talk_.declare_read_only(); }
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void submit_reset() noexcept override;
    bool collect_reset(deadline until) noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override;

    /// The next one-phase commit runs this statement too, within the branch.
    void carry(std::string statement) { talk_.carry(std::move(statement)); }

    /// How the session is told again, after a reset, what it was told when it was opened.  Without
    /// it there are no resets: the application's own function may have told it anything.
    void allow_reset(std::vector<std::string> told);

    /// For the manager's own questions, outside of any branch.
    wire& connection() noexcept { return *wire_; }

    /// The number in the client library is a proxy's, and may be another session's at the server.
    void set_proxied() noexcept { is_proxied_ = true; }

    /// The lock that this guardian holds.
    std::string const& guard_name() const noexcept { return guard_name_; }
    void set_guard_name(std::string name) { guard_name_ = std::move(name); }

private:
    void begin_verb(verb v, xid const& x);
    std::optional<reply> refuse(verb v, xid const& x);
    void send_next();
    std::optional<reply> converse(deadline until);

    std::unique_ptr<wire> wire_;
    std::shared_ptr<cancelled_sessions> cancelled_;
    bool keeps_prepared_;
    std::uint64_t opened_as_;  ///< thread id; another one means a silent reconnect
    bool is_proxied_ = false;
    std::string guard_name_;
    conversation talk_;
    std::optional<reply> ready_;
    bool is_cut_ = false;
    std::vector<std::string> told_;  ///< empty: no reset
    std::string character_set_;      ///< as the client library quotes by
    bool is_resetting_ = false;
    bool is_worn_ = false;  ///< it cannot be reset, so it serves no other transaction
};

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_SESSION_HPP
