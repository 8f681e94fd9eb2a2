// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lone_session.hpp -- a connection of this program's own to a database in which something is to be
// ended.

#ifndef ASSENT_RECOVERY_CLI_LONE_SESSION_HPP
#define ASSENT_RECOVERY_CLI_LONE_SESSION_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <assent/driver.hpp>

#include "recovery/branch_end.hpp"
#include "recovery/cli/report.hpp"

namespace assent::cli {

class lone_session final : public recovery::end_session
{
public:
    /// Connects, and reads who the server is.
    /// @throws failure  failed: it does not answer, or is not fit; attention: it is not the
    ///                  database that the log has bound to the name.
    lone_session(resource_manager const& where, known_database const& bound);

    driver_session& get() override;
    server_facts const& facts() const noexcept override { return facts_; }
    void lose() noexcept override { session_.reset(); }

    /// Takes a node's lock in the database, so that nobody who has its log ends anything meanwhile.
    /// `patience`: for the lock of a process that has just ended.  `if_held`: what that means.
    /// @return which server gave it.
    /// @throws failure  attention: another process holds it.
    server_life guard(
        std::uint64_t node, std::chrono::milliseconds patience,
        std::string const& if_held = "is a copy of this log at work? Find it and stop it");

private:
    std::string name_;
    std::shared_ptr<resource_manager_driver> driver_;
    std::unique_ptr<driver_session> session_;
    std::unique_ptr<driver_session> guardian_;
    server_facts facts_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LONE_SESSION_HPP
