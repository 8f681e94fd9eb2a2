// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// records.cpp -- the bodies of the records, version 1.  All integers are little endian.
//
//   gtrid, 32 bytes:   place 1 ('l', 'r', 'x'; 0: the null gtrid), zero 1, place's resource
//                      manager 2, epoch 4, node 8, nonce 8, sequence 8
//   bqual, 12 bytes:   resource manager 2, branch 2, session 8
//   text:              its length is given before it; no terminating zero
//
//    1 opening            epoch 4, zero 4, nonce 8, unix ms 8
//    2 binding            id 2, name length 2, kind length 2, identity length 2, the three texts
//    3 decision           gtrid 32, unix ms 8, finished 8 (bit i: branch i), count 2, zero 6,
//                         count bquals
//    4 end                gtrid 32, finished 8
//    5 heuristic          gtrid 32, bqual 12, XA code 4, unix ms 8, name length 2, text length 2,
//                         resource manager's name, text
//    6 horizon            resource manager 2, scope 2 (0 everything, 1 that epoch alone), epoch 4,
//                         sequence 8
//    7 server start       resource manager 2, length 2, epoch 4, text
//    8 operator decision  gtrid 32, bqual 12, verdict 1, zero 3, unix ms 8, who length 2, why
//                         length 2, who, why
//    9 rollback note      gtrid 32
//  128 opening's limits   epoch 4, zero 4, nonce 8, and in milliseconds: guardian's lapse 4,
//                         force 4, hang 4, longest wait before presumed abort of all openings so
//                         far 4
//  129 binding's epoch    resource manager 2, zero 2, epoch 4
//  130 retirement         resource manager 2, who length 2, why length 2, zero 2, unix ms 8, who,
//                         why
//  131 rebinding          resource manager 2, lengths of from 2, to 2, who 2 and why 2, zero 2,
//                         epoch 4, unix ms 8, from (identity), to, who, why

#include "log/records.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "log/bytes.hpp"

