// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// queue_victim.cpp -- the program that dies with messages.  `queue_victim PLAN`, see plan.hpp: two
// transfers that put a message each, the move of both from the one queue to the other with a
// transfer each, and a move that is given up.
//
//   ledgers  "p1-1"    the message p1-1 is in one of the queues
//            "p1-1m"   it is in that of the orders
//
// Where the plan says `strike`, it kills itself there instead of going on.

#include <memory>
#include <string>

#include <assent/message.hpp>

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;
using assent::message::queue;

class mover
{
public:
    mover(assent::transaction_manager& tm, both const& in, plan const& what,
          std::shared_ptr<point_watch> watch)
        : tm_(tm),
          in_(in),
          prefix_(what.text("prefix")),
          answers_(what.text("answers")),
          watch_(std::move(watch))
    {
    }

    void put(std::string const& id)
    {
        auto tx = tm_.begin();
        transfer(tx.lease(in_.accounts), tx.lease(in_.orders), id, 1, 1);
        from_.put(tx, {prefix_, "key", id});
        pass("put.gathered");
        answer(tx, id);
    }
    void move(bool is_given_up)
    {
        auto tx =
            tm_.begin(assent::begin_options{}.isolation_level(assent::isolation::read_committed));
        auto const one = from_.take(tx, prefix_);
        if (!one) throw std::runtime_error{"a message is lost"};
        pass("message.taken");
        auto const id = one->body + "m";
        transfer(tx.lease(in_.accounts), tx.lease(in_.orders), id, 1, 1);
        to_.put(tx, *one);
        pass("move.gathered");
        if (!is_given_up) return answer(tx, id);
        tx.rollback();
        pass("move.given_up");
    }

private:
    void pass(char const* name)
    {
        assent::event what;
        what.name = name;
        watch_->on(what);
    }
    void answer(assent::transaction& tx, std::string const& id)
    {
        bool const is_done = tx.commit() == assent::outcome::committed;
        answers_.add((is_done ? "committed " : "pending ") + id);
    }

    assent::transaction_manager& tm_;
    both const in_;
    queue const from_{in_.accounts};
    queue const to_{in_.orders};
    std::string const prefix_;
    durable_lines answers_;
    std::shared_ptr<point_watch> const watch_;
};

void obey(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    strike_as_planned(*watch, what);
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        mover at_work{tm, add_both(tm, what), what, watch};
        auto const prefix = what.text("prefix");
        at_work.put(prefix + "-1");
        at_work.put(prefix + "-2");
        at_work.move(true);
        at_work.move(false);
        at_work.move(false);
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("queue_victim", count, words, &obey);
}
