// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// seat.hpp -- the number of a session, for as long as it may ask for something: the session gives
// it up when it ends, or somebody else does for it, whose owner may never return.
//
//   session --has--> seat --share--> call under way
//   seats   --end(id)--^
//
// Invariant: where a seat was given up, no call begins, and no vote is given.

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_SEAT_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_SEAT_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "ports/session_numbers.hpp"

namespace assent::half_messages {

/// Thread safety: every member may be called from several threads at once.
class seat
{
public:
    using number = std::shared_ptr<ports::session_numbers::held const>;

    explicit seat(number of) : id_(of->id()), number_(std::move(of)) {}

    std::uint64_t id() const noexcept { return id_; }
    /// The number, for one call.  @return null: it was given up.
    number share() const noexcept;
    bool is_given_up() const noexcept { return share() == nullptr; }
    void give_up() noexcept;

private:
    std::uint64_t const id_;
    mutable std::mutex mutex_;
    number number_;
};

/// Those of one service.
/// Thread safety: every member may be called from several threads at once.
class seats
{
public:
    std::shared_ptr<seat> take(ports::session_numbers& from, bool can_prepare);
    /// Nothing happens where there is no such seat any more.
    void end(std::uint64_t id) noexcept;

private:
    std::mutex mutex_;
    std::map<std::uint64_t, std::weak_ptr<seat>> all_;
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_SEAT_HPP
