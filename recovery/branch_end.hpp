// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branch_end.hpp -- one prepared branch is ended by its name, because a person says so.

#ifndef ASSENT_RECOVERY_BRANCH_END_HPP
#define ASSENT_RECOVERY_BRANCH_END_HPP

#include <chrono>
#include <optional>
#include <string>

#include <assent/driver.hpp>
#include <assent/options.hpp>

namespace assent::recovery {

/// How it ended.
struct ended
{
    bool was_heard = false;            ///< the server answered
    bool was_done = false;             ///< and said that it did what was asked
    bool is_listed = false;            ///< it is still prepared
    std::string answer;                ///< in words
    std::optional<xa_code> heuristic;  ///< XA_HEURCOM to XA_HEURHAZ, where it was one
};

/// The connection on which it is ended, made anew where it was lost.
class end_session
{
public:
    virtual ~end_session() = default;

    /// @throws driver_error  it cannot be made.
    virtual driver_session& get() = 0;
    /// Who the server is.  @pre  get() returned.
    virtual server_facts const& facts() const noexcept = 0;
    /// It is of no use any more.
    virtual void lose() noexcept = 0;
};

class branch_end
{
public:
    /// @pre  `on.get()` returned.  `patience`: for a session of a process that has just ended.
    branch_end(std::string name, resource_manager_driver& driver, end_session& on,
               limits const& bounds, std::chrono::milliseconds patience);

    std::string const& name() const noexcept { return name_; }
    server_facts const& facts() const noexcept { return on_.facts(); }

    /// @throws refusal  attention: `listed`, which told what is prepared, is another server, though
    ///                  it has the same identity: a replica, or a member of a cluster.
    void require_same(server_life const& listed) const;

    /// What it lists.
    /// @throws refusal  failed: it does not answer, or is not the primary.
    scan_result scan();

    /// Waits until the session that prepared the branch has let go of it, as recovery does: a
    /// server that keeps a branch for its session (MariaDB) answers OK while it takes that session
    /// apart, and does nothing.  `noted_start`: of the server when it was prepared; may be empty.
    /// @throws refusal  attention: that session is still there.
    void wait_until_let_go(xid const& which, std::string const& noted_start);

    /// Commits it or rolls it back, then asks for the list.
    /// @throws refusal  failed: the server did not answer for the list; what was sent may have been
    ///                  done.
    ended end(xid const& which, bool by_commit);

    /// Whether it is still prepared, on that server.  @throws std::exception  it does not tell.
    bool is_listed(xid const& which);

private:
    deadline call_end() const { return std::chrono::steady_clock::now() + bounds_.server_call; }
    server_life life() const { return {facts().instance, facts().server_start}; }

    std::string name_;
    resource_manager_driver& driver_;
    end_session& on_;
    limits const bounds_;
    std::chrono::milliseconds patience_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_BRANCH_END_HPP
