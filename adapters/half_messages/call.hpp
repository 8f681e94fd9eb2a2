// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// call.hpp -- one call to the application's broker, on a worker: whoever waits for it gives up by a
// deadline, and it goes on.
//
//   returned true, or nothing     done
//   returned false                there is no half of that name
//   threw half::refused           certainly not done
//   threw anything else           not known
//   has not returned              not known; the session that made it serves nobody any more
//
// Whoever goes while a call is under way does not wait for it either: its thread is left to itself.
//
// Invariant: the number of the session is taken as long as the call goes on, and asks until a half
// was answered, so that one which may still be stored is never called impossible.

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_CALL_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_CALL_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "adapters/half_messages/service.hpp"
#include "adapters/sql_text/worker.hpp"

namespace assent::half_messages {

/// Thread safety: one owner's thread at a time; the thread begins with the first call.
class caller
{
public:
    /// What is asked of the broker.  It owns whatever it uses, for it may outlive its owner.
    using question = std::function<bool(half::broker& of)>;

    /// What an answer tells of the session's number.
    enum class about : std::uint8_t { nothing, half };

    caller(std::shared_ptr<service> of, std::shared_ptr<seat const> on);
    ~caller();
    caller(caller const&) = delete;
    caller& operator=(caller const&) = delete;

    /// @pre  no call is under way.
    /// @throws driver_error  there is no thread to be had, or the seat was given up; nothing was
    ///                       asked.
    void ask(question what, about tells = about::nothing);
    bool is_under_way() const noexcept { return under_way_ != nullptr; }

    /// What the call returned.  @return nothing when it has not by `until`.
    /// @pre  a call is under way.
    /// @throws what it threw.
    std::optional<bool> hear(deadline until);

    /// In a forked child: forgets the thread.
    void abandon() noexcept;

private:
    struct answer
    {
        bool said = false;
        std::exception_ptr threw;
    };

    std::shared_ptr<service> const of_;
    std::shared_ptr<seat const> const on_;
    std::unique_ptr<sql_text::worker> worker_;
    std::shared_ptr<answer> under_way_;
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_CALL_HPP
