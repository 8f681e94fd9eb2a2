// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// script.cpp -- what the script of faults makes of requests and calls: answered otherwise, lost,
// late, or held until somebody lets them go.
//
//   request --rule--> held --release() or thaw()--> carried out --> answered
//   call    --rule--> thrown, silent until its deadline, or cut
//
// Which rule matches is said in faults.cpp.

#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

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
        case fault::hang_in_xa_commit:
            held_.push_back({id, waiting, true, false, false, true});
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

server::entered server::enter(driver_call call, std::uint64_t id, deadline until,
                              std::string const& name)
{
    auto const failed = [&name](std::string const& why) {
        return driver_error(dialects::subject(name) + why, "08006");
    };
    lock held(mutex_, std::defer_lock);
    deadline present = now();
    held.lock();
    expire_leases(present);
    auto const rule = faults_.match(call);
    if (rule && rule->kind == call_fault_kind::cut) drop_client(id);
    bool const is_silent = rule && rule->kind == call_fault_kind::time_out;
    entered how;
    if (rule) {
        how.is_cut_after = rule->kind == call_fault_kind::cut_after;
        how.is_without_effect = rule->kind == call_fault_kind::lost;
        how.late_by = rule->by;
        bool const is_refused =
            rule->kind == call_fault_kind::fail || rule->kind == call_fault_kind::cut;
        if (is_refused) throw failed(rule->why);
    }
    while (is_silent || is_frozen_) {
        if (present >= until || !wait(held, until)) {
            auto const asking = sessions_.find(id);
            if (asking != sessions_.end()) asking->second.is_out_of_step = true;
            throw failed(rule ? rule->why : "the server did not answer by the deadline");
        }
        held.unlock();
        present = now();
        held.lock();
    }
    if (!is_up_) throw failed("the server is down");
    if (id != 0 && !is_proceeding(id)) throw failed("the connection is lost");
    return how;
}

}  // namespace assent::inline v0::testing::memory
