// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/keeper.hpp"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "ports/coordinator_log.hpp"

namespace assent::engine {

keeper::keeper(context& shared, resource_manager rm)
    : shared_(shared),
      rm_(std::move(rm)),
      pool_(shared, rm_.name()),
      guardian_(shared, *rm_.driver()),
      rows_(shared, *rm_.driver()),
      due_(shared, rm_.name()),
      past_(shared, rm_.name()),
      cancels_(shared, *rm_.driver()),
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
    if (rows_.want()) hear_of_row(true);
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

void keeper::hear_of_row(bool is_question)
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

std::string keeper::history() const
{
    std::lock_guard const held{mutex_};
    return facts_.history;
}

bool keeper::is_proxied() const
{
    std::lock_guard const held{mutex_};
    return facts_.is_proxied;
}

bool keeper::is_guarded() const noexcept
{
    return guardian_.is_fresh();
}

void keeper::finish_later(std::list<due_branch> one) noexcept
{
    {
        std::lock_guard const held{mutex_};
        if (is_stopping_) return;  // it is recovery's, when the log is opened again
        due_count_ += one.size();
        incoming_.splice(incoming_.end(), one);
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
    auto const pooled = pool_.now();
    std::lock_guard const held{mutex_};
    resource_manager_state now;
    now.name = name();
    now.kind = facts_.kind;
    now.is_serving = is_serving();
    now.why = now.is_serving ? std::string{} : why_;
    now.branches_due = due_count_;
    now.sessions_max = rm_.source() ? 0 : std::max(1U, shared_.bounds.pooled_sessions_max);
    now.sessions_leased = pooled.leased;
    now.sessions_idle = pooled.idle;
    now.leases_waiting = pooled.waiting;
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
try {
    return work();
} catch (std::bad_alloc const&) {
    return shared_.time.now() + shared_.bounds.retry_min;
}

deadline keeper::work()
{
    try {
        take_incoming();
        pool_.tend();
        if (ensure_connected()) {
            // What broke, and what was only refused, the scan tells.
            if (cancels_.run(*manage_.session, is_proxied())) next_scan_ = {};
            guardian_.step();
            if (has_scanned_) raise_horizon();
            if (!guardian_.is_held()) note_why(guardian_.why());
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
        due_count_ = due_.size() + taken_.size() + incoming_.size();
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
    auto next =
        std::min({next_scan_, guardian_.next_step(), rows_.next_step(), cancels_.next_step(now)});
    if (due_.needs_more_than_rows()) next = std::min(next, now + bounds.retry_min);
    return next;
}

void keeper::take_incoming()
{
    bool has_row_news = false;
    {
        std::lock_guard const held{mutex_};
        taken_.splice(taken_.end(), incoming_);
        cancels_.take(incoming_cancels_);
        has_row_news = std::exchange(has_row_news_, false);
        if (std::exchange(is_asked_, false)) rows_.wake();
    }
    if (has_row_news && awaits_rows_) next_scan_ = {};
    // What there is no memory for now stays for the next step.
    for (; !taken_.empty(); taken_.pop_front())
        due_.add(std::move(taken_.front()));
    if (due_.needs_scan()) next_scan_ = {};
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
    past_.note(id, facts);
    shared_.tell(severity::debug, "resource_manager.bound", name(), {}, facts.identity);
    shared_.rows.listen(id, [this](bool is_question) { hear_of_row(is_question); });

    std::lock_guard const held{mutex_};
    id_ = id;
    facts_ = facts;
    is_connected_ = true;
    if (!has_scanned_) why_ = "its first scan is not done yet";
}

void keeper::lose_connection(std::string const& why)
{
    shared_.tell(severity::warning, "resource_manager.unreachable", name(), {}, why);
    manage_ = {};
    pool_.drop_all();
    rows_.reset();
    auto const cap =
        due_.is_empty() ? shared_.bounds.retry_max : shared_.bounds.completion_retry_max;
    next_connect_ = reconnect_.after(shared_.time.now(), cap);
    std::lock_guard const held{mutex_};
    is_connected_ = false;
    why_ = why;
}

void keeper::note_why(std::string why)
{
    std::lock_guard const held{mutex_};
    why_ = std::move(why);
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
    pool_.close();
    // What is left names transactions whose branches name this keeper: nobody would ever free it.
    due_.clear();
    taken_.clear();
    cancels_.clear();
    std::list<due_branch> dropped;
    std::vector<cancel_task> dropped_cancels;
    std::lock_guard const held{mutex_};
    dropped.swap(incoming_);
    dropped_cancels.swap(incoming_cancels_);
}

}  // namespace assent::engine
