// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// database.hpp -- what an rmid of an exported switch stands for: one database of one process.
//
// Every opening reads again that the server would keep a vote (the adapter's preflight), and that
// it is still the same server.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_DATABASE_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_DATABASE_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/switch_out/branches.hpp"
#include "adapters/switch_out/settings.hpp"
#include "adapters/switch_out/verdicts.hpp"

namespace assent::switch_out {

/// Of an adapter: its driver by a name and a connect string.
/// @throws driver_error  errc::bad_argument: the connect string cannot be used.
using driver_maker = std::shared_ptr<resource_manager_driver> (*)(std::string const& name,
                                                                  settings const& given);

/// To connect, and to be told who the server is, as a part of a call's time.
inline constexpr std::chrono::seconds connect_at_most{10};

/// After a session has left the server's list, until what it had prepared may be ended by its name.
inline constexpr std::chrono::milliseconds session_settle{1000};

/// Thread safety: every member may be called from several threads at once; `branches` under
/// process_lock().
class database
{
public:
    /// @throws driver_error  errc::bad_argument
    database(driver_maker make, int rmid, std::string xa_info);

    std::string const& info() const noexcept { return info_; }
    settings const& given() const noexcept { return given_; }

    /// Whether what is prepared stays with the connection that prepared it.
    bool keeps_prepared() const noexcept { return keeps_prepared_.load(); }

    /// Whether a crash of the server may undo what it acknowledged in one phase.
    bool undoes_one_phase() const noexcept { return undoes_one_phase_.load(); }

    /// Looks whether the server would keep what it votes for, and connects.
    /// @throws driver_error
    std::shared_ptr<connection> open();
    /// Another connection to the server that open() has seen.  @throws driver_error
    std::shared_ptr<connection> connect();

    /// @throws driver_error  the list is not whole, or not of that server.
    std::vector<dialects::branch_name> list() { return read_list().branches; }

    /// Whether a branch is listed by the server's instance that said that it has none.
    /// @param asked  the life of that server
    /// @throws driver_error  as list(), or it is of another instance.
    absence look_for(dialects::branch_name const& name, server_life const& asked);

    /// Whether that session can do nothing any more to what is read from now on: a server that was
    /// restarted, or replaced by another one which open() has accepted, has none of it.
    /// @throws driver_error
    bool is_gone(session_mark const& which);

    /// Whether the session that prepared a branch of keeps_prepared() is gone for certain, and has
    /// been for session_settle: it waits for that.  Before, the server can answer OK to its end,
    /// and do nothing (docs/adr/0037-nothing-is-finished-by-name-while-its-session-ends.md).
    /// @param first  as branch::first_asked
    /// @throws driver_error  the server does not show sessions.
    bool is_owner_gone(session_mark& first);

    branch_table branches;
    /// Set in a forked child, whose parent has it open.
    bool is_inherited = false;

private:
    deadline connect_by() const;
    /// A connection of its own: whatever the application set on its connection is not in the way.
    /// @throws driver_error  also where it does not lead to the server that was last opened.
    held_session ask(deadline until);
    dialects::any_branch_list read_list();

    std::string const info_;
    settings const given_;
    std::shared_ptr<resource_manager_driver> const driver_;
    /// As of the first opening: a later connection may lead to another kind of server.
    std::atomic<bool> keeps_prepared_{true};
    std::atomic<bool> undoes_one_phase_{false};  // as of the last one

    // Under process_lock().
    std::string identity_;  // of the first preflight
    std::string history_;   // likewise
    std::string instance_;  // of the last one

    /// Since when all sessions before this one are gone; under process_lock().
    struct departure
    {
        session_mark before;
        deadline seen;
    };
    departure departed_;
};

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_DATABASE_HPP
