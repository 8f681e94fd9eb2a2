// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_victim.cpp -- an application that is killed, or stops, in the middle of a commit.
//
//   cli_victim LOG kill EVENT OCCURRENCE    one transfer; kill -9 of itself when it is told EVENT
//   cli_victim LOG hold EVENT OCCURRENCE    one transfer; there it waits for the end of its input
//   cli_victim LOG ... OCCURRENCE row       the same, decided by a commit row of accounts
//
// The environment says where the databases are.  It writes the transaction's gtrid, and `held`.

#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

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

}  // namespace

int main(int count, char** words)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing of a test outlives it
    bool const is_decided_in_row = count == 6 && std::string_view{words[5]} == "row";
    if (count != 5 && !is_decided_in_row) {
        std::fprintf(stderr, "usage: cli_victim LOG kill|hold EVENT OCCURRENCE [row]\n");
        return 2;
    }
    try {
        transfer_once(words[1], std::make_shared<striker>(words[2], words[3], std::atoi(words[4])),
                      is_decided_in_row);
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "cli_victim: %s\n", e.what());
        return 1;
    }
}
