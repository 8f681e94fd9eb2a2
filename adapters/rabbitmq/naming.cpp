// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/rabbitmq/naming.hpp"

#include <chrono>

#include <assent/driver.hpp>

namespace assent::rabbitmq_adapter {

namespace {

bool is_of_this_machine(std::string const& host)
{
    return host == "localhost" || host.rfind("127.", 0) == 0 || host == "::1";
}

}  // namespace

void refuse(std::string const& why)
{
    throw driver_error(errc::bad_argument, "RabbitMQ: " + why);
}

void require_sane(rabbitmq::connect_options const& where)
{
    using namespace std::chrono;
    if (where.account.empty()) refuse("no account is given");
    if (where.authority.empty() && !is_of_this_machine(where.host)) {
        refuse("to another machine the connection must be encrypted: give the authority");
    }
    if (where.heartbeat < seconds{1} || where.heartbeat > hours{1}) {
        refuse("the heartbeat must be between one second and one hour");
    }
    if (where.new_queue_wait < milliseconds{0} || where.new_queue_wait > minutes{10}) {
        refuse("the wait for a new queue must be at most ten minutes");
    }
}

std::string two_digits(unsigned lane)
{
    return (lane < 10 ? "0" : "") + std::to_string(lane);
}

std::string lane_name(std::string const& of, unsigned lane)
{
    return of + "." + two_digits(lane);
}

}  // namespace assent::rabbitmq_adapter
