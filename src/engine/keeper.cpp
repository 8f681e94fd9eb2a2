// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/keeper.hpp"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "ports/coordinator_log.hpp"

namespace assent::engine {

using protocol::branch_state;

namespace {

// A server that lists a branch and refuses to let us finish it so often keeps it for the session
// that prepared it; that session is then ended.
constexpr int refusals_before_ending_the_session = 3;

// The log notes a server's start and behind it the histories that were seen in the epoch, the last
// few of them: "1767225600000000|00000001|00000002".
constexpr std::size_t histories_max = 4;

std::vector<std::string> split(std::string const& noted)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= noted.size();) {
        auto const end = std::min(noted.find('|', from), noted.size());
        parts.push_back(noted.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

}  // namespace

keeper::keeper(context& shared, resource_manager rm)
    : shared_(shared),
      rm_(std::move(rm)),
      pool_(shared.bounds.pooled_sessions_max),
      guardian_(shared, *rm_.driver()),
      rows_(shared, *rm_.driver()),
      due_(shared, rm_.name()),
      reconnect_(shared.bounds.retry_min, shared.bounds.retry_max),
      unsettled_(shared.bounds.retry_min, shared.bounds.scan_interval)
{
}

keeper::~keeper()
{
    stop();
}

// ---- asked by other threads ------------------------------------------------------------------

std::uint16_t keeper::wait_until_serving(deadline until)
{
    return wait_until(&keeper::is_serving, until);
}

void keeper::want_rows()
{
    if (rows_.want()) on_row(true);
}

std::uint16_t keeper::wait_until_holding_rows(deadline until)
{
    return wait_until(&keeper::is_holding_rows, until);
}

std::uint16_t keeper::wait_until(bool (keeper::*is_so)() const, deadline until)
{
    until = std::min(until, shared_.time.now() + shared_.bounds.first_scan);
    std::unique_lock held{mutex_};
    for (;;) {
        if ((this->*is_so)()) return id_;
        if (is_stopping_ || shared_.time.now() >= until) break;
        shared_.time.wait(held, changed_, until);
    }
    if (is_serving() && !is_stopping_) {
        throw error{errc::unavailable,
                    "no decision may live in a commit row of \"" + name() + "\": " + why_no_rows_};
    }
    throw error{errc::unavailable, "resource manager \"" + name() + "\" does not serve: " + why_};
}

std::uint16_t keeper::known_id() const
{
    {
        std::lock_guard const held{mutex_};
        if (id_ != 0) return id_;
    }
    for (auto const& known : shared_.log->bindings()) {
        if (known.name == name()) return known.id;
    }
    return 0;
}

void keeper::on_row(bool is_question)
{
    {
        std::lock_guard const held{mutex_};
        (is_question ? is_asked_ : has_row_news_) = true;
    }
    wake();
}

server_facts keeper::facts() const
{
    std::lock_guard const held{mutex_};
    return facts_;
}

bool keeper::is_guarded() const noexcept
{
    return guardian_.is_fresh();
}

void keeper::finish_later(due_branch what)
{
    {
        std::lock_guard const held{mutex_};
        if (is_stopping_) return;  // it is recovery's, when the log is opened again
        incoming_.push_back(std::move(what));
        ++due_count_;
    }
    wake();
}

void keeper::cancel(std::shared_ptr<branch> target, deadline end_at)
{
    {
        std::lock_guard const held{mutex_};
        if (is_stopping_) return;
        incoming_cancels_.push_back({target, shared_.time.now(), false});
        incoming_cancels_.push_back({std::move(target), end_at, true});
    }
    wake();
}

resource_manager_state keeper::state() const
{
    auto const asked = rows_asked();  // before the lock: whoever answers holds theirs, and wakes us
    std::lock_guard const held{mutex_};
    resource_manager_state now;
    now.name = name();
    now.kind = facts_.kind;
    now.is_serving = is_serving();
    now.why = now.is_serving ? std::string{} : why_;
    now.branches_due = due_count_;
    now.is_drained = has_scanned_ && undrained_.empty() && due_count_ == 0;
    if (!now.is_drained) now.undrained = undrained_.empty() ? "branches wait there" : undrained_;
    if (asked != 0) {
        now.is_drained = false;
        now.undrained = std::to_string(asked) +
                        " transactions are decided by commit rows there that were not read yet" +
                        (why_no_rows_.empty() ? "" : ": " + why_no_rows_);
    }
    return now;
}

bool keeper::is_drained() const
{
    return state().is_drained;
}

std::size_t keeper::rows_asked() const
{
    std::uint16_t id = 0;
    {
        std::lock_guard const held{mutex_};
        id = id_;
    }
    return id == 0 ? 0 : shared_.rows.asked_of(id).size();
}

// ---- the work --------------------------------------------------------------------------------

deadline keeper::step()
{
    take_incoming();
    try {
        if (ensure_connected()) {
            run_cancels();
            guardian_.step();
            if (is_older_finished_) raise_horizon();
            if (!guardian_.is_held()) say(guardian_.why());
            if (shared_.time.now() >= next_scan_) scan();
            rows_.step(*manage_.session, id_, may_presume_abort());
            due_.send(*manage_.session, may_presume_abort());
        }
    } catch (driver_error const& e) {
        lose_connection(e.what());
    } catch (std::system_error const& e) {
        // The log refused a binding or a server start: nothing may be decided there.
        lose_connection(std::string{"the log: "} + e.what());
    } catch (std::exception const& e) {
        lose_connection(e.what());  // of the application's connect function, or out of memory
    } catch (...) {
        lose_connection("the connect function threw something that is no std::exception");
    }
    bool is_drained_now = rows_asked() == 0;
    {
        std::lock_guard const held{mutex_};
        due_count_ = due_.size() + incoming_.size();
        holds_rows_ = rows_.is_ready();
        why_no_rows_ = rows_.why();
        is_drained_now = is_drained_now && is_connected_ && has_scanned_ && undrained_.empty() &&
                         due_count_ == 0;
        changed_.notify_all();
    }
    if (is_drained_now && !was_drained_) {
        shared_.tell(severity::info, "resource_manager.drained", name(), {},
                     "nothing of an earlier run, and nothing left to finish");
    }
    was_drained_ = is_drained_now;
    return next_step(shared_.time.now());
}

deadline keeper::next_step(deadline now) const
{
    auto const& bounds = shared_.bounds;
    if (!manage_.session) return next_connect_;
    auto next = std::min({next_scan_, guardian_.next_step(), rows_.next_step()});
    for (auto const& task : cancels_)
        next = std::min(next, std::max(task.at, now));
    if (due_.needs_more_than_rows()) next = std::min(next, now + bounds.retry_min);
    return next;
}

void keeper::take_incoming()
{
    std::vector<due_branch> branches;
    bool has_row_news = false;
    {
        std::lock_guard const held{mutex_};
        branches.swap(incoming_);
        has_row_news = std::exchange(has_row_news_, false);
        if (std::exchange(is_asked_, false)) rows_.wake();
        std::move(incoming_cancels_.begin(), incoming_cancels_.end(), std::back_inserter(cancels_));
        incoming_cancels_.clear();
    }
    for (auto& item : branches)
        due_.add(std::move(item));
    if (due_.needs_scan() || (has_row_news && awaits_rows_)) next_scan_ = {};
}

bool keeper::ensure_connected()
{
    if (manage_.session) return true;
    if (shared_.time.now() < next_connect_) return false;
    manage_.session =
        driver().connect(session_purpose::manage, shared_.time.now() + shared_.bounds.connect);
    manage_.in_child = inherited_descriptor{manage_.session->descriptor()};
    identify();
    reconnect_.reset();
    next_scan_ = {};
    return true;
}

/// Binds the resource manager, or makes sure that this is the server it was bound to.
void keeper::identify()
{
    auto const facts = driver().preflight(*manage_.session, call_end());
    std::uint16_t id = 0;
    for (auto const& known : shared_.log->bindings()) {
        if (known.name == name()) {
            if (known.identity != facts.identity || known.kind != facts.kind) {
                throw driver_error{"this is not the server it was bound to (bound: " + known.kind +
                                   " " + known.identity + ", found: " + facts.kind + " " +
                                   facts.identity + "); nothing is decided there. Point \"" +
                                   name() +
                                   "\" at the old server, or give the new one another name"};
            }
            id = known.id;
        } else if (known.identity == facts.identity) {
            throw driver_error{"this database is already bound under the name \"" + known.name +
                               "\"; use that name, two names for one database are refused"};
        }
    }
    if (id == 0) id = shared_.log->bind(name(), facts.kind, facts.identity);
    note_start(id, facts);
    shared_.tell(severity::debug, "resource_manager.bound", name(), {}, facts.identity);
    shared_.rows.listen(id, [this](bool is_question) { on_row(is_question); });

    std::lock_guard const held{mutex_};
    id_ = id;
    facts_ = facts;
    is_connected_ = true;
    if (!has_scanned_) why_ = "its first scan is not done yet";
}

void keeper::note_start(std::uint16_t id, server_facts const& facts)
{
    if (!facts.history.empty() && (histories_.empty() || histories_.back() != facts.history)) {
        if (!histories_.empty()) {
            shared_.tell(severity::alarm, "resource_manager.history_changed", name(), {},
                         "it failed over or was restored: from \"" + histories_.back() +
                             "\" to \"" + facts.history + "\"");
        }
        histories_.push_back(facts.history);
        if (histories_.size() > histories_max) histories_.erase(histories_.begin());
    }
    std::string note = facts.server_start;
    for (auto const& each : histories_)
        note += '|' + each;
    if (shared_.log->server_start(id, shared_.log->current().epoch) == note) return;
    shared_.log->note_server_start(id, note);
}

void keeper::lose_connection(std::string const& why)
{
    shared_.tell(severity::warning, "resource_manager.unreachable", name(), {}, why);
    manage_ = {};
    pool_.clear();
    rows_.reset();
    auto const cap =
        due_.is_empty() ? shared_.bounds.retry_max : shared_.bounds.completion_retry_max;
    next_connect_ = reconnect_.after(shared_.time.now(), cap);
    std::lock_guard const held{mutex_};
    is_connected_ = false;
    why_ = why;
}

void keeper::say(std::string why)
{
    std::lock_guard const held{mutex_};
    why_ = std::move(why);
}

void keeper::scan()
{
    // Sessions first: only a scan that began after a session was gone proves anything about it.
    if (!are_older_sessions_gone_) {
        are_older_sessions_gone_ =
            driver().older_sessions(*manage_.session, call_end()) == session_presence::gone;
    }
    due_.for_each([this](due_branch& item) { note_session_presence(item); });

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
        if (listed.count(item.id) != 0) item.history = facts().history;
        item.has_other_past = has_other_past(item.id.global.parts().epoch, item.history);
    });
    due_.on_scan(listed);
    auto const what = recovery::resolve(
        seen, id_, shared_.facts(), [this](gtrid const& id) { return shared_.live.contains(id); },
        may_presume_abort());
    awaits_rows_ = false;
    carry_out(what);
    update_horizon(what);

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
                // A transaction of our own that ended between the scan and the look at the live
                // table is still on this list; only the next one tells.
                if (id.global.parts().epoch == shared_.log->current().epoch &&
                    suspects_.count(id) == 0) {
                    suspects.insert(id);
                } else {
                    due_branch item;
                    item.id = id;
                    item.history = facts().history;
                    item.state = action == protocol::listed_action::commit
                                     ? branch_state::commit_due
                                     : branch_state::rollback_due;
                    due_.add(std::move(item));
                }
                break;
            case protocol::listed_action::quarantine_twin:
                shared_.quarantine(name() + " " + id.text() + ": of a twin of this log");
                shared_.found_twin("\"" + name() + "\" lists " + id.text() +
                                   ", which no opening of this log has made");
                break;
            case protocol::listed_action::quarantine_reappeared:
            case protocol::listed_action::quarantine_unvoted:
            case protocol::listed_action::quarantine_unbound: {
                auto const text =
                    name() + " " + id.text() + ": " + std::string{protocol::name_of(action)};
                if (shared_.quarantine(text)) {
                    shared_.tell(severity::alarm, "branch.quarantined", name(), id.text(), text);
                }
                break;
            }
            case protocol::listed_action::wait:
                if (id.global.parts().place != decision_place::commit_row) break;
                awaits_rows_ = true;
                // As above: of our own epoch, only what is listed twice.
                if (id.global.parts().epoch == shared_.log->current().epoch &&
                    suspects_.count(id) == 0) {
                    suspects.insert(id);
                } else {
                    shared_.rows.ask(id.global);
                }
                break;
            case protocol::listed_action::leave:
                break;
        }
    }
    suspects_.swap(suspects);
    for (xid const& id : what.finished) {
        if (has_other_past(id.global.parts().epoch, {})) {
            // It may have gone with the server's past: the next scan says so, for the record.
            due_branch item;
            item.id = id;
            item.state = branch_state::commit_verify;
            due_.add(std::move(item));
            continue;
        }
        shared_.tell(severity::info, "branch.finished_assumed", name(), id.text(),
                     "decided in an earlier epoch, and no longer listed");
        shared_.note_finished(id);
    }
}

