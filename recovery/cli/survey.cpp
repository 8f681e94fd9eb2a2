// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/survey.hpp"

#include <exception>
#include <thread>

namespace assent::cli {

namespace {

// More of them wait for something than anybody reads; what is then not seen is "not known".
constexpr std::size_t rows_max = 10'000;

void read_rows(surveyed_database& into, resource_manager_driver& driver, driver_session& session,
               std::chrono::milliseconds wait)
{
    auto* const table = driver.decisions();
    if (table == nullptr) return;
    try {
        into.rows =
            table->list(session, "asn1r", rows_max, std::chrono::steady_clock::now() + wait);
    } catch (std::exception const& e) {
        into.rows_problem = e.what();
    }
}

surveyed_database ask(resource_manager const& which, std::chrono::milliseconds wait)
{
    surveyed_database seen;
    seen.name = which.name();
    try {
        auto& driver = *which.driver();
        auto const session =
            driver.connect(session_purpose::manage, std::chrono::steady_clock::now() + wait);
        seen.scan = driver.scan(*session, std::chrono::steady_clock::now() + wait);
        read_rows(seen, driver, *session, wait);
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
