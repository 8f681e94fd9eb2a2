// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tasks.cpp -- the tables assent_task and assent_key: rows that are inserted, and deleted, by
// branches, in the order of their keys.
//
// A slot that another branch keeps is not waited for, as no row is here.

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

void server::require_tasks() const
{
    if (durable_.has_task_table) return;
    throw driver_error("the table assent_task is missing", "42P01");
}

void server::ensure_tasks()
{
    lock held(mutex_);
    durable_.has_task_table = true;
}

void server::drop_tasks()
{
    lock held(mutex_);
    durable_.has_task_table = false;
    durable_.tasks.clear();
    durable_.placed.clear();
}

/// The branch, other than `but`, that keeps one of the slots.
branch const* server::holder_of(std::vector<std::uint16_t> const& slots, branch const* but) const
{
    for (auto const& x : live_) {
        branch const& other = durable_.branches.at(x);
        if (but != nullptr && other.id == but->id) continue;
        for (auto const slot : slots) {
            if (other.slots.count(slot) != 0) return &other;
        }
    }
    return nullptr;
}

void server::put(std::uint64_t id, std::vector<task_row> const& rows,
                 std::vector<std::uint16_t> const& slots)
{
    lock held(mutex_);
    branch& by = working(id);
    require_tasks();
    if (by.refuses_writes) throw driver_error("the transaction is read-only", "25006");
    if (holder_of(slots, &by) != nullptr) {
        if (options_.acts_as == personality::postgresql) by.is_rollback_only = true;
        throw driver_error("putting messages: another transaction keeps the key of one", "55P03");
    }
    by.slots.insert(slots.begin(), slots.end());
    for (auto const& row : rows) {
        auto& made = by.puts[++durable_.tasks_made] = row;
        made.gtrid = by.id.global.text();
    }
}

std::optional<task_row> server::take_task(std::uint64_t id, std::string_view to)
{
    lock held(mutex_);
    branch& by = working(id);
    require_tasks();
    if (by.modes.level.value_or(isolation::read_committed) != isolation::read_committed) {
        throw driver_error(errc::invalid_state,
                           std::string{"messages are taken at READ COMMITTED, and this branch is "
                                       "at "} +
                               name_of(*by.modes.level));
    }
    if (by.refuses_writes) throw driver_error("the transaction is read-only", "25006");
    std::set<std::uint64_t> taken;
    for (auto const& x : live_) {
        auto const& others = durable_.branches.at(x).takes;
        taken.insert(others.begin(), others.end());
    }
    for (auto const& [number, row] : durable_.tasks) {
        if (row.to != to || taken.count(number) != 0 || durable_.placed.count(number) != 0)
            continue;
        by.takes.insert(number);
        return row;
    }
    return std::nullopt;
}

std::string server::slot_holder(std::vector<std::uint16_t> const& slots) const
{
    lock held(mutex_);
    branch const* const found = holder_of(slots, nullptr);
    return found != nullptr ? "the transaction " + std::string{found->id.global.text()}
                            : std::string{};
}

std::vector<task_row> server::tasks() const
{
    lock held(mutex_);
    std::vector<task_row> all;
    for (auto const& [number, row] : durable_.tasks)
        all.push_back(row);
    return all;
}

void server::keep_tasks(branch const& of)
{
    for (auto const number : of.takes)
        durable_.tasks.erase(number);
    durable_.tasks.insert(of.puts.begin(), of.puts.end());
    for (auto const& [name, position] : of.inboxes)
        durable_.inboxes[name] = position;
}

}  // namespace assent::inline v0::testing::memory
