// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// events.cpp -- one event to Boost.Log, by a program that includes nothing of Boost.

#include <assent/boost_log.hpp>

int main()
{
    assent::event what;
    what.name = "consumer.linked";
    assent::make_boost_log_observer()->on(what);
}
