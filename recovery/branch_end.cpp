// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/branch_end.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "ports/server_lives.hpp"
#include "recovery/refusal.hpp"

namespace assent::recovery {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{100};

std::string in_words(reply const& answer)
{
    if (answer.is_ok()) return "OK";
    std::string text = answer.text.empty() ? "a refusal without words" : answer.text;
    if (answer.code == xa_code::nota) text = "that it knows no such branch (" + text + ")";
    return text;
}

}  // namespace

branch_end::branch_end(std::string name, resource_manager_driver& driver, end_session& on,
                       limits const& bounds, std::chrono::milliseconds patience)
    : name_(std::move(name)), driver_(driver), on_(on), bounds_(bounds), patience_(patience)
{
}

void branch_end::require_same(server_life const& listed) const
{
    if (ports::is_same_where_known(listed, life())) return;
    throw refusal{act_status::attention, "\"" + name_ + "\" leads to one server and to another (" +
                                             listed.instance + ", " + facts().instance +
                                             "), or it has just been started again; name the "
                                             "primary alone, and run this again"};
}

scan_result branch_end::scan()
{
    try {
        return driver_.scan(on_.get(), call_end());
    } catch (std::exception const& e) {
        throw refusal{act_status::failed,
                      "\"" + name_ + "\" does not tell what it has prepared: " + e.what()};
    }
}

void branch_end::wait_until_let_go(xid const& which, std::string const& noted_start)
{
    auto const session = which.branch.parts().session;
    bool const can_be_kept = driver_.capabilities().stays_attached_after_prepare;
    if (!can_be_kept || session == 0 || facts().is_proxied) return;
    // Another start of the server ended every session of the starts before it.
    if (!noted_start.empty() && noted_start != facts().server_start) return;
    auto const until = steady::now() + patience_;
    for (;;) {
        auto seen = session_presence::unknown;
        std::uint64_t own = 0;
        try {
            auto& here = on_.get();
            own = here.id();
            seen = driver_.presence(here, session, call_end());
        } catch (std::exception const& e) {
            throw refusal{act_status::failed, "\"" + name_ + "\" does not tell whether session " +
                                                  std::to_string(session) +
                                                  " is there: " + e.what()};
        }
        // A session with our own number cannot be the one that prepared it.
        if (seen == session_presence::unknown || session == own) return;
        if (seen == session_presence::gone) break;
        if (steady::now() >= until) {
            throw refusal{act_status::attention,
                          "session " + std::to_string(session) + " of \"" + name_ +
                              "\", which prepared the branch, is still connected and keeps it; "
                              "end that session first"};
        }
        std::this_thread::sleep_for(pause);
    }
    std::this_thread::sleep_for(bounds_.detach_settle);
}

ended branch_end::end(xid const& which, bool by_commit)
{
    auto& here = on_.get();
    here.submit(by_commit ? verb::commit : verb::rollback, which);
    auto const answer = here.collect(call_end());
    ended how;
    how.was_heard = answer && answer->detail != reply_detail::reply_lost;
    how.was_done = how.was_heard && answer->is_ok();
    how.answer = answer ? in_words(*answer) : "nothing in time";
    if (answer && answer->code >= xa_code::heurmix && answer->code <= xa_code::heurhaz) {
        how.heuristic = answer->code;
    }
    try {
        if (!how.was_heard) {
            here.sever();
            on_.lose();
        }
        // What was sent and not answered may yet be done.
        auto const until = steady::now() + (how.was_heard ? 0ms : patience_);
        how.is_listed = is_listed(which);
        while (how.is_listed && steady::now() < until) {
            std::this_thread::sleep_for(pause);
            how.is_listed = is_listed(which);
        }
    } catch (std::exception const& e) {
        throw refusal{act_status::failed, "\"" + name_ + "\" was told, answered " + how.answer +
                                              ", and does not tell what it lists now: " + e.what() +
                                              "; run this again"};
    }
    return how;
}

bool branch_end::is_listed(xid const& which)
{
    // The one that was told: what a connection made since leads to is held against it.
    auto const told = facts();
    auto const seen = driver_.scan(on_.get(), call_end());
    bool const is_same =
        ports::is_same_where_known(seen.life, {told.instance, told.server_start}) &&
        seen.identity == told.identity;
    if (!is_same || !seen.is_writable_primary) {
        throw driver_error{"another server, or a standby, answered"};
    }
    return std::find(seen.ours.begin(), seen.ours.end(), which) != seen.ours.end();
}

}  // namespace assent::recovery
