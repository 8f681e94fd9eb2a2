// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tx_fixture.hpp -- a process that serves the TX interface over two databases in memory.

#ifndef ASSENT_TESTS_UNIT_TX_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_TX_FIXTURE_HPP

#include <assent/tx.h>

#include <assent/tx.hpp>
#include <utility>

#include "tests/unit/api/api_fixture.hpp"

namespace tx_test {

using namespace api_test;

/// Runs `what` as a thread of control that TX has never seen.
template <class Call>
void on_a_thread(Call&& what)
{
    std::thread{std::forward<Call>(what)}.join();
}

inline TXINFO info()
{
    TXINFO told;
    EXPECT_GE(tx_info(&told), 0) << assent_tx_message();
    return told;
}

inline std::string gtrid_of(TXINFO const& told)
{
    if (told.xid.formatID == -1) return {};
    return {told.xid.data, static_cast<std::size_t>(told.xid.gtrid_length)};
}

struct served
{
    explicit served(personality acts_as = personality::plain,
                    assent::limits const& bounds = quick())
        : bank(database(acts_as)), shop(database(acts_as))
    {
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("tx")
                                                               .limits(bounds)
                                                               .allow_file_system("tmpfs"));
        accounts.emplace(tm->add(memory_resource_manager{"accounts", bank}));
        orders.emplace(tm->add(memory_resource_manager{"orders", shop}));
        tx.emplace(*tm, std::vector<assent::resource_manager>{*accounts, *orders});
    }

    static memory_connection* lease(char const* name)
    {
        void* handle = nullptr;
        EXPECT_EQ(assent_tx_lease(name, &handle), TX_OK) << assent_tx_message();
        return static_cast<memory_connection*>(handle);
    }
    /// Writes into both databases.
    static void work(std::string const& key = "row")
    {
        lease("accounts")->set(key, 1);
        lease("orders")->set(key, 1);
    }
    void expect_rows(std::optional<std::int64_t> value, std::string const& key = "row") const
    {
        EXPECT_EQ(bank.value(key), value);
        EXPECT_EQ(shop.value(key), value);
    }

    temporary_directory log;
    memory_database bank;
    memory_database shop;
    std::unique_ptr<assent::transaction_manager> tm;
    std::optional<memory_resource_manager> accounts;
    std::optional<memory_resource_manager> orders;
    std::optional<assent::tx_service> tx;
};

}  // namespace tx_test

#endif  // ASSENT_TESTS_UNIT_TX_FIXTURE_HPP
