// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ledger_victim.cpp -- the program that dies while a row in SQLite decides.  `ledger_victim PLAN`,
// see plan.hpp; beside the keys that are there:
//
//   ledger          the SQLite file
//   bulk            1: so much work that a part of it is in the file before any commit
//   mode            work: a transfer, and one that is refused; recover: as in victim.cpp;
//                   lock: writes into the file, and stops (SIGSTOP) until somebody lets it go on

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/crash/ledger.hpp"
#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

constexpr auto patience = 60s;

class three
{
public:
    three(assent::transaction_manager& tm, plan const& what)
        : tm_(tm),
          what_(what),
          servers_(add_both(tm, what)),
          ledger_(tm.add(ledger{what.text("ledger")}.manager()))
    {
    }

    /// @return what commit() said.
    std::string transfer(std::string const& id, bool is_refused)
    {
        auto tx = tm_.begin(assent::begin_options{}.commit_row(ledger_));
        auto const in_file = tx.lease(ledger_);
        PGconn* const accounts = tx.lease(servers_.accounts);
        assent::testing::transfer(accounts, tx.lease(servers_.orders), id, 7, 1);
        ledger::enter(in_file, id);
        if (what_.has("bulk")) ledger::enter_bulk(in_file);
        if (is_refused) fail_in(accounts);
        try {
            return tx.commit() == assent::outcome::committed ? "committed" : "pending";
        } catch (assent::rolled_back_error const&) {
            return "rolled_back";
        }
    }

private:
    /// The branch can only roll back then, and PREPARE will say so.
    static void fail_in(PGconn* accounts)
    {
        try {
            execute(accounts, "select no_such_column");
        } catch (std::runtime_error const&) {
            return;
        }
        throw std::logic_error{"a statement that cannot succeed did"};
    }

    assent::transaction_manager& tm_;
    plan const& what_;
    both servers_;
    assent::odbc::resource_manager ledger_;
};

void wait_until_drained(point_watch& watch)
{
    auto const until = std::chrono::steady_clock::now() + patience;
    for (char const* name : {"accounts", "orders", "ledger"}) {
        if (!watch.wait_for(std::string{"resource_manager.drained@"} + name, 1, until)) {
            throw std::runtime_error{std::string{"never drained: "} + name};
        }
    }
}

void obey(plan const& what)
{
    auto const& mode = what.text("mode");
    if (mode == "lock") {
        ledger{what.text("ledger")}.hold_locked([] { ::kill(::getpid(), SIGSTOP); });
        return;
    }
    auto const watch = std::make_shared<point_watch>();
    strike_as_planned(*watch, what);
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        three all{tm, what};
        wait_until_drained(*watch);
        durable_lines answers{what.text("answers")};
        if (mode == "work") {
            auto const& prefix = what.text("prefix");
            for (bool const is_refused : {false, true}) {
                std::string const id = prefix + (is_refused ? "-r" : "-t1");
                answers.add(all.transfer(id, is_refused) + " " + id);
            }
        }
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("ledger_victim", count, words, &obey);
}
