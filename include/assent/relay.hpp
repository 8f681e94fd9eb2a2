// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// relay.hpp -- carries the messages of a queue to a broker: each as often as it must be, in order
// within its lane, until the broker keeps it.
//
//   assent::rabbitmq::transport broker{where};
//   assent::message::relay out{orders, broker, assent::message::relay_options{}.carries("shop")};
//   out.start();
//
// A message is deleted when the broker keeps it, and not before.  What is sent twice, since the
// answer was lost, has the same place twice (delivery.hpp), by which whoever receives knows it.

#ifndef ASSENT_RELAY_HPP
#define ASSENT_RELAY_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <assent/export.hpp>
#include <assent/lane_table.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transport.hpp>

namespace assent {
inline namespace v0 {
namespace message {

/// Something that keeps messages from leaving.
struct relay_trouble
{
    std::string to;          ///< the destination; empty: it concerns them all
    std::string message_id;  ///< that the broker refused; empty: it is about none
    unsigned lane = 0;       ///< of that message, behind which its lane waits
    bool is_parked = false;  ///< it is not sent again until a person says so
    std::string why;         ///< in words
};

/// How a relay works.
class ASSENT_EXPORT relay_options
{
public:
    /// Carries messages with this destination, too.  Nobody should take() them.
    relay_options& carries(std::string to);
    /// How much is sent before the broker's answers are waited for; window of a lane at the
    /// receivers.
    relay_options& turn(turn_limits limits);
    /// How many lanes of a destination are worked on at once; the rest is left to other relays
    /// meanwhile.  1 to 64.
    relay_options& lanes_at_most(unsigned lanes);
    /// How long it waits where nothing waits to be sent: 1 ms to one minute.
    relay_options& poll(std::chrono::milliseconds pause);
    /// A message that the broker refuses is sent again after so long, then after twice as long, up
    /// to `longest`: one second to one day.
    relay_options& again_after(std::chrono::seconds first, std::chrono::seconds longest);
    /// After so many refusals it is parked, and its lane with it; 0: never.  60 by default: about
    /// an hour.
    relay_options& park_after(unsigned refusals);
    /// Called on the relay's thread: each refusal, and each failure of the database or the broker
    /// once, until it works again.  What it throws is lost.
    relay_options& on_trouble(std::function<void(relay_trouble const&)> told);

private:
    friend class relay;
    friend class relaying;
    std::set<std::string> to_;
    turn_limits turn_;
    unsigned lanes_at_most_ = 16;
    std::chrono::milliseconds poll_{200};
    std::chrono::seconds again_first_{1};
    std::chrono::seconds again_longest_{60};
    unsigned park_after_ = 60;
    std::function<void(relay_trouble const&)> told_;
};

/// Several relays, in whichever processes, may carry the messages of one database: each lane is
/// worked on by one of them at a time, for a turn; where one vanishes its lanes are free within ten
/// seconds.
///
/// Thread safety: distinct objects safe, with transports of their own; start() and stop() from one
/// thread.
class ASSENT_EXPORT relay
{
public:
    /// `by` must live longer, and is used by nobody else.  Calls nothing.
    /// @throws driver_error  errc::bad_argument: `home` can hold no messages, or an option is out
    ///                       of its bounds.
    relay(resource_manager const& home, transport& by, relay_options chosen);
    /// stop().
    ~relay();

    /// One turn of each destination, on the calling thread, which takes no longer than `until` and
    /// a few seconds: what waits in some lanes gets its positions, is sent, and what the broker
    /// keeps is deleted.
    /// @return how many messages the broker keeps now.
    /// @throws driver_error  the database cannot be used, or the broker.  Safe to retry.
    /// @pre  not between start() and stop().
    std::size_t step(deadline until);

    /// Steps on a thread of its own, again and again; after a failure with pauses that grow to half
    /// a minute.  @throws std::system_error  no thread can be made.
    void start();
    /// Ends that thread after its turn, which takes some seconds where a server does not answer.
    void stop() noexcept;

    /// How many messages the broker has kept of this relay.  From any thread.
    std::uint64_t kept() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace message
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_RELAY_HPP
