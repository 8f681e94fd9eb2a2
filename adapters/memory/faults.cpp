// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// faults.cpp -- the script: rules, and the words that users write them with.

#include "adapters/memory/faults.hpp"

#include <algorithm>
#include <stdexcept>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing {
namespace memory {
namespace {

template <class Rule>
bool fires(Rule& rule)
{
    if (rule.to_skip > 0) {
        --rule.to_skip;
        return false;
    }
    return rule.to_fire > 0;
}

/// Notes that it fired; one that will not do so again is forgotten.
template <class Rules, class Rule>
void note_fired(Rules& rules, std::shared_ptr<Rule> const& which)
{
    if (--which->to_fire == 0) rules.erase(std::find(rules.begin(), rules.end(), which));
}

template <class Rules>
std::size_t unfired(Rules const& rules)
{
    std::size_t count = 0;
    for (auto const& rule : rules)
        count += rule->to_fire > 0;
    return count;
}

int at_least_one(int count)
{
    if (count < 1) throw error(errc::bad_argument, "a fault needs a count of at least 1");
    return count;
}

}  // namespace

void fault_rules::clear()
{
    requests_.clear();
    calls_.clear();
}

std::size_t fault_rules::pending() const
{
    return unfired(requests_) + unfired(calls_);
}

std::shared_ptr<request_rule const> fault_rules::match(std::uint64_t session, verb v,
                                                       xid const& branch)
{
    std::shared_ptr<request_rule> found;
    for (auto const& rule : requests_) {
        if (rule->what != v || (rule->branch && *rule->branch != branch)) continue;
        if (rule->session && *rule->session != session) continue;
        if (fires(*rule) && !found) found = rule;
    }
    if (found) note_fired(requests_, found);
    return found;
}

std::shared_ptr<call_rule const> fault_rules::match(driver_call call)
{
    std::shared_ptr<call_rule> found;
    for (auto const& rule : calls_) {
        if (rule->what == call && fires(*rule) && !found) found = rule;
    }
    if (found) note_fired(calls_, found);
    return found;
}

}  // namespace memory

verb_fault::verb_fault(std::shared_ptr<memory::server> server, verb v)
    : server_(std::move(server)), rule_(std::make_shared<memory::request_rule>())
{
    rule_->what = v;
}

verb_fault& verb_fault::nth(int count)
{
    rule_->to_skip = memory::at_least_one(count) - 1;
    return *this;
}

verb_fault& verb_fault::times(int count)
{
    rule_->to_fire = memory::at_least_one(count);
    return *this;
}

verb_fault& verb_fault::branch(xid const& id)
{
    rule_->branch = id;
    return *this;
}

verb_fault& verb_fault::session(std::uint64_t id)
{
    rule_->session = id;
    return *this;
}

void verb_fault::reply(xa_code code)
{
    assent::reply answer;
    answer.code = code;
    answer.text = "scripted";
    reply(std::move(answer));
}

void verb_fault::reply(assent::reply answer)
{
    rule_->kind = memory::fault::answer;
    rule_->answer = std::move(answer);
    arm();
}

void verb_fault::reply_without_effect(assent::reply answer)
{
    rule_->kind = memory::fault::answer_only;
    rule_->answer = std::move(answer);
    arm();
}

void verb_fault::reply_after_effect(assent::reply answer)
{
    rule_->kind = memory::fault::answer_after;
    rule_->answer = std::move(answer);
    arm();
}

void verb_fault::lose_before_effect()
{
    rule_->kind = memory::fault::lose_before;
    arm();
}

void verb_fault::lose_after_effect()
{
    rule_->kind = memory::fault::lose_after;
    arm();
}

void verb_fault::hang()
{
    rule_->kind = memory::fault::hang_before;
    arm();
}

void verb_fault::hang_after_effect()
{
    rule_->kind = memory::fault::hang_after;
    arm();
}

void verb_fault::hang_in_commit()
{
    rule_->kind = memory::fault::hang_in_commit;
    arm();
}

void verb_fault::hang_in_xa_commit()
{
    rule_->kind = memory::fault::hang_in_xa_commit;
    arm();
}

void verb_fault::delay(std::chrono::milliseconds by)
{
    rule_->kind = memory::fault::delay;
    rule_->by = by;
    arm();
}

void verb_fault::crash_server_before_effect()
{
    rule_->kind = memory::fault::crash_before;
    arm();
}

void verb_fault::crash_server_after_effect()
{
    rule_->kind = memory::fault::crash_after;
    arm();
}

void verb_fault::arm()
{
    // The server gets a copy: this object may go on to make other rules.
    server_->arm(std::make_shared<memory::request_rule>(*rule_));
}

call_fault::call_fault(std::shared_ptr<memory::server> server, driver_call call)
    : server_(std::move(server)), rule_(std::make_shared<memory::call_rule>())
{
    rule_->what = call;
}

call_fault& call_fault::nth(int count)
{
    rule_->to_skip = memory::at_least_one(count) - 1;
    return *this;
}

call_fault& call_fault::times(int count)
{
    rule_->to_fire = memory::at_least_one(count);
    return *this;
}

void call_fault::fail(std::string const& why)
{
    rule_->kind = memory::call_fault_kind::fail;
    rule_->why = why;
    arm();
}

void call_fault::time_out()
{
    rule_->kind = memory::call_fault_kind::time_out;
    rule_->why = "scripted: no answer by the deadline";
    arm();
}

void call_fault::cut()
{
    rule_->kind = memory::call_fault_kind::cut;
    rule_->why = "scripted: the connection was cut";
    arm();
}

void call_fault::cut_after_effect()
{
    rule_->kind = memory::call_fault_kind::cut_after;
    rule_->why = "scripted: the connection was cut after the effect";
    arm();
}

void call_fault::get_lost()
{
    rule_->kind = memory::call_fault_kind::lost;
    arm();
}

void call_fault::arrive_late(std::chrono::milliseconds by)
{
    rule_->kind = memory::call_fault_kind::late;
    rule_->by = by;
    arm();
}

void call_fault::arm()
{
    server_->arm(std::make_shared<memory::call_rule>(*rule_));
}

fault_script::fault_script(std::shared_ptr<memory::server> server) : server_(std::move(server)) {}

verb_fault fault_script::on(verb v)
{
    return {server_, v};
}

verb_fault fault_script::on(verb v, int nth)
{
    return verb_fault{server_, v}.nth(nth);
}

verb_fault fault_script::on(verb v, xid const& branch)
{
    return verb_fault{server_, v}.branch(branch);
}

call_fault fault_script::on(driver_call call)
{
    return {server_, call};
}

call_fault fault_script::on(driver_call call, int nth)
{
    return call_fault{server_, call}.nth(nth);
}

void fault_script::release()
{
    server_->release();
}

std::size_t fault_script::hanging() const
{
    return server_->hanging();
}

std::size_t fault_script::pending() const
{
    return server_->faults_pending();
}

void fault_script::clear()
{
    server_->clear_faults();
}

}  // namespace assent::inline v0::testing
