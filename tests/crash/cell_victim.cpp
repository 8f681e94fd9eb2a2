// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cell_victim.cpp -- the program to which a cell of the matrix happens.  `cell_victim PLAN`, see
// plan.hpp and cell_work.hpp.  Besides:
//
//   mode            commit, row, rollback: how its one transaction ends; recover: it has none
//   reserved        accounts, orders: where the reservation is; the XA branch is in the other one
//   stop            the point at which it stops itself (SIGSTOP), until whoever watches continues
//                   it; besides the library's: ready, worked
//   strike          the point at which it kills itself

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "tests/crash/cell_work.hpp"
#include "tests/crash/scene.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;

void stop_self()
{
    ::kill(::getpid(), SIGSTOP);
}

void pass(point_watch& watch, char const* point)
{
    assent::event what;
    what.name = point;
    watch.on(what);
}

std::string end(assent::transaction& tx, std::string const& mode)
{
    try {
        if (mode == "rollback") {
            tx.rollback();
            return "rolled_back";
        }
        return tx.commit() == assent::outcome::committed ? "committed" : "pending";
    } catch (assent::rolled_back_error const&) {
        return "rolled_back";
    } catch (assent::in_doubt_error const&) {
        return "in_doubt";
    }
}

void work(assent::transaction_manager& tm, cell_managers const& in, plan const& what,
          point_watch& watch)
{
    auto const& mode = what.text("mode");
    auto const& transfer = what.text("prefix");
    bool const is_in_accounts = what.text("reserved") == "accounts";
    assent::begin_options how;
    if (mode == "row" && is_in_accounts) how.commit_row(in.plain.orders);
    if (mode == "row" && !is_in_accounts) how.commit_row(in.plain.accounts);
    pass(watch, "ready");
    auto tx = tm.begin(how);
    std::string said;
    try {
        attempt(tx, is_in_accounts ? in.in_accounts : in.in_orders, transfer);
        if (is_in_accounts) {
            receive(tx.lease(in.plain.orders), transfer);
        } else {
            receive(tx.lease(in.plain.accounts), transfer);
        }
        pass(watch, "worked");
        said = end(tx, mode);
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", transfer.c_str(), e.what());
        said = end(tx, "rollback");
    }
    durable_lines{what.text("answers")}.add(said + " " + transfer);
}

void obey(plan const& what)
{
    auto const watch = std::make_shared<finish_watch>(what);
    if (what.has("stop")) watch->strike_at(what.text("stop"), 1, &stop_self);
    if (what.has("strike")) watch->strike_at(what.text("strike"), 1, kill_self);
    assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    auto const in = add_cell(tm, what);
    wait_until_drained(*watch, in_seconds(60));
    if (what.text("mode") != "recover") work(tm, in, what, *watch);
    tm.close(in_seconds(60));  // confirms ask it, so it is there as long as they run
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("cell_victim", count, words, &obey);
}
