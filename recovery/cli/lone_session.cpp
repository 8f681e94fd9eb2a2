// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/lone_session.hpp"

#include <exception>
#include <thread>

#include <assent/options.hpp>

namespace assent::cli {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{100};

deadline call_end()
{
    return steady::now() + limits{}.server_call;
}

}  // namespace

lone_session::lone_session(resource_manager const& where, known_database const& bound)
    : name_(where.name()), driver_(where.driver())
{
    try {
        if (bound.is_bound) driver_->note_known();
        facts_ = driver_->preflight(get(), call_end());
    } catch (std::exception const& e) {
        throw failure{exit_code::failed, "\"" + name_ + "\" cannot be asked: " + e.what()};
    }
    bool const is_same = facts_.identity == bound.identity && facts_.kind == bound.kind;
    if (!bound.is_bound || is_same) return;
    throw failure{exit_code::attention,
                  "\"" + name_ + "\" is not the database that it was (bound: " + bound.kind + " " +
                      bound.identity + ", found: " + facts_.kind + " " + facts_.identity +
                      "); nothing is decided there"};
}

driver_session& lone_session::get()
{
    if (!session_) {
        session_ = driver_->connect(session_purpose::manage, steady::now() + limits{}.connect);
    }
    return *session_;
}

server_life lone_session::guard(std::uint64_t node, std::chrono::milliseconds patience,
                                std::string const& if_held)
{
    std::string holder;
    try {
        guardian_ = driver_->connect(session_purpose::guardian, steady::now() + limits{}.connect);
        auto const until = steady::now() + patience;
        while (!driver_->try_guard(*guardian_, node, call_end())) {
            if (steady::now() >= until) {
                holder = driver_->guard_holder(*guardian_, node, call_end());
                guardian_.reset();
                break;
            }
            std::this_thread::sleep_for(pause);
        }
    } catch (std::exception const& e) {
        throw failure{exit_code::failed,
                      "\"" + name_ + "\" does not give this node's lock: " + e.what()};
    }
    if (guardian_) return guardian_->life();
    throw failure{exit_code::attention, "another process holds this node's lock in \"" + name_ +
                                            "\"" + (holder.empty() ? "" : " (" + holder + ")") +
                                            ": " + if_held};
}

}  // namespace assent::cli
