// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// delivery.hpp -- a message that comes from another system: what it says, and its place among those
// that its sender sent before and after it.
//
//   position   of the message in its lane; positions rise, each is given once, and compares as text
//   previous   the position of the message before it; position_zero of the first one
//
// A relay gives the positions and sends them with the message; an inbox compares them with the last
// one that it has seen.  So it knows a message that comes twice, and notices one that never came.

#ifndef ASSENT_DELIVERY_HPP
#define ASSENT_DELIVERY_HPP

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <assent/export.hpp>
#include <assent/transport.hpp>

namespace assent {
inline namespace v0 {
namespace message {

/// How many characters a position has: two numbers of twenty digits, the turn and the place in it.
inline constexpr std::size_t position_size = 40;
/// Before the first message of a lane.
inline constexpr char position_zero[] = "0000000000000000000000000000000000000000";
/// How many characters name a sender: random ones, made with its tables, and kept in them.
inline constexpr std::size_t source_size = 24;

/// How the names of headers begin that the application cannot put.
inline constexpr char reserved_headers[] = "assent-";

/// Where a message stands in the order of its lane.
struct place
{
    std::string source;    ///< whose lane it is: source_size characters
    std::string to;        ///< the destination
    unsigned lane = 0;     ///< less than lanes
    std::string position;  ///< position_size digits
    std::string previous;  ///< position_size digits
};

/// One message as it arrives.
struct delivery
{
    place at;                ///< in its lane
    std::string id;          ///< the same each time that it comes; never given to another message
    std::string gtrid;       ///< the transaction that put it
    std::string key;         ///< order is kept within it; empty: it has none
    std::size_t window = 0;  ///< how many its sender may have sent without hearing of the first
    std::vector<std::pair<std::string, std::string>> headers;  ///< the application's
    std::string body;                                          ///< any bytes
};

/// What travels: the application's headers, and those of the place, which are reserved_headers.
ASSENT_EXPORT parcel to_parcel(delivery const& what);

/// @throws driver_error  errc::bad_argument: it is not one that to_parcel() made.
ASSENT_EXPORT delivery from_parcel(parcel const& what);

}  // namespace message
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_DELIVERY_HPP
