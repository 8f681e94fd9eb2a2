// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_victim.cpp -- the program that dies with half messages.  `half_victim PLAN`, see plan.hpp: a
// transfer and the news of it, decided by the log; one decided by a commit row; and one that is
// given up.
//
// Where the plan says `strike`, it kills itself there instead of going on.

#include <memory>
#include <string>

#include "tests/crash/file_broker.hpp"
#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;

constexpr std::int64_t amount = 7;

void work(assent::transaction_manager& tm, plan const& what,
          std::shared_ptr<point_watch> const& watch)
{
    auto const plain = add_both(tm, what);
    auto const news = tm.add(assent::half::resource_manager{
        "news", std::make_shared<file_broker>(what.text("broker"), watch),
        assent::half::options{}.unguarded().halves_arrive_within(std::chrono::milliseconds{0})});
    durable_lines answers{what.text("answers")};
    auto const begin = [&](assent::begin_options const& how, std::string const& id) {
        auto tx = tm.begin(how);
        transfer(tx.lease(plain.accounts), tx.lease(plain.orders), id, amount, 1);
        assent::half::send(tx, news, {"transfers", id});
        return tx;
    };
    auto const by_row = assent::begin_options{}.commit_row(plain.accounts);
    auto const& prefix = what.text("prefix");
    for (auto const& [how, id] :
         {std::pair{assent::begin_options{}, prefix + "-t"}, std::pair{by_row, prefix + "-c"}}) {
        auto tx = begin(how, id);
        bool const is_whole = tx.commit() == assent::outcome::committed;
        answers.add((is_whole ? "committed " : "pending ") + id);
    }
    auto tx = begin(by_row, prefix + "-g");
    tx.rollback();
    answers.add("rolled_back " + prefix + "-g");
}

void obey(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    strike_as_planned(*watch, what);
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        work(tm, what, watch);
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("half_victim", count, words, &obey);
}
