// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_wait.hpp -- how long the manager's own questions wait for somebody's lock: on a table, and a
// fence on a row that is not committed yet.
//
// The server gives up before the client does: a connection whose answer was not waited for is of no
// use any more, and the server may keep it until the lock is gone.  Half of a fence's time is kept
// for the answer, which a busy machine may need a while to give; whoever asked asks again.

#ifndef ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP
#define ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP

#include <algorithm>
#include <chrono>

#include <assent/driver.hpp>

namespace assent::dialects {

/// Of each lock.  Twice as long, for a table and a row of it, is still less than
/// limits::server_call, 5 s by default.
constexpr std::chrono::seconds lock_wait{2};

inline std::chrono::milliseconds row_wait(deadline until)
{
    using std::chrono::milliseconds;
    constexpr milliseconds least{100};
    constexpr milliseconds longest{lock_wait};
    auto const left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    return std::clamp(left / 2, least, longest);
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP
