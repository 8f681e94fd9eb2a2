// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/connection.hpp"

#include <mutex>
#include <stdexcept>
#include <utility>

#include "adapters/switch_out/process.hpp"

namespace assent::switch_out {

namespace {

/// Guarded by the process's lock.
std::list<connection*>& all_connections()
{
    static auto* const all = new std::list<connection*>;
    return *all;
}

}  // namespace

connection::connection(held_session opened)
    : in_child_(std::move(opened.in_child)),
      session_(std::move(opened.session)),
      any_(dynamic_cast<dialects::any_branch_session*>(session_.get()))
{
    if (any_ == nullptr) throw std::logic_error("a session that takes only the manager's names");
    std::lock_guard const hold{process_lock()};
    place_ = all_connections().insert(all_connections().end(), this);
}

connection::~connection()
{
    std::lock_guard const hold{process_lock()};
    if (session_ != nullptr) all_connections().erase(place_);
}

reply connection::perform(verb v, dialects::branch_name const& x, std::chrono::seconds at_most)
{
    reply lost;
    lost.code = xa_code::rmfail;
    lost.detail = reply_detail::reply_lost;
    lost.text = "the database did not answer in time; the connection was cut";
    if (session_ == nullptr) return lost;
    auto const until = std::chrono::steady_clock::now() + at_most;
    if (v == verb::start) {
        // Nobody asks it: one phase whose answer is lost is XAER_RMFAIL.
        branch_modes modes;
        modes.has_witness = false;
        session_->declare(modes);
    }
    any_->submit_any(v, x);
    if (auto said = session_->collect(until)) return std::move(*said);
    session_->sever();
    // What is certain although nothing was heard: a commit that was never sent, for example.
    auto said = session_->collect(until);
    return said ? std::move(*said) : lost;
}

std::vector<std::uint64_t> connection::numbers(server_life const& of)
{
    std::vector<std::uint64_t> all;
    for (connection const* const each : all_connections()) {
        if (!each->is_given_up_ && each->life() == of) all.push_back(each->id());
    }
    return all;
}

void connection::abandon_all() noexcept
{
    for (connection* const each : all_connections()) {
        each->session_->abandon();
        // Its destructor may need threads that are not here.
        static_cast<void>(each->session_.release());
    }
    all_connections().clear();
}

}  // namespace assent::switch_out
