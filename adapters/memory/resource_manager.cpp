// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- memory_resource_manager: a name, and a driver for one process.

#include <stdexcept>

#include "adapters/memory/driver.hpp"

namespace assent::inline v0::testing {

namespace {

std::string checked(std::string name)
{
    bool is_good = !name.empty() && name.size() <= 64;
    for (char const c : name)
        is_good = is_good && c > ' ' && c <= '~';
    if (!is_good) throw std::invalid_argument("a name has 1 to 64 printable ASCII bytes");
    return name;
}

}  // namespace

memory_resource_manager::memory_resource_manager(std::string name, memory_database const& database)
    : resource_manager(
          std::make_shared<memory::memory_driver>(checked(std::move(name)), database.server_))
{
}

void memory_resource_manager::kill_process()
{
    static_cast<memory::memory_driver&>(*driver()).kill_process();
}

}  // namespace assent::inline v0::testing
