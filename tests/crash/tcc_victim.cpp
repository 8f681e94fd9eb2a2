// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tcc_victim.cpp -- the program that dies with reservations.  `tcc_victim PLAN`, see plan.hpp: a
// transfer by reservation into an XA branch, one by two reservations, one alone, one that is
// refused, and one that is given up.
//
// Where the plan says `strike`, it kills itself there instead of going on.

#include <memory>
#include <string>

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/reserving.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;
using assent::tcc::attempt;

std::string commit(assent::transaction& tx)
{
    try {
        return tx.commit() == assent::outcome::committed ? "committed" : "pending";
    } catch (assent::rolled_back_error const&) {
        return "rolled_back";
    }
}

void work(assent::transaction_manager& tm, reserving const& in, plan const& what)
{
    durable_lines answers{what.text("answers")};
    auto const& prefix = what.text("prefix");
    {
        auto tx = tm.begin();
        attempt(tx, in.leaving, prefix + "-t");
        arrive(tx.lease(in.plain.orders), prefix + "-t");
        answers.add(commit(tx) + " " + prefix + "-t");
    }
    {
        auto tx = tm.begin();
        attempt(tx, in.leaving, prefix + "-u");
        attempt(tx, in.arriving, prefix + "-u");
        answers.add(commit(tx) + " " + prefix + "-u");
    }
    {
        auto tx = tm.begin();
        arrive(tx.lease(in.plain.orders), prefix + "-r");
        try {
            attempt(tx, in.leaving, prefix + "-r");
        } catch (assent::tcc::refused const&) {
            answers.add(commit(tx) + " " + prefix + "-r");
        }
    }
    {
        auto tx = tm.begin();
        attempt(tx, in.arriving, prefix + "-g");
        attempt(tx, in.leaving, prefix + "-g");
        tx.rollback();
        answers.add("rolled_back " + prefix + "-g");
    }
}

void obey(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    strike_as_planned(*watch, what);
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        work(tm, add_reserving(tm, what, watch), what);
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("tcc_victim", count, words, &obey);
}
