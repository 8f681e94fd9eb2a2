// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.cpp -- requests and replies: what arrives, what the script makes of it, who waits.

#include "adapters/memory/server.hpp"

#include <utility>

namespace assent::inline v0::testing::memory {

namespace {

bool is_rollback_code(xa_code code)
{
    return code >= xa_code::rbrollback && code <= xa_code::rbtransient;
}

}  // namespace

reply make_reply(xa_code code, std::string text, reply_detail detail)
{
    reply made;
    made.code = code;
    made.detail = detail;
    made.text = std::move(text);
    return made;
}

deadline server::now() const
{
    return options_.time.now ? options_.time.now() : std::chrono::steady_clock::now();
}

/// @return false when the time cannot pass: the wait is over.
bool server::wait(lock& held, deadline until)
{
    if (!options_.time.now) {
        changed_.wait_until(held, until);
        return true;
    }
    if (!options_.time.wait_until) return false;
    held.unlock();
    options_.time.wait_until(until);
    held.lock();
    return true;
}

std::shared_ptr<pending_reply> server::submit(std::uint64_t id, verb what, xid const& x)
{
    deadline const present = now();
    lock held(mutex_);
    expire_leases(present);
    auto waiting = std::make_shared<pending_reply>();
    waiting->what = what;
    waiting->branch = x;
    waiting->ready_at = present;
    if (is_proceeding(id)) {
        receive(id, waiting, present);
        return waiting;
    }
    waiting = lost_request();
    if (what == verb::commit_one_phase && options_.acts_as == personality::postgresql) {
        // A witness is read before COMMIT is sent, so on a dead connection COMMIT was never sent.
        waiting->answer = make_reply(xa_code::rbcommfail, "the connection was lost before COMMIT");
    }
    return waiting;
}

std::shared_ptr<pending_reply> lost_request()
{
    auto lost = std::make_shared<pending_reply>();
    lost->answer = make_reply(xa_code::rmfail, "the connection is lost", reply_detail::reply_lost);
    lost->is_answered = lost->is_lost = true;
    return lost;
}

bool server::is_proceeding(std::uint64_t id) const
{
    auto const at = sessions_.find(id);
    return at != sessions_.end() && !at->second.is_client_gone;
}

void server::receive(std::uint64_t id, std::shared_ptr<pending_reply> const& waiting,
                     deadline present)
{
    waiting->event = history_.size();
    history_.push_back({id, waiting->what, waiting->branch, {}, false, false});

    std::string const wrong = objection(id, sessions_[id], waiting->what, waiting->branch);
    if (!wrong.empty()) {
        violations_.push_back(std::string(name_of(waiting->what)) + " on session " +
                              std::to_string(id) + ", branch " + waiting->branch.text() + ": " +
                              wrong);
        auto const at = durable_.branches.find(waiting->branch);
        bool const is_gone = waiting->what != verb::start &&
                             (at == durable_.branches.end() || at->second.at == phase::finished);
        answer(*waiting, make_reply(is_gone ? xa_code::nota : xa_code::proto, wrong), false);
        return;
    }
    sessions_[id].outstanding = waiting;
    waiting->process = sessions_[id].process;
    branch& b = durable_.branches[waiting->branch];
    b.id = waiting->branch;
    remember(waiting->what, b);

    if (is_frozen_) {
        held_.push_back({id, waiting, true, true});
    } else if (auto const rule = faults_.match(id, waiting->what, waiting->branch)) {
        apply(*rule, id, waiting, present);
    } else {
        answer(*waiting, carry_out(id, waiting->what, waiting->branch), true);
    }
}

void server::apply(request_rule const& rule, std::uint64_t id,
                   std::shared_ptr<pending_reply> const& waiting, deadline present)
{
    verb const what = waiting->what;
    xid const x = waiting->branch;
    switch (rule.kind) {
        case fault::answer:
            answer(*waiting, carry_out_as(id, what, x, rule.answer), true);
            // After XAER_RMFAIL the resource manager must be opened again (XA's state R0).
            if (waiting->answer.code == xa_code::rmfail) end_session(id);
            break;
        case fault::answer_only:
            answer(*waiting, rule.answer, false);
            break;
        case fault::answer_after:
            carry_out(id, what, x);
            answer(*waiting, rule.answer, true);
            break;
        case fault::lose_before:
            drop_client(id);
            break;
        case fault::lose_after:
            note(*waiting, carry_out(id, what, x), true);
            drop_client(id);
            break;
        case fault::hang_before:
            held_.push_back({id, waiting, true, false});
            break;
        case fault::hang_after:
            waiting->answer = carry_out(id, what, x);
            note(*waiting, waiting->answer, true);
            held_.push_back({id, waiting, false, false});
            break;
        case fault::hang_in_commit:
            held_.push_back({id, waiting, true, false, true});
            break;
        case fault::delay:
            waiting->is_late = true;
            waiting->ready_at = present + rule.by;
            answer(*waiting, carry_out(id, what, x), true);
            break;
        case fault::crash_before:
            crash_locked();
            break;
        case fault::crash_after:
            note(*waiting, carry_out(id, what, x), true);
            crash_locked();
            break;
    }
}

void server::note(pending_reply const& waiting, reply const& what, bool was_carried_out)
{
    if (!waiting.event) return;
    history_[*waiting.event].answer = what;
    history_[*waiting.event].was_carried_out = was_carried_out;
}

void server::answer(pending_reply& waiting, reply what, bool was_carried_out)
{
    note(waiting, what, was_carried_out);
    if (waiting.is_lost) return;  // nobody listens any more
    waiting.answer = std::move(what);
    waiting.is_answered = true;
    changed_.notify_all();
}

/// The connection broke: what was not received by now never will be.
void server::lose(pending_reply& waiting)
{
    if (waiting.is_lost || (waiting.is_answered && !waiting.is_late)) return;
    waiting.answer =
        make_reply(xa_code::rmfail, "the connection was lost", reply_detail::reply_lost);
    if (waiting.what == verb::commit_one_phase) {
        waiting.answer.witness = durable_.branches[waiting.branch].witness;
    }
    waiting.is_answered = waiting.is_lost = true;
    waiting.is_late = false;
    changed_.notify_all();
}

std::optional<reply> server::collect(pending_reply& waiting, deadline until)
{
    for (;;) {
        deadline const present = now();
        lock held(mutex_);
        if (waiting.is_answered && (!waiting.is_late || waiting.ready_at <= present)) {
            note_heard(waiting);
            for (auto& [id, s] : sessions_) {
                if (s.outstanding.get() == &waiting) s.outstanding.reset();
            }
            return waiting.answer;
        }
        if (present >= until) return std::nullopt;
        deadline const next = waiting.is_late ? std::min(until, waiting.ready_at) : until;
        if (!wait(held, next)) return std::nullopt;
    }
}

/// What the manager knows from now on, by which its next requests are judged.
void server::note_heard(pending_reply const& waiting)
{
    if (waiting.is_lost || !waiting.event) return;
    // What a process is told after its death, the next one does not know.
    if (dead_processes_.count(waiting.process) != 0) return;
    history_[*waiting.event].was_heard = true;
    reply const& what = waiting.answer;
    branch& b = durable_.branches[waiting.branch];
    bool const is_rollback = is_rollback_code(what.code);
    bool const is_left = what.detail == reply_detail::left_behind;
    switch (waiting.what) {
        case verb::start:
            break;
        case verb::prepare:
            b.is_yes_heard = what.is_ok();
            b.is_end_heard = is_rollback || is_left || what.code == xa_code::rdonly;
            break;
        case verb::commit:
        case verb::commit_one_phase:
            b.is_end_heard = is_rollback || is_left || what.is_ok() || what.code == xa_code::rmerr;
            break;
        case verb::rollback:
            b.is_end_heard = is_rollback || is_left || what.is_ok();
            break;
        case verb::forget:
            b.is_end_heard = what.is_ok() || what.code == xa_code::nota;
            break;
    }
}

void server::carry_out_held(bool only_frozen)
{
    std::deque<held_request> due;
    std::deque<held_request> kept;
    for (auto& request : held_) {
        (request.is_frozen == only_frozen ? due : kept).push_back(std::move(request));
    }
    held_ = std::move(kept);
    for (auto& request : due) {
        if (sessions_.count(request.session) == 0) continue;  // ended by an earlier one
        pending_reply& waiting = *request.waiting;
        if (request.is_before_effect) {
            answer(waiting, carry_out(request.session, waiting.what, waiting.branch), true);
        } else {
            answer(waiting, reply{waiting.answer}, true);
        }
    }
    // Having read their sockets to the end, the server notices which clients have gone.
    notice_departures();
}

void server::arm(std::shared_ptr<request_rule> rule)
{
    lock held(mutex_);
    faults_.add(std::move(rule));
}

void server::arm(std::shared_ptr<call_rule> rule)
{
    lock held(mutex_);
    faults_.add(std::move(rule));
}

void server::clear_faults()
{
    lock held(mutex_);
    faults_.clear();
}

std::size_t server::faults_pending() const
{
    lock held(mutex_);
    return faults_.pending();
}

void server::release()
{
    lock held(mutex_);
    carry_out_held(false);
}

std::size_t server::hanging() const
{
    lock held(mutex_);
    return held_.size();
}

void server::freeze()
{
    lock held(mutex_);
    is_frozen_ = true;
}

void server::thaw()
{
    lock held(mutex_);
    is_frozen_ = false;
    carry_out_held(true);
    changed_.notify_all();
}

bool server::enter(driver_call what, std::uint64_t id, deadline until)
{
    lock held(mutex_, std::defer_lock);
    deadline present = now();
    held.lock();
    expire_leases(present);
    auto const rule = faults_.match(what);
    if (rule && rule->kind == call_fault_kind::cut) drop_client(id);
    bool const is_silent = rule && rule->kind == call_fault_kind::time_out;
    bool const is_cut_after = rule && rule->kind == call_fault_kind::cut_after;
    if (rule && !is_silent && !is_cut_after) throw driver_error(rule->why);
    while (is_silent || is_frozen_) {
        if (present >= until || !wait(held, until)) {
            auto const asking = sessions_.find(id);
            if (asking != sessions_.end()) asking->second.is_out_of_step = true;
            throw driver_error(rule ? rule->why : "the server did not answer by the deadline");
        }
        held.unlock();
        present = now();
        held.lock();
    }
    if (!is_up_) throw driver_error("the server is down");
    if (id != 0 && !is_proceeding(id)) throw driver_error("the connection is lost");
    return is_cut_after;
}

std::string_view name_of(verb what) noexcept
{
    constexpr std::string_view names[] = {
        "?", "start", "prepare", "commit", "one-phase commit", "rollback", "forget"};
    return names[static_cast<std::size_t>(what)];
}

}  // namespace assent::inline v0::testing::memory
