// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage_main.cpp -- the bad night of outage.hpp, for a person to practise: it waits until the end
// of its input, and then everything is gone.

#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>

#include "tests/integration/outage.hpp"

int main()
{
    try {
        std::puts("setting up; this takes some seconds");
        assent::testing::outage night;
        std::printf(
            "the configuration   %s\n"
            "to start accounts   %s\n"
            "Press Ctrl-D when you are done.\n",
            night.config().c_str(), night.how_to_start_accounts().c_str());
        std::fflush(stdout);
        std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    } catch (std::exception const& e) {
        std::fprintf(stderr, "the outage could not be set up: %s\n", e.what());
        return 1;
    }
    return 0;
}
