// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transport.hpp -- what carries messages to a broker: assent::rabbitmq::transport, or one of the
// application's own.

#ifndef ASSENT_TRANSPORT_HPP
#define ASSENT_TRANSPORT_HPP

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {
namespace message {

/// How many lanes a destination has.  Messages of one key share a lane, and a lane is in order.
inline constexpr unsigned lanes = 64;

/// One message on its way.
struct parcel
{
    std::string to;     ///< its destination
    unsigned lane = 0;  ///< less than lanes
    std::string id;     ///< the same each time that it is sent; 1 to 255 bytes
    std::vector<std::pair<std::string, std::string>> headers;  ///< names, and any bytes
    std::string body;                                          ///< any bytes
};

/// What became of the parcels that were sent.
struct receipt
{
    std::size_t kept = 0;  ///< so many, from the first on, are the broker's, and survive its crash
    std::string why;       ///< in words, of the first that is not known to be kept; else empty
    bool is_refused = false;  ///< that one the broker has refused: the others are not its concern
};

/// Sends parcels in order, and hears from the broker which of them it keeps.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class ASSENT_EXPORT transport
{
public:
    virtual ~transport();

    /// Sends, and waits for no answer.  Connects where it must.
    /// @throws driver_error  the parcel was perhaps sent; of those before it settle() tells.
    /// Safe to retry: whoever receives may see the parcel twice.
    virtual void send(parcel const& what, deadline until) = 0;

    /// Waits, until `until` at the most, for the broker's answer to each parcel that was sent since
    /// the last call.  On return all of these are settled: what is not in receipt::kept may be the
    /// broker's all the same, and is to be sent again, with all that followed it.
    virtual receipt settle(deadline until) = 0;
};

}  // namespace message
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TRANSPORT_HPP
