// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/scanner.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"
#include "recovery/late_decisions.hpp"

namespace assent::recovery {

using protocol::branch_state;
using protocol::mutated;
using protocol::mutation;
using protocol::reply_class;

namespace {

// Where much is prepared a list takes long, and what it looks at is being finished meanwhile.
constexpr int pause_factor = 9;

}  // namespace

scanner::scanner(context& shared, bound_database& at, completion_queue& queue,
                 guardian const& guard, session_pool& pool, std::function<void()> on_known)
    : worker(shared),
      at_(at),
      queue_(queue),
      guard_(guard),
      pool_(pool),
      on_known_(std::move(on_known)),
      manage_(shared, at, session_purpose::manage, own_session::part::leads),
      past_(shared, at),
      sessions_(shared, at, queue, past_, manage_, on_known_),
      conclusions_(shared, at, queue, guard, past_, sessions_),
      older_(shared, at),
      unsettled_(shared.bounds.retry_min, shared.bounds.scan_interval)
{
}

void scanner::hear_of_row() noexcept
{
    has_row_news_ = true;
    wake();
}

void scanner::hear_of_end() noexcept
{
    has_ended_session_ = true;
    wake();
}

// ---- the connection ----------------------------------------------------------------------------

deadline scanner::work()
{
    // Until a connection has shown what it leads to, nothing says that the server is fit.
    bool is_unfit = true;
    try {
        pool_.tend();
        queue_.settle();
        if (has_row_news_.exchange(false) && conclusions_.awaits_rows()) next_scan_ = {};
        hear_of_queue();
        if (has_ended_session_.exchange(false)) {
            next_scan_ = not_before_;
            unsettled_.reset();
        }
        if (ensure_connected()) {
            is_unfit = false;
            if (!past_.is_known()) mind_past();
            if (manage_.is_open() && has_scanned_) older_.raise_horizon();
            if (manage_.is_open() && shared_.time.now() >= next_scan_) scan();
            if (manage_.is_open()) mind_past();
        }
    } catch (std::bad_alloc const&) {
        throw;
    } catch (unfit_server const& e) {
        lose_connection(e.what(), true);
    } catch (std::exception const& e) {
        // The server, the log that refused a binding, or the application's connect function.
        lose_connection(e.what(), is_unfit);
    }
    tell_if_drained();
    return next_step();
}

void scanner::tell_if_drained()
{
    bool const is_drained =
        at_.is_drained() && queue_.is_empty() && shared_.rows.asked_of(at_.id()).empty();
    if (is_drained && !was_drained_) {
        shared_.tell(severity::info, "resource_manager.drained", at_.name(), {},
                     "nothing of an earlier run, and nothing left to finish");
    }
    was_drained_ = is_drained;
}

/// A branch that is new gets a list at once; branches that no list has settled wait longer and
/// longer.  When all of an earlier run's is finished, a list is to say so.
void scanner::hear_of_queue()
{
    auto const wanted = queue_.lists_wanted();
    bool const is_new = std::exchange(lists_wanted_, wanted) != wanted;
    bool const is_over = is_older_due_ && queue_.is_empty();
    if (!is_new && !is_over) return;
    is_older_due_ = is_older_due_ && !is_over;
    next_scan_ = not_before_;
    unsettled_.reset();
}

deadline scanner::next_step() const
{
    if (!manage_.is_open()) return manage_.next_try();
    // Horizons rise without a scan, so that the log can forget what is finished.
    return std::min(next_scan_, shared_.time.now() + shared_.bounds.heartbeat);
}

bool scanner::ensure_connected()
{
    if (!manage_.is_open()) is_known_ = false;
    if (manage_.get() == nullptr) return false;
    if (is_known_) return true;
    auto const& facts = manage_.facts();
    at_.identify(facts);
    past_.forget();
    on_known_();
    next_scan_ = {};
    unsettled_.reset();
    is_known_ = true;
    return true;
}

/// What the database keeps of its past is a table like any other: somebody's lock on it, or a write
/// that a standby never confirms, says nothing of the server, and leases and lists go on.
void scanner::mind_past()
{
    bool const was_known = past_.is_known();
    try {
        past_.mind(*manage_);
        if (!past_.is_known()) return;
        past_told_.forget();
        if (!was_known) next_scan_ = {};  // which it explains
    } catch (driver_error const& e) {
        if (past_told_.is_news(e.what())) {
            shared_.tell(severity::warning, "resource_manager.past_unknown", at_.name(), {},
                         e.what());
        }
        if ((*manage_).is_reusable()) return;
        bool const is_broken = e.native_code() != 0 || !e.sqlstate().empty();
        if (is_broken) throw;  // the other sessions may be lost with it
        manage_.lose(shared_.bounds.completion_retry_max);
    }
}

void scanner::lose_connection(std::string const& why, bool is_unfit)
{
    shared_.tell(severity::warning, "resource_manager.unreachable", at_.name(), {}, why);
    pool_.drop_all();
    manage_.lose(queue_.is_empty() ? shared_.bounds.retry_max
                                   : shared_.bounds.completion_retry_max);
    at_.note_lost(why, is_unfit);
}

bool scanner::may_presume_abort() const
{
    return guard_.may_presume_abort() && shared_.may_presume_abort();
}

// ---- a scan ------------------------------------------------------------------------------------

/// What absence from the list may count against, and what is looked at afterwards as it was before.
struct scanner::before_list
{
    std::vector<xid> asked;    // of the queue: those that wait for a list
    std::vector<xid> decided;  // and unfinished, and nobody's here: handed to recovery
    std::vector<std::shared_ptr<global_transaction>> late;
    std::vector<std::shared_ptr<global_transaction>> barred;
    ports::horizon horizon;
    std::uint64_t term = 0;     // of the guardian
    std::string rows_unread{};  // that may decide what was lost here, in words
};

scanner::before_list scanner::look_before() const
{
    before_list now;
    now.term = guard_.term();
    now.asked = queue_.waiting_for_list();
    now.decided = decided_at(at_.id(), facts_of(shared_),
                             [this](gtrid const& which) { return shared_.live.contains(which); });
    now.late = late_decisions(shared_);
    now.barred = sessions_.barred();
    now.horizon = shared_.log->horizon(at_.id());
    now.rows_unread = rows_unread();
    return now;
}

/// A server that has lost a part of its past lists nothing of a branch that went with it.  Where a
/// row elsewhere decided that one, only the row can tell, so nothing of that time is finished here
/// before every row of it was read.
std::string scanner::rows_unread() const
{
    if (mutated(mutation::rows_elsewhere_unread)) return {};
    if (!past_.is_known()) return "what it keeps of its past was not read yet";
    if (!past_.has_other_before()) return {};
    auto const epoch = shared_.log->current().epoch;
    for (auto const& bound : shared_.log->bindings()) {
        if (!ports::is_real(bound)) continue;
        auto const asked = shared_.rows.asked_of(bound.id);
        bool const is_open = std::any_of(asked.begin(), asked.end(), [epoch](auto const& each) {
            return each.which.parts().epoch < epoch;
        });
        if (!is_open && shared_.rows.are_settled(bound.id)) continue;
        return "it failed over or was restored, and the commit rows of \"" + bound.name +
               "\", which may have decided what was lost here, were not read yet";
    }
    return {};
}

void scanner::scan()
{
    sessions_.look();
    auto before = look_before();
    bool const is_mutated = mutated(mutation::live_before_list);
    auto const live = is_mutated ? shared_.live.names() : std::vector<gtrid>{};
    if (is_mutated) shared_.tell(severity::debug, "recovery.mutated", at_.name(), {}, {});

    completion_queue::listing const lasts{queue_};
    auto const began = shared_.time.now();
    auto const seen = at_.driver().scan(*manage_, at_.call_end());
    require_same_server(seen);
    shared_.tell(severity::debug, "recovery.scanned", at_.name(), {}, {});
    if (mutated(mutation::list_older_than_prepare)) before = look_before();
    for (auto const& text : seen.warnings) {
        if (!warnings_.insert(text).second) continue;
        shared_.tell(severity::warning, "resource_manager.at_risk", at_.name(), {}, text);
    }
    std::set<xid> const listed{seen.ours.begin(), seen.ours.end()};
    // Only while the lock was held from before the list until after it.
    auto const term = guard_.term() == before.term ? before.term : 0;
    tell_queue(before, listed, seen.life);
    note_listed(shared_, at_.id(), before.late, listed, term);
    auto const over = sessions_.without_session(before.barred, seen.life);
    sessions_.let_go_of(over, listed);

    auto facts = facts_of(shared_);
    facts.horizon = [&before](std::uint16_t) { return before.horizon; };
    if (at_.driver().capabilities().runs_handlers) {
        facts.is_parked = [parked = branches_on_record()](xid const& id) {
            return parked.count(id) != 0;
        };
    }
    auto const what = plan_of(
        seen, at_.id(), facts,
        [&](gtrid const& id) {
            if (is_mutated) return std::find(live.begin(), live.end(), id) != live.end();
            return over.count(id) == 0 && shared_.live.contains(id);
        },
        may_presume_abort(), before.decided);
    conclusions_.carry_out(what, seen.of_strangers);
    older_.note(what, before.rows_unread, sessions_.are_older_gone());
    older_.warn_of_growth();
    manage_.note_good();

    bool const is_waiting =
        conclusions_.has_suspects() || !before.late.empty() || sessions_.awaits_end() ||
        std::any_of(what.listed.begin(), what.listed.end(),
                    [](auto const& b) { return b.action == listed_action::wait; });
    bool const is_older_left =
        what.has_older || !sessions_.are_older_gone() || !before.rows_unread.empty();
    auto const now = shared_.time.now();
    not_before_ = now + std::min<deadline::duration>(pause_factor * (now - began),
                                                     shared_.bounds.completion_retry_max);
    bool const is_only_due = sessions_.are_older_gone() && before.rows_unread.empty();
    is_older_due_ = what.has_older && is_only_due && !queue_.is_empty();
    next_scan_ = std::max(next_scan_after(is_waiting, is_older_left), not_before_);
    has_scanned_ = true;
    at_.note_scanned();
}

std::set<xid> scanner::branches_on_record() const
{
    std::set<xid> all;
    for (auto const& each : shared_.log->heuristics())
        all.insert(each.branch);
    return all;
}

void scanner::require_same_server(scan_result const& seen) const
{
    auto const known = at_.facts();
    if (seen.identity != known.identity) {
        throw unfit_server{"another server answered the scan (" + seen.identity + ")"};
    }
    bool const is_other_past = !seen.history.empty() && seen.history != known.history;
    if (is_other_past || !at_.may_be_life(seen.life)) {
        throw unfit_server{
            "another server of this identity, or another life of it, answered the "
            "scan (" +
            seen.life.instance + ", started " + seen.life.start + ")"};
    }
    if (!seen.is_writable_primary) {
        throw unfit_server{"this server is read-only or a standby: its scan proves nothing"};
    }
}

/// Tells every branch that waited for a list, when this one began, what it says.
void scanner::tell_queue(before_list const& before, std::set<xid> const& listed,
                         server_life const& of)
{
    for (xid const& id : before.asked) {
        auto one = queue_.take_from_list(id);
        if (!one) continue;
        // A list of another start was made after its session had worked: that one is over.
        if (!one->server_start.empty() && one->server_start != of.start) {
            one->gone_since = deadline{};
        }
        reply missing;  // what a hazard is recorded with
        missing.code = xa_code::nota;
        missing.text = "its first commit was answered NOTA, and a later scan lacks it";
        auto says = reply_class::absent;
        if (listed.count(id) != 0) {
            says = reply_class::listed;
            ++one->refusals;
            // What is listed has lived through whatever happened to the server.
            one->history = at_.history();
            if (one->reign != 0) one->reign = guard_.reign();
        } else if (one->state == branch_state::rollback_verify) {
            // A PREPARE may still sit in the socket of a session that is there: the branch would be
            // prepared, with its locks, after it had been called rolled back.
            if (!one->gone_since) says = reply_class::unknown;
        } else if (one->state == branch_state::commit_verify && !past_.is_known()) {
            says = reply_class::unknown;  // it may have gone with the server's past
        } else if (one->state == branch_state::commit_verify) {
            missing.text = why_vanished(*one);
            if (!missing.text.empty()) says = reply_class::vanished;
        }
        if (one.apply(one->state, says, missing)) one.finish();
    }
}

/// Why the absence of a branch that was to be committed does not prove that it was committed;
/// empty: it does prove that.
std::string scanner::why_vanished(due_branch const& item) const
{
    if (past_.has_other(item.id.global.parts().epoch, item.history)) {
        return "it was to be committed, the server failed over or was restored since, "
               "and a later scan lacks it";
    }
    if (item.reign != 0 && !guard_.is_reign(item.reign)) {
        return "it was to be committed, the guardian's lock was lost for long enough for a copy of "
               "this log to roll it back, and a later scan lacks it";
    }
    if (item.may_be_turned) {
        return "it was to be committed, but meanwhile its session was ended, its server could not "
               "write it, or it was decided late; and a later scan lacks it";
    }
    return {};
}

/// Soon while something waits that the next list may tell about; less and less often while it only
/// has to go away by itself; in peace, and while the finishers are at work, at
/// limits::scan_interval.
deadline scanner::next_scan_after(bool is_waiting, bool is_older_left)
{
    auto const now = shared_.time.now();
    auto const& bounds = shared_.bounds;
    if (is_waiting) return unsettled_.after(now, bounds.completion_retry_max);
    bool const is_unsettled = queue_.needs_list() || (is_older_left && !is_older_due_);
    if (is_unsettled) return unsettled_.after(now, bounds.scan_interval);
    unsettled_.reset();
    return now + bounds.scan_interval;
}

}  // namespace assent::recovery
