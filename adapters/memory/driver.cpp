// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/memory/driver.hpp"

#include "adapters/memory/session.hpp"

namespace assent::inline v0::testing::memory {

memory_driver::memory_driver(std::string name, std::shared_ptr<server> server)
    : name_(std::move(name)), server_(std::move(server)), process_(server_->new_process())
{
}

/// Every call begins here, so that each can be made to fail and each names its resource manager.
/// @return whether the session is to be cut when the call has had its effect.
bool memory_driver::enter(driver_call what, driver_session* on, deadline until)
{
    try {
        return server_->enter(what, on != nullptr ? on->id() : 0, until);
    } catch (driver_error const& e) {
        throw driver_error(name_ + ": " + e.what(), "08006");
    }
}

std::unique_ptr<driver_session> memory_driver::connect(session_purpose purpose, deadline until)
{
    enter(driver_call::connect, nullptr, until);
    return std::make_unique<memory_session>(server_, server_->open(process_, purpose));
}

std::unique_ptr<driver_session> memory_driver::borrow(void* handle, server_facts const& expected,
                                                      deadline until)
{
    if (handle == nullptr) throw driver_error(name_ + ": the handle is null");
    auto& connection = *static_cast<memory_connection*>(handle);
    enter(driver_call::borrow, nullptr, until);
    std::string const why = server_->adopt(connection, process_, expected);
    if (!why.empty()) throw driver_error(name_ + ": the handle cannot be enlisted: " + why);
    return std::make_unique<memory_session>(server_, connection);
}

server_facts memory_driver::preflight(driver_session& manage, deadline until)
{
    enter(driver_call::preflight, &manage, until);
    return server_->facts();
}

scan_result memory_driver::scan(driver_session& manage, deadline until)
{
    enter(driver_call::scan, &manage, until);
    return server_->scan();
}

bool memory_driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    enter(driver_call::guard, &guardian, until);
    return server_->try_guard(guardian.id(), node);
}

void memory_driver::heartbeat(driver_session& guardian, deadline until)
{
    enter(driver_call::heartbeat, &guardian, until);
    server_->renew_lease(guardian.id());
}

session_presence memory_driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    enter(driver_call::presence, &manage, until);
    return server_->presence(id);
}

session_presence memory_driver::older_sessions(driver_session& ours, deadline until)
{
    enter(driver_call::older_sessions, &ours, until);
    return server_->older_sessions(ours.id());
}

void memory_driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    enter(driver_call::cancel_statement, &manage, until);
    server_->cancel(id);
}

void memory_driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    enter(driver_call::end_session, &manage, until);
    server_->kill(id);
}

witness_state memory_driver::ask_witness(driver_session& manage, std::string const& witness,
                                         deadline until)
{
    enter(driver_call::ask_witness, &manage, until);
    return server_->ask(witness);
}

void memory_driver::cut(driver_session& on)
{
    on.sever();
    throw driver_error(name_ + ": the connection was lost", "08006");
}

void memory_driver::ensure(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_decisions, &manage, until);
    server_->ensure_decisions();
}

void memory_driver::carry(driver_session& session, decision_row const& row)
{
    server_->carry(session.id(), row);
}

std::optional<decision_row> memory_driver::fence(driver_session& manage, gtrid const& which,
                                                 deadline until)
{
    bool const is_cut = enter(driver_call::fence_decision, &manage, until);
    auto seen = server_->fence(which);
    if (is_cut) cut(manage);
    return seen;
}

std::vector<decision_row> memory_driver::list(driver_session& manage, std::string_view prefix,
                                              std::size_t at_most, deadline until)
{
    enter(driver_call::list_decisions, &manage, until);
    return server_->list_decisions(prefix, at_most);
}

void memory_driver::prune(driver_session& manage, decision_row const& horizon_row,
                          std::vector<gtrid> const& gone, deadline until)
{
    bool const is_cut = enter(driver_call::prune_decisions, &manage, until);
    server_->prune(horizon_row, gone);
    if (is_cut) cut(manage);
}

}  // namespace assent::inline v0::testing::memory
