// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/survey.hpp"

#include <algorithm>
#include <exception>
#include <thread>

#include "recovery/refused_account.hpp"

namespace assent::cli {

namespace {

/// What fails by itself, and leaves the list as good as it is.
template <class Question>
void ask_besides(std::string& problem, Question const& question)
{
    try {
        question();
    } catch (std::exception const& e) {
        problem = e.what();
    }
}

/// Where a server keeps a branch for the session that prepared it.
void find_sessions(surveyed_database& into, resource_manager_driver& driver,
                   driver_session& session, deadline until)
{
    if (!driver.capabilities().stays_attached_after_prepare) return;
    std::set<std::uint64_t> wanted;
    for (xid const& id : into.scan->ours) {
        auto const number = id.branch.parts().session;
        bool const is_wanted = number != 0 && number != session.id();
        if (is_wanted && wanted.size() < survey_sessions_max) wanted.insert(number);
    }
    for (auto const number : wanted) {
        if (driver.presence(session, number, until) == session_presence::present)
            into.sessions.insert(number);
    }
}

surveyed_database ask(resource_manager const& which, std::uint64_t node,
                      std::chrono::milliseconds wait)
{
    surveyed_database seen;
    seen.name = which.name();
    auto const call_end = [wait] { return std::chrono::steady_clock::now() + wait; };
    try {
        auto& driver = *which.driver();
        auto const session = driver.connect(session_purpose::manage, call_end());
        seen.runs_handlers = driver.capabilities().runs_handlers;
        seen.scan = driver.scan(*session, call_end());
        ask_besides(seen.rows_problem, [&] {
            auto* const table = driver.decisions();
            if (table == nullptr) return;
            seen.rows = table->list(*session, "asn1r", survey_rows_max, call_end());
        });
        ask_besides(seen.past_problem,
                    [&] { seen.past = driver.read_past(*session, node, call_end()); });
        ask_besides(seen.lock_problem,
                    [&] { seen.lock_holder = driver.guard_holder(*session, node, call_end()); });
        ask_besides(seen.sessions_problem,
                    [&] { find_sessions(seen, driver, *session, call_end()); });
    } catch (driver_error const& e) {
        seen.problem = e.what();
        if (recovery::is_login_refused(e)) seen.why_not = reason::login_refused;
        if (recovery::is_table_missing(e)) seen.why_not = reason::table_missing;
        if (recovery::is_right_missing(e)) seen.why_not = reason::right_missing;
    } catch (std::exception const& e) {
        seen.problem = e.what();
    }
    return seen;
}

}  // namespace

std::vector<surveyed_database> survey(std::vector<resource_manager> const& all, std::uint64_t node,
                                      std::chrono::milliseconds wait,
                                      std::function<void(std::string const&)> const& on_answer)
{
    std::vector<surveyed_database> seen(all.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < all.size(); ++i) {
        threads.emplace_back([&, i] {
            seen[i] = ask(all[i], node, wait);
            if (on_answer) on_answer(all[i].name());
        });
    }
    threads.clear();  // waits for each
    return seen;
}

surveyed_database const* listing_of(std::string const& name,
                                    std::vector<surveyed_database> const& all) noexcept
{
    auto const at =
        std::find_if(all.begin(), all.end(), [&](auto const& each) { return each.name == name; });
    return at == all.end() ? nullptr : &*at;
}

}  // namespace assent::cli
