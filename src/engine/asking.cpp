// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asking.cpp -- whom to ask when the reply to a commit without a vote was lost: the server's
// witness of a one-phase commit, or the row that was to decide.
//
// Invariant: silence is no answer.  A branch that gets none within limits::phase2_wait is in doubt.

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "engine/termination.hpp"
#include "ports/connecting.hpp"
#include "shared/backoff.hpp"

namespace assent::engine {

using protocol::reply_class;

/// Asks the server of `b` on a connection of the manager's own until `ask` says that it was
/// answered, within limits::phase2_wait.
void termination::ask_own(branch const& b,
                          std::function<bool(driver_session&, deadline)> const& ask) const
{
    auto& driver = b.rm->driver();
    auto const until = shared_.time.now() + shared_.bounds.phase2_wait;
    shared::backoff pause{shared_.bounds.retry_min, shared_.bounds.completion_retry_max};
    std::mutex mutex;
    std::condition_variable nobody;
    while (shared_.time.now() < until) {
        try {
            ports::inherited_descriptor in_child;
            auto const session = ports::connect(driver, session_purpose::manage, until, in_child);
            bool const is_same =
                driver.preflight(*session, until).identity == b.rm->facts().identity;
            if (is_same && ask(*session, until)) return;
        } catch (std::exception const& e) {
            shared_.tell(severity::warning, "witness.unreachable", b.rm->name(), b.id.text(),
                         e.what());
        }
        std::unique_lock held{mutex};
        auto const next = std::min(pause.after(shared_.time.now(), std::chrono::hours{1}), until);
        while (shared_.time.now() < next)
            shared_.time.wait(held, nobody, next);
    }
}

/// A one-phase commit whose reply was lost: the server may still know.
void termination::ask_witness(std::size_t i)
{
    branch& b = *tx_.branches[i];
    auto& driver = b.rm->driver();
    if (!driver.capabilities().has_one_phase_witness || b.last_reply.witness.empty()) return;
    ask_own(b, [&](driver_session& session, deadline until) {
        switch (driver.ask_witness(session, b.last_reply.witness, until)) {
            case witness_state::committed:
                tx_.coordinator.on_reply(i, reply_class::witness_committed);
                return true;
            case witness_state::rolled_back:
                // The words first: without memory for them the witness is asked again.
                tx_.mark_rollback_only(
                    {"\"" + b.rm->name() + "\" lost its connection before it committed", true});
                tx_.coordinator.on_reply(i, reply_class::witness_rolled_back);
                return true;
            case witness_state::unknown:
                b.last_reply.witness.clear();  // nobody is left to ask
                return true;
            default:
                return false;
        }
    });
}

/// A commit with the row whose reply was lost: the row is asked, by the fence.  Its absence counts
/// while the guardian's lock is held as it was when the row was sent: in a gap a copy of this log
/// may have read the row, carried it out, and deleted it.  Then the row's keeper goes on asking.
void termination::ask_row(std::size_t i)
{
    branch const& b = *tx_.branches[i];
    auto const does_absence_count = [&] {
        return shared_.twin().empty() &&
               (shared_.presumption_delay().count() == 0 || !is_term_over(b));
    };
    ask_own(b, [&](driver_session& session, deadline until) {
        if (!does_absence_count()) return true;
        auto const row = b.rm->driver().decisions()->fence(session, tx_.id, until);
        if (!row) return false;
        if (row->kind == row_kind::abort && !does_absence_count()) return true;
        if (row->kind == row_kind::commit) {
            tx_.coordinator.on_reply(i, reply_class::row_commits);
            return true;
        }
        tx_.mark_rollback_only(
            {"\"" + b.rm->name() + "\" lost its connection before it committed", true});
        tx_.coordinator.on_reply(i, reply_class::row_aborts);
        return true;
    });
}

}  // namespace assent::engine
