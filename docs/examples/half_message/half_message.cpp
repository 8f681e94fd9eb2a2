// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_message.cpp -- an order and the news of it: the message is shown if and only if the order is
// there.  Database and broker are in memory, so that it runs anywhere; a real broker's client takes
// the place of the map.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

namespace {

using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
namespace half = assent::half;

class news_broker final : public half::broker
{
public:
    void half(assent::xid const& name, half::message const& what, assent::deadline) override
    {
        std::lock_guard const held{mutex_};
        halves_[name.text()] = what;
    }
    bool release(assent::xid const& name, assent::deadline) override
    {
        std::lock_guard const held{mutex_};
        auto const at = halves_.find(name.text());
        if (at == halves_.end()) return false;
        shown_.push_back(at->second.body);
        halves_.erase(at);
        return true;
    }
    bool drop(assent::xid const& name, assent::deadline) override
    {
        std::lock_guard const held{mutex_};
        return halves_.erase(name.text()) == 1;
    }
    half::listing list(assent::deadline) override
    {
        std::lock_guard const held{mutex_};
        half::listing all{"news-broker-7f3a", {}};
        for (auto const& [name, what] : halves_)
            all.names.push_back(name);
        return all;
    }

    std::vector<std::string> shown() const
    {
        std::lock_guard const held{mutex_};
        return shown_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, half::message> halves_;
    std::vector<std::string> shown_;
};

/// What a broker's client does that calls back with the name of a half and wants to know.
enum class check { show, drop, ask_again };

check on_check(assent::transaction_manager& tm, std::string const& name)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{2};
    switch (tm.ask(name, until)) {
        case assent::known_outcome::committed:
            return check::show;
        case assent::known_outcome::rolled_back:
            return check::drop;
        case assent::known_outcome::pending:
        case assent::known_outcome::unknown:
            break;
    }
    return check::ask_again;
}

void require(bool is_so, char const* what)
{
    if (!is_so) throw std::logic_error{what};
}

void play(std::string const& log)
{
    memory_database shop;
    auto const broker = std::make_shared<news_broker>();
    assent::transaction_manager tm{
        assent::options{}.log_directory(log).node_label("shop").allow_file_system("tmpfs")};
    auto const orders = tm.add(memory_resource_manager{"orders", shop});
    auto const news = tm.add(half::resource_manager{
        "news", broker,
        half::options{}.unguarded().halves_arrive_within(std::chrono::minutes{15})});

    auto tx = tm.begin(assent::begin_options{}.commit_row(orders));
    tx.lease(orders)->set("4711", 1);
    half::send(tx, news, {"orders", "4711 is placed"});
    auto const name = broker->list({}).names.at(0);
    require(on_check(tm, name) == check::ask_again, "it is at work");
    tx.commit();
    require(broker->shown() == std::vector<std::string>{"4711 is placed"}, "it is shown");
    require(on_check(tm, name) != check::drop, "it is decided, and soon forgotten");

    auto given_up = tm.begin();
    half::send(given_up, news, {"orders", "4712 is placed"});
    given_up.rollback();
    require(broker->shown().size() == 1 && broker->list({}).names.empty(), "it is dropped");
    std::cout << "shown: " << broker->shown().front() << '\n';
}

}  // namespace

int main()
{
    std::string log = (std::filesystem::temp_directory_path() / "half.XXXXXX").string();
    if (::mkdtemp(log.data()) == nullptr) return 1;
    try {
        play(log);
    } catch (std::exception const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    std::filesystem::remove_all(log);
    return 0;
}
