// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// jta.cpp -- an order, as an application of Java's would place it: each function says whether it
// needs a transaction, and a cache writes itself out before the votes.  Databases in memory, so
// that it runs anywhere.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

namespace {

using assent::testing::memory_database;
using assent::testing::memory_resource_manager;

struct shop
{
    assent::transaction_manager& tm;
    memory_resource_manager accounts;
    memory_resource_manager orders;
};

/// What customers earn in one transaction, written once, when all of it is known.
class points
{
public:
    static points& of_this_transaction(shop& at)
    {
        assent::transaction& tx = *at.tm.current();
        auto kept = tx.get_resource("points");
        if (kept.has_value()) return *std::any_cast<std::shared_ptr<points>>(kept);
        auto const made = std::make_shared<points>();
        tx.put_resource("points", made);
        tx.register_interposed_synchronization({[&at, made] { made->write_out(at); }, {}});
        return *made;
    }
    void earn(std::string const& who, int how_many) { earned_[who] += how_many; }

private:
    void write_out(shop& at)
    {
        auto const on = at.tm.current()->lease(at.accounts);
        for (auto const& [who, how_many] : earned_)
            on->add("points of " + who, how_many);
    }
    std::map<std::string, int> earned_;
};

void charge(shop& at, std::string const& who, int amount)
{
    assent::mandatory(at.tm, [&] {  // only ever a part of something
        if (amount <= 0) throw std::invalid_argument{"an amount must be positive"};
        at.tm.current()->lease(at.accounts)->add(who, -amount);
        points::of_this_transaction(at).earn(who, amount / 10);
    });
}

void note(shop& at, std::string const& what)
{
    assent::requires_new(at.tm, [&] {  // stays, whatever becomes of the order
        at.tm.current()->lease(at.orders)->add(what, 1);
    });
}

std::string place_order(shop& at, std::string const& who, int amount)
{
    return assent::required(at.tm, [&] {  // begins a transaction, or joins its caller's
        note(at, "asked");
        charge(at, who, amount);
        at.tm.current()->lease(at.orders)->add("made", 1);
        return "order of " + who;
    });
}

void require(bool is_so, char const* what)
{
    if (!is_so) throw std::logic_error{what};
}

void run(std::string const& log_directory)
{
    memory_database bank;
    memory_database store;
    assent::transaction_manager tm{assent::options{}
                                       .log_directory(log_directory)
                                       .node_label("jta")
                                       .allow_file_system("tmpfs")};
    shop at{tm, tm.add(memory_resource_manager{"accounts", bank}),
            tm.add(memory_resource_manager{"orders", store})};

    std::cout << place_order(at, "alice", 50) << '\n';
    try {
        place_order(at, "bob", 0);
        require(false, "it cannot be charged");
    } catch (std::invalid_argument const& e) {
        std::cout << "not made: " << e.what() << '\n';
    }

    auto const early =
        assent::begin_options{}.commit_return(assent::commit_return::decision_logged);
    assent::required(
        tm,
        [&] {
            charge(at, "carol", 20);
            at.tm.current()->lease(at.orders)->add("made", 0);
        },
        early);
    auto const left = tm.close(std::chrono::steady_clock::now() + std::chrono::seconds{60});
    require(left.is_drained && bank.value("carol") == -20, "what was under way has ended");

    require(bank.value("alice") == -50 && bank.value("points of alice") == 5, "alice has paid");
    require(!bank.value("bob") && store.value("made") == 1, "nothing of bob's order is there");
    require(store.value("asked") == 2, "but that it was asked for");
}

}  // namespace

int main()
try {
    auto directory = (std::filesystem::temp_directory_path() / "assent-jta-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) throw std::runtime_error{"no directory"};
    run(directory);
    std::filesystem::remove_all(directory);
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