namespace assent::log {

namespace {

static_assert(record_header_bytes + 56 + 12 * branches_max <= page_payload_bytes,
              "a decision fits into one page");
static_assert(record_header_bytes + 60 + name_bytes_max + text_bytes_max <= page_payload_bytes,
              "a heuristic fits into one page");

void put(byte_writer& to, gtrid const& which) noexcept
{
    auto const parts = which.parts();
    to.put<std::uint8_t>(which.is_null() ? 0 : static_cast<std::uint8_t>(parts.place));
    to.put<std::uint8_t>(0);
    to.put<std::uint16_t>(parts.place_resource_manager);
    to.put<std::uint32_t>(parts.epoch);
    to.put<std::uint64_t>(parts.node);
    to.put<std::uint64_t>(parts.nonce);
    to.put<std::uint64_t>(parts.sequence);
}

bool take(byte_reader& from, gtrid& which) noexcept
{
    gtrid::fields parts;
    auto const place = from.take<std::uint8_t>();
    from.take<std::uint8_t>();
    parts.place = static_cast<decision_place>(place);
    parts.place_resource_manager = from.take<std::uint16_t>();
    parts.epoch = from.take<std::uint32_t>();
    parts.node = from.take<std::uint64_t>();
    parts.nonce = from.take<std::uint64_t>();
    parts.sequence = from.take<std::uint64_t>();
    if (place == 0) {
        which = gtrid{};
        return from.ok();
    }
    if (place != 'l' && place != 'r' && place != 'x') return false;
    if (parts.nonce > nonce_max || parts.sequence > sequence_max) return false;
    which = gtrid::make(parts);
    return from.ok();
}

void put(byte_writer& to, bqual const& which) noexcept
{
    auto const parts = which.parts();
    to.put<std::uint16_t>(parts.resource_manager);
    to.put<std::uint16_t>(parts.branch);
    to.put<std::uint64_t>(parts.session);
}

bqual take_bqual(byte_reader& from) noexcept
{
    bqual::fields parts;
    parts.resource_manager = from.take<std::uint16_t>();
    parts.branch = from.take<std::uint16_t>();
    parts.session = from.take<std::uint64_t>();
    return bqual::make(parts);
}

void put_time(byte_writer& to, std::int64_t unix_ms) noexcept
{
    to.put<std::uint64_t>(static_cast<std::uint64_t>(unix_ms));
}

std::int64_t take_time(byte_reader& from) noexcept
{
    return static_cast<std::int64_t>(from.take<std::uint64_t>());
}

void put_length(byte_writer& to, std::string const& text) noexcept
{
    to.put<std::uint16_t>(static_cast<std::uint16_t>(text.size()));
}

// Each encoder returns false when a limit is exceeded; the decoder beside it returns nothing when
// the body says what no encoder would write.

bool put_opening(byte_writer& to, ports::opening const& which) noexcept
{
    to.put<std::uint32_t>(which.epoch);
    to.put<std::uint32_t>(0);
    to.put<std::uint64_t>(which.nonce);
    return which.nonce <= nonce_max;
}

/// @return whether its nonce is one.
bool take_opening(byte_reader& from, ports::opening& which)
{
    which.epoch = from.take<std::uint32_t>();
    from.take<std::uint32_t>();
    which.nonce = from.take<std::uint64_t>();
    return which.nonce <= nonce_max;
}

bool put_body(byte_writer& to, opening_record const& what) noexcept
{
    bool const is_whole = put_opening(to, what.which);
    put_time(to, what.unix_ms);
    return is_whole;
}

std::optional<record> take_opening(byte_reader& from)
{
    opening_record what;
    bool const is_whole = take_opening(from, what.which);
    what.unix_ms = take_time(from);
    if (!is_whole) return std::nullopt;
    return what;
}

bool put_body(byte_writer& to, ports::binding const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    put_length(to, what.name);
    put_length(to, what.kind);
    put_length(to, what.identity);
    to.put_text(what.name);
    to.put_text(what.kind);
    to.put_text(what.identity);
    return what.name.size() <= name_bytes_max && what.kind.size() <= kind_bytes_max &&
           what.identity.size() <= identity_bytes_max;
}

std::optional<record> take_binding(byte_reader& from)
{
    ports::binding what;
    what.id = from.take<std::uint16_t>();
    auto const name_bytes = from.take<std::uint16_t>();
    auto const kind_bytes = from.take<std::uint16_t>();
    auto const identity_bytes = from.take<std::uint16_t>();
    what.name = from.take_text(name_bytes, name_bytes_max);
    what.kind = from.take_text(kind_bytes, kind_bytes_max);
    what.identity = from.take_text(identity_bytes, identity_bytes_max);
    return what;
}

/// The bits of `count` branches.
constexpr std::uint64_t branch_bits(std::size_t count) noexcept
{
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

bool put_body(byte_writer& to, decision_record const& what) noexcept
{
    auto const& branches = what.what.branches;
    if (branches.empty() || branches.size() > branches_max) return false;
    if (what.what.global.is_null()) return false;
    put(to, what.what.global);
    put_time(to, what.unix_ms);
    to.put<std::uint64_t>(what.finished);
    to.put<std::uint16_t>(static_cast<std::uint16_t>(branches.size()));
    to.put<std::uint16_t>(0);
    to.put<std::uint32_t>(0);
    for (bqual const& branch : branches) {
        put(to, branch);
    }
    return true;
}

std::optional<record> take_decision(byte_reader& from)
{
    decision_record what;
    if (!take(from, what.what.global) || what.what.global.is_null()) return std::nullopt;
    what.unix_ms = take_time(from);
    what.finished = from.take<std::uint64_t>();
    auto const count = from.take<std::uint16_t>();
    from.take<std::uint16_t>();
    from.take<std::uint32_t>();
    if (!from.ok() || count == 0 || count > branches_max) return std::nullopt;
    if ((what.finished & ~branch_bits(count)) != 0) return std::nullopt;
    what.what.branches.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
        what.what.branches.push_back(take_bqual(from));
    }
    return what;
}

bool put_body(byte_writer& to, end_record const& what) noexcept
{
    put(to, what.global);
    to.put<std::uint64_t>(what.finished);
    return true;
}

std::optional<record> take_end(byte_reader& from)
{
    end_record what;
    if (!take(from, what.global)) return std::nullopt;
    what.finished = from.take<std::uint64_t>();
    return what;
}

bool put_body(byte_writer& to, ports::heuristic_record const& what) noexcept
{
    put(to, what.branch.global);
    put(to, what.branch.branch);
    to.put<std::uint32_t>(static_cast<std::uint32_t>(what.code));
    put_time(to, what.unix_ms);
    put_length(to, what.resource_manager);
    put_length(to, what.text);
    to.put_text(what.resource_manager);
    to.put_text(what.text);
    return what.resource_manager.size() <= name_bytes_max && what.text.size() <= text_bytes_max;
}

std::optional<record> take_heuristic(byte_reader& from)
{
    ports::heuristic_record what;
    if (!take(from, what.branch.global)) return std::nullopt;
    what.branch.branch = take_bqual(from);
    what.code = static_cast<xa_code>(static_cast<std::int32_t>(from.take<std::uint32_t>()));
    what.unix_ms = take_time(from);
    auto const name_bytes = from.take<std::uint16_t>();
    auto const text_bytes = from.take<std::uint16_t>();
    what.resource_manager = from.take_text(name_bytes, name_bytes_max);
    what.text = from.take_text(text_bytes, text_bytes_max);
    return what;
}

bool put_body(byte_writer& to, horizon_record const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    to.put<std::uint16_t>(what.is_epoch_alone ? 1 : 0);
    to.put<std::uint32_t>(what.to.epoch);
    to.put<std::uint64_t>(what.to.sequence);
    return true;
}

std::optional<record> take_horizon(byte_reader& from)
{
    horizon_record what;
    what.id = from.take<std::uint16_t>();
    auto const scope = from.take<std::uint16_t>();
    if (scope > 1) return std::nullopt;
    what.is_epoch_alone = scope == 1;
    what.to.epoch = from.take<std::uint32_t>();
    what.to.sequence = from.take<std::uint64_t>();
    return what;
}

bool put_body(byte_writer& to, server_start_record const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    put_length(to, what.start);
    to.put<std::uint32_t>(what.epoch);
    to.put_text(what.start);
    return what.start.size() <= server_start_bytes_max;
}

std::optional<record> take_server_start(byte_reader& from)
{
    server_start_record what;
    what.id = from.take<std::uint16_t>();
    auto const bytes = from.take<std::uint16_t>();
    what.epoch = from.take<std::uint32_t>();
    what.start = from.take_text(bytes, server_start_bytes_max);
    return what;
}

bool put_body(byte_writer& to, operator_record const& what) noexcept
{
    put(to, what.branch.global);
    put(to, what.branch.branch);
    to.put<std::uint8_t>(static_cast<std::uint8_t>(what.verdict));
    to.put<std::uint8_t>(0);
    to.put<std::uint16_t>(0);
    put_time(to, what.unix_ms);
    put_length(to, what.who);
    put_length(to, what.why);
    to.put_text(what.who);
    to.put_text(what.why);
    return what.who.size() <= name_bytes_max && what.why.size() <= text_bytes_max;
}

std::optional<record> take_operator(byte_reader& from)
{
    operator_record what;
    if (!take(from, what.branch.global)) return std::nullopt;
    what.branch.branch = take_bqual(from);
    auto const verdict = from.take<std::uint8_t>();
    if (verdict < 1 || verdict > 3) return std::nullopt;
    what.verdict = static_cast<operator_verdict>(verdict);
    from.take<std::uint8_t>();
    from.take<std::uint16_t>();
    what.unix_ms = take_time(from);
    auto const who_bytes = from.take<std::uint16_t>();
    auto const why_bytes = from.take<std::uint16_t>();
    what.who = from.take_text(who_bytes, name_bytes_max);
    what.why = from.take_text(why_bytes, text_bytes_max);
    return what;
}

bool put_body(byte_writer& to, rollback_record const& what) noexcept
{
    put(to, what.global);
    return true;
}

std::optional<record> take_rollback(byte_reader& from)
{
    rollback_record what;
    if (!take(from, what.global)) return std::nullopt;
    return what;
}

void put_wait(byte_writer& to, std::chrono::milliseconds wait) noexcept
{
    constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();
    to.put<std::uint32_t>(
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(wait.count(), 0, longest)));
}

std::chrono::milliseconds take_wait(byte_reader& from) noexcept
{
    return std::chrono::milliseconds{from.take<std::uint32_t>()};
}

bool put_body(byte_writer& to, opening_limits_record const& what) noexcept
{
    bool const is_whole = put_opening(to, what.which);
    put_wait(to, what.guardian_lapse);
    put_wait(to, what.log_force);
    put_wait(to, what.log_hang);
    put_wait(to, what.presumption);
    return is_whole;
}

std::optional<record> take_opening_limits(byte_reader& from)
{
    opening_limits_record what;
    bool const is_whole = take_opening(from, what.which);
    what.guardian_lapse = take_wait(from);
    what.log_force = take_wait(from);
    what.log_hang = take_wait(from);
    what.presumption = take_wait(from);
    if (!is_whole) return std::nullopt;
    return what;
}

bool put_body(byte_writer& to, binding_epoch_record const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    to.put<std::uint16_t>(0);
    to.put<std::uint32_t>(what.epoch);
    return true;
}

std::optional<record> take_binding_epoch(byte_reader& from)
{
    binding_epoch_record what;
    what.id = from.take<std::uint16_t>();
    from.take<std::uint16_t>();
    what.epoch = from.take<std::uint32_t>();
    return what;
}

bool put_body(byte_writer& to, retirement_record const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    put_length(to, what.who);
    put_length(to, what.why);
    to.put<std::uint16_t>(0);
    put_time(to, what.unix_ms);
    to.put_text(what.who);
    to.put_text(what.why);
    return what.who.size() <= name_bytes_max && what.why.size() <= text_bytes_max;
}

std::optional<record> take_retirement(byte_reader& from)
{
    retirement_record what;
    what.id = from.take<std::uint16_t>();
    auto const who_bytes = from.take<std::uint16_t>();
    auto const why_bytes = from.take<std::uint16_t>();
    from.take<std::uint16_t>();
    what.unix_ms = take_time(from);
    what.who = from.take_text(who_bytes, name_bytes_max);
    what.why = from.take_text(why_bytes, text_bytes_max);
    return what;
}

bool put_body(byte_writer& to, rebinding_record const& what) noexcept
{
    to.put<std::uint16_t>(what.id);
    put_length(to, what.from);
    put_length(to, what.to);
    put_length(to, what.who);
    put_length(to, what.why);
    to.put<std::uint16_t>(0);
    to.put<std::uint32_t>(what.epoch);
    put_time(to, what.unix_ms);
    to.put_text(what.from);
    to.put_text(what.to);
    to.put_text(what.who);
    to.put_text(what.why);
    return what.from.size() <= identity_bytes_max && what.to.size() <= identity_bytes_max &&
           what.who.size() <= name_bytes_max && what.why.size() <= rebinding_why_bytes_max;
}

std::optional<record> take_rebinding(byte_reader& from)
{
    rebinding_record what;
    what.id = from.take<std::uint16_t>();
    auto const from_bytes = from.take<std::uint16_t>();
    auto const to_bytes = from.take<std::uint16_t>();
    auto const who_bytes = from.take<std::uint16_t>();
    auto const why_bytes = from.take<std::uint16_t>();
    from.take<std::uint16_t>();
    what.epoch = from.take<std::uint32_t>();
    what.unix_ms = take_time(from);
    what.from = from.take_text(from_bytes, identity_bytes_max);
    what.to = from.take_text(to_bytes, identity_bytes_max);
    what.who = from.take_text(who_bytes, name_bytes_max);
    what.why = from.take_text(why_bytes, rebinding_why_bytes_max);
    return what;
}

std::optional<record> take_body(record_type type, byte_reader& from)
{
    switch (type) {
        case record_type::opening:
            return take_opening(from);
        case record_type::binding:
            return take_binding(from);
        case record_type::decision:
            return take_decision(from);
        case record_type::end:
            return take_end(from);
        case record_type::heuristic:
            return take_heuristic(from);
        case record_type::horizon:
            return take_horizon(from);
        case record_type::server_start:
            return take_server_start(from);
        case record_type::operator_decision:
            return take_operator(from);
        case record_type::rollback_note:
            return take_rollback(from);
        case record_type::opening_limits:
            return take_opening_limits(from);
        case record_type::binding_epoch:
            return take_binding_epoch(from);
        case record_type::retirement:
            return take_retirement(from);
        case record_type::rebinding:
            return take_rebinding(from);
        default:
            return std::nullopt;
    }
}

}  // namespace

