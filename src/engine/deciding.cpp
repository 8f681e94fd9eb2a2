// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// deciding.cpp -- the commit point, wherever the decision lives.
//
//   all voted yes --> veto? --> log->force(decision)                    one forced write, shared
//                          +--> the last resource commits work and row   one local commit
//
// Invariant: phase 2 begins with a durable_decision, and only a decision port makes one.

#include <algorithm>
#include <utility>

#include "engine/termination.hpp"
#include "protocol/assert.hpp"
#include "protocol/mutation.hpp"
#include "recovery/commit_row.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;

/// The decision port of one transaction whose decision lives in a row: the commit of its last
/// resource carries it.
class termination::row_port final : public ports::decision_port
{
public:
    row_port(termination& of, std::size_t last) : ends_(of), tx_(of.tx_), last_(last) {}

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
            why = "memory ran out";  // short enough to need none
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
            ends_.tell_step(b, step::before);
            b.session->submit(next, b.id);
            ends_.tell_step(b, step::sent);
        }
        ends_.hear(last_, until);
        if (state() == branch_state::row_in_doubt) ends_.ask_row(last_);
    }

    ports::force_failure failure(std::string why) const noexcept
    {
        using kind = ports::force_failure::kind;
        // Known means that this row can never be committed, so that rolling back is the truth.  A
        // row in doubt may still decide to commit: neither commit nor rollback may be sent.
        bool const is_known = state() != branch_state::row_in_doubt;
        return {is_known ? kind::not_submitted : kind::in_doubt, std::move(why)};
    }

    termination& ends_;
    global_transaction& tx_;
    std::size_t const last_;
};

/// Until the decision is handed to its port, anything may still veto it.
void termination::decide()
{
    tx_.status = assent::status::prepared;
    ports::decision what;
    what.global = tx_.id;
    if (!gather(what)) {
        tx_.coordinator.veto();
        return;
    }
    shared_.tell(severity::debug, "decision.force", {}, tx_.id.text(), {});
    auto const asked_at = shared_.time.now();
    auto const forced = make_durable(what);
    take(forced, shared_.time.now() - asked_at);
}

/// Whose votes the decision names.  @return false where something speaks against it: the
/// transaction is marked with that.
bool termination::gather(ports::decision& what)
{
    std::string veto;
    bool is_transient = false;
    bool has_last = false;
    bool const may_be_copied = shared_.presumption_delay().count() != 0;
    // The last look at the deadline: once the log has the decision, a rollback would be untrue.
    if (shared_.time.now() >= tx_.until) veto = "its deadline passed";
    if (auto const twin = shared_.twin(); !twin.empty()) veto = "a twin of this log: " + twin;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch& b = *tx_.branches[i];
        has_last = has_last || b.is_last;
        if (!b.is_last && tx_.coordinator.state(i) != branch_state::prepared) continue;
        what.branches.push_back(b.id.branch);
        note_guard(b);
        // A copy of this log may have rolled back what was prepared before a gap, and have gone.
        bool const has_gap = may_be_copied && !b.is_last && b.asked_in_term != b.term;
        if (b.term == 0 || has_gap) veto = b.rm->why_unguarded();
        // A vote counts where the manager itself can see the branch: one that is prepared on a
        // server that nobody scans would stay prepared, with its locks, for ever.
        if (!b.rm->may_be_life(b.life)) {
            is_transient = true;
            veto = why_elsewhere(b);
        }
    }
    if (tx_.row_place && !has_last) {
        veto = "a read-only branch had to be prepared, and \"" + tx_.row_place->name() +
               "\", whose row would decide, has no part in it";
    }
    if (veto.empty()) return true;
    tx_.mark_rollback_only({veto, is_transient});
    return false;
}

