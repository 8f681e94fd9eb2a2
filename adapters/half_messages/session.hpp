// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- XA's verbs on half messages.
//
//   start      notes the name; the broker is told nothing
//   send       half                      (half::send(); no verb of XA)
//   prepare    votes by what half answered
//   commit     release                   by name, from whatever session
//   rollback   drop; or nothing, where no half can be there
//
// A session is no connection: which of those that the application's broker has is used for a call
// is its own affair.  It is one call at a time, on a thread of its own, and a number by which
// recovery knows whether a half of it may yet arrive.
//
// Invariant: a session of which a call was not answered serves nobody any more.

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_SESSION_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_SESSION_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "adapters/half_messages/call.hpp"

namespace assent::half_messages {

/// A broker's lives are not told apart.
inline constexpr char no_server[] = "no server";

class session final : public driver_session
{
public:
    session(std::shared_ptr<service> of, std::shared_ptr<seat> on);

    std::uint64_t id() const noexcept override { return on_->id(); }
    server_life life() const override { return {{}, no_server}; }
    /// Nobody works on it but by send().
    void* native_handle() noexcept override { return this; }
    int descriptor() const noexcept override { return -1; }
    void declare(branch_modes const&) noexcept override {}
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void sever() noexcept override { is_severed_ = true; }
    void abandon() noexcept override;

    /// @pre  start was answered OK, and this was not called since.
    /// @throws half::refused  the broker's own.
    /// @throws driver_error   it is not known whether the half is there.
    void send(half::message const& what, deadline until);

    /// @throws driver_error  the broker did not answer in full by then.
    half::listing list(deadline until);

private:
    enum class stage : std::uint8_t {
        idle,     // no branch
        open,     // begun, and nothing sent
        kept,     // the half is stored
        voted,    // and that was said
        nothing,  // it is not stored, and never will be
        unknown,  // whether it is, or will be, is not known
    };

    void begin_verb(verb v, xid const& x);
    void vote();
    void roll_back(xid const& x);
    void end(verb v, xid const& x);
    reply ended(bool was_there);
    bool is_cut() const noexcept { return is_severed_ || on_->is_given_up(); }
    void answer(reply given) { answer_ = std::move(given); }

    std::shared_ptr<service> const of_;
    std::shared_ptr<seat> const on_;
    caller call_;

    stage stage_ = stage::idle;
    xid branch_;
    verb asked_ = verb::commit;     // of the call under way
    bool asked_here_ = false;       // where the half was sent
    xid asked_of_;                  // and its branch
    bool is_absence_good_ = false;  // no half of that name can come any more
    std::optional<reply> answer_;   // which is known
    bool is_severed_ = false;
    bool is_spent_ = false;  // what comes of its branch is not its affair any more
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_SESSION_HPP
