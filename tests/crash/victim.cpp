// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// victim.cpp -- the program that dies.  `victim PLAN`, see plan.hpp; it obeys one mode:
//
//   work      once drained: two transfers, one refused, one given up, one in a single database;
//             with `short` only the first transfer and the refused one
//   recover   opens the manager, waits until nothing of earlier runs is left, closes it
//   hold      as work, but forks at the strike: the child sleeps with everything it inherited
//   freeze    as work, but stops at the strike (SIGSTOP) until somebody lets it go on
//
// Where the plan says `strike`, it kills itself there instead of going on.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

constexpr auto patience = 60s;

handles which(plan const& what)
{
    return what.number_or("borrowed", 0) != 0 ? handles::borrowed : handles::leased;
}

void wait_until_drained(point_watch& watch)
{
    auto const until = std::chrono::steady_clock::now() + patience;
    for (char const* name : {"accounts", "orders"}) {
        if (!watch.wait_for(std::string{"resource_manager.drained@"} + name, 1, until)) {
            throw std::runtime_error{std::string{"never drained: "} + name};
        }
    }
}

void work(plan const& what, assent::transaction_manager& tm, both const& databases)
{
    teller here{tm, databases, what, which(what)};
    durable_lines answers{what.text("answers")};
    auto const& prefix = what.text("prefix");
    auto const note = [&](std::string const& id, std::string const& said) {
        answers.add(said + " " + id);
    };
    note(prefix + "-t1", here.transfer(prefix + "-t1", 7, 1));
    note(prefix + "-r", here.refused(prefix + "-r", 17, 4));
    if (what.has("short")) return;
    note(prefix + "-t2", here.transfer(prefix + "-t2", 11, 2));
    note(prefix + "-g", here.give_up(prefix + "-g", 13, 3));
    note(prefix + "-s", here.single(prefix + "-s"));
}

/// The strike of `hold`: the child sleeps, so that whatever it inherited stays open, and the parent
/// dies in the middle of what it did.
void fork_and_die(std::string const& child_file)
{
    pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(300);  // should nobody end it
        for (;;)
            ::pause();
    }
    durable_lines{child_file}.add(std::to_string(child));
    kill_self();
}

void obey(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    auto const& mode = what.text("mode");
    if (what.has("strike")) {
        watch->strike_at(what.text("strike"), static_cast<int>(what.number("occurrence")), [&] {
            if (mode == "freeze") {
                ::kill(::getpid(), SIGSTOP);
                return;
            }
            if (mode == "hold") fork_and_die(what.text("child"));
            kill_self();
        });
    }
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        auto const databases = add_both(tm, what);
        wait_until_drained(*watch);
        if (mode != "recover") work(what, tm, databases);
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("victim", count, words, &obey);
}
