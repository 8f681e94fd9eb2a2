// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// link.hpp -- one connection to a broker: what librabbitmq does, with a deadline for each wait.

#ifndef ASSENT_ADAPTERS_RABBITMQ_LINK_HPP
#define ASSENT_ADAPTERS_RABBITMQ_LINK_HPP

#include <amqp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <assent/rabbitmq.hpp>

namespace assent::rabbitmq_adapter {

using message::parcel;
using rabbitmq::connect_options;

/// Where a parcel goes, in the protocol's words.
struct route
{
    std::string exchange;  ///< empty: the key is a queue's name
    std::string key;
};

/// What the broker says of parcels that were published, which it counts from 1.
struct verdict
{
    std::uint64_t number = 0;
    bool has_all_before = false;  ///< it is said of each up to this one
    bool is_kept = false;
    std::string returned;  ///< else: the id of a parcel that no queue takes; its verdict follows
};

/// A message as the broker gives it to a consumer.
struct envelope
{
    unsigned lane = 0;
    std::string consumer;   ///< as it was named
    std::uint64_t tag = 0;  ///< by which it is acknowledged, in its lane, on this connection
    parcel what;            ///< without its destination and lane
};

/// Thread safety: one shared object unsafe.
class link
{
public:
    /// Connects, logs in, and asks for confirms.  @throws driver_error
    link(connect_options const& where, deadline until);

    bool is_there(std::string const& queue, deadline until);
    /// @return whether the queue is new.
    bool declare_queue(std::string const& name, deadline until);
    void declare_exchange(std::string const& name, deadline until);
    void publish(route const& to, parcel const& what);
    /// @return nothing when none came by `until`.  @throws driver_error  the connection is lost.
    std::optional<verdict> hear(deadline until);

    void bind(std::string const& queue, std::string const& exchange, std::string const& key,
              deadline until);
    /// Has the queue's messages sent here, `prefetch` without an acknowledgement.
    void consume(unsigned lane, std::string const& queue, std::string const& consumer,
                 std::uint16_t prefetch, deadline until);
    /// Ends the lane's consumer, and what is not acknowledged goes back.  What the broker had sent
    /// may come from receive() all the same, under the consumer's name.
    void end(unsigned lane, deadline until);
    void acknowledge(unsigned lane, std::uint64_t tag);
    /// @return nothing when none came by `until`.  @throws driver_error  the connection is lost.
    std::optional<envelope> receive(deadline until);

private:
    struct closer
    {
        void operator()(amqp_connection_state_t state) const noexcept
        {
            amqp_destroy_connection(state);
        }
    };

    void open_socket(connect_options const& where, deadline until);
    void log_in(connect_options const& where, deadline until);
    void bound(deadline until);
    void check(char const* what);
    std::optional<amqp_frame_t> frame(deadline until);
    std::string returned_id(deadline until);

    std::unique_ptr<amqp_connection_state_t_, closer> state_;
};

}  // namespace assent::rabbitmq_adapter

#endif  // ASSENT_ADAPTERS_RABBITMQ_LINK_HPP
