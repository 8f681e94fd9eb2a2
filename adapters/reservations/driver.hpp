// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- the reservations in one database, as the engine sees them: a resource manager whose
// prepared branches are the rows of a table.
//
// Identity, guardian and whatever is kept in the database bear the name of the resource manager, so
// that it may stand beside one for plain XA branches on the same database, and beside others of its
// kind.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_DRIVER_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_DRIVER_HPP

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include <assent/examination.hpp>

#include "adapters/reservations/session.hpp"

namespace assent::reservations {

class driver final : public resource_manager_driver, public examined_driver
{
public:
    explicit driver(std::shared_ptr<service> of);

    std::string const& name() const noexcept override { return of_->name; }
    /// Whether it can do more than look.
    bool has_handlers() const noexcept { return of_->has_handlers(); }
    driver_capabilities capabilities() const noexcept override;
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override;
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override;
    void note_known() noexcept override { is_known_ = true; }
    server_facts preflight(driver_session& manage, deadline until) override;
    scan_result scan(driver_session& manage, deadline until) override;
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
    void end_work() noexcept override;
    examination examine(driver_session& manage, deadline until) override;
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override;

private:
    /// The node, as this resource manager calls it in the database.
    std::uint64_t own(std::uint64_t node) const noexcept { return node ^ mark_; }
    std::shared_ptr<settler> workers();
    void require_table(driver_session& manage, deadline until);
    resource_manager_driver& database() const noexcept { return *of_->database; }

    std::shared_ptr<service> const of_;
    std::string const suffix_;  // of the identity
    std::uint64_t const mark_;

    std::mutex mutex_;
    /// Lives as long as sessions do, at the most: what a closed manager left connected would be
    /// taken for a session of an earlier run by the next.
    std::weak_ptr<settler> settler_;
    server_life life_;                   // as preflight saw it
    std::atomic<bool> is_known_{false};  // from an earlier run
};

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_DRIVER_HPP
