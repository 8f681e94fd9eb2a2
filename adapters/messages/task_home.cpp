// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/task_home.hpp"

#include <utility>

#include "adapters/dialects/subject.hpp"
#include "ports/connecting.hpp"

namespace assent::messages {

namespace {

using std::chrono::milliseconds;

constexpr char key_is_kept[] = "55P03";
constexpr milliseconds look_at_most{5000};
constexpr milliseconds look_again_after{1000};
constexpr milliseconds holder_at_most{1000};  // its transaction's locks are held meanwhile

}  // namespace

task_home::task_home(resource_manager where) : where_(std::move(where))
{
    if (where_.driver()->tasks() != nullptr) return;
    throw driver_error(errc::bad_argument, dialects::subject(name()) + "it can hold no messages");
}

/// On a session of its own, which no forked child keeps open.
template <class Ask>
auto task_home::ask(milliseconds at_most, Ask const& what) const
{
    auto const until = std::chrono::steady_clock::now() + at_most;
    ports::inherited_descriptor in_child;
    auto const session = ports::connect(*where_.driver(), session_purpose::manage, until, in_child);
    return what(*session, until);
}

void task_home::require_tables(gtrid const& for_whom)
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
        ask(look_at_most, [this](driver_session& manage, deadline until) {
            table().ensure_tasks(manage, until);
        });
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

/// They may be there no more, for all that was seen.
void task_home::doubt_tables(driver_error const& why) noexcept
{
    if (why.sqlstate() != "42P01" && why.sqlstate() != "42S02") return;
    std::lock_guard const held{mutex_};
    is_fit_ = false;
}

void task_home::put(driver_session& session, std::vector<task_row> const& rows,
                    std::vector<std::uint16_t> const& slots, deadline until)
try {
    table().put_tasks(session, rows, slots, until);
} catch (driver_error const& e) {
    doubt_tables(e);
    if (e.sqlstate() != key_is_kept || !table().knows_slot_holders()) throw;
    auto const who = slot_holder(slots);
    if (who.empty()) throw;
    throw driver_error(e.why(), std::string{e.what()} + ": " + who, e.sqlstate(), e.native_code(),
                       e.must_close());
}

std::optional<task_row> task_home::take(driver_session& session, std::string_view to,
                                        deadline until)
try {
    return table().take_task(session, to, until);
} catch (driver_error const& e) {
    doubt_tables(e);
    throw;
}

/// Words for who keeps one of the slots; empty: it cannot be known.
std::string task_home::slot_holder(std::vector<std::uint16_t> const& slots) const
try {
    return ask(holder_at_most, [&](driver_session& manage, deadline until) {
        return table().slot_holder(manage, slots, until);
    });
} catch (driver_error const& e) {
    return std::string{"somebody who cannot be named: "} + e.what();
}

}  // namespace assent::messages
