// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.hpp -- a broker that holds halves back, as the engine sees it: a resource manager whose
// prepared branches are the broker's own list.
//
// A broker has neither a lock for the node nor sessions that could be looked for: what stands for
// them was stated (half::options).

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_DRIVER_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_DRIVER_HPP

#include <memory>
#include <string>

#include "adapters/half_messages/session.hpp"

namespace assent::half_messages {

class driver final : public resource_manager_driver
{
public:
    explicit driver(std::shared_ptr<service> of) : of_(std::move(of)) {}

    std::string const& name() const noexcept override { return of_->name; }
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
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override;
    void note_told(xid const& branch) noexcept override { of_->told.note(branch); }

private:
    half::listing list(driver_session& manage, deadline until) const;
    [[noreturn]] void fail(std::string const& why) const;

    std::shared_ptr<service> const of_;
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_DRIVER_HPP
