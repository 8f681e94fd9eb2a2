// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// restored_driver.hpp -- the way to a database that may be restored before it is asked for a list.
//
//   list --> restored? --> list        everything else --> the database
//
// The thread that asks is the one that concludes: between a list and what follows from it nothing
// is lost that the list had shown to be committed.

#ifndef ASSENT_TESTS_SIMULATION_RESTORED_DRIVER_HPP
#define ASSENT_TESTS_SIMULATION_RESTORED_DRIVER_HPP

#include <functional>
#include <memory>
#include <utility>

#include "tests/contract/forwarding_driver.hpp"

namespace assent::testing {

class restored_driver final : public assent::contract::forwarding_driver
{
public:
    restored_driver(std::shared_ptr<resource_manager_driver> under,
                    std::function<void()> before_list)
        : forwarding_driver(std::move(under)), before_list_(std::move(before_list))
    {
    }

    scan_result scan(driver_session& manage, deadline until) override
    {
        before_list_();
        return under().scan(manage, until);
    }
    decision_table* decisions() noexcept override { return under().decisions(); }

private:
    std::function<void()> before_list_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_RESTORED_DRIVER_HPP
