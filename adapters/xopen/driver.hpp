// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- a switch as a resource manager of ours.
//
// Each worker of recovery is a thread, and opens the switch for itself.

#ifndef ASSENT_ADAPTERS_XOPEN_DRIVER_HPP
#define ASSENT_ADAPTERS_XOPEN_DRIVER_HPP

#include <memory>
#include <string>

#include <assent/driver.hpp>
#include <assent/examination.hpp>
#include <assent/xopen.hpp>

#include "adapters/xopen/switch_instance.hpp"

namespace assent::xopen_switch {

/// What stands for the start of a server that is none: nothing restarts that could be told.
inline constexpr char no_server[] = "no server";

class driver final : public resource_manager_driver, public examined_driver
{
public:
    driver(std::string name, switch_instance& is, xopen::options::values chosen);

    int rmid() const noexcept { return is_.rmid(); }

    std::string const& name() const noexcept override { return name_; }
    driver_capabilities capabilities() const noexcept override;
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override;
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override;
    server_facts preflight(driver_session& manage, deadline until) override;
    scan_result scan(driver_session& manage, deadline until) override;
    bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) override;
    void heartbeat(driver_session& guardian, deadline until) override;
    session_presence presence(driver_session& manage, std::uint64_t id, deadline until) override;
    session_presence sessions_before(driver_session& ours, std::uint64_t first,
                                     deadline until) override;
    void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) override;
    void end_session(driver_session& manage, std::uint64_t id, deadline until) override;
    bool works_outside() const noexcept override;
    // examination.cpp
    examination examine(driver_session& manage, deadline until) override;
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override;

private:
    std::string identity() const;
    [[noreturn]] void fail(std::string const& why) const;

    std::string const name_;
    switch_instance& is_;
    xopen::options::values const chosen_;
};

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_DRIVER_HPP
