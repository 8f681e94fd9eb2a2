// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// service.hpp -- what the driver and the sessions of one broker share.

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_SERVICE_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_SERVICE_HPP

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <assent/half_message.hpp>

#include "adapters/half_messages/seat.hpp"
#include "adapters/half_messages/told.hpp"
#include "adapters/sql_text/worker.hpp"

namespace assent::half_messages {

/// Which broker the last list was of.
/// Thread safety: every member may be called from several threads at once.
class last_identity
{
public:
    /// Once: whoever does not find it the right one asks again.  Empty: there is none.
    std::string take()
    {
        std::lock_guard const held{mutex_};
        return std::exchange(text_, {});
    }
    void set(std::string text)
    {
        std::lock_guard const held{mutex_};
        text_ = std::move(text);
    }

private:
    std::mutex mutex_;
    std::string text_;
};

struct service
{
    std::string const name;
    std::shared_ptr<half::broker> const broker;
    half::options::values const chosen;
    std::shared_ptr<ports::session_numbers> const numbers;  // of the broker, whoever asks
    told_commits told{};
    seats sessions{};
    last_identity identity{};
    /// Calls that hang here are nothing to other brokers, and to databases.
    std::shared_ptr<sql_text::stuck_workers> const stuck =
        std::make_shared<sql_text::stuck_workers>(0);
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_SERVICE_HPP
