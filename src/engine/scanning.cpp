// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scanning.cpp -- what a keeper learns from its database, and what it concludes.
//
//   scan:       sessions, the list, the live table, the decisions, in this order; then carry out
//   horizon:    what may never come back: what this run has finished; and what earlier ones left,
//               once nothing of it is listed or connected
//
// What to do with a listed branch is decided in protocol/recovery_rules.hpp alone.

#include <algorithm>
#include <set>
#include <utility>

#include "engine/keeper.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::engine {

using protocol::branch_state;

namespace {

// A server that lists a branch and refuses to let us finish it so often keeps it for the session
// that prepared it; that session is then ended.
constexpr int refusals_before_ending_the_session = 3;

constexpr std::uint32_t first_epoch = 1;

}  // namespace

void keeper::scan()
{
    // Sessions first: only a scan that began after a session was gone proves anything about it.
    if (!are_older_sessions_gone_) {
        // Before a log's first opening there was no branch that a session could still prepare.
        are_older_sessions_gone_ =
            shared_.log->current().epoch == first_epoch ||
            driver().older_sessions(*manage_.session, call_end()) == session_presence::gone;
    }
    due_.for_each([this](due_branch& item) { note_session_presence(item); });
    shared_.let_go_of_decided();

    auto const seen = driver().scan(*manage_.session, call_end());
    if (seen.identity != facts().identity) {
        throw driver_error{"another server answered the scan (" + seen.identity + ")"};
    }
    if (!seen.is_writable_primary) {
        throw driver_error{"this server is read-only or a standby: its scan proves nothing"};
    }
    shared_.tell(severity::debug, "recovery.scanned", name(), {}, {});
    for (auto const& text : seen.warnings) {
        if (!warnings_.insert(text).second) continue;
        shared_.tell(severity::warning, "resource_manager.at_risk", name(), {}, text);
    }
    std::set<xid> const listed{seen.ours.begin(), seen.ours.end()};
    due_.for_each([&](due_branch& item) {
        // What is listed has lived through whatever happened to the server.
        if (listed.count(item.id) != 0) item.history = history();
        item.has_other_past = past_.has_other(item.id.global.parts().epoch, item.history);
    });
    due_.on_scan(listed);
    auto const what = recovery::resolve(
        seen, id_, shared_.facts(), [this](gtrid const& id) { return shared_.live.contains(id); },
        may_presume_abort());
    awaits_rows_ = false;
    carry_out(what);
    note_older_runs(what);
    warn_of_growth();

    bool const is_waiting = !suspects_.empty() ||
                            std::any_of(what.listed.begin(), what.listed.end(), [](auto const& b) {
                                return b.action == protocol::listed_action::wait;
                            });
    bool const is_older_left = what.has_older || !are_older_sessions_gone_;
    next_scan_ = next_scan_after(is_waiting, is_older_left);
    std::lock_guard const held{mutex_};
    has_scanned_ = true;
}

/// Soon while branches are due; less and less often while something of an earlier run only has to
/// go away by itself; in peace at limits::scan_interval.
deadline keeper::next_scan_after(bool is_waiting, bool is_older_left)
{
    auto const now = shared_.time.now();
    auto const& bounds = shared_.bounds;
    if (due_.needs_more_than_rows()) return now + bounds.retry_min;
    if (is_waiting || !due_.is_empty()) return unsettled_.after(now, bounds.completion_retry_max);
    if (is_older_left) return unsettled_.after(now, bounds.scan_interval);
    unsettled_.reset();
    return now + bounds.scan_interval;
}

bool keeper::may_presume_abort() const
{
    return guardian_.may_presume_abort() && shared_.may_presume_abort();
}

void keeper::carry_out(recovery::plan const& what)
{
    std::set<xid> suspects;
    for (auto const& [id, action] : what.listed) {
        switch (action) {
            case protocol::listed_action::commit:
            case protocol::listed_action::rollback:
                if (is_certain(id, suspects)) finish_listed(id, action);
                break;
            case protocol::listed_action::quarantine_twin:
            case protocol::listed_action::quarantine_reappeared:
            case protocol::listed_action::quarantine_unvoted:
            case protocol::listed_action::quarantine_unbound:
                quarantine(id, action);
                break;
            case protocol::listed_action::wait:
                if (id.global.parts().place == decision_place::commit_row) await_row(id, suspects);
                break;
            case protocol::listed_action::leave:
                break;
        }
    }
    suspects_.swap(suspects);
    for (xid const& id : what.finished)
        conclude_finished(id);
}

/// A transaction of our own that ended between the scan and the look at the live table is still on
/// this list; only the next one tells.
bool keeper::is_certain(xid const& id, std::set<xid>& suspects) const
{
    bool const is_older = id.global.parts().epoch != shared_.log->current().epoch;
    if (is_older || suspects_.count(id) != 0) return true;
    suspects.insert(id);
    return false;
}

void keeper::finish_listed(xid const& id, protocol::listed_action how)
{
    due_branch item;
    item.id = id;
    item.history = history();
    item.state = how == protocol::listed_action::commit ? branch_state::commit_due
                                                        : branch_state::rollback_due;
    due_.add(std::move(item));
}