void keeper::raise_horizon() noexcept
{
    shared_.log->raise_horizon(id_,
                               {shared_.log->current().epoch, shared_.live.finished_up_to(id_)});
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

void keeper::update_horizon(recovery::plan const& what)
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

bool keeper::is_same_server_start(std::uint32_t epoch) const
{
    auto const noted = shared_.log->server_start(id_, epoch);
    // Without a note nothing is known, and nothing is taken as gone.
    return !noted || split(*noted).front() == facts().server_start;
}

/// Whether the server may have lost the branch with a part of its past.
bool keeper::has_other_past(std::uint32_t epoch, std::string const& prepared_in) const
{
    auto const now = facts().history;
    if (now.empty()) return false;
    if (!prepared_in.empty()) return prepared_in != now;
    auto const noted = split(shared_.log->server_start(id_, epoch).value_or(std::string{}));
    return std::any_of(noted.begin() + 1, noted.end(),
                       [&now](std::string const& each) { return each != now; });
}

void keeper::note_session_presence(due_branch& item)
{
    auto const session = item.id.branch.parts().session;
    auto const epoch = item.id.global.parts().epoch;
    bool const is_proxied = facts().is_proxied;
    if (!item.is_session_gone) {
        // Another start of the server ended every session of the starts before it.
        item.is_session_gone = !is_same_server_start(epoch);
    }
    if (!item.is_session_gone && session != 0 && !is_proxied) {
        item.is_session_gone =
            driver().presence(*manage_.session, session, call_end()) == session_presence::gone;
    }
    if (item.is_session_gone || item.refusals < refusals_before_ending_the_session) return;
    item.refusals = 0;
    if (!driver().capabilities().stays_attached_after_prepare || session == 0 || is_proxied) return;
    shared_.tell(severity::warning, "session.ended", name(), item.id.text(),
                 "it kept a branch that must be finished");
    driver().end_session(*manage_.session, session, call_end());
}

// ---- deadlines -------------------------------------------------------------------------------

void keeper::run_cancels()
{
    auto const now = shared_.time.now();
    for (auto at = cancels_.begin(); at != cancels_.end();) {
        if (at->at > now) {
            ++at;
            continue;
        }
        try {
            try_cancel(*at);
            at = cancels_.erase(at);
        } catch (driver_error const& e) {
            // Either the server refuses this one, which is no reason to stop all others, or the
            // connection broke: the scan, due now, tells.
            shared_.tell(severity::warning, "session.not_cancelled", name(), at->target->id.text(),
                         e.what());
            at->at = now + shared_.bounds.completion_retry_max;
            next_scan_ = {};
            ++at;
        }
    }
}

void keeper::try_cancel(cancel_task const& task)
{
    auto const session = task.target->id.branch.parts().session;
    bool const is_reachable = session != 0 && !facts().is_proxied;
    {
        // The owner cannot submit END, PREPARE or ROLLBACK while this is held.
        std::lock_guard const held{task.target->lock};
        if (!task.target->is_cancellable) return;
        if (is_reachable) task.target->was_cancelled = true;
        if (is_reachable && task.is_end) {
            driver().end_session(*manage_.session, session, call_end());
            task.target->is_session_ended = true;
        } else if (is_reachable) {
            driver().cancel_statement(*manage_.session, session, call_end());
        }
    }
    if (!is_reachable) {
        shared_.tell(severity::warning, "session.not_cancellable", name(), task.target->id.text(),
                     "its session id is not known to the server");
    } else if (task.is_end) {
        shared_.tell(severity::warning, "session.ended", name(), task.target->id.text(),
                     "its transaction outlived its deadline");
    }
}

deadline keeper::call_end() const
{
    return shared_.time.now() + shared_.bounds.server_call;
}

// ---- the thread ------------------------------------------------------------------------------

void keeper::start_thread()
{
    thread_ = std::thread{[this] {
        for (;;) {
            auto const next = step();
            std::unique_lock held{mutex_};
            while (!is_stopping_ && !is_woken_ && shared_.time.now() < next) {
                shared_.time.wait(held, changed_, next);
            }
            if (is_stopping_) return;
            is_woken_ = false;
        }
    }};
}

void keeper::wake()
{
    std::lock_guard const held{mutex_};
    is_woken_ = true;
    changed_.notify_all();
}

void keeper::stop()
{
    {
        std::lock_guard const held{mutex_};
        is_stopping_ = true;
        is_connected_ = false;
        why_ = "the transaction manager was closed";
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    if (id_ != 0) shared_.rows.stop_listening(id_);
    guardian_.release();
    manage_ = {};
    pool_.clear();
    // What is left names transactions whose branches name this keeper: nobody would ever free it.
    due_.clear();
    cancels_.clear();
    std::vector<due_branch> dropped;
    std::vector<cancel_task> dropped_cancels;
    std::lock_guard const held{mutex_};
    dropped.swap(incoming_);
    dropped_cancels.swap(incoming_cancels_);
}

}  // namespace assent::engine
