// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <assent/rabbitmq.hpp>

#include "adapters/rabbitmq/link.hpp"
#include "adapters/rabbitmq/naming.hpp"

namespace assent {
inline namespace v0 {
namespace rabbitmq {

using rabbitmq_adapter::lane_name;
using rabbitmq_adapter::link;
using rabbitmq_adapter::name_bytes_max;
using rabbitmq_adapter::refuse;
using rabbitmq_adapter::require_sane;
using rabbitmq_adapter::route;

namespace {

using clock = deadline::clock;

}  // namespace

/// What was sent and not settled stands in `waiting`, the first in front.
struct transport::state
{
    enum class fate : std::uint8_t { open, kept, refused };
    struct sent
    {
        std::string id;
        fate so_far = fate::open;
        bool is_returned = false;
    };

    explicit state(connect_options its) : where(std::move(its)) {}

    void connect(deadline until);
    route declare(message::parcel const& what, deadline until);
    void declare_exchange(std::string const& name, deadline until);
    void declare_lanes(std::string const& of, deadline until);
    [[noreturn]] void refuse_declared(std::string const& name, driver_error const& because);
    void wait_for_new(std::string const& destination, deadline until);
    void note(rabbitmq_adapter::verdict const& said);
    void drop(std::string const& why);

    connect_options const where;
    std::unique_ptr<link> open;
    std::set<std::string> declared;              // destinations, on `open`
    std::map<std::string, deadline> old_enough;  // destinations whose queues are new
    std::vector<sent> waiting;
    std::uint64_t before_first = 0;  // how many were published on `open` before waiting.front()
    std::string why;                 // of the first that is not kept
};

transport::transport(connect_options where)
{
    require_sane(where);
    state_ = std::make_unique<state>(std::move(where));
}

transport::~transport() = default;

/// Nothing that was sent and not answered is known of any more.
void transport::state::drop(std::string const& because)
{
    open.reset();
    declared.clear();
    if (why.empty()) why = because;
}

void transport::state::connect(deadline until)
{
    if (open && waiting.empty()) {
        // An idle connection may have ended meanwhile; nothing is lost by that.
        try {
            while (open->hear(clock::now())) {
            }
        } catch (driver_error const&) {
            drop({});
        }
    }
    if (open) return;
    // Behind what may be the broker's or not, nothing may be sent: it would overtake.
    if (!waiting.empty()) throw driver_error("RabbitMQ: " + why + "; settle() tells what was kept");
    open = std::make_unique<link>(where, until);
    before_first = 0;
}

route transport::state::declare(message::parcel const& what, deadline until)
{
    bool const is_fan_out = where.fan_outs.count(what.to) != 0;
    auto const lane = rabbitmq_adapter::two_digits(what.lane);
    route to = is_fan_out ? route{what.to, lane} : route{{}, lane_name(what.to, what.lane)};
    auto const& name = is_fan_out ? to.exchange : to.key;
    if (what.to.empty() || name.size() > name_bytes_max)
        refuse("the destination's name is too long");
    if (declared.count(what.to) == 0) {
        is_fan_out ? declare_exchange(what.to, until) : declare_lanes(what.to, until);
        declared.insert(what.to);
    }
    wait_for_new(what.to, until);
    return to;
}

void transport::state::declare_exchange(std::string const& name, deadline until)
{
    try {
        open->declare_exchange(name, until);
    } catch (driver_error const& e) {
        refuse_declared(name, e);
    }
}

void transport::state::declare_lanes(std::string const& of, deadline until)
{
    for (unsigned lane = 0; lane < message::lanes; ++lane) {
        auto const name = lane_name(of, lane);
        try {
            if (open->declare_queue(name, until))
                old_enough[of] = clock::now() + where.new_queue_wait;
        } catch (driver_error const& e) {
            refuse_declared(name, e);
        }
    }
}

void transport::state::refuse_declared(std::string const& name, driver_error const& because)
{
    drop(because.what());
    throw driver_error(because.what() + std::string{"; \""} + name +
                       "\" must be declared by this transport, or as it declares it");
}

void transport::state::wait_for_new(std::string const& destination, deadline until)
{
    auto const at = old_enough.find(destination);
    if (at == old_enough.end()) return;
    if (at->second > until) {
        std::this_thread::sleep_until(until);
        throw driver_error("RabbitMQ: the queues of " + destination +
                           " are new, and not safe from a crash of the broker for a moment");
    }
    std::this_thread::sleep_until(at->second);
    old_enough.erase(at);
}

void transport::send(message::parcel const& what, deadline until)
{
    if (what.id.empty() || what.id.size() > name_bytes_max) refuse("an id has 1 to 255 bytes");
    if (what.lane >= message::lanes) refuse("there is no such lane");
    for (auto const& [name, value] : what.headers) {
        if (name.empty() || name.size() > name_bytes_max)
            refuse("a header's name has 1 to 255 bytes");
    }
    state_->connect(until);
    auto const to = state_->declare(what, until);
    state_->waiting.push_back({what.id});
    try {
        state_->open->publish(to, what);
    } catch (driver_error const& e) {
        state_->drop(e.what());
        throw;
    }
}

void transport::state::note(rabbitmq_adapter::verdict const& said)
{
    if (!said.returned.empty()) {
        for (auto& each : waiting) {
            if (each.id == said.returned) each.is_returned = true;
        }
        if (why.empty()) why = "RabbitMQ: no queue takes " + said.returned;
        return;
    }
    if (said.number <= before_first) return;
    auto const last = std::min<std::uint64_t>(said.number - before_first, waiting.size());
    for (auto at = said.has_all_before ? 1 : last; at <= last; ++at) {
        auto& each = waiting[at - 1];
        if (each.so_far != fate::open) continue;
        each.so_far = said.is_kept && !each.is_returned ? fate::kept : fate::refused;
        if (!said.is_kept && why.empty()) why = "RabbitMQ: the broker refused " + each.id;
    }
}

message::receipt transport::settle(deadline until)
{
    auto& all = state_->waiting;
    auto const is_open = [](state::sent const& each) { return each.so_far == state::fate::open; };
    try {
        while (state_->open && std::any_of(all.begin(), all.end(), is_open)) {
            auto const said = state_->open->hear(until);
            if (said) {
                state_->note(*said);
            } else {
                state_->drop("RabbitMQ: no answer in time");
            }
        }
    } catch (driver_error const& e) {
        state_->drop(e.what());
    }
    auto const first = std::find_if(all.begin(), all.end(), [](state::sent const& each) {
        return each.so_far != state::fate::kept;
    });
    message::receipt told{static_cast<std::size_t>(first - all.begin()), {}, false};
    if (first != all.end()) {
        told.why = state_->why;
        told.is_refused = first->so_far == state::fate::refused;
    }
    state_->before_first += all.size();
    all.clear();
    state_->why.clear();
    return told;
}

}  // namespace rabbitmq
}  // namespace v0
}  // namespace assent
