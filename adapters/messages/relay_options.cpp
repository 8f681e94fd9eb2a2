// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <utility>

#include <assent/driver.hpp>
#include <assent/relay.hpp>

namespace assent {
inline namespace v0 {
namespace message {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds poll_max{60'000};
constexpr seconds again_max{86'400};
constexpr std::size_t lane_messages_max = 10'000;  // a prefetch of RabbitMQ's is less than 65,536
constexpr std::size_t messages_at_most = 100'000;
constexpr std::size_t bytes_at_most = 1'000'000'000;

void require(bool is_met, char const* what)
{
    if (!is_met) throw driver_error(errc::bad_argument, std::string{"a relay "} + what);
}

}  // namespace

relay_options& relay_options::carries(std::string to)
{
    require(is_good_name(to),
            "carries destinations of 1 to 64 printable ASCII characters, none of them a blank");
    to_.insert(std::move(to));
    return *this;
}

relay_options& relay_options::turn(turn_limits limits)
{
    require(limits.lane_messages >= 1 && limits.lane_messages <= lane_messages_max,
            "sends 1 to 10,000 messages of a lane in a turn");
    require(limits.messages >= 1 && limits.messages <= messages_at_most,
            "sends 1 to 100,000 messages in a turn");
    require(limits.bytes <= bytes_at_most, "sends at most 1,000,000,000 bytes in a turn");
    turn_ = limits;
    return *this;
}

relay_options& relay_options::lanes_at_most(unsigned lanes_wanted)
{
    require(lanes_wanted >= 1 && lanes_wanted <= lanes, "works on 1 to 64 lanes at once");
    lanes_at_most_ = lanes_wanted;
    return *this;
}

relay_options& relay_options::poll(milliseconds pause)
{
    require(pause >= milliseconds{1} && pause <= poll_max, "polls after 1 ms to one minute");
    poll_ = pause;
    return *this;
}

relay_options& relay_options::again_after(seconds first, seconds longest)
{
    require(first >= seconds{1} && first <= longest && longest <= again_max,
            "sends a refused message again after one second to one day");
    again_first_ = first;
    again_longest_ = longest;
    return *this;
}

relay_options& relay_options::park_after(unsigned refusals)
{
    park_after_ = refusals;
    return *this;
}

relay_options& relay_options::on_trouble(std::function<void(relay_trouble const&)> told)
{
    told_ = std::move(told);
    return *this;
}

}  // namespace message
}  // namespace v0
}  // namespace assent
