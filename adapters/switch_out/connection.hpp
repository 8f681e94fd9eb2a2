// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.hpp -- one connection of an exported switch: a driver's session, by a deadline.
//
// Invariant: a connection that did not answer in time is cut, so that a late answer is nobody's. In
// a forked child it is the parent's: its socket is closed there, also where the fork met the
// connect, and it is never touched again.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_CONNECTION_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_CONNECTION_HPP

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "ports/forks.hpp"

namespace assent::switch_out {

/// A driver's session whose socket no forked child keeps.
struct held_session
{
    std::unique_ptr<driver_session> session;
    ports::inherited_descriptor in_child;
};

/// Thread safety: one thread at a time.
class connection
{
public:
    /// @throws std::logic_error  it is no session of an adapter that takes any name.
    explicit connection(held_session opened);
    ~connection();
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// A verb to its end, or until it has taken `at_most`.
    reply perform(verb v, dialects::branch_name const& x, std::chrono::seconds at_most);
    /// What is prepared here may be ended anywhere, and another branch be begun.
    void let_go() noexcept { any_->let_go(); }

    bool is_reusable() const noexcept { return session_ != nullptr && session_->is_reusable(); }
    void* handle() const noexcept
    {
        return session_ == nullptr ? nullptr : session_->native_handle();
    }

    std::uint64_t id() const noexcept { return session_ == nullptr ? 0 : session_->id(); }
    server_life life() const { return session_ == nullptr ? server_life{} : session_->life(); }

    /// It will be closed, and what is prepared there is in no table any more.
    /// @pre  the lock of the process is held.
    void give_up() noexcept { is_given_up_ = true; }
    /// The server's numbers of all connections of this process to it that are not given up.
    /// @pre  the lock of the process is held.
    static std::vector<std::uint64_t> numbers(server_life const& of);

    /// In a forked child, with the lock of the process held: of all connections.
    static void abandon_all() noexcept;

private:
    ports::inherited_descriptor in_child_;
    std::unique_ptr<driver_session> session_;  // null in a forked child
    dialects::any_branch_session* any_;
    bool is_given_up_ = false;
    std::list<connection*>::iterator place_;  // among all of the process
};

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_CONNECTION_HPP
