// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// act_victim.cpp -- the operator's program, killed (kill -9) at a step of what a person decided.
//
//   act_victim CONFIG STEP NTH forget GTRID
//   act_victim CONFIG STEP NTH resolve|adopt GTRID NAME commit|rollback
//   act_victim CONFIG STEP NTH retire|rebind NAME

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "recovery/cli/adopt.hpp"
#include "recovery/cli/forget.hpp"
#include "recovery/cli/rebind.hpp"
#include "recovery/cli/resolve.hpp"
#include "recovery/cli/retire.hpp"

namespace {

using namespace assent::cli;

act_report run(std::vector<std::string> const& words, act_options const& how)
{
    auto const from = read_configuration(words.at(0));
    auto const& command = words.at(3);
    if (command == "forget") return forget(from, {words.at(4), ""}, how);
    if (command == "resolve") {
        return resolve(from, {words.at(4), words.at(5), words.at(6) == "commit"}, how);
    }
    if (command == "adopt") {
        return adopt(from, {words.at(4), words.at(5), words.at(6) == "commit"}, how);
    }
    if (command == "rebind") return rebind(from, words.at(4), how);
    if (command == "retire") return retire(from, words.at(4), how);
    throw failure{exit_code::misused, "no such command: " + command};
}

}  // namespace

int main(int count, char** words)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing of a test outlives it
    try {
        std::vector<std::string> const given(words + 1, words + count);
        act_options how;
        how.who = "a person";
        how.reason = "a test";
        how.is_confirmed = true;
        how.on_step = [&, left = std::stoi(given.at(2))](std::string_view step) mutable {
            if (step == given.at(1) && --left == 0) ::kill(::getpid(), SIGKILL);
        };
        return static_cast<int>(run(given, how).code);
    } catch (failure const& e) {
        std::fprintf(stderr, "act_victim: %s\n", e.what());
        return static_cast<int>(e.code());
    } catch (std::exception const& e) {
        std::fprintf(stderr, "act_victim: %s\n", e.what());
        return 1;
    }
}
