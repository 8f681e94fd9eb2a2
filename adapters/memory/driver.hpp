// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- one process's way to a database in memory.

#ifndef ASSENT_ADAPTERS_MEMORY_DRIVER_HPP
#define ASSENT_ADAPTERS_MEMORY_DRIVER_HPP

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

class memory_driver : public resource_manager_driver,
                      public decision_table,
                      public branch_table,
                      public task_table,
                      public lane_table,
                      public inbox_table
{
public:
    memory_driver(std::string name, std::shared_ptr<server> server);

    void kill_process() { server_->kill_process(process_); }

    std::string const& name() const noexcept override { return name_; }
    driver_capabilities capabilities() const noexcept override { return server_->capabilities(); }
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override;
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override;
    server_facts preflight(driver_session& manage, deadline until) override;
    scan_result scan(driver_session& manage, deadline until) override;
    bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) override;
    void heartbeat(driver_session& guardian, deadline until) override;
    std::string guard_holder(driver_session& any, std::uint64_t node, deadline until) override;
    std::optional<kept_past> read_past(driver_session& manage, std::uint64_t node,
                                       deadline until) override;
    bool keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                   deadline until) override;
    session_presence presence(driver_session& manage, std::uint64_t id, deadline until) override;
    session_presence sessions_before(driver_session& ours, std::uint64_t first,
                                     deadline until) override;
    void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) override;
    void end_session(driver_session& manage, std::uint64_t id, deadline until) override;
    bool end_idle_session(driver_session& manage, std::uint64_t id, deadline until) override;
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override;

    decision_table* decisions() noexcept override
    {
        return server_->options().holds_commit_rows ? this : nullptr;
    }
    void ensure(driver_session& manage, deadline until) override;
    void announce(driver_session& session) override;
    void carry(driver_session& session, decision_row const& row) override;
    std::optional<decision_row> fence(driver_session& manage, gtrid const& row_name,
                                      deadline until) override;
    std::vector<decision_row> list(driver_session& manage, std::string_view prefix,
                                   std::size_t at_most, deadline until) override;
    void prune(driver_session& manage, decision_row const& horizon_row,
               std::vector<gtrid> const& gone, deadline until) override;

    branch_table* branches() noexcept override { return this; }
    void ensure_branches(driver_session& manage, deadline until) override;
    void insert(driver_session& session, branch_row const& row, deadline until) override;
    std::optional<branch_row> take(driver_session& session, xid const& name,
                                   deadline until) override;
    bool contains(driver_session& session, xid const& name, deadline until) override;
    bool insert_at_start(driver_session& session, branch_row const& row) override;
    bool take_at_start(driver_session& session, xid const& name) override;
    std::optional<branch_row> taken(driver_session& session, xid const& name) override;
    bool ask_contains(driver_session& session, xid const& name) override;
    bool hear_contains(driver_session& session, deadline until) override;
    std::vector<xid> list_branches(driver_session& manage, std::string_view manager,
                                   deadline until) override;

    task_table* tasks() noexcept override { return this; }
    void ensure_tasks(driver_session& manage, deadline until) override;
    void put_tasks(driver_session& session, std::vector<task_row> const& rows,
                   std::vector<std::uint16_t> const& slots, deadline until) override;
    std::optional<task_row> take_task(driver_session& session, std::string_view to,
                                      deadline until) override;
    bool knows_slot_holders() const noexcept override { return true; }
    std::string slot_holder(driver_session& manage, std::vector<std::uint16_t> const& slots,
                            deadline until) override;

    lane_table* lanes() noexcept override { return this; }
    void ensure_lanes(driver_session& manage, deadline until) override;
    std::string lane_source(driver_session& manage, deadline until) override;
    std::vector<std::uint8_t> claim_lanes(driver_session& owner, std::string_view to,
                                          std::uint8_t from, std::size_t at_most,
                                          deadline until) override;
    std::vector<placed_task> place_tasks(driver_session& owner, std::string_view to,
                                         std::vector<std::uint8_t> const& lanes,
                                         turn_limits const& limits, deadline until) override;
    void end_turn(driver_session& owner, std::string_view to, std::vector<lane_end> const& ends,
                  deadline until) override;

    inbox_table* inboxes() noexcept override { return this; }
    void ensure_inbox(driver_session& manage, deadline until) override;
    inbox_finding move_inbox(driver_session& session, inbox_move const& what,
                             deadline until) override;
    void set_inbox(driver_session& session, std::string const& name, std::string const& position,
                   deadline until) override;

private:
    server::entered enter(driver_call call, driver_session* on, deadline until);
    void cut(driver_session& on);

    std::string const name_;
    std::shared_ptr<server> const server_;
    std::uint64_t const process_;
};

}  // namespace assent::inline v0::testing::memory

#endif  // ASSENT_ADAPTERS_MEMORY_DRIVER_HPP
