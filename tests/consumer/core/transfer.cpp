// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transfer.cpp -- a user's program on databases in memory, built from an installed package alone.
//
//   transfer LOG_DIRECTORY     exits with 0 when all was as it should be
//
// Everything that crosses the boundary of a library does so here: objects of the program called by
// it, exceptions thrown by it and through it, error codes compared with its own.

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include <atomic>
#include <iostream>
#include <memory>
#include <string>

namespace {

int failures = 0;

void expect(bool is_so, char const* what)
{
    if (is_so) return;
    std::cerr << "not so: " << what << '\n';
    ++failures;
}

class counting_observer : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        if (!what.name.empty()) ++events;
    }
    std::atomic<int> events{0};
};

struct own_error
{
    int number;
};

class shop
{
public:
    explicit shop(std::string const& log)
        : manager(assent::options{}
                      .log_directory(log)
                      .node_label("consumer")
                      .allow_file_system("overlay")
                      .allow_file_system("tmpfs")
                      .observe(watch))
    {
    }

    void move(assent::transaction& tx, int amount)
    {
        tx.lease(accounts)->add("alice", -amount);
        tx.lease(orders)->add("alice", amount);
    }

    std::shared_ptr<counting_observer> watch = std::make_shared<counting_observer>();
    assent::testing::memory_database bank;
    assent::testing::memory_database warehouse;
    assent::transaction_manager manager;
    assent::testing::memory_resource_manager accounts =
        manager.add(assent::testing::memory_resource_manager{"accounts", bank});
    assent::testing::memory_resource_manager orders =
        manager.add(assent::testing::memory_resource_manager{"orders", warehouse});
};

void commits(shop& at)
{
    auto tx = at.manager.begin();
    at.move(tx, 5);

    expect(tx.commit() == assent::outcome::committed, "a transfer commits");
    expect(at.bank.value("alice") == -5, "the one database has it");
    expect(at.warehouse.value("alice") == 5, "the other one has it");
    expect(at.watch->events > 0, "an observer of the program is called");
}

void throws_its_own_types(shop& at)
{
    at.warehouse.script().on(assent::verb::prepare).reply(assent::xa_code::rbdeadlock);
    auto tx = at.manager.begin();
    at.move(tx, 1);
    try {
        tx.commit();
        expect(false, "a no vote is thrown");
    } catch (assent::error const& e) {
        auto const* const rolled_back = dynamic_cast<assent::rolled_back_error const*>(&e);
        expect(rolled_back != nullptr && rolled_back->is_retryable(), "and is of its own type");
    }

    at.warehouse.script().on(assent::verb::prepare).reply(assent::xa_code::rbdeadlock);
    auto again = at.manager.begin();
    at.move(again, 1);
    std::error_code code;
    assent::diagnostics details;
    again.commit(code, details);
    expect(code == assent::errc::rolled_back, "the code is of the library's category");

    auto const connection = at.bank.connect();
    at.bank.cut(connection->id());
    try {
        connection->set("alice", 0);
        expect(false, "a lost connection is thrown");
    } catch (assent::driver_error const& e) {
        expect(e.what()[0] != '\0', "and says so");
    }
}

void catches_the_programs_types(shop& at)
{
    int attempts = 0;
    at.manager.run([&](assent::transaction& tx) {
        at.move(tx, 1);
        if (++attempts == 1) throw assent::retry_requested{};
    });
    expect(attempts == 2, "the library knows its exception when the program throws it");

    try {
        at.manager.run([&](assent::transaction& tx) {
            at.move(tx, 1);
            throw own_error{42};
        });
        expect(false, "an exception of the program comes through");
    } catch (own_error const& e) {
        expect(e.number == 42, "as it was");
    }
    expect(at.bank.value("alice") == -6, "what threw was rolled back");
}

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 2) {
        std::cerr << "usage: transfer LOG_DIRECTORY\n";
        return 2;
    }
    shop at{argv[1]};
    commits(at);
    throws_its_own_types(at);
    catches_the_programs_types(at);
    expect(at.bank.violations().empty() && at.warehouse.violations().empty(), "XA was kept to");
    if (failures == 0) std::cout << "transferred\n";
    return failures == 0 ? 0 : 1;
} catch (std::exception const& e) {
    std::cerr << "unexpected: " << e.what() << '\n';
    return 1;
}
