// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rabbitmq.hpp -- messages by a RabbitMQ broker (component rabbitmq).
//
// Each lane of a destination is a quorum queue with one active consumer, `to.00` to `to.63`; a
// fan-out destination is an exchange `to`, of type direct, to which each receiver binds such queues
// of its own under the keys `00` to `63`.

#ifndef ASSENT_RABBITMQ_HPP
#define ASSENT_RABBITMQ_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <assent/export.hpp>
#include <assent/transport.hpp>

namespace assent {
inline namespace v0 {
namespace rabbitmq {

/// Where the broker is, and how to log in.
struct connect_options
{
    std::string host = "localhost";  ///< its name, or its address
    std::uint16_t port = 0;          ///< 0: 5672, or 5671 with an authority
    std::string virtual_host = "/";  ///< RabbitMQ's, with its own queues and rights
    std::string account;             ///< needs the rights to configure and to write there
    /// The file with the password, read at every connect; refused when others may read it.
    std::string password_file;
    /// The file with the certificates of who signs the broker's; the connection is encrypted then,
    /// and the broker's certificate and name are checked.  Without it only this machine is spoken
    /// to.
    std::string authority;
    /// Destinations that are exchanges; all others are queues.
    std::set<std::string> fan_outs;
    /// How long the broker may be silent before the connection is given up, one second at the
    /// least.
    std::chrono::seconds heartbeat{10};
};

/// Publishes with confirms, persistently, and with the flag `mandatory`: what no queue takes counts
/// as not kept.
///
/// It declares each queue and each exchange before the first parcel for it, with all its
/// arguments: one that is there with others is refused, with the broker's words.  Into queues that
/// it made it sends nothing for five seconds: RabbitMQ 3.10 may lose a younger one.  Policies, by
/// which an administrator may shorten a queue, are not seen over this protocol, and not checked.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class ASSENT_EXPORT transport : public message::transport
{
public:
    /// Connects to nothing yet.
    /// @throws driver_error  errc::bad_argument.
    explicit transport(connect_options where);
    ~transport() override;

    /// @throws driver_error  errc::unavailable: the broker cannot be reached, refuses the login, or
    ///                       has a queue of that name with other arguments; errc::bad_argument: the
    ///                       names do not fit into the protocol.
    void send(message::parcel const& what, deadline until) override;
    message::receipt settle(deadline until) override;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace rabbitmq
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_RABBITMQ_HPP
