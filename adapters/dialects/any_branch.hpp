// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// any_branch.hpp -- what a driver and its sessions do beyond the engine's port, for exported
// switches: they take and list branches of any name.
//
// The engine's port names our branches only, so that the manager can never touch another's.

#ifndef ASSENT_ADAPTERS_DIALECTS_ANY_BRANCH_HPP
#define ASSENT_ADAPTERS_DIALECTS_ANY_BRANCH_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/branch_name.hpp"

namespace assent::dialects {

/// A driver_session that is one of these too.
class any_branch_session
{
public:
    /// As driver_session::submit().  Its reply is had by driver_session::collect().
    virtual void submit_any(verb v, branch_name const& x) noexcept = 0;

    /// After a PREPARE that was answered with XA_OK, by a server that does not keep the branch to
    /// its session: whoever comes first ends it, and this session may begin another one.
    virtual void let_go() noexcept = 0;

protected:
    ~any_branch_session() = default;
};

/// The prepared branches whose names a foreign manager may have given.  Names of our layout, and
/// whatever cannot have been made by an exported switch, are left out.
struct any_branch_list
{
    std::vector<branch_name> branches;
    std::string identity;  ///< of the server that answered this very question
    server_life life;      ///< of that server
    std::string history;   ///< of that server, as server_facts::history
    bool is_writable_primary = false;
};

/// A resource_manager_driver that is one of these too.
class any_branch_driver
{
public:
    /// As resource_manager_driver::preflight(), and keeps nothing: whoever asks looks first whether
    /// it is the server that he means.
    virtual server_facts facts_of(driver_session& manage, deadline until) = 0;
    /// Sessions for work are held from now on to what facts_of() has read on `manage`.
    virtual void hold_to(driver_session& manage, server_facts const& seen) = 0;

    /// Ends, at the server, the sessions whose sockets could not be cut.  @throws driver_error
    virtual void end_cut(driver_session& manage, deadline until)
    {
        static_cast<void>(manage);
        static_cast<void>(until);
    }

    /// @throws driver_error  the list is not whole.
    virtual any_branch_list list_any(driver_session& manage, deadline until) = 0;

    /// The server's numbers of all sessions of our account but `manage`, where the server keeps
    /// what is prepared for the session that prepared it.  @throws driver_error
    virtual std::vector<std::uint64_t> other_sessions(driver_session& manage, deadline until)
    {
        static_cast<void>(manage);
        static_cast<void>(until);
        throw driver_error("this server keeps no branch for a session");
    }

protected:
    ~any_branch_driver() = default;
};

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_ANY_BRANCH_HPP
