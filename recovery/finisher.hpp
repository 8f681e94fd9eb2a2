// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// finisher.hpp -- sends what is due in the completion queue, one branch at a time, on a connection
// of its own.  There are several for each database (limits::completion_sessions_max), so that one
// answer that does not come holds up one of them.
//
// The permission to presume abort expires: whether it may be presumed, and that there is no
// decision, is asked again where the rollback is sent, and the answer is waited for only as long as
// the permission lasts.  A copy of the log may have come since the list that found the branch.
//
// A branch that stays with its session is finished by name only some time after that session was
// seen to be gone: MariaDB takes a session apart in steps, and until the last of them it answers OK
// to a COMMIT or ROLLBACK that does nothing, and forgets the name (ADR 37).

#ifndef ASSENT_RECOVERY_FINISHER_HPP
#define ASSENT_RECOVERY_FINISHER_HPP

#include <cstddef>
#include <string>

#include "recovery/completion_queue.hpp"
#include "recovery/guardian.hpp"
#include "recovery/own_session.hpp"
#include "recovery/told_once.hpp"
#include "recovery/worker.hpp"

namespace assent::recovery {

using shared::context;

class finisher final : public worker
{
public:
    /// `rank`: it works only while more branches than that are due.
    finisher(context& shared, bound_database& at, completion_queue& queue, guardian const& guard,
             std::size_t rank);

    /// @pre  its thread was joined.
    void close() noexcept { session_.close(); }
    void cut() noexcept override { session_.cut(); }

private:
    deadline work() override;
    void finish(completion_queue::turn& one);
    bool send(completion_queue::turn& one, driver_session& on);
    bool is_let_go(completion_queue::turn& one, driver_session& on);
    static void refuse(completion_queue::turn& one);
    bool may_roll_back(due_branch const& item) const;
    void tell_handler_failed(due_branch& item, reply const& answer);
    bool send_verb(completion_queue::turn& one, driver_session& on, verb what,
                   protocol::branch_state from);

    bound_database& at_;
    completion_queue& queue_;
    guardian const& guard_;
    std::size_t const rank_;
    own_session session_;
    told_once told_;  // why it could not work
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_FINISHER_HPP
