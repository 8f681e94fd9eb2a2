// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_wait.hpp -- how long a fence waits for the lock of a row that is not committed yet.
//
// The server gives up before the client does: a connection whose answer was not waited for is of no
// use any more.

#ifndef ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP
#define ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP

#include <algorithm>
#include <chrono>

#include <assent/resource_manager.hpp>

namespace assent::dialects {

inline std::chrono::milliseconds row_wait(deadline until)
{
    using std::chrono::milliseconds;
    constexpr milliseconds for_the_answer{500};
    constexpr milliseconds least{100};
    constexpr milliseconds longest{5'000};
    auto const left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    return std::clamp(left - for_the_answer, least, longest);
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_ROW_WAIT_HPP
