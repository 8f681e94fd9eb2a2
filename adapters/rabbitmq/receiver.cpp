// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <assent/driver.hpp>
#include <assent/rabbitmq.hpp>

#include "adapters/rabbitmq/link.hpp"
#include "adapters/rabbitmq/naming.hpp"

namespace assent {
inline namespace v0 {
namespace rabbitmq {

using rabbitmq_adapter::envelope;
using rabbitmq_adapter::lane_name;
using rabbitmq_adapter::link;
using rabbitmq_adapter::two_digits;

namespace {

using clock = deadline::clock;
using std::chrono::milliseconds;

/// 64 lanes are declared, one after the other: whoever waits for less time would never come to it.
constexpr std::chrono::seconds connect_least{10};
constexpr milliseconds pause_first{50};
constexpr milliseconds pause_longest{5000};

/// None chosen: all of them.
std::set<unsigned> not_chosen(std::set<unsigned> const& chosen)
{
    std::set<unsigned> others;
    for (unsigned lane = 0; lane < message::lanes; ++lane) {
        if (!chosen.empty() && chosen.count(lane) == 0) others.insert(lane);
    }
    return others;
}

}  // namespace

/// Invariant: `given` has the tags of `open` alone, and of no consumer but those of `consumers`.
struct receiver::state
{
    struct given_message
    {
        std::string source;
        std::string position;
        std::uint64_t tag = 0;
    };

    state(connect_options its, receive_options its_choice)
        : where(std::move(its)),
          chosen(std::move(its_choice)),
          is_fan_out(where.fan_outs.count(chosen.to) != 0),
          stopped(not_chosen(chosen.lanes))
    {
    }

    std::string queue(unsigned lane) const
    {
        return lane_name(is_fan_out ? chosen.queues : chosen.to, lane);
    }
    void drop() noexcept
    {
        open.reset();
        given.clear();
        consumers.clear();
    }
    /// Does `what` on the connection, which is made where there is none.  One on which something
    /// failed is of no more use.
    template <class What>
    auto on_link(deadline until, What const& what)
    {
        try {
            if (!open) connect(until);
            return what(*open);
        } catch (driver_error const&) {
            drop();
            throw;
        }
    }
    void connect(deadline until);
    void declare(std::string const& name, deadline until);
    void wait_for_new(deadline until) const;
    /// Under a name that no consumer of the lane has had.
    void consume(unsigned lane, deadline until)
    {
        auto& name = consumers[lane];
        name = two_digits(lane) + "." + std::to_string(++named);
        open->consume(lane, queue(lane), name, chosen.prefetch, until);
    }
    /// What the lane's consumer has goes back.
    void end(unsigned lane, deadline until)
    {
        consumers.erase(lane);
        given.erase(lane);
        on_link(until, [&](link& on) { on.end(lane, until); });
    }
    std::optional<message::delivery> accepted(envelope&& came, deadline until);

    connect_options const where;
    receive_options const chosen;
    bool const is_fan_out;
    std::unique_ptr<link> open;
    std::map<unsigned, std::vector<given_message>> given;  // and not acknowledged, by lane
    std::map<unsigned, std::string> consumers;             // their names, by lane
    unsigned long named = 0;
    std::set<unsigned> stopped;
    deadline old_enough{};  // when queues that we made are
};

receiver::receiver(connect_options where, receive_options chosen)
{
    rabbitmq_adapter::require_sane(where);
    if (!is_good_name(chosen.to)) rabbitmq_adapter::refuse("a receiver has a destination");
    if ((where.fan_outs.count(chosen.to) != 0) != is_good_name(chosen.queues)) {
        rabbitmq_adapter::refuse(
            "a receiver has queues of its own where its destination is an exchange, and only "
            "there");
    }
    if (chosen.prefetch == 0) rabbitmq_adapter::refuse("a prefetch is one at the least");
    if (!chosen.lanes.empty() && *chosen.lanes.rbegin() >= message::lanes)
        rabbitmq_adapter::refuse("there is no such lane");
    state_ = std::make_unique<state>(std::move(where), std::move(chosen));
}

receiver::~receiver() = default;

/// Only whoever sends makes the queues of a destination: one that a receiver has just made would
/// look old to him, and he would not wait (connect_options::new_queue_wait).  Queues of our own get
/// nothing before they are bound.
void receiver::state::connect(deadline asked)
{
    auto const until = std::max(asked, clock::now() + connect_least);
    drop();
    open = std::make_unique<link>(where, until);
    for (unsigned lane = 0; lane < message::lanes; ++lane)
        declare(queue(lane), until);
    if (is_fan_out) {
        wait_for_new(asked);
        open->declare_exchange(chosen.to, until);
    }
    for (unsigned lane = 0; lane < message::lanes; ++lane) {
        if (is_fan_out) open->bind(queue(lane), chosen.to, two_digits(lane), until);
        if (stopped.count(lane) == 0) consume(lane, until);
    }
}

void receiver::state::declare(std::string const& name, deadline until)
{
    if (!is_fan_out && !open->is_there(name, until)) {
        throw driver_error("RabbitMQ: the queue \"" + name +
                           "\" is not there yet: whoever sends makes it");
    }
    try {
        if (open->declare_queue(name, until)) old_enough = clock::now() + where.new_queue_wait;
    } catch (driver_error const& e) {
        throw driver_error(e.what() + std::string{"; \""} + name +
                           "\" must be declared by this receiver, or as it declares it");
    }
}

void receiver::state::wait_for_new(deadline until) const
{
    if (old_enough > clock::now()) std::this_thread::sleep_until(std::min(old_enough, until));
    if (old_enough <= clock::now()) return;
    throw driver_error("RabbitMQ: the queues of " + chosen.queues +
                       " are new, and not safe from a crash of the broker for a moment");
}

/// @return nothing where it is of a consumer that has ended: it went back with that one.
std::optional<message::delivery> receiver::state::accepted(envelope&& came, deadline until)
{
    auto const lane = came.lane;
    auto const its_consumer = consumers.find(lane);
    if (its_consumer == consumers.end() || its_consumer->second != came.consumer)
        return std::nullopt;
    came.what.to = chosen.to;
    came.what.lane = lane;
    auto& its = given[lane];
    its.push_back({{}, {}, came.tag});
    try {
        auto made = message::from_parcel(came.what);
        if (made.window >= chosen.prefetch) {
            rabbitmq_adapter::refuse("the sender's window of " + std::to_string(made.window) +
                                     " messages is not less than the prefetch of " +
                                     std::to_string(chosen.prefetch) +
                                     ": raise receive_options::prefetch");
        }
        its.back().source = made.at.source;
        its.back().position = made.at.position;
        return made;
    } catch (driver_error const& e) {
        stopped.insert(lane);
        auto why =
            std::string{e.what()} + "; the queue " + queue(lane) + " is not received any more";
        try {
            end(lane, until);
        } catch (driver_error const& lost) {  // all goes back with the connection
            why += std::string{"; "} + lost.what();
        }
        throw driver_error(errc::bad_argument, why);
    }
}

std::optional<message::delivery> receiver::next(deadline until)
{
    milliseconds pause = pause_first;
    for (;;) {
        try {
            auto came = state_->on_link(until, [&](link& on) { return on.receive(until); });
            if (!came) return std::nullopt;
            if (auto made = state_->accepted(std::move(*came), until)) return made;
        } catch (driver_error const& e) {
            if (e.why() == errc::bad_argument || clock::now() + pause >= until) throw;
            std::this_thread::sleep_for(pause);
            pause = std::min(2 * pause, pause_longest);
        }
    }
}

void receiver::acknowledge(message::delivery const& done)
{
    auto& its = state_->given[done.at.lane];
    auto const is_done = [&](state::given_message const& each) {
        return each.source == done.at.source && each.position <= done.at.position;
    };
    try {
        for (auto const& each : its) {
            if (is_done(each) && state_->open) state_->open->acknowledge(done.at.lane, each.tag);
        }
        its.erase(std::remove_if(its.begin(), its.end(), is_done), its.end());
    } catch (driver_error const&) {
        state_->drop();  // it comes again
    }
}

void receiver::stop_lane(unsigned lane, deadline until)
{
    if (lane >= message::lanes) rabbitmq_adapter::refuse("there is no such lane");
    if (!state_->stopped.insert(lane).second || !state_->open) return;
    state_->end(lane, until);
}

void receiver::resume_lane(unsigned lane, deadline until)
{
    if (lane >= message::lanes) rabbitmq_adapter::refuse("there is no such lane");
    if (state_->stopped.erase(lane) == 0 || !state_->open) return;
    state_->on_link(until, [&](link&) { state_->consume(lane, until); });
}

}  // namespace rabbitmq
}  // namespace v0
}  // namespace assent
