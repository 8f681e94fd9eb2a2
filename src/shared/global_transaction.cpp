// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "shared/global_transaction.hpp"

#include <utility>

namespace assent::shared {

std::uint64_t this_thread() noexcept
{
    static std::atomic<std::uint64_t> last{0};
    thread_local std::uint64_t const mine = ++last;
    return mine;
}

void lose(branch& b) noexcept
{
    if (b.is_connected) b.session->sever();
    b.is_connected = false;
}

bool global_transaction::mark_rollback_only(rollback_cause why)
{
    std::lock_guard const held{mutex};
    return keep_cause(std::move(why));
}

bool global_transaction::keep_cause(rollback_cause&& why) noexcept
{
    if (cause) return false;
    cause = std::move(why);
    auto expected = assent::status::active;
    status.compare_exchange_strong(expected, assent::status::marked_rollback);
    return true;
}

bool global_transaction::is_rollback_only()
{
    std::lock_guard const held{mutex};
    return cause.has_value();
}

}  // namespace assent::shared
