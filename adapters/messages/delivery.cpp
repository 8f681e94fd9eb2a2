// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/delivery.hpp>

#include <algorithm>
#include <string_view>

#include <assent/driver.hpp>

namespace assent {
inline namespace v0 {
namespace message {

namespace {

constexpr char source_name[] = "assent-source";
constexpr char position_name[] = "assent-position";
constexpr char previous_name[] = "assent-previous";
constexpr char gtrid_name[] = "assent-gtrid";
constexpr char key_name[] = "assent-key";
constexpr char window_name[] = "assent-window";
constexpr std::size_t window_digits_max = 9;

[[noreturn]] void refuse(parcel const& what, std::string const& why)
{
    throw driver_error(errc::bad_argument,
                       "what came for \"" + what.to + "\" is no message of a relay: " + why);
}

bool is_number(std::string_view text) noexcept
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string const& taken(parcel const& from, std::string_view name)
{
    for (auto const& [its_name, value] : from.headers) {
        if (its_name == name) return value;
    }
    refuse(from, "its header " + std::string{name} + " is missing");
}

std::string position_of(parcel const& from, std::string_view name)
{
    auto const& text = taken(from, name);
    if (text.size() == position_size && is_number(text)) return text;
    refuse(from, "its header " + std::string{name} + " is no position");
}

}  // namespace

parcel to_parcel(delivery const& what)
{
    parcel made{what.at.to, what.at.lane, what.id, {}, what.body};
    made.headers = {{source_name, what.at.source},
                    {position_name, what.at.position},
                    {previous_name, what.at.previous},
                    {gtrid_name, what.gtrid},
                    {key_name, what.key},
                    {window_name, std::to_string(what.window)}};
    made.headers.insert(made.headers.end(), what.headers.begin(), what.headers.end());
    return made;
}

delivery from_parcel(parcel const& what)
{
    delivery made;
    made.at = {taken(what, source_name), what.to, what.lane, position_of(what, position_name),
               position_of(what, previous_name)};
    if (made.at.source.size() != source_size) refuse(what, "its sender's name is none");
    if (made.at.previous >= made.at.position) refuse(what, "it comes before the one before it");
    made.id = what.id;
    made.gtrid = taken(what, gtrid_name);
    made.key = taken(what, key_name);
    auto const& window = taken(what, window_name);
    if (!is_number(window) || window.size() > window_digits_max) refuse(what, "its window is none");
    made.window = std::stoul(window);
    for (auto const& each : what.headers) {
        if (each.first.rfind(reserved_headers, 0) != 0) made.headers.push_back(each);
    }
    made.body = what.body;
    return made;
}

}  // namespace message
}  // namespace v0
}  // namespace assent
