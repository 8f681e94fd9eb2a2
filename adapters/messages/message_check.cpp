// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/message_check.hpp"

#include <algorithm>

#include <assent/delivery.hpp>
#include <assent/driver.hpp>

#include "adapters/messages/header_text.hpp"

namespace assent::messages {

namespace {

// A destination is a name as any other, and its column holds no more.
static_assert(message::to_max == 64);

[[noreturn]] void refuse(std::string const& why, gtrid const& of)
{
    throw error{errc::bad_argument, "a message " + why, of};
}

/// What is compared by servers must mean the same in every encoding.
bool is_printable(std::string const& text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void require_at_most(std::size_t size, std::size_t longest, char const* what, gtrid const& of)
{
    if (size <= longest) return;
    refuse("has at most " + std::to_string(longest) + ' ' + what + ", and this one has " +
               std::to_string(size) + ": keep the rest in a table of your own",
           of);
}

}  // namespace

void require_destination(std::string const& to, gtrid const& of)
{
    if (is_good_name(to)) return;
    refuse("has a destination of 1 to 64 printable ASCII characters, none of them a blank", of);
}

std::string require_fit(message::message const& what, gtrid const& of)
{
    require_destination(what.to, of);
    require_at_most(what.key.size(), message::key_max, "characters of key", of);
    if (!is_printable(what.key)) refuse("has a key of printable ASCII characters", of);
    require_at_most(what.body.size(), message::body_max, "bytes of body", of);
    for (auto const& [name, value] : what.headers) {
        if (!is_good_name(name) || name.find('=') != std::string::npos) {
            refuse(
                "names its headers by 1 to 64 printable ASCII characters, none of them a blank "
                "or '='",
                of);
        }
    }
    for (auto const& each : what.headers) {
        if (each.first.rfind(message::reserved_headers, 0) == 0) {
            refuse("has no header whose name begins with \"assent-\": a relay writes those", of);
        }
    }
    std::string text = to_text(what.headers);
    require_at_most(text.size(), message::headers_max, "bytes of headers, as they are kept", of);
    return text;
}

}  // namespace assent::messages
