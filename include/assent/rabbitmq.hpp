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
#include <optional>
#include <set>
#include <string>

#include <assent/delivery.hpp>
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
    /// How long nothing is sent into queues that were just made: RabbitMQ 3.10 may lose a younger
    /// one when it crashes.  Up to ten minutes.
    std::chrono::milliseconds new_queue_wait{5000};
};

/// Publishes with confirms, persistently, and with the flag `mandatory`: what no queue takes counts
/// as not kept.
///
/// It declares each queue and each exchange before the first parcel for it, with all its
/// arguments: one that is there with others is refused, with the broker's words.  Into queues that
/// it made it sends nothing for connect_options::new_queue_wait.  Policies, by which an
/// administrator may shorten a queue, are not seen over this protocol, and not checked.
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

/// What a receiver takes.
struct receive_options
{
    std::string to;  ///< the destination
    /// For a destination that is an exchange: the name of the receiver's own queues, which are
    /// bound to it.  Of receivers of one name one gets a message, those of different names get all.
    std::string queues;
    /// Which lanes it receives, 0 to 63; none are all.  The broker gives a lane to the receiver
    /// that asked first, and so all lanes to the first that asks for all: those that are to work
    /// side by side take lanes of their own.
    std::set<unsigned> lanes;
    /// How many messages of a lane it may have without having acknowledged the first: more than the
    /// relay's window, which each message says.
    std::uint16_t prefetch = 512;
};

/// Receives the messages of a destination, lane by lane in their order, until they are
/// acknowledged.  A lane's queue gives them to one receiver at a time, and to the next one when
/// that is gone; what was not acknowledged comes again.
///
/// The queues of a destination are made by whoever sends: until then next() waits for them.  Those
/// of a destination that is an exchange are the receiver's own, and it makes them.  It declares
/// what is there, too, and is refused as the transport is.
///
/// The connection speaks within these calls only: where the application works for longer than two
/// heartbeats without one the broker ends the connection, and gives what is not acknowledged to the
/// next receiver.  The inbox knows what was done of that.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class ASSENT_EXPORT receiver
{
public:
    /// Connects to nothing yet.
    /// @throws driver_error  errc::bad_argument.
    receiver(connect_options where, receive_options chosen);
    ~receiver();

    /// Waits for the next message, until `until`.  Connects where it must, again and again where
    /// that fails; connecting takes up to ten seconds, whatever `until` is.
    /// @return nothing where none came.
    /// @throws driver_error  errc::unavailable: the broker cannot be reached, or refuses; errc::
    ///                       bad_argument: something came that no relay has sent, or whose window
    ///                       is not less than the prefetch.  Its lane is stopped, and it goes back.
    /// Safe to retry.
    std::optional<message::delivery> next(deadline until);

    /// The message, and what its sender sent before it in its lane, is done: it does not come
    /// again.  To be called when its work is committed, and not before.  Where the connection was
    /// lost meanwhile nothing happens: it comes again, and the inbox knows it.
    void acknowledge(message::delivery const& done);

    /// Nothing comes of that lane any more, and what is not acknowledged goes back: to another
    /// receiver, or to this one after resume_lane(), from the oldest on.  (RabbitMQ ends whoever
    /// keeps a message for half an hour.)
    /// @throws driver_error  errc::unavailable, errc::bad_argument.  Safe to retry.
    void stop_lane(unsigned lane, deadline until);
    /// Takes stop_lane() back; or receives a lane that is not among receive_options::lanes.
    /// @throws driver_error  as stop_lane().  Safe to retry.
    void resume_lane(unsigned lane, deadline until);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace rabbitmq
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_RABBITMQ_HPP
