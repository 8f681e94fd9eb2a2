// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// handler_marks.hpp -- by what the log's binding shows that the branches of a resource manager are
// ended by functions of the application's, for whoever has only the log.
//
//   reservations    identity ends in "/tcc/NAME", behind that of the database with the table
//   a broker        kind "half"
//
// Invariant: bindings of years ago are read by these, so they stay as they are.

#ifndef ASSENT_PORTS_HANDLER_MARKS_HPP
#define ASSENT_PORTS_HANDLER_MARKS_HPP

#include <string>
#include <string_view>

namespace assent::ports {

inline constexpr std::string_view reservations_mark = "/tcc/";
inline constexpr std::string_view broker_kind = "half";

inline std::string identity_suffix_of_reservations(std::string_view name)
{
    return std::string{reservations_mark}.append(name);
}

inline bool holds_reservations(std::string_view name, std::string_view identity)
{
    auto const suffix = identity_suffix_of_reservations(name);
    return identity.size() > suffix.size() &&
           identity.substr(identity.size() - suffix.size()) == suffix;
}

inline bool is_broker(std::string_view kind) noexcept
{
    return kind == broker_kind;
}

}  // namespace assent::ports

#endif  // ASSENT_PORTS_HANDLER_MARKS_HPP
