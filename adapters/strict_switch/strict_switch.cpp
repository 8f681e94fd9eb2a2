// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// strict_switch.cpp -- what testing_switch.hpp promises, forwarded.

#include <assent/error.hpp>

#include "adapters/strict_switch/registry.hpp"

namespace assent::inline v0::testing {

namespace {

long flags_of(switch_options const& chosen) noexcept
{
    return (chosen.registers ? TMREGISTER : 0) | (chosen.is_migratable ? 0 : TMNOMIGRATE) |
           (chosen.is_asynchronous ? TMUSEASYNC : 0);
}

int at_least_one(int count, char const* what)
{
    if (count >= 1) return count;
    throw error{errc::bad_argument, std::string{"strict switch: "} + what + " counts from 1"};
}

}  // namespace

switch_fault::switch_fault(std::shared_ptr<strict::resource> of, switch_call what)
    : of_(std::move(of)), rule_(std::make_shared<strict::rule>())
{
    rule_->what = what;
}

switch_fault& switch_fault::nth(int count)
{
    rule_->to_skip = at_least_one(count, "nth()") - 1;
    return *this;
}

switch_fault& switch_fault::times(int count)
{
    rule_->to_fire = at_least_one(count, "times()");
    return *this;
}

void switch_fault::put()
{
    of_->put(rule_);
}

void switch_fault::answer(xa_code code)
{
    rule_->kind = strict::fault::answer;
    rule_->code = static_cast<int>(code);
    put();
}

void switch_fault::answer_after_effect(xa_code code)
{
    rule_->kind = strict::fault::answer_after;
    rule_->code = static_cast<int>(code);
    put();
}

void switch_fault::answer_without_effect(xa_code code)
{
    rule_->kind = strict::fault::answer_only;
    rule_->code = static_cast<int>(code);
    put();
}

void switch_fault::before(std::function<void()> what)
{
    rule_->before = std::move(what);
    put();
}

void switch_fault::after(std::function<void()> what)
{
    rule_->after = std::move(what);
    put();
}

strict_switch::strict_switch(switch_options const& chosen)
    : is_(strict::registry::of_process().of_file(chosen.file)),
      entries_(&strict::switch_of(flags_of(chosen)))
{
}

strict_switch::~strict_switch()
{
    strict::registry::of_process().leave(std::move(is_));
}

xa_switch_t const& strict_switch::entries() const noexcept
{
    return *entries_;
}

std::string const& strict_switch::info() const noexcept
{
    return is_->path();
}

switch_fault strict_switch::on(switch_call what)
{
    return {is_, what};
}

std::size_t strict_switch::pending() const
{
    return is_->pending();
}

void strict_switch::add(std::string const& row, std::int64_t delta)
{
    is_->add(row, delta);
}

void strict_switch::begin_outside()
{
    is_->begin_outside();
}

void strict_switch::end_outside()
{
    is_->end_outside();
}

void strict_switch::die()
{
    is_->die(false);
}

void strict_switch::stay_dead()
{
    is_->die(true);
}

void strict_switch::revive()
{
    is_->revive();
}

void strict_switch::complete_calls(bool is_on)
{
    is_->complete_calls(is_on);
}

void strict_switch::settle(std::string const& branch, bool by_commit)
{
    is_->settle(branch, by_commit);
}

std::int64_t strict_switch::value(std::string const& row) const
{
    auto const all = is_->rows();
    auto const at = all.find(row);
    return at == all.end() ? 0 : at->second;
}

std::map<std::string, std::int64_t> strict_switch::rows() const
{
    return is_->rows();
}

std::vector<std::string> strict_switch::prepared() const
{
    return is_->prepared();
}

std::vector<std::string> strict_switch::heuristics() const
{
    return is_->heuristics();
}

std::size_t strict_switch::unfinished() const
{
    return is_->unfinished();
}

std::size_t strict_switch::openings() const
{
    return is_->openings();
}

std::vector<switch_event> strict_switch::history() const
{
    return is_->history();
}

std::vector<std::string> strict_switch::violations() const
{
    return is_->violations();
}

}  // namespace assent::inline v0::testing
