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
//   an answer waits, or is due     the application left it: it is not an answer to us, and we send
//                                  nothing behind it
//
// Where the library cannot say whether the last answer was read (wire::listen), a query goes first
// whose answer cannot be mistaken for another: if that answer comes back, the protocol is in step.
//
// On a borrowed connection each statement is a message of its own: several statements in one
// would have to be switched on, which costs a round trip and is never left on for others.

#ifndef ASSENT_ADAPTERS_MYSQL_SESSION_HPP
#define ASSENT_ADAPTERS_MYSQL_SESSION_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/mysql/wire.hpp"

namespace assent::mysql_adapter {

using dialects::branch_name;
using dialects::cancelled_sessions;

class session final : public driver_session, public dialects::any_branch_session
{
public:
    /// `keeps_prepared`: the server ties a prepared branch to its session (MariaDB).
    session(std::unique_ptr<wire> connection, std::shared_ptr<cancelled_sessions> cancelled,
            bool keeps_prepared);
    ~session() override;

    std::uint64_t id() const noexcept override { return is_proxied_ ? 0 : opened_as_; }
    server_life life() const override { return life_; }
    void set_life(server_life read) { life_ = std::move(read); }
    void* native_handle() noexcept override { return wire_->handle(); }
    int descriptor() const noexcept override { return wire_->descriptor(); }
    void declare(branch_modes const& next) noexcept override { talk_.declare(next); }
    void submit(verb v, xid const& x) noexcept override { submit_any(v, x); }
    void submit_any(verb v, branch_name const& x) noexcept override;
    void let_go() noexcept override
    {
        if (!keeps_prepared_) talk_.let_go();
    }
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void submit_reset() noexcept override;
    bool collect_reset(deadline until) noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override;

    /// The next start tries this statement, which changes no row.
    void announce(std::string statement) { talk_.announce(std::move(statement)); }

    /// The next start runs these statements too, within the branch, or is refused.
    void lead(std::vector<std::string> statements) { talk_.lead(std::move(statements)); }
    /// The rows of the first of them; once.
    table led() noexcept { return talk_.led(); }

    /// The next one-phase commit runs this statement too, within the branch.
    void carry(std::string statement) { talk_.carry(std::move(statement)); }

    /// Whether the application left an answer on the handle, or the server is gone: before a lent
    /// handle is spoken on.  Nothing is sent.  @return why it cannot be used; empty: it is our
    /// turn, for all that can be known.
    std::string why_out_of_turn() const;

    /// Where it cannot be known whose turn it is, asks what nobody else would be answered.
    /// @return whether it is ours.  If it is not, an answer that was somebody's may have been read,
    ///         and ours be yet to come: the connection is of no use any more.
    bool prove_turn(deadline until);

    /// Whether the last answer was given within the branch that this session began.
    bool is_in_branch() const noexcept;
    /// How many rows the last statement has changed.
    std::uint64_t changed_rows() const noexcept { return mysql_affected_rows(wire_->handle()); }
    /// Whose branch it is.
    std::string_view gtrid() const noexcept { return talk_.branch().gtrid(); }
    /// At which isolation level it was begun; nothing where the session's own holds.
    std::optional<isolation> declared_level() const noexcept { return talk_.level(); }

    /// What the session is told after a reset, to be what it was when it was opened; nothing where
    /// no statement makes it so, and it serves one transaction.  Without a call there are no
    /// resets: the application's own function may have told it anything.
    void allow_reset(std::optional<std::vector<std::string>> told);
    /// Whether a reset can be sent without waiting for it.
    bool can_be_reset() const noexcept { return wire_->can_fuse(); }
    /// Resets, and waits.  @return whether it was answered by `until`.
    bool reset(deadline until);

    /// Whether every answer was heard, so that its owner may go on with the connection.
    bool is_in_step() const noexcept;

    /// For the manager's own questions, outside of any branch.
    wire& connection() noexcept { return *wire_; }

    /// The number in the client library is a proxy's, and may be another session's at the server.
    void set_proxied() noexcept { is_proxied_ = true; }

    /// The database's name in the session's own character set, where that matters.
    std::string const& database() const noexcept { return database_; }
    void note_database(std::string name) { database_ = std::move(name); }

    /// The lock that this guardian holds.
    std::string const& guard_name() const noexcept { return guard_name_; }
    void set_guard_name(std::string name) { guard_name_ = std::move(name); }

private:
    /// What a session that nobody has spoken on since its last answer is asked.
    enum class probe : std::uint8_t {
        none,
        before,       ///< before the first word of an ending
        after_error,  ///< whether an error was the answer to ours
    };

    void begin_verb(verb v, branch_name const& x);
    std::optional<reply> refuse(verb v, branch_name const& x);
    void keep_connected();
    void give_back_reconnecting() noexcept;
    std::optional<reply> turn_away(silence heard);
    reply cut_off(answer const& said);
    void doubt(answer const& said);
    void send_next();
    void send_probe(probe purpose);
    void ask_echo(std::string word);
    bool is_echo(answer const& said) const;
    std::optional<reply> converse(deadline until);

    std::unique_ptr<wire> wire_;
    std::shared_ptr<cancelled_sessions> cancelled_;
    bool keeps_prepared_;
    std::uint64_t opened_as_;  ///< thread id; another one means a silent reconnect
    bool is_proxied_ = false;
    server_life life_;
    std::string guard_name_;
    std::string database_;
    conversation talk_;
    std::optional<reply> ready_;
    probe probe_ = probe::none;
    std::string word_;  ///< what the probe asks to hear
    answer doubtful_;   ///< the error that came before it
    bool is_cut_ = false;
    bool reconnected_ = false;  ///< the application let it, and must have that back
    bool may_reset_ = false;
    std::optional<std::vector<std::string>> told_;  ///< after a reset
    std::string character_set_;                     ///< as the client library quotes by
    bool is_resetting_ = false;
    bool is_worn_ = false;  ///< it cannot be reset, so it serves no other transaction
};

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_SESSION_HPP
