// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tx_victim.cpp -- the program that dies in X/Open's TX interface.  `tx_victim PLAN`, see plan.hpp:
// a chain of a transfer, one that is refused, one that is given up, and one in a single database.
// With `early` tx_commit() returns when the decision is logged.
//
// Where the plan says `strike`, it kills itself there instead of going on.

#include <assent/tx.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <assent/tx.hpp>

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;

void require(int answer)
{
    if (answer < 0) throw std::runtime_error{"TX: " + std::string{assent_tx_message()}};
}

void* lease(char const* name)
{
    void* handle = nullptr;
    require(assent_tx_lease(name, &handle));
    return handle;
}

PGconn* accounts()
{
    return static_cast<PGconn*>(lease("accounts"));
}

void transfer_here(std::string const& id)
{
    transfer(accounts(), static_cast<assent::mysql::handle_type>(lease("orders")), id, 7, 1);
}

/// PREPARE will say so.
void spoil()
{
    try {
        execute(accounts(), "select no_such_column");
    } catch (std::runtime_error const&) {
        return;
    }
    throw std::logic_error{"a statement that cannot succeed did"};
}

std::string word_for(int answer)
{
    if (answer == TX_OK) return "committed";
    return answer == TX_ROLLBACK ? "rolled_back" : "answered_" + std::to_string(answer);
}

void work(plan const& what)
{
    durable_lines answers{what.text("answers")};
    auto const& prefix = what.text("prefix");
    require(tx_open());
    require(tx_set_transaction_control(TX_CHAINED));
    if (what.has("early")) require(tx_set_commit_return(TX_COMMIT_DECISION_LOGGED));
    require(tx_begin());

    transfer_here(prefix + "-t");
    answers.add(word_for(tx_commit()) + " " + prefix + "-t");

    transfer_here(prefix + "-r");
    spoil();
    answers.add(word_for(tx_commit()) + " " + prefix + "-r");

    transfer_here(prefix + "-g");
    require(tx_rollback());
    answers.add("rolled_back " + prefix + "-g");

    require(tx_set_transaction_control(TX_UNCHAINED));
    execute(accounts(), "insert into single values ('" + prefix + "-s')");
    answers.add(word_for(tx_commit()) + " " + prefix + "-s");
    require(tx_close());
}

void obey(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    strike_as_planned(*watch, what);
    {
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        auto const databases = add_both(tm, what);
        assent::tx_service const served{tm, {databases.accounts, databases.orders}};
        work(what);
    }
    write_points(what, *watch);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("tx_victim", count, words, &obey);
}
