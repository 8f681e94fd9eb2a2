// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/task_home.hpp"

#include <utility>

#include "adapters/dialects/subject.hpp"

namespace assent::messages {

namespace {

constexpr char key_is_kept[] = "55P03";
constexpr std::chrono::milliseconds holder_at_most{1000};  // its transaction's locks are held

}  // namespace

task_home::task_home(resource_manager where) : where_(std::move(where))
{
    if (manager().driver()->tasks() != nullptr) return;
    throw driver_error(errc::bad_argument, dialects::subject(name()) + "it can hold no messages");
}

void task_home::require_tables(gtrid const& for_whom)
{
    where_.require_fit(for_whom,
                       [](resource_manager_driver& driver, driver_session& manage, deadline until) {
                           driver.tasks()->ensure_tasks(manage, until);
                       });
}

void task_home::put(driver_session& session, std::vector<task_row> const& rows,
                    std::vector<std::uint16_t> const& slots, deadline until)
try {
    where_.watching([&] { table().put_tasks(session, rows, slots, until); });
} catch (driver_error const& e) {
    if (e.sqlstate() != key_is_kept || !table().knows_slot_holders()) throw;
    auto const who = slot_holder(slots);
    if (who.empty()) throw;
    throw driver_error(e.why(), std::string{e.what()} + ": " + who, e.sqlstate(), e.native_code(),
                       e.must_close());
}

std::optional<task_row> task_home::take(driver_session& session, std::string_view to,
                                        deadline until)
{
    return where_.watching([&] { return table().take_task(session, to, until); });
}

/// Words for who keeps one of the slots; empty: it cannot be known.
std::string task_home::slot_holder(std::vector<std::uint16_t> const& slots) const
try {
    std::string who;
    where_.ask(holder_at_most,
               [&](resource_manager_driver&, driver_session& manage, deadline until) {
                   who = table().slot_holder(manage, slots, until);
               });
    return who;
} catch (driver_error const& e) {
    return std::string{"somebody who cannot be named: "} + e.what();
}

}  // namespace assent::messages
