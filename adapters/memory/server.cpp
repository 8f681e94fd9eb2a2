// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.cpp -- requests and replies: what arrives, who waits, what was heard.

#include "adapters/memory/server.hpp"

#include <utility>

namespace assent::inline v0::testing::memory {

namespace {

std::string identity_of_its_own()
{
    static std::mutex guard;
    static int made = 0;
    std::lock_guard<std::mutex> const held(guard);
    return "memory-" + std::to_string(++made);
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

server::server(memory_options chosen) : options_(std::move(chosen))
{
    durable_.identity = options_.identity.empty() ? identity_of_its_own() : options_.identity;
    instance_ = options_.instance.empty() ? durable_.identity : options_.instance;
}

driver_capabilities server::capabilities() const noexcept
{
    driver_capabilities what;
    what.is_two_phase = options_.is_two_phase;
    what.is_always_serializable = options_.is_always_serializable;
    what.stays_attached_after_prepare = options_.acts_as == personality::mariadb;
    what.has_one_phase_witness = options_.acts_as == personality::postgresql;
    return what;
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

std::shared_ptr<pending_reply> server::submit(std::uint64_t id, verb v, xid const& x)
{
    deadline const present = now();
    lock held(mutex_);
    expire_leases(present);
    auto waiting = std::make_shared<pending_reply>();
    waiting->what = v;
    waiting->branch = x;
    waiting->ready_at = present;
    if (is_proceeding(id)) {
        receive(id, waiting, present);
        return waiting;
    }
    waiting = lost_request();
    if (v == verb::commit_one_phase && options_.acts_as == personality::postgresql) {
        // A witness is read before COMMIT is sent, so on a dead connection COMMIT was never sent.
        waiting->answer = make_reply(xa_code::rbother, "the connection was lost before COMMIT");
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
    history_.push_back({number_of(id), waiting->what, waiting->branch, {}, false, false, {}});
    if (waiting->what == verb::start) history_.back().modes = sessions_[id].next;

    std::string const wrong = objection(id, sessions_[id], waiting->what, waiting->branch);
    if (!wrong.empty()) {
        violations_.push_back(std::string(name_of(waiting->what)) + " on session " +
                              std::to_string(number_of(id)) + ", branch " + waiting->branch.text() +
                              ": " + wrong);
        auto const at = durable_.branches.find(waiting->branch);
        bool const is_gone = waiting->what != verb::start &&
                             (at == durable_.branches.end() || at->second.at == phase::finished);
        answer(*waiting, make_reply(is_gone ? xa_code::nota : xa_code::proto, wrong), false);
        return;
    }
    session& asking = sessions_[id];
    asking.outstanding = waiting;
    waiting->session = id;
    waiting->process = asking.process;
    waiting->restores = restores_;
    branch& b = durable_.branches[waiting->branch];
    b.id = waiting->branch;
    remember(asking, waiting->what, b);
    if (waiting->what == verb::start) b.led_by = std::exchange(asking.leads, {});

    if (is_frozen_) {
        held_.push_back({id, waiting, true, true});
    } else if (auto const rule = faults_.match(number_of(id), waiting->what, waiting->branch)) {
        apply(*rule, id, waiting, present);
    } else {
        answer(*waiting, carry_out(id, waiting->what, waiting->branch), true);
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
            auto const at = sessions_.find(waiting.session);
            bool const is_its = at != sessions_.end() && at->second.outstanding.get() == &waiting;
            if (is_its) at->second.outstanding.reset();
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
    if (waiting.restores != restores_) return;  // another past
    reply const& what = waiting.answer;
    branch& b = durable_.branches[waiting.branch];
    bool const is_rollback = is_rollback_code(what.code);
    bool const is_left = what.detail == reply_detail::left_behind;
    bool is_end = false;
    switch (waiting.what) {
        case verb::start:
            return;
        case verb::prepare:
            b.is_yes_heard = what.is_ok();
            is_end = is_rollback || is_left ||
                     (what.code == xa_code::rdonly && what.detail != reply_detail::still_open);
            break;
        case verb::commit:
        case verb::commit_one_phase:
            is_end = is_rollback || is_left || what.is_ok() || what.code == xa_code::rmerr;
            break;
        case verb::rollback:
            is_end = is_rollback || is_left || what.is_ok();
            break;
        case verb::forget:
            is_end = what.is_ok() || what.code == xa_code::nota;
            break;
    }
    b.end_heard_in = is_end ? deaths_ : 0;
}

std::string_view name_of(verb v) noexcept
{
    constexpr std::string_view names[] = {
        "?", "start", "prepare", "commit", "one-phase commit", "rollback", "forget"};
    return names[static_cast<std::size_t>(v)];
}

}  // namespace assent::inline v0::testing::memory
