// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// request.hpp -- what a person asks of the process that owns the log, and what it answers: the text
// of one file each.
//
//   assent request 1            assent answer 1
//   deed resolve                status 0
//   transaction asn1l0000...    acted 1
//   resource_manager orders     epoch 4
//   commit 0                    text branch 00020001... of "orders" is rolled back
//   seen against                end
//   until 1796049931369
//   who uid 1000 (ann)
//   why order 4711 was cancelled
//   end
//
// Every line is there once, in this order; whatever is not exactly so is no request.

#ifndef ASSENT_RECOVERY_REQUEST_HPP
#define ASSENT_RECOVERY_REQUEST_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "recovery/refusal.hpp"

namespace assent::recovery {

/// The whole of a request, or of an answer.
inline constexpr std::size_t request_bytes_max = 16'384;

enum class request_deed : std::uint8_t { forget = 1, resolve = 2 };

struct request
{
    request_deed deed = request_deed::forget;
    std::string transaction;       ///< gtrid, or gtrid.bqual
    std::string resource_manager;  ///< empty, of forget: all
    bool is_commit = false;        ///< of resolve
    std::string seen;              ///< what the person read: marks_of(), or mark_of()
    std::int64_t until_ms = 0;     ///< after it nobody begins to carry it out
    std::string who;
    std::string why;
};

struct answer
{
    act_status status = act_status::done;
    bool has_acted = false;  ///< something was written, or sent
    std::uint32_t epoch = 0;
    std::string text;
};

/// Line ends and other control characters become blanks.
std::string text_of(request const& what);
std::string text_of(answer const& what);

/// @return what is wrong with it, where it is none.
std::variant<request, std::string> parse_request(std::string_view text);
std::variant<answer, std::string> parse_answer(std::string_view text);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_REQUEST_HPP
