// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// deciding.cpp -- the commit point, wherever the decision lives, and whom to ask when the reply to
// a commit without a vote was lost.
//
//   all voted yes --> veto? --> log->force(decision)                    one forced write, shared
//                          +--> the last resource commits work and row   one local commit
//
// The one invariant: phase 2 begins with a durable_decision, and only a decision port makes one.

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "engine/engine.hpp"
#include "protocol/assert.hpp"
#include "recovery/commit_row.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;

/// The decision port of one transaction whose decision lives in a row: the commit of its last
/// resource carries it.
class engine::row_port final : public ports::decision_port
{
public:
    row_port(engine& on, global_transaction& tx, std::size_t last)
        : engine_(on), tx_(tx), last_(last)
    {
    }

    ports::force_result force(ports::decision const& what, deadline until) noexcept override
    {
        std::string why;
        try {
            commit_with_row(what, until);
            if (state() != branch_state::committed) why = tx_.branches[last_]->last_reply.text;
        } catch (std::exception const&) {
            // Nothing was sent, or memory ran out while the reply was heard.
            if (protocol::is_outstanding(state())) {
                lose(*tx_.branches[last_]);
                tx_.coordinator.on_reply(last_, reply_class::silent);
            }
            why = "no memory";  // short enough to need none
        }
        if (state() == branch_state::committed) return attest(what.global);
        return failure(std::move(why));
    }

private:
    branch_state state() const noexcept { return tx_.coordinator.state(last_); }

    void commit_with_row(ports::decision const& what, deadline until)
    {
        branch& b = *tx_.branches[last_];
        b.rm->driver().decisions()->carry(
            *b.session, {what.global, row_kind::commit, recovery::content_of(what.branches)});
        verb next{};
        bool const is_due = tx_.coordinator.send(last_, next);
        ASSENT_ASSERT(is_due);
        b.last_verb = next;
        b.carries_row = true;
        if (b.is_connected) {
            engine_.tell_step(b, step::before);
            b.session->submit(next, b.id);
            engine_.tell_step(b, step::sent);
        }
        engine_.hear(tx_, last_, until);
        if (state() == branch_state::row_in_doubt) engine_.ask_row(tx_, last_);
    }

    ports::force_failure failure(std::string why) const noexcept
    {
        using kind = ports::force_failure::kind;
        bool const is_known = state() != branch_state::row_in_doubt;
        return {is_known ? kind::not_submitted : kind::in_doubt, std::move(why)};
    }

    engine& engine_;
    global_transaction& tx_;
    std::size_t const last_;
};

/// Until the decision is handed to its port, anything may still veto it.
void engine::decide(global_transaction& tx)
{
    tx.status = assent::status::prepared;
    auto& coordinator = tx.coordinator;
    ports::decision what;
    what.global = tx.id;
    std::string veto;
    std::size_t last = tx.branches.size();
    if (shared_.time.now() >= tx.until) veto = "its deadline passed";
    if (auto const twin = shared_.twin(); !twin.empty()) veto = "a twin of this log: " + twin;
    for (std::size_t i = 0; i < tx.branches.size(); ++i) {
        branch const& b = *tx.branches[i];
        if (b.is_last) last = i;
        if (!b.is_last && coordinator.state(i) != branch_state::prepared) continue;
        what.branches.push_back(b.id.branch);
        if (!b.rm->is_guarded()) {
            veto =
                "the guardian of \"" + b.rm->name() + "\" lost its lock; votes there do not count";
        }
    }
    if (!veto.empty()) {
        tx.mark_rollback_only({veto, false});
        coordinator.veto();
        return;
    }
    shared_.tell(severity::debug, "decision.force", {}, tx.id.text(), {});
    bool const is_in_log = tx.id.parts().place == decision_place::log;
    ASSENT_ASSERT(is_in_log == (last == tx.branches.size()));
    auto const asked_at = shared_.time.now();
    auto const forced = is_in_log
                            ? shared_.log->force(what, asked_at + shared_.bounds.log_force)
                            : row_port{*this, tx, last}.force(
                                  what, std::max(tx.until, asked_at + shared_.bounds.phase2_wait));
    // First what counts, then what is said of it, for which memory may run out.
    auto const* const proof = std::get_if<ports::durable_decision>(&forced);
    auto const* const failure = std::get_if<ports::force_failure>(&forced);
    bool const is_refused =
        failure != nullptr && failure->what == ports::force_failure::kind::not_submitted;
    if (proof != nullptr) {
        ASSENT_ASSERT(proof->global() == tx.id);
        coordinator.decided(*proof);
    } else if (is_refused) {
        coordinator.decision_refused();
    } else {
        coordinator.decision_unknown();
        tx.is_undecided = is_in_log;  // of a row, its keeper goes on asking
    }
    tx.room.release();
    auto const took = shared_.time.now() - asked_at;
    if (is_in_log && took > shared_.bounds.log_force_slow) {
        using std::chrono::milliseconds;
        auto const ms = std::chrono::duration_cast<milliseconds>(took).count();
        shared_.tell(severity::warning, "log.force.slow", {}, tx.id.text(),
                     std::to_string(ms) + " ms for one decision");
    }
    if (proof != nullptr) {
        shared_.tell(severity::debug, "decision.durable", {}, tx.id.text(), {});
        shared_.outcomes.note(tx.id, known_outcome::committed);
        return;
    }
    if (tx.is_undecided) {
        shared_.tell(severity::alarm, "log.force.failed", {}, tx.id.text(), failure->why);
    }
    tx.mark_rollback_only(
        {(is_in_log ? "the decision log failed: " : "the commit row failed: ") + failure->why,
         false});
}

