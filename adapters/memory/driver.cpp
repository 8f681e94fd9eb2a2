// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/memory/driver.hpp"

#include <algorithm>

#include "adapters/dialects/subject.hpp"
#include "adapters/memory/session.hpp"

namespace assent::inline v0::testing::memory {

memory_driver::memory_driver(std::string name, std::shared_ptr<server> server)
    : name_(std::move(name)), server_(std::move(server)), process_(server_->new_process())
{
}

namespace {

/// The server's own, which no other session ever has.
std::uint64_t key_of(driver_session& session) noexcept
{
    return server::key_of(*static_cast<memory_connection*>(session.native_handle()));
}

}  // namespace

/// Every call begins here, so that each can be made to fail and each names its resource manager.
server::entered memory_driver::enter(driver_call call, driver_session* on, deadline until)
{
    return server_->enter(call, on != nullptr ? key_of(*on) : 0, until, name_);
}

std::unique_ptr<driver_session> memory_driver::connect(session_purpose purpose, deadline until)
{
    enter(driver_call::connect, nullptr, until);
    return std::make_unique<memory_session>(server_, server_->open(process_, purpose));
}

std::unique_ptr<driver_session> memory_driver::borrow(void* handle, server_facts const& expected,
                                                      deadline until)
{
    if (handle == nullptr)
        throw driver_error(errc::bad_argument, dialects::subject(name_) + "the handle is null");
    auto& connection = *static_cast<memory_connection*>(handle);
    enter(driver_call::borrow, nullptr, until);
    std::string const why = server_->adopt(connection, process_, expected);
    if (!why.empty())
        throw driver_error(errc::bad_argument,
                           dialects::subject(name_) + "the handle cannot be enlisted: " + why);
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
    return server_->try_guard(key_of(guardian), node);
}

void memory_driver::heartbeat(driver_session& guardian, deadline until)
{
    enter(driver_call::heartbeat, &guardian, until);
    server_->renew_lease(key_of(guardian));
}

std::string memory_driver::guard_holder(driver_session&, std::uint64_t node, deadline)
{
    auto const holder = server_->guard_holder(node);
    return holder ? "session " + std::to_string(*holder) : std::string{};
}

std::optional<kept_past> memory_driver::read_past(driver_session& manage, std::uint64_t node,
                                                  deadline until)
{
    enter(driver_call::read_past, &manage, until);
    return server_->read_past(node);
}

bool memory_driver::keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                              deadline until)
{
    enter(driver_call::keep_past, &manage, until);
    return server_->keep_past(node, past);
}

session_presence memory_driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    enter(driver_call::presence, &manage, until);
    return server_->presence(id);
}

session_presence memory_driver::sessions_before(driver_session& ours, std::uint64_t first,
                                                deadline until)
{
    enter(driver_call::sessions_before, &ours, until);
    return server_->sessions_before(std::min(first, ours.id()));
}

void memory_driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    enter(driver_call::cancel_statement, &manage, until);
    server_->cancel(id);
}

void memory_driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    server_->kill(id, enter(driver_call::end_session, &manage, until));
}

bool memory_driver::end_idle_session(driver_session& manage, std::uint64_t id, deadline until)
{
    return server_->kill_idle(id, enter(driver_call::end_session, &manage, until));
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
    throw driver_error(dialects::subject(name_) + "the connection was lost", "08006");
}

void memory_driver::ensure(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_decisions, &manage, until);
    server_->ensure_decisions();
}

void memory_driver::announce(driver_session& session)
{
    server_->announce(key_of(session));
}

void memory_driver::carry(driver_session& session, decision_row const& row)
{
    server_->carry(key_of(session), row);
}

std::optional<decision_row> memory_driver::fence(driver_session& manage, gtrid const& row_name,
                                                 deadline until)
{
    bool const is_cut = enter(driver_call::fence_decision, &manage, until).is_cut_after;
    auto seen = server_->fence(row_name);
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
    bool const is_cut = enter(driver_call::prune_decisions, &manage, until).is_cut_after;
    server_->prune(horizon_row, gone);
    if (is_cut) cut(manage);
}

void memory_driver::ensure_branches(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_branches, &manage, until);
    server_->ensure_branches();
}

