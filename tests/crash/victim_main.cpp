// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/victim_main.hpp"

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace assent::testing {

int victim_main(char const* program, int count, char** words, void (*obey)(plan const& what))
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count != 2) {
        std::fprintf(stderr, "usage: %s PLAN\n", program);
        return 2;
    }
    try {
        obey(plan::read(words[1]));
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", program, e.what());
        return 1;
    }
}

void strike_as_planned(point_watch& watch, plan const& what)
{
    if (!what.has("strike")) return;
    watch.strike_at(what.text("strike"), static_cast<int>(what.number("occurrence")), kill_self);
}

void write_points(plan const& what, point_watch const& watch)
{
    durable_lines lines{what.text("points")};
    for (auto const& [name, count] : watch.counts())
        lines.add(name + " " + std::to_string(count));
}

}  // namespace assent::testing
