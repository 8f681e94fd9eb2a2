// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource.hpp -- the routines of an exported switch, for one kind of database: C193's tables 6-1,
// 6-2 and 6-4 around an adapter's sessions.
//
//   associations.cpp   who works on which branch: open, close, start, end
//   endings.cpp        prepare, commit, rollback, forget, recover, complete
//   verdicts.hpp       what the database's replies become
//
// Threads of control are threads.  What the tables forbid is refused before anything is sent. After
// XAER_RMFAIL the thread has not opened the rmid any more, as table 6-2 has it.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_RESOURCE_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_RESOURCE_HPP

#include <xopen/xa.h>

#include <map>
#include <memory>
#include <string>

#include "adapters/switch_out/control.hpp"
#include "adapters/switch_out/database.hpp"
#include "adapters/switch_out/verdicts.hpp"

namespace assent::switch_out {

/// What a call is refused with.
struct refusal
{
    int code;
    std::string why;
};

/// Thread safety: every member may be called from several threads at once.
class resource
{
public:
    explicit resource(driver_maker make);

    int open(char const* xa_info, int rmid, long flags) noexcept;
    int close(int rmid, long flags) noexcept;
    int start(XID const* x, int rmid, long flags) noexcept;
    int end(XID const* x, int rmid, long flags) noexcept;
    int prepare(XID const* x, int rmid, long flags) noexcept;
    int commit(XID const* x, int rmid, long flags) noexcept;
    int rollback(XID const* x, int rmid, long flags) noexcept;
    int forget(XID const* x, int rmid, long flags) noexcept;
    int recover(XID* list, long count, int rmid, long flags) noexcept;
    int complete(int const* handle, int const* retval, int rmid, long flags) noexcept;

    /// The connection of the branch that the calling thread is associated with, or null.
    void* handle(int rmid) const noexcept;
    /// Of the calling thread's last call: why it was not XA_OK.
    static char const* message() noexcept;

private:
    template <typename Work>
    int answered(int rmid, int otherwise, Work work) noexcept;

    /// The calling thread's, or null: it has not opened that rmid.
    control* find(int rmid) const noexcept;
    /// @throws refusal  XAER_PROTO
    control& opened(int rmid) const;
    void leave(int rmid) noexcept;
    std::shared_ptr<database> database_of(int rmid, std::string const& xa_info);

    int begin(control& me, dialects::branch_name const& name);
    static int join(control& me, dialects::branch_name const& name);
    static int resume(control& me, dialects::branch_name const& name);
    static int dissociate(control& me, dialects::branch_name const& name, long flags);

    /// Of a settled branch; else 0.
    static int heuristic_of(control const& me, dialects::branch_name const& name);
    static bool is_idle(control const& me, dialects::branch_name const& name);
    static bool is_in_doubt(control const& me, dialects::branch_name const& name);
    static branch_ptr claim_idle(control& me, dialects::branch_name const& name);
    static branch_ptr claim_prepared(control& me, dialects::branch_name const& name, verb how);
    static int conclude(control& me, branch_ptr const& which, verdict found, bool stays);
    static int end_idle(control& me, branch_ptr const& which, verb how);
    /// Whether a connection of this process holds it prepared, under whichever rmid.
    bool is_kept_here(dialects::branch_name const& name) const;
    int end_prepared(control& me, branch_ptr const& which, verb how);

    driver_maker const make_;
    std::map<int, std::shared_ptr<database>> all_;  // under process_lock()
};

/// @throws refusal  XAER_INVAL: a flag that is not among `taken`; XAER_ASYNC: TMASYNC
void allow(long flags, long taken);
/// @throws refusal  XAER_INVAL
dialects::branch_name name_of(XID const* x);

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_RESOURCE_HPP
