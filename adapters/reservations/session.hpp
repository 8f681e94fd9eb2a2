// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- XA's verbs on reservations.
//
//   start      begins a local transaction, with the row where the client joins messages
//   attempt    inserts the row else, runs the handler, commits (tcc::attempt; no verb of XA)
//   prepare    asks whether the row is there: that is the vote, which others do not wait for
//   commit     has the settler confirm; from whatever session
//   rollback   has it cancel; or, where nothing can be there, does nothing
//
// Invariant: a session on which an attempt's COMMIT was not answered serves nobody any more.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_SESSION_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_SESSION_HPP

#include <memory>
#include <optional>
#include <string>

#include "adapters/reservations/settler.hpp"

namespace assent::reservations {

class session final : public driver_session
{
public:
    session(std::shared_ptr<service> of, std::shared_ptr<settler> by,
            std::unique_ptr<driver_session> on, session_purpose purpose) noexcept;

    std::uint64_t id() const noexcept override { return on_->id(); }
    server_life life() const override { return on_->life(); }
    /// Nobody works on it but by attempt().
    void* native_handle() noexcept override { return this; }
    int descriptor() const noexcept override { return on_->descriptor(); }
    void declare(branch_modes const& next) noexcept override;
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void submit_reset() noexcept override { on_->submit_reset(); }
    bool collect_reset(deadline until) noexcept override { return on_->collect_reset(until); }
    void sever() noexcept override;
    void abandon() noexcept override;

    /// The next start is for an attempt with this payload.
    void begin_with(std::string const& payload) { payload_ = payload; }

    /// @pre  start was answered OK, and this was not called since.
    /// @throws driver_error  the attempt failed; what the handler throws.
    void attempt(std::string const& payload, deadline until);

    /// The connection to the database.
    driver_session& database() noexcept { return *on_; }

private:
    enum class stage : std::uint8_t {
        idle,     // no branch
        open,     // begun, and not attempted
        kept,     // the row is committed
        voted,    // and has been seen to be there
        nothing,  // neither the row nor the work can ever be there
        unknown,  // whether they are is not known
        left,     // the handler ended the transaction
        gone,     // the row was committed, and is not seen
    };

    void start(xid const& x);
    void ask_vote();
    reply vote(deadline until);
    std::optional<reply> settled(deadline until);
    void require_same_process(std::uint64_t generation);
    void undo(deadline until);
    void commit(deadline until);
    void begin_verb(verb v, xid const& x);
    void roll_back(xid const& x);
    void pass_on(verb v, xid const& x);
    void answer(reply given) { answer_ = std::move(given); }

    std::shared_ptr<service> const of_;
    std::shared_ptr<settler> const settler_;
    std::unique_ptr<driver_session> const on_;
    session_purpose const purpose_;

    stage stage_ = stage::idle;
    xid branch_;
    bool is_passed_on_ = false;            // the verb under way is the database's own
    bool is_doubtful_ = false;             // whether the row that is to be cancelled is there
    bool is_vote_due_ = false;             // in collect
    bool is_vote_asked_ = false;           // ... and others are asked meanwhile
    std::optional<std::string> payload_;   // of the attempt that is begun next
    bool is_entered_ = false;              // its row was inserted by start
    std::shared_ptr<settler::job> asked_;  // whose answer it is
    std::optional<reply> answer_;          // which is known
    bool is_severed_ = false;
};

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_SESSION_HPP
