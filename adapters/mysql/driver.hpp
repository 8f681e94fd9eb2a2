// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- the port's resource_manager_driver for MySQL and MariaDB.

#ifndef ASSENT_ADAPTERS_MYSQL_DRIVER_HPP
#define ASSENT_ADAPTERS_MYSQL_DRIVER_HPP

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <assent/examination.hpp>
#include <assent/mysql.hpp>

#include "adapters/mysql/connection.hpp"
#include "adapters/mysql/question.hpp"
#include "adapters/mysql/session.hpp"
#include "adapters/sql_text/session.hpp"

namespace assent::mysql_adapter {

class driver final : public resource_manager_driver,
                     public decision_table,
                     public branch_table,
                     public task_table,
                     public lane_table,
                     public inbox_table,
                     public examined_driver,
                     public dialects::any_branch_driver
{
public:
    /// @throws driver_error  the name, or the settings, cannot be used.
    driver(std::string name, connect_method source, mysql::safety_options safety);

    std::string const& name() const noexcept override { return name_; }
    driver_capabilities capabilities() const noexcept override;
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override;
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override;
    std::unique_ptr<driver_session> borrow_session(sql_session& lent, server_facts const& expected,
                                                   deadline until) override;
    server_facts preflight(driver_session& manage, deadline until) override;
    scan_result scan(driver_session& manage, deadline until) override;
    server_facts facts_of(driver_session& manage, deadline until) override;
    void hold_to(driver_session& manage, server_facts const& seen) override;
    dialects::any_branch_list list_any(driver_session& manage, deadline until) override;
    std::vector<std::uint64_t> other_sessions(driver_session& manage, deadline until) override;
    std::optional<kept_past> read_past(driver_session& manage, std::uint64_t node,
                                       deadline until) override;
    bool keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                   deadline until) override;
    bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) override;
    void heartbeat(driver_session& guardian, deadline until) override;
    std::string guard_holder(driver_session& guardian, std::uint64_t node, deadline until) override;
    session_presence presence(driver_session& manage, std::uint64_t id, deadline until) override;
    session_presence sessions_before(driver_session& ours, std::uint64_t first,
                                     deadline until) override;
    void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) override;
    void end_session(driver_session& manage, std::uint64_t id, deadline until) override;
    bool end_idle_session(driver_session& manage, std::uint64_t id, deadline until) override;
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override;

    examination examine(driver_session& manage, deadline until) override;

    decision_table* decisions() noexcept override { return this; }
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
    bool knows_slot_holders() const noexcept override { return false; }
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
    std::unique_ptr<driver_session> connect_to(host_and_port const& at, session_purpose purpose,
                                               deadline until);
    void require_primary(question& q);
    void end_unreachable(question& q);
    std::unique_ptr<session> adopt(std::unique_ptr<wire> connection);
    std::string database_of(session const& working) const;

    std::string name_;
    connect_method source_;
    std::vector<host_and_port> hosts_{host_and_port{}};  ///< one, unused, beside a connect function
    mysql::safety_options safety_;
    std::shared_ptr<cancelled_sessions> cancelled_ = std::make_shared<cancelled_sessions>();
    /// Of connections that are lent as a sql_session.
    std::shared_ptr<sql_text::session_family> const lent_ =
        std::make_shared<sql_text::session_family>();
    /// Until a server was seen, the more careful answer.
    std::atomic<bool> keeps_prepared_{true};

    mutable std::mutex mutex_;           // guards what follows
    std::optional<server_facts> facts_;  ///< as last read by preflight
};

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_DRIVER_HPP
