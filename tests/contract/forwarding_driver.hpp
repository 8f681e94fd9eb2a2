// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forwarding_driver.hpp -- a driver that asks another one; what a test wants otherwise it
// overrides.

#ifndef ASSENT_TESTS_CONTRACT_FORWARDING_DRIVER_HPP
#define ASSENT_TESTS_CONTRACT_FORWARDING_DRIVER_HPP

#include <assent/driver.hpp>
#include <memory>
#include <string>
#include <utility>

namespace assent::contract {

class forwarding_driver : public resource_manager_driver
{
public:
    explicit forwarding_driver(std::shared_ptr<resource_manager_driver> under)
        : under_(std::move(under))
    {
    }

    std::string const& name() const noexcept override { return under_->name(); }
    driver_capabilities capabilities() const noexcept override { return under_->capabilities(); }
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override
    {
        return under_->connect(purpose, until);
    }
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override
    {
        return under_->borrow(handle, expected, until);
    }
    server_facts preflight(driver_session& manage, deadline until) override
    {
        return under_->preflight(manage, until);
    }
    scan_result scan(driver_session& manage, deadline until) override
    {
        return under_->scan(manage, until);
    }
    std::optional<kept_past> read_past(driver_session& manage, std::uint64_t node,
                                       deadline until) override
    {
        return under_->read_past(manage, node, until);
    }
    bool keep_past(driver_session& manage, std::uint64_t node, kept_past const& what,
                   deadline until) override
    {
        return under_->keep_past(manage, node, what, until);
    }
    bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) override
    {
        return under_->try_guard(guardian, node, until);
    }
    void heartbeat(driver_session& guardian, deadline until) override
    {
        under_->heartbeat(guardian, until);
    }
    session_presence presence(driver_session& manage, std::uint64_t id, deadline until) override
    {
        return under_->presence(manage, id, until);
    }
    session_presence sessions_before(driver_session& ours, std::uint64_t first,
                                     deadline until) override
    {
        return under_->sessions_before(ours, first, until);
    }
    void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) override
    {
        under_->cancel_statement(manage, id, until);
    }
    void end_session(driver_session& manage, std::uint64_t id, deadline until) override
    {
        under_->end_session(manage, id, until);
    }
    bool end_idle_session(driver_session& manage, std::uint64_t id, deadline until) override
    {
        return under_->end_idle_session(manage, id, until);
    }
    std::string guard_holder(driver_session& guardian, std::uint64_t node, deadline until) override
    {
        return under_->guard_holder(guardian, node, until);
    }
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override
    {
        return under_->ask_witness(manage, witness, until);
    }

protected:
    resource_manager_driver& under() const noexcept { return *under_; }

private:
    std::shared_ptr<resource_manager_driver> const under_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_FORWARDING_DRIVER_HPP