/// The commit point.
ports::force_result termination::make_durable(ports::decision const& what)
{
    auto const now = shared_.time.now();
    auto const& all = tx_.branches;
    auto const last =
        std::find_if(all.begin(), all.end(), [](auto const& each) { return each->is_last; });
    ASSENT_ASSERT(is_in_log() == (last == all.end()));
    if (is_in_log()) return shared_.log->force(what, now + shared_.bounds.log_hang);
    row_port in_row{*this, static_cast<std::size_t>(last - all.begin())};
    return in_row.force(what, std::max(tx_.wait_end(now), now + shared_.bounds.phase2_wait));
}

/// First what counts, then what is said of it, for which memory may run out.
void termination::take(ports::force_result const& forced, deadline::duration took)
{
    auto& coordinator = tx_.coordinator;
    auto const* const proof = std::get_if<ports::durable_decision>(&forced);
    auto const* const failure = std::get_if<ports::force_failure>(&forced);
    bool const is_refused =
        failure != nullptr && failure->what == ports::force_failure::kind::not_submitted;
    // While a lock was lost, a copy of this log may have presumed abort.  A row decides by itself.
    bool const is_late = proof != nullptr && is_in_log() && has_lapsed() &&
                         !protocol::mutated(protocol::mutation::late_force_committed);
    if (is_late) {
        coordinator.decision_unknown();
        tx_.is_undecided = true;
    } else if (proof != nullptr) {
        ASSENT_ASSERT(proof->global() == tx_.id);
        coordinator.decided(*proof);
    } else if (is_refused) {
        // Nothing reached the log's file, or the row can never be committed: nobody can find this
        // decision later, and rolling back is the truth.
        coordinator.decision_refused();
    } else {
        // The decision may be durable, and the next opening would commit by it; or it may not be,
        // and the next opening would roll back.  Whatever is sent now could be against that.
        coordinator.decision_unknown();
        tx_.is_undecided = is_in_log();  // of a row, its keeper goes on asking
    }
    tx_.room.release();
    if (is_in_log() && took > shared_.bounds.log_force_slow) {
        using std::chrono::milliseconds;
        auto const ms = std::chrono::duration_cast<milliseconds>(took).count();
        shared_.tell(severity::warning, "log.force.slow", {}, tx_.id.text(),
                     "the force of one decision took " + std::to_string(ms) + " ms");
    }
    if (is_late) {
        std::string const why = "a guardian's lock lapsed before the decision was durable";
        shared_.tell(severity::alarm, "decision.late", {}, tx_.id.text(), why);
        tx_.mark_rollback_only({why, false});
        return;
    }
    if (proof != nullptr) {
        shared_.tell(severity::debug, "decision.durable", {}, tx_.id.text(), {});
        shared_.outcomes.note(tx_.id, known_outcome::committed);
        return;
    }
    if (tx_.is_undecided) {
        shared_.tell(severity::alarm, "log.force.failed", {}, tx_.id.text(), failure->why);
    }
    tx_.mark_rollback_only(
        {(is_in_log() ? "the decision log failed: " : "the commit row failed: ") + failure->why,
         false});
}

std::string termination::why_elsewhere(branch const& b)
{
    return "the session of \"" + b.rm->name() +
           "\" is on another server, or in another life of it, than the one that is scanned";
}

void termination::note_guard(branch& b) noexcept
{
    b.reign = b.rm->guard_reign();  // first: a term that begins now has this reign, or a later one
    b.term = b.rm->guard_term();
}

/// Whether the guardian's lock there was lost since the decision was to be made.
bool termination::is_term_over(branch const& b) noexcept
{
    return b.term != 0 && b.term != b.rm->guard_term();
}

/// Whether the lock of a database that the decision names was lost since it was asked for.
/// Where no copy of the log can be at work, nobody has made use of that time.
bool termination::has_lapsed() const noexcept
{
    if (shared_.presumption_delay().count() == 0) return false;
    return std::any_of(tx_.branches.begin(), tx_.branches.end(),
                       [](auto const& b) { return is_term_over(*b); });
}

}  // namespace assent::engine