bool is_about_the_log(operator_record const& what) noexcept
{
    return what.branch.global.is_null();
}

bool is_salvage(operator_record const& what) noexcept
{
    return is_about_the_log(what) && what.verdict == operator_verdict::roll_back;
}

record_type type_of(record const& what) noexcept
{
    // The variant lists them in the order of their numbers on disk: from 1, and those that may be
    // skipped from 128.
    constexpr auto needed = static_cast<std::size_t>(record_type::rollback_note);
    auto const at = what.index();
    return static_cast<record_type>(at < needed ? at + 1 : at - needed + record_skippable_from);
}

std::size_t encode_body(record const& what, std::span<std::byte> into) noexcept
{
    byte_writer to{into};
    bool const fits = std::visit([&to](auto const& one) { return put_body(to, one); }, what);
    return fits && to.ok() ? to.size() : 0;
}

std::optional<record> decode_body(record_type type, std::span<std::byte const> body)
{
    byte_reader from{body};
    auto what = take_body(type, from);
    if (!from.is_exhausted()) return std::nullopt;
    return what;
}

bool is_known(std::uint8_t type) noexcept
{
    return type == static_cast<std::uint8_t>(record_type::opening_limits) ||
           type == static_cast<std::uint8_t>(record_type::binding_epoch) ||
           type == static_cast<std::uint8_t>(record_type::retirement) ||
           type == static_cast<std::uint8_t>(record_type::rebinding) ||
           (type >= static_cast<std::uint8_t>(record_type::opening) &&
            type <= static_cast<std::uint8_t>(record_type::rollback_note));
}

}  // namespace assent::log
