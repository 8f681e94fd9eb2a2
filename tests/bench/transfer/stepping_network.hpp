// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// stepping_network.hpp -- a network that hands on one round of messages at a time.
//
//   p, m      both requests must have come before either is handed on, so whoever waits for the
//             answer to the one before it sends the other is found out, however slow the machine
//
// Invariant: no request of a session that transfers is handed on unless a round was let go.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_STEPPING_NETWORK_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_STEPPING_NETWORK_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "accounts_session.hpp"
#include "costs.hpp"
#include "shop.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::bench {

class stepping_network
{
public:
    explicit stepping_network(shop& to)
        : accounts_(wire_.add(testing::wire_protocol::postgresql, to.postgresql().port())),
          orders_(wire_.add(testing::wire_protocol::mysql, to.mariadb().port())),
          where_(to.by_port(wire_.port(accounts_), wire_.port(orders_)))
    {
    }

    places const& where() const noexcept { return where_; }

    /// From now on requests of the sessions that have transferred wait.
    void hold()
    {
        // What was sent before this has passed once it is answered: the network reads in turns.
        looker_.ask("select 1");
        for (auto const database : {accounts_, orders_})
            wire_.hold_sessions(database, transferring(wire_.messages(database)));
        begin_round();
    }
    void let_all_go()
    {
        for (auto const database : {accounts_, orders_})
            wire_.hold_sessions(database, {});
        for (auto const database : {accounts_, orders_})
            wire_.let_go(database);
    }

    /// Waits until what `word` says has come in this round, and no more.
    bool comes(std::string_view word) const
    {
        // In a second of a quiet machine; none is so busy that it takes this.
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        for (;;) {
            auto const come = round();
            auto const to_accounts = static_cast<int>(come.first.size());
            auto const to_orders = static_cast<int>(come.second.size());
            auto const expected_accounts = cost::messages_in(word, 'p');
            auto const expected_orders = cost::messages_in(word, 'm');
            if (to_accounts > expected_accounts || to_orders > expected_orders) return false;
            if (to_accounts == expected_accounts && to_orders == expected_orders) return true;
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
    }

    /// Waits until so many resets were sent behind transactions, by whatever session.
    bool becomes_reset(std::size_t count) const
    {
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (resets() < count) {
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
        return resets() == count;
    }

    /// Hands on what has come.
    void next_round()
    {
        auto const come = round();
        begin_round();
        // The other database gets nothing: the answer may already have brought about a request to
        // it, which is of the next round.
        if (!come.first.empty()) wire_.let_go(accounts_);
        if (!come.second.empty()) wire_.let_go(orders_);
    }

    /// How many messages so far have something committed: each is a forced write of its server.
    std::size_t commits() const
    {
        auto const is_commit = [](std::string_view text) {
            constexpr std::string_view word = "COMMIT";
            auto const at = text.rfind(word);
            return at != std::string_view::npos && text.substr(at + word.size(), 3) != "TED";
        };
        std::size_t found = 0;
        for (auto const database : {accounts_, orders_}) {
            auto const all = messages(database);
            found += static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_commit));
        }
        return found;
    }

    /// What has come in this round, for people.
    std::string words() const
    {
        auto const come = round();
        std::string text;
        for (auto const& each : come.first)
            text += "\n  p " + each;
        for (auto const& each : come.second)
            text += "\n  m " + each;
        return text;
    }

private:
    using requests = std::vector<std::string>;

    void begin_round()
    {
        accounts_before_ = messages(accounts_).size();
        orders_before_ = messages(orders_).size();
    }

    std::pair<requests, requests> round() const
    {
        auto to_accounts = messages(accounts_);
        auto to_orders = messages(orders_);
        auto const drop = [](requests& from, std::size_t count) {
            from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
        };
        drop(to_accounts, accounts_before_);
        drop(to_orders, orders_before_);
        return {std::move(to_accounts), std::move(to_orders)};
    }

    /// Not those with which a session is opened.
    std::size_t resets() const
    {
        std::size_t found = 0;
        for (auto const database : {accounts_, orders_}) {
            std::set<std::size_t> begun;
            for (auto const& each : wire_.messages(database)) {
                if (!each.is_request) continue;
                bool const is_reset = each.kind == "reset connection" ||
                                      each.text.find("DISCARD ALL") != std::string::npos;
                if (is_reset && begun.count(each.session) != 0) ++found;
                if (begins(each.text)) begun.insert(each.session);
            }
        }
        return found;
    }

    /// Those that have begun a transaction, and not the manager's own, which watch and scan.
    static std::set<std::size_t> transferring(std::vector<testing::wire_message> const& all)
    {
        std::set<std::size_t> found;
        for (auto const& each : all) {
            if (each.is_request && begins(each.text)) found.insert(each.session);
        }
        return found;
    }

    requests messages(std::size_t database) const
    {
        auto const all = wire_.messages(database);
        auto const counted = transferring(all);
        requests found;
        for (auto const& each : all) {
            if (!each.is_request || counted.count(each.session) == 0) continue;
            if (is_message(database, each.kind)) found.push_back(each.kind + ' ' + each.text);
        }
        return found;
    }
    static bool begins(std::string_view text)
    {
        return text.substr(0, 5) == "BEGIN" || text.find("XA START") != std::string_view::npos ||
               text.find("START TRANSACTION") != std::string_view::npos;
    }
    bool is_message(std::size_t database, std::string_view kind) const
    {
        if (database == accounts_) return kind == "query" || kind == "sync";
        return kind != "handshake";
    }

    testing::proxy wire_;
    std::size_t const accounts_;
    std::size_t const orders_;
    places const where_;
    accounts_session looker_{where_.front().accounts};
    std::size_t accounts_before_ = 0;
    std::size_t orders_before_ = 0;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_STEPPING_NETWORK_HPP
