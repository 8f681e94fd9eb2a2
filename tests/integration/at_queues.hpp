// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// at_queues.hpp -- both databases as places of messages, for tests that do the same in each:
// PostgreSQL and MariaDB, or, with ASSENT_MESSAGES_ON_MYSQL, the newest PostgreSQL and MySQL.

#ifndef ASSENT_TESTS_INTEGRATION_AT_QUEUES_HPP
#define ASSENT_TESTS_INTEGRATION_AT_QUEUES_HPP

#include <libpq-fe.h>
#include <mysql.h>

#include <functional>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/message.hpp>

#include "tests/integration/at_bank.hpp"

namespace assent::testing {

/// One of the two databases.
struct side
{
    resource_manager const* home;
    message::queue messages;
    std::size_t wire;
    std::function<void(std::string const&)> execute;
    std::function<std::int64_t(std::string const&)> number;
    std::string name;
};

class AtQueues : public AtBank
{
protected:
    static void SetUpTestSuite()
    {
#ifdef ASSENT_MESSAGES_ON_MYSQL
        if (bank_ != nullptr || !private_server::mysql_missing().empty()) return;
        bool const is_newest = private_server::newest_postgresql_missing().empty();
        keep(
            new bank{is_newest ? private_server::newest_postgresql() : private_server::postgresql(),
                     private_server::mysql()});
#else
        AtBank::SetUpTestSuite();
#endif
    }
    void TearDown() override
    {
        if (bank_ == nullptr) return;
        EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, std::chrono::seconds{30}));
        for (auto const* const table :
             {"assent_task", "assent_key", "assent_lane", "assent_inbox"}) {
            auto const sql = std::string{"drop table if exists "} + table;
            execute(bank_->look_accounts(), "set client_min_messages = warning; " + sql);
            execute(bank_->look_orders(), sql);
        }
        bank_->stop_looking();
    }

    struct opened : wired
    {
        opened() : wired(*bank_, test_options(bank_->new_log_directory())) {}

        std::vector<side> both() const
        {
            return {{&accounts, message::queue{accounts}, net.accounts,
                     [](std::string const& sql) { execute(bank_->look_accounts(), sql); },
                     [](std::string const& sql) { return number(bank_->look_accounts(), sql); },
                     "accounts"},
                    {&orders, message::queue{orders}, net.orders,
                     [](std::string const& sql) { execute(bank_->look_orders(), sql); },
                     [](std::string const& sql) { return number(bank_->look_orders(), sql); },
                     "orders"}};
        }
        void put(side const& into, std::string const& body, std::string const& key = {})
        {
            auto tx = tm.begin();
            into.messages.put(tx, {"shop", key, body});
            ASSERT_EQ(tx.commit(), outcome::committed);
        }
    };
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_AT_QUEUES_HPP
