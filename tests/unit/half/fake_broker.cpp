// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/half/fake_broker.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "tests/simulation/dice.hpp"

namespace half_test {

namespace {

constexpr unsigned faults_percent = 30;
constexpr std::chrono::minutes held_at_most{5};

[[noreturn]] void hear_nothing()
{
    throw std::runtime_error{"the broker was not heard"};
}

}  // namespace

// ---- what the manager asks for ----------------------------------------------------------------

void fake_broker::half(xid const& name, half::message const& what, deadline)
{
    serve({request::half, name.text(), what});
}

bool fake_broker::release(xid const& name, deadline)
{
    return serve({request::release, name.text(), {}});
}

bool fake_broker::drop(xid const& name, deadline)
{
    return serve({request::drop, name.text(), {}});
}

half::listing fake_broker::list(deadline)
{
    auto const met = enter(request::list, {});
    if (met == fate::lost || met == fate::reply_lost || met == fate::late) hear_nothing();
    if (met == fate::refused) throw half::refused{"it does not list just now"};
    return {identity_, halves()};
}

bool fake_broker::serve(late_request const& what)
{
    auto const met = enter(what.what, what.name);
    std::unique_lock held{mutex_};
    switch (met) {
        case fate::refused:
            throw half::refused{"the broker says no"};
        case fate::lost:
            hear_nothing();
        case fate::late:
            late_.push_back(what);
            hear_nothing();
        case fate::held: {
            late_.push_back(what);
            int const before = arrivals_;
            arrived_.wait_for(held, held_at_most, [&] { return arrivals_ != before; });
            hear_nothing();
        }
        case fate::reply_lost:
            carry_out(what);
            hear_nothing();
        case fate::twice: {
            bool const was_there = carry_out(what);
            carry_out(what);
            return was_there;
        }
        case fate::good:
            break;
    }
    return carry_out(what);
}

/// @pre  the mutex is held.
bool fake_broker::carry_out(late_request const& what)
{
    auto const at = halves_.find(what.name);
    if (what.what == request::half) {
        halves_.emplace(what.name, what.content);
        return true;
    }
    if (at == halves_.end()) return false;
    int const is = what.what == request::release ? 1 : 2;
    auto const was = was_.emplace(what.name, is).first->second;
    if (was != is) violations_.push_back(what.name + " was released and dropped");
    if (is == 1) {
        auto const all = [&](auto const& each) { return each.body == at->second.body; };
        if (std::any_of(shown_.begin(), shown_.end(), all)) {
            violations_.push_back(at->second.body + " was shown twice");
        }
        shown_.push_back(at->second);
    }
    halves_.erase(at);
    return true;
}

// ---- what happens to a call -------------------------------------------------------------------

fate fake_broker::enter(request what, std::string const& name)
{
    std::function<void(std::string const&)> hook;
    auto met = fate::good;
    {
        std::lock_guard const held{mutex_};
        int const nth = ++calls_[{what, name}];
        if (is_down_) hear_nothing();
        auto& script = script_[what];
        if (!script.empty()) {
            met = script.front();
            script.pop_front();
        } else if (seed_ != 0) {
            met = diced(what, name, nth);
        }
        hook = std::exchange(hooks_[what], nullptr);
        if (!hook) hook = each_[what];
    }
    if (hook) hook(name);
    return met;
}

/// @pre  the mutex is held.
fate fake_broker::diced(request what, std::string const& name, int nth) const
{
    // Of a name only what is counted: node and nonce are drawn anew in each run.
    auto const known = xid::parse(name);
    std::uint64_t const of =
        known ? known->global.parts().sequence << 8 | known->branch.parts().branch << 4 : 0;
    assent::testing::dice roll{seed_ ^ (of << 16) ^ (static_cast<std::uint64_t>(what) << 8) ^
                               static_cast<std::uint64_t>(nth)};
    roll();
    if (!roll.chance(faults_percent)) return fate::good;
    constexpr fate all[] = {fate::lost, fate::reply_lost, fate::late, fate::twice, fate::refused};
    auto const met = all[roll.roll(std::size(all))];
    // How late a half may come is a matter of time, and time is not diced: it has the call.
    return met == fate::late && what == request::half ? fate::held : met;
}

void fake_broker::script(request of, fate what, int count)
{
    std::lock_guard const held{mutex_};
    script_[of].insert(script_[of].end(), static_cast<std::size_t>(count), what);
}

void fake_broker::clear()
{
    std::lock_guard const held{mutex_};
    script_.clear();
}

std::size_t fake_broker::pending() const
{
    std::lock_guard const held{mutex_};
    std::size_t count = 0;
    for (auto const& [of, left] : script_)
        count += left.size();
    return count;
}

void fake_broker::dice(std::uint64_t seed)
{
    std::lock_guard const held{mutex_};
    seed_ = seed;
}

void fake_broker::go_down()
{
    std::lock_guard const held{mutex_};
    is_down_ = true;
}

void fake_broker::come_up()
{
    std::lock_guard const held{mutex_};
    is_down_ = false;
}

void fake_broker::arrive()
{
    std::lock_guard const held{mutex_};
    for (auto const& each : std::exchange(late_, {}))
        carry_out(each);
    ++arrivals_;
    arrived_.notify_all();
}

void fake_broker::ask_back(std::function<assent::known_outcome(std::string const& name)> const& ask)
{
    for (auto const& name : halves()) {
        auto const said = ask(name);
        if (said == assent::known_outcome::pending || said == assent::known_outcome::unknown) {
            continue;
        }
        bool const commits = said == assent::known_outcome::committed;
        std::lock_guard const held{mutex_};
        carry_out({commits ? request::release : request::drop, name, {}});
    }
}

void fake_broker::on_next(request of, std::function<void(std::string const& name)> call)
{
    std::lock_guard const held{mutex_};
    hooks_[of] = std::move(call);
}

void fake_broker::on_each(request of, std::function<void(std::string const& name)> call)
{
    std::lock_guard const held{mutex_};
    each_[of] = std::move(call);
}

void fake_broker::store(std::string const& name, std::string const& body)
{
    std::lock_guard const held{mutex_};
    halves_[name] = {"", body};
}

void fake_broker::release_by_hand(std::string const& name)
{
    std::lock_guard const held{mutex_};
    if (!carry_out({request::release, name, {}})) throw std::runtime_error{"it is not there"};
}

void fake_broker::lose(std::string const& name)
{
    std::lock_guard const held{mutex_};
    halves_.erase(name);
}

// ---- what is there ----------------------------------------------------------------------------

std::vector<std::string> fake_broker::halves() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::string> names;
    for (auto const& [name, what] : halves_)
        names.push_back(name);
    return names;
}

std::vector<std::string> fake_broker::shown() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::string> bodies;
    for (auto const& each : shown_)
        bodies.push_back(each.body);
    return bodies;
}

int fake_broker::shown_of(std::string const& body) const
{
    auto const all = shown();
    return static_cast<int>(std::count(all.begin(), all.end(), body));
}

int fake_broker::calls_of(request what) const
{
    std::lock_guard const held{mutex_};
    int count = 0;
    for (auto const& [which, times] : calls_)
        count += which.first == what ? times : 0;
    return count;
}

std::vector<std::string> fake_broker::violations() const
{
    std::lock_guard const held{mutex_};
    return violations_;
}

}  // namespace half_test
