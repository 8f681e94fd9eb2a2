// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/survey.hpp"

#include <exception>
#include <thread>

namespace assent::cli {

namespace {

surveyed_database ask(resource_manager const& which, std::chrono::milliseconds wait)
{
    surveyed_database seen;
    seen.name = which.name();
    try {
        auto& driver = *which.driver();
        auto const session =
            driver.connect(session_purpose::manage, std::chrono::steady_clock::now() + wait);
        seen.scan = driver.scan(*session, std::chrono::steady_clock::now() + wait);
    } catch (std::exception const& e) {
        seen.problem = e.what();
    }
    return seen;
}

}  // namespace

std::vector<surveyed_database> survey(std::vector<resource_manager> const& all,
                                      std::chrono::milliseconds wait)
{
    std::vector<surveyed_database> seen(all.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < all.size(); ++i) {
        threads.emplace_back([&, i] { seen[i] = ask(all[i], wait); });
    }
    threads.clear();  // waits for each
    return seen;
}

}  // namespace assent::cli
