// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// records.hpp -- what the log says, as values.  The bytes are drawn at the top of records.cpp.
//
// Invariant: every record fits into one page, because every part of it has a limit.

#ifndef ASSENT_LOG_RECORDS_HPP
#define ASSENT_LOG_RECORDS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "log/format.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::log {

/// Twelve hexadecimal digits each, as in a gtrid.
inline constexpr std::uint64_t nonce_max = 0xffffffffffffULL;
inline constexpr std::uint64_t sequence_max = 0xffffffffffffULL;

inline constexpr std::size_t branches_max = 64;
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t kind_bytes_max = 32;
inline constexpr std::size_t identity_bytes_max = 120;
inline constexpr std::size_t server_start_bytes_max = 120;
inline constexpr std::size_t text_bytes_max = 500;
inline constexpr std::size_t rebinding_why_bytes_max = 400;

/// The most that one record takes in a page, the largest decision.
inline constexpr std::size_t record_bytes_max = 840;

/// The numbers on disk: written out, never reused.
enum class record_type : std::uint8_t {
    opening = 1,
    binding = 2,
    decision = 3,
    end = 4,
    heuristic = 5,
    horizon = 6,
    server_start = 7,
    operator_decision = 8,
    rollback_note = 9,
    // Reserved for what will ride on the same log; a reader of version 1 refuses them.
    begin = 16,
    enlist = 17,
    decide = 18,
    step = 19,
    intent = 20,
    sent = 21,
    timer = 22,
    park = 23,
    resume = 24,
    forget = 25,
    lease = 26,
    // From 128 on a reader that does not know them goes on without them.
    opening_limits = 128,
    binding_epoch = 129,
    retirement = 130,
    rebinding = 131,
};

struct opening_record
{
    ports::opening which;
    std::int64_t unix_ms = 0;
};

/// What a copy of this log has to wait for: while that opening lives, a vote counts for so long
/// after its guardian was heard, and a decision that was forced so late is answered as committed.
struct opening_limits_record
{
    ports::opening which;
    std::chrono::milliseconds guardian_lapse{0};
    std::chrono::milliseconds log_force{0};
    std::chrono::milliseconds log_hang{0};
    /// The longest wait of all openings up to this one: so one record is enough for all of them.
    std::chrono::milliseconds presumption{0};
};

/// What counts for an opening that recorded nothing: the largest that its limits may have been.
inline constexpr std::chrono::milliseconds presumption_unrecorded{15'000};

/// In which epoch a resource manager's id was, or is about to be, given to it.  A copy of the log
/// may give the same id to another database, and tells by this whose transactions are not its own.
struct binding_epoch_record
{
    std::uint16_t id = 0;
    std::uint32_t epoch = 0;
};

/// Bit i of `finished` is branch i of the decision.
struct decision_record
{
    ports::decision what;
    std::uint64_t finished = 0;
    std::int64_t unix_ms = 0;
};

struct end_record
{
    gtrid global;
    std::uint64_t finished = 0;
};

struct horizon_record
{
    std::uint16_t id = 0;
    ports::position to;
    bool is_epoch_alone = false;  ///< says nothing of the epochs before
};

struct server_start_record
{
    std::uint16_t id = 0;
    std::uint32_t epoch = 0;
    std::string start;
};

using ports::operator_record;
using ports::operator_verdict;

/// Whether it is about the log itself: it names no branch, and was written by a repair.
bool is_about_the_log(operator_record const& what) noexcept;
/// Whether the log was salvaged from a damaged one and something was lost.
bool is_salvage(operator_record const& what) noexcept;

/// A person gave a database up: it is gone for good.  What was due there is recorded apart.
struct retirement_record
{
    std::uint16_t id = 0;
    std::int64_t unix_ms = 0;
    std::string who;
    std::string why;
};

/// A person says that a bound database has another identity now: a promoted replica, an upgrade.
struct rebinding_record
{
    std::uint16_t id = 0;
    std::uint32_t epoch = 0;  ///< of the opening that says so
    std::int64_t unix_ms = 0;
    std::string from;  ///< identity
    std::string to;    ///< likewise
    std::string who;
    std::string why;
};

struct rollback_record
{
    gtrid global;
};

using record = std::variant<opening_record, ports::binding, decision_record, end_record,
                            ports::heuristic_record, horizon_record, server_start_record,
                            operator_record, rollback_record, opening_limits_record,
                            binding_epoch_record, retirement_record, rebinding_record>;

record_type type_of(record const& what) noexcept;

/// @return the body's size, or 0 when a part is over its limit and nothing may be written.
std::size_t encode_body(record const& what, std::span<std::byte> into) noexcept;

/// @return the record, or nothing when the body is not exactly one record of that type.
std::optional<record> decode_body(record_type type, std::span<std::byte const> body);

/// What a decision over so many branches takes in a page.
constexpr std::size_t decision_bytes(std::size_t branches) noexcept
{
    return (record_header_bytes + 56 + 12 * branches + 7) / 8 * 8;
}
static_assert(decision_bytes(branches_max) == record_bytes_max);

/// Whether `type` is one that decode_body knows.
bool is_known(std::uint8_t type) noexcept;

}  // namespace assent::log

#endif  // ASSENT_LOG_RECORDS_HPP
