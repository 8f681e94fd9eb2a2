// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- memory_resource_manager: a name, and a driver for one process.

#include <utility>

#include "adapters/memory/driver.hpp"

namespace assent::inline v0::testing {

memory_resource_manager::memory_resource_manager(std::string name, memory_database const& database)
    : resource_manager(
          std::make_shared<memory::memory_driver>(require_name(name), database.server_))
{
}

void memory_resource_manager::kill_process()
{
    static_cast<memory::memory_driver&>(*driver()).kill_process();
}

}  // namespace assent::inline v0::testing
