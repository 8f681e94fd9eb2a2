// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- one database behind ODBC, as the engine sees it.
//
// What the database can do is known once a connection of the manager's has been opened, and that is
// before anything rests on it; until then the more careful answer is given.

#ifndef ASSENT_ADAPTERS_ODBC_DRIVER_HPP
#define ASSENT_ADAPTERS_ODBC_DRIVER_HPP

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/examination.hpp>
#include <assent/odbc.hpp>

#include "adapters/odbc/link.hpp"
#include "adapters/sql_text/session.hpp"

namespace assent::odbc_adapter {

using sql_text::session;
using sql_text::session_family;

class driver final : public resource_manager_driver,
                     public examined_driver,
                     public dialects::any_branch_driver,
                     private decision_table,
                     private branch_table
{
public:
    /// @throws driver_error  the name, or the settings, cannot be used.
    driver(std::string name, connect_method source, odbc::safety_options safety);

    std::string const& name() const noexcept override { return family_->name; }
    driver_capabilities capabilities() const noexcept override;
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override;
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override;
    server_facts preflight(driver_session& manage, deadline until) override;
    scan_result scan(driver_session& manage, deadline until) override;
    server_facts facts_of(driver_session& manage, deadline until) override;
    void hold_to(driver_session& manage, server_facts const& seen) override;
    void end_cut(driver_session& manage, deadline until) override
    {
        end_unreachable(manage, until);
    }
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
    decision_table* decisions() noexcept override { return this; }
    branch_table* branches() noexcept override { return this; }

    examination examine(driver_session& manage, deadline until) override;

private:
    // decision_table
    void ensure(driver_session& manage, deadline until) override;
    void announce(driver_session& session) override;
    void carry(driver_session& session, decision_row const& row) override;
    std::optional<decision_row> fence(driver_session& manage, gtrid const& row_name,
                                      deadline until) override;
    std::vector<decision_row> list(driver_session& manage, std::string_view prefix,
                                   std::size_t at_most, deadline until) override;
    void prune(driver_session& manage, decision_row const& horizon_row,
               std::vector<gtrid> const& gone, deadline until) override;

    // branch_table
    void ensure_branches(driver_session& manage, deadline until) override;
    void insert(driver_session& session, branch_row const& row, deadline until) override;
    std::optional<branch_row> take(driver_session& session, xid const& name,
                                   deadline until) override;
    bool contains(driver_session& session, xid const& name, deadline until) override;
    std::vector<xid> list_branches(driver_session& manage, std::string_view manager,
                                   deadline until) override;

    void end_unreachable(driver_session& manage, deadline until);
    std::string database() const;

    connect_method const source_;
    odbc::safety_options const safety_;
    std::shared_ptr<session_family> const family_ = std::make_shared<session_family>();
    /// database_kind; 0 until a connection was opened.
    std::atomic<int> kind_{0};

    mutable std::mutex mutex_;           // guards what follows
    std::optional<server_facts> facts_;  // of the last preflight
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_DRIVER_HPP
