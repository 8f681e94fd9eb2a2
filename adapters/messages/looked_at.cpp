// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/looked_at.hpp"

#include "ports/connecting.hpp"

namespace assent::messages {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_at_most{5000};
constexpr milliseconds look_again_after{1000};

}  // namespace

void looked_at::ask(milliseconds at_most, look const& what) const
{
    auto const until = std::chrono::steady_clock::now() + at_most;
    ports::inherited_descriptor in_child;
    auto const session = ports::connect(*where_.driver(), session_purpose::manage, until, in_child);
    what(*where_.driver(), *session, until);
}

void looked_at::require_fit(gtrid const& for_whom, look const& with)
{
    {
        std::lock_guard const held{mutex_};
        if (is_fit_) return;
        if (std::chrono::steady_clock::now() < again_at_) {
            throw error{errc::unavailable, why_not_, for_whom};
        }
    }
    // With no lock held: connecting may run a function of the application's.
    std::string why_not;
    try {
        ask(look_at_most, with);
    } catch (driver_error const& e) {
        why_not = e.what();
    }
    std::lock_guard const held{mutex_};
    is_fit_ = why_not.empty();
    if (is_fit_) return;
    why_not_ = std::move(why_not);
    again_at_ = std::chrono::steady_clock::now() + look_again_after;
    throw error{errc::unavailable, why_not_, for_whom};
}

void looked_at::doubt(driver_error const& why) noexcept
{
    if (why.sqlstate() != "42P01" && why.sqlstate() != "42S02") return;
    std::lock_guard const held{mutex_};
    is_fit_ = false;
}

}  // namespace assent::messages