void memory_driver::insert(driver_session& session, branch_row const& row, deadline until)
{
    enter(driver_call::insert_branch, &session, until);
    server_->insert(key_of(session), row);
}

std::optional<branch_row> memory_driver::take(driver_session& session, xid const& name,
                                              deadline until)
{
    enter(driver_call::take_branch, &session, until);
    return server_->take(key_of(session), name);
}

bool memory_driver::contains(driver_session& session, xid const& name, deadline until)
{
    enter(driver_call::find_branch, &session, until);
    return server_->contains(key_of(session), name);
}

bool memory_driver::insert_at_start(driver_session& session, branch_row const& row)
{
    if (!server_->options().joins_messages) return false;
    server_->lead(key_of(session), {row, std::nullopt});
    return true;
}

bool memory_driver::take_at_start(driver_session& session, xid const& name)
{
    if (!server_->options().joins_messages) return false;
    server_->lead(key_of(session), {std::nullopt, name});
    return true;
}

std::optional<branch_row> memory_driver::taken(driver_session& session, xid const&)
{
    return server_->taken(key_of(session));
}

bool memory_driver::ask_contains(driver_session& session, xid const& name)
{
    if (!server_->options().joins_messages) return false;
    server_->ask_contains(key_of(session), name);
    return true;
}

/// Faults strike between the question and its answer.
bool memory_driver::hear_contains(driver_session& session, deadline until)
{
    auto const name = server_->asked_for(key_of(session));
    enter(driver_call::find_branch, &session, until);
    return server_->contains(key_of(session), name);
}

std::vector<xid> memory_driver::list_branches(driver_session& manage, std::string_view manager,
                                              deadline until)
{
    enter(driver_call::list_branches, &manage, until);
    return server_->list_branches(manager);
}

void memory_driver::ensure_tasks(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_tasks, &manage, until);
    server_->ensure_tasks();
}

void memory_driver::put_tasks(driver_session& session, std::vector<task_row> const& rows,
                              std::vector<std::uint16_t> const& slots, deadline until)
{
    enter(driver_call::put_tasks, &session, until);
    server_->put(key_of(session), rows, slots);
}

std::optional<task_row> memory_driver::take_task(driver_session& session, std::string_view to,
                                                 deadline until)
{
    enter(driver_call::take_task, &session, until);
    return server_->take_task(key_of(session), to);
}

std::string memory_driver::slot_holder(driver_session& manage,
                                       std::vector<std::uint16_t> const& slots, deadline until)
{
    enter(driver_call::find_slot_holder, &manage, until);
    return server_->slot_holder(slots);
}

void memory_driver::ensure_lanes(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_lanes, &manage, until);
    server_->ensure_lanes();
}

std::string memory_driver::lane_source(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_lanes, &manage, until);
    return server_->lane_source();
}

std::vector<std::uint8_t> memory_driver::claim_lanes(driver_session& owner, std::string_view to,
                                                     std::uint8_t from, std::size_t at_most,
                                                     deadline until)
{
    enter(driver_call::claim_lanes, &owner, until);
    return server_->claim_lanes(key_of(owner), to, from, at_most);
}

std::vector<placed_task> memory_driver::place_tasks(driver_session& owner, std::string_view to,
                                                    std::vector<std::uint8_t> const& lanes,
                                                    turn_limits const& limits, deadline until)
{
    enter(driver_call::place_tasks, &owner, until);
    return server_->place_tasks(to, lanes, limits);
}

void memory_driver::end_turn(driver_session& owner, std::string_view to,
                             std::vector<lane_end> const& ends, deadline until)
{
    enter(driver_call::end_turn, &owner, until);
    server_->end_turn(key_of(owner), to, ends);
}

void memory_driver::ensure_inbox(driver_session& manage, deadline until)
{
    enter(driver_call::ensure_inbox, &manage, until);
    server_->ensure_inbox();
}

inbox_finding memory_driver::move_inbox(driver_session& session, inbox_move const& what,
                                        deadline until)
{
    enter(driver_call::move_inbox, &session, until);
    return server_->move_inbox(key_of(session), what);
}

void memory_driver::set_inbox(driver_session& session, std::string const& name,
                              std::string const& position, deadline until)
{
    enter(driver_call::move_inbox, &session, until);
    server_->set_inbox(key_of(session), name, position);
}

}  // namespace assent::inline v0::testing::memory
