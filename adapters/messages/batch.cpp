// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/batch.hpp"

#include <array>
#include <random>
#include <utility>

#include "adapters/dialects/hexadecimal.hpp"
#include "ports/fnv.hpp"

namespace assent::messages {

namespace {

constexpr std::size_t row_overhead = 256;  // as bytes_max counts what is not the application's
constexpr std::uint64_t lanes = 64;        // for ever: rows of all times stand side by side

std::string new_token()
{
    std::random_device source;
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
        auto const four = source();
        for (int shift = 0; shift < 32; shift += 8)
            bytes += static_cast<char>(four >> shift & 0xff);
    }
    return dialects::to_digits(bytes);
}

/// Of a message and its headers as they are kept, or of its row.
template <class Message>
std::size_t size_of(Message const& one, std::string const& headers) noexcept
{
    return row_overhead + one.to.size() + one.key.size() + one.body.size() + headers.size();
}

}  // namespace

void batch::require_room(message::message const& next, std::string const& headers,
                         gtrid const& of) const
{
    if (rows_.size() < message::messages_max &&
        bytes_ + size_of(next, headers) <= message::bytes_max) {
        return;
    }
    throw error{errc::bad_argument,
                "a transaction puts at most " + std::to_string(message::messages_max) +
                    " messages, and " + std::to_string(message::bytes_max) + " bytes, into \"" +
                    home_->name() + "\": put the rest in another one",
                of};
}

bool batch::add(message::message const& next, std::string headers)
{
    task_row row;
    row.token = new_token();
    auto const sum = ports::fnv1a(next.key.empty() ? row.token : next.key);
    row.lane = static_cast<std::uint8_t>(sum % lanes);
    row.to = next.to;
    row.key = next.key;
    row.headers = std::move(headers);
    row.body = next.body;
    // Before the row: a slot that nobody needs is locked in vain, and that is all.
    if (!next.key.empty()) slots_.insert(static_cast<std::uint16_t>(sum % task_slots));
    rows_.push_back(std::move(row));
    bytes_ += size_of(rows_.back(), rows_.back().headers);
    return rows_.size() == 1;
}

void batch::take_back() noexcept
{
    bytes_ -= size_of(rows_.back(), rows_.back().headers);
    rows_.pop_back();
}

void batch::write(driver_session& session, deadline until)
{
    auto const rows = std::exchange(rows_, {});
    if (rows.empty()) return;
    std::vector<std::uint16_t> const slots(slots_.begin(), slots_.end());
    home_->put(session, rows, slots, until);
}

}  // namespace assent::messages
