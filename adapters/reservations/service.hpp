// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// service.hpp -- what driver, sessions and workers of one resource manager of reservations share.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_SERVICE_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_SERVICE_HPP

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <assent/driver.hpp>
#include <assent/tcc.hpp>

#include "adapters/dialects/replies.hpp"
#include "adapters/reservations/attempt_gate.hpp"

namespace assent::reservations {

/// When the manager's lock in the database was last known to be held.
class guarded_since
{
public:
    void note() noexcept { at_ = deadline::clock::now().time_since_epoch().count(); }
    /// Whether somebody else may hold it now; never where it was not taken at all.
    bool may_have_lapsed() const noexcept
    {
        auto const at = at_.load();
        auto const since = deadline::clock::now().time_since_epoch().count() - at;
        return at != 0 && deadline::duration{since} > lapse;
    }

private:
    static constexpr std::chrono::seconds lapse{5};  // as limits::guardian_lapse at the most
    std::atomic<deadline::rep> at_{0};
};

struct service
{
    std::string const name;
    std::shared_ptr<resource_manager_driver> const database;
    branch_table& table;  // of `database`
    tcc::handlers const how;
    tcc::options::values const chosen;
    attempt_gate gate{};
    guarded_since guarded{};

    bool has_handlers() const noexcept { return how.attempt && how.confirm && how.cancel; }
};

using dialects::is_rolled_back;
using dialects::lost;
using dialects::make_reply;

/// Certainly not done: to be asked for again.
inline reply again(std::string text)
{
    return make_reply(xa_code::retry, std::move(text), reply_detail::busy);
}

/// Perhaps done, or about to be: to be asked for again.
inline reply unknown(std::string text)
{
    return make_reply(xa_code::rmfail, std::move(text));
}

/// What the database answers to a verb by `until`; silence cuts the session.
reply run(driver_session& on, verb what, xid const& id, deadline until);

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_SERVICE_HPP