void keeper::quarantine(xid const& id, protocol::listed_action why)
{
    std::string const which = name() + " " + id.text() + ": ";
    if (why == protocol::listed_action::quarantine_twin) {
        shared_.quarantine(which + "of a twin of this log");
        shared_.found_twin("\"" + name() + "\" lists " + id.text() +
                           ", which no opening of this log has made");
        return;
    }
    std::string const text = which + std::string{protocol::name_of(why)};
    if (shared_.quarantine(text)) {
        shared_.tell(severity::alarm, "branch.quarantined", name(), id.text(), text);
    }
}

/// A listed branch, decided by a commit row that was not read yet.
void keeper::await_row(xid const& id, std::set<xid>& suspects)
{
    awaits_rows_ = true;
    // A row that was deleted since must not be asked about: nothing would be found.
    if (shared_.log->horizon(id_).covers(ports::position_of(id.global))) return;
    if (is_certain(id, suspects)) shared_.rows.ask({id.global, id_});
}

/// A decided branch of an earlier epoch that is not listed any more.
void keeper::conclude_finished(xid const& id)
{
    if (past_.has_other(id.global.parts().epoch, {})) {
        // It may have gone with the server's past: the next scan says so, for the record.
        due_branch item;
        item.id = id;
        item.state = branch_state::commit_verify;
        due_.add(std::move(item));
        return;
    }
    shared_.tell(severity::info, "branch.finished_assumed", name(), id.text(),
                 "decided in an earlier epoch, and no longer listed");
    shared_.note_finished(id);
}

/// What this epoch has finished can never come back, whoever else is still connected.
void keeper::raise_horizon() noexcept
{
    ports::position const to{shared_.log->current().epoch, shared_.live.finished_up_to(id_)};
    if (is_older_finished_) {
        shared_.log->raise_horizon(id_, to);
    } else {
        shared_.log->raise_epoch_horizon(id_, to);
    }
}

/// In whose rows the decisions live that were not read yet, in words; empty: all were read.
std::string keeper::places_of(recovery::plan const& what) const
{
    std::set<std::uint16_t> places;
    for (auto const& [id, action] : what.listed) {
        auto const parts = id.global.parts();
        bool const is_unread = action == protocol::listed_action::wait &&
                               parts.place == decision_place::commit_row &&
                               !shared_.rows.find(id.global);
        if (is_unread) places.insert(parts.place_resource_manager);
    }
    std::string text;
    for (std::uint16_t const place : places) {
        std::string of =
            "resource manager " + std::to_string(place) + ", which the log does not know";
        for (auto const& bound : shared_.log->bindings()) {
            if (bound.id == place) of = "\"" + bound.name + "\"";
        }
        text += "; some are decided by commit rows of " + of + ", which were not read yet";
    }
    return text;
}

/// Everything is finished here once nothing of an earlier run is left; until then the state says
/// what is.
void keeper::note_older_runs(recovery::plan const& what)
{
    bool const has_older = what.has_older;
    is_older_finished_ = are_older_sessions_gone_ && !has_older;
    std::string const places = places_of(what);
    if (is_older_finished_) {
        shared_.tell(severity::debug, "recovery.horizon", name(), {}, {});
        raise_horizon();
    }
    std::lock_guard const held{mutex_};
    if (is_older_finished_) {
        undrained_.clear();
    } else if (has_older) {
        undrained_ = "branches of earlier runs are listed there, or wait to be finished" + places;
    } else {
        undrained_ =
            "sessions of its account that are older than this manager's are still connected, and "
            "one of them may yet prepare a branch";
    }
}

/// Long before begin() is refused because of a branch that is never finished here.
void keeper::warn_of_growth()
{
    if (was_growth_told_) return;
    auto const kept = shared_.log->state().kept_decisions;
    if (kept < shared_.bounds.kept_decisions_max / 2) return;
    auto const oldest = shared_.live.oldest_left_at(id_);
    if (!oldest) return;
    was_growth_told_ = true;
    shared_.tell(severity::warning, "log.grows", name(), std::string{oldest->text()},
                 "the log keeps " + std::to_string(kept) + " decisions, of " +
                     std::to_string(shared_.bounds.kept_decisions_max) +
                     " at most: what came after this transaction is forgotten when its branch "
                     "here is finished");
}

void keeper::note_session_presence(due_branch& item)
{
    auto const session = item.id.branch.parts().session;
    auto const epoch = item.id.global.parts().epoch;
    bool const is_behind_proxy = is_proxied();
    // What cannot prepare has no request under way that a branch could still come of.
    if (!driver().capabilities().is_two_phase) item.is_session_gone = true;
    if (!item.is_session_gone) {
        // Another start of the server ended every session of the starts before it.
        item.is_session_gone = !past_.is_same_start(epoch);
    }
    if (!item.is_session_gone && session != 0 && !is_behind_proxy) {
        item.is_session_gone =
            driver().presence(*manage_.session, session, call_end()) == session_presence::gone;
    }
    if (item.is_session_gone || item.refusals < refusals_before_ending_the_session) return;
    item.refusals = 0;
    if (!driver().capabilities().stays_attached_after_prepare || session == 0 || is_behind_proxy)
        return;
    shared_.tell(severity::warning, "session.ended", name(), item.id.text(),
                 "it kept a branch that must be finished");
    driver().end_session(*manage_.session, session, call_end());
}

}  // namespace assent::engine
