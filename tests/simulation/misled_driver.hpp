// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// misled_driver.hpp -- the way to a database behind whose address a replica answers as well: it has
// the primary's identity, and takes writes.
//
//   connect for work --dice--> primary, or replica        everything else --> primary

#ifndef ASSENT_TESTS_SIMULATION_MISLED_DRIVER_HPP
#define ASSENT_TESTS_SIMULATION_MISLED_DRIVER_HPP

#include <functional>
#include <memory>
#include <utility>

#include "tests/contract/forwarding_driver.hpp"

namespace assent::testing {

class misled_driver final : public assent::contract::forwarding_driver
{
public:
    misled_driver(std::shared_ptr<resource_manager_driver> primary,
                  std::shared_ptr<resource_manager_driver> replica, std::function<bool()> misleads)
        : forwarding_driver(std::move(primary)),
          replica_(std::move(replica)),
          misleads_(std::move(misleads))
    {
    }

    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override
    {
        bool const is_misled = purpose == session_purpose::work && misleads_();
        return is_misled ? replica_->connect(purpose, until) : under().connect(purpose, until);
    }

private:
    std::shared_ptr<resource_manager_driver> replica_;
    std::function<bool()> misleads_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_MISLED_DRIVER_HPP
