// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_victim.cpp -- an application that is killed, or stops, in the middle of a commit.
//
//   cli_victim LOG kill EVENT OCCURRENCE    one transfer; kill -9 of itself when it is told EVENT
//   cli_victim LOG hold EVENT OCCURRENCE    one transfer; there it waits for the end of its input
//   cli_victim LOG ... OCCURRENCE row       the same, decided by a commit row of accounts
//   cli_victim LOG serve EVENT OCCURRENCE   no transfer; it waits for the end of its input, and
//                                           kills itself when it is told EVENT
//
// The environment says where the databases are.  It writes the transaction's gtrid, and `held`.

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "tests/integration/bank.hpp"

namespace {

void say(std::string const& line)
{
    auto const text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

void wait_for_the_end_of_input()
{
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

class striker : public assent::observer
{
public:
    striker(std::string action, std::string event, int occurrence)
        : action_(std::move(action)), event_(std::move(event)), left_(occurrence)
    {
    }

    void on(assent::event const& what) override
    {
        if (what.name != event_ || --left_ != 0) return;
        if (action_ == "kill") ::kill(::getpid(), SIGKILL);
        say("held");
        wait_for_the_end_of_input();
    }

private:
    std::string const action_;
    std::string const event_;
    std::atomic<int> left_;
};

std::string environment(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

void transfer_once(std::string const& log, std::shared_ptr<striker> const& watch,
                   bool is_decided_in_row)
{
    namespace at = assent::testing;
    assent::transaction_manager tm{at::test_options(log).observe(watch)};
    auto const accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", environment("CLI_TEST_ACCOUNTS")});
    auto const orders =
        tm.add(assent::mysql::resource_manager{"orders", environment("CLI_TEST_ORDERS")});
    assent::begin_options how;
    if (is_decided_in_row) how.commit_row(accounts);
    auto tx = tm.begin(how);
    PGconn* const pg = tx.lease(accounts);  // the first branch, on every compiler
    std::string const id{tx.id().text()};   // final from the first branch on
    say(id);
    at::transfer(pg, tx.lease(orders), id, 7, 1);
    tx.commit();
}

void serve(std::string const& log, std::shared_ptr<striker> const& watch)
{
    using namespace std::chrono_literals;
    namespace at = assent::testing;
    assent::transaction_manager tm{at::test_options(log).observe(watch)};
    tm.add(assent::postgresql::resource_manager{"accounts", environment("CLI_TEST_ACCOUNTS")});
    tm.add(assent::mysql::resource_manager{"orders", environment("CLI_TEST_ORDERS")});
    auto const until = std::chrono::steady_clock::now() + 60s;
    for (auto const* name : {"accounts", "orders"}) {
        auto const serves = [&] {
            auto const all = tm.state().resource_managers;
            return std::any_of(all.begin(), all.end(), [&](auto const& each) {
                return each.name == name && each.is_serving;
            });
        };
        while (!serves()) {
            if (std::chrono::steady_clock::now() > until) throw std::runtime_error{"not served"};
            std::this_thread::sleep_for(10ms);
        }
    }
    say("serving");
    say("held");
    wait_for_the_end_of_input();
}

}  // namespace

int main(int count, char** words)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing of a test outlives it
    bool const is_decided_in_row = count == 6 && std::string_view{words[5]} == "row";
    if (count != 5 && !is_decided_in_row) {
        std::fprintf(stderr, "usage: cli_victim LOG kill|hold|serve EVENT OCCURRENCE [row]\n");
        return 2;
    }
    try {
        if (std::string_view{words[2]} == "serve") {
            serve(words[1], std::make_shared<striker>("kill", words[3], std::atoi(words[4])));
            return 0;
        }
        transfer_once(words[1], std::make_shared<striker>(words[2], words[3], std::atoi(words[4])),
                      is_decided_in_row);
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "cli_victim: %s\n", e.what());
        return 1;
    }
}
