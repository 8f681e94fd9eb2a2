// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/control.hpp"

#include <mutex>

#include "adapters/switch_out/process.hpp"

namespace assent::switch_out {

control::~control()
{
    // Their connections are closed behind the lock.
    std::lock_guard const hold{process_lock()};
    if (associated) of->branches.forget(associated->name);
    for (auto const& each : suspended)
        of->branches.forget(each->name);
}

std::shared_ptr<connection> control::take()
{
    if (spare) return std::exchange(spare, nullptr);
    return of->connect();
}

void control::give_back(std::shared_ptr<connection> idle) noexcept
{
    if (idle && !spare && idle->is_reusable()) spare = std::move(idle);
}

}  // namespace assent::switch_out