/// Asks the server of `b` on a connection of the manager's own until `ask` says that it was
/// answered, within limits::phase2_wait.
void engine::ask_own(branch const& b,
                     std::function<bool(driver_session&, deadline)> const& ask) const
{
    auto& driver = b.rm->driver();
    auto const until = shared_.time.now() + shared_.bounds.phase2_wait;
    backoff pause{shared_.bounds.retry_min, shared_.bounds.completion_retry_max};
    std::mutex mutex;
    std::condition_variable nobody;
    while (shared_.time.now() < until) {
        try {
            auto const session = driver.connect(session_purpose::manage, until);
            inherited_descriptor const in_child{session->descriptor()};
            bool const is_same =
                driver.preflight(*session, until).identity == b.rm->facts().identity;
            if (is_same && ask(*session, until)) return;
        } catch (std::exception const& e) {  // of the application's own connect function, too
            shared_.tell(severity::warning, "witness.unreachable", b.rm->name(), b.id.text(),
                         e.what());
        } catch (...) {
            shared_.tell(severity::warning, "witness.unreachable", b.rm->name(), b.id.text(),
                         "the connect function threw something that is no std::exception");
        }
        std::unique_lock held{mutex};
        auto const next = std::min(pause.after(shared_.time.now(), std::chrono::hours{1}), until);
        while (shared_.time.now() < next)
            shared_.time.wait(held, nobody, next);
    }
}

/// A one-phase commit whose reply was lost: the server may still know.
void engine::ask_witness(global_transaction& tx, std::size_t i)
{
    branch& b = *tx.branches[i];
    auto& driver = b.rm->driver();
    if (!driver.capabilities().has_one_phase_witness || b.last_reply.witness.empty()) return;
    ask_own(b, [&](driver_session& session, deadline until) {
        switch (driver.ask_witness(session, b.last_reply.witness, until)) {
            case witness_state::committed:
                tx.coordinator.on_reply(i, reply_class::witness_committed);
                return true;
            case witness_state::rolled_back:
                // The words first: without memory for them the witness is asked again.
                tx.mark_rollback_only(
                    {"\"" + b.rm->name() + "\" lost its connection before it committed", true});
                tx.coordinator.on_reply(i, reply_class::witness_rolled_back);
                return true;
            case witness_state::unknown:
                b.last_reply.witness.clear();  // nobody is left to ask
                return true;
            default:
                return false;
        }
    });
}

/// A commit with the row whose reply was lost: the row is asked, by the fence.
void engine::ask_row(global_transaction& tx, std::size_t i)
{
    branch const& b = *tx.branches[i];
    ask_own(b, [&](driver_session& session, deadline until) {
        auto const row = b.rm->driver().decisions()->fence(session, tx.id, until);
        if (!row) return false;
        if (row->kind == row_kind::commit) {
            tx.coordinator.on_reply(i, reply_class::row_commits);
            return true;
        }
        tx.mark_rollback_only(
            {"\"" + b.rm->name() + "\" lost its connection before it committed", true});
        tx.coordinator.on_reply(i, reply_class::row_aborts);
        return true;
    });
}

}  // namespace assent::engine
