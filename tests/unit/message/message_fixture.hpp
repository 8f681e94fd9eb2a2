// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// message_fixture.hpp -- queues in two databases under one manager.

#ifndef ASSENT_TESTS_UNIT_MESSAGE_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_MESSAGE_FIXTURE_HPP

#include <assent/message.hpp>

#include "tests/unit/api/api_fixture.hpp"

namespace message_test {

using namespace api_test;
using assent::message::message;
using assent::message::queue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class queues : public ::testing::Test
{
protected:
    queues() : at_bank(*at.accounts), at_shop(*at.orders) {}
    ~queues() override
    {
        at.tm.reset();
        for (memory_database const* each : {&at.bank, &at.shop}) {
            EXPECT_THAT(each->violations(), IsEmpty());
            EXPECT_EQ(each->script().pending(), 0u) << "a fault was never met";
        }
    }

    /// What is there for everybody, in its order.
    static std::vector<std::string> bodies(memory_database const& in)
    {
        std::vector<std::string> all;
        for (auto const& row : in.tasks())
            all.push_back(row.body);
        return all;
    }
    void commit_put(std::string const& body, std::string const& key = {})
    {
        auto tx = at.tm->begin();
        at_bank.put(tx, {"jobs", key, body});
        ASSERT_EQ(tx.commit(), outcome::committed);
    }
    std::string taken(assent::transaction& tx, std::string const& to = "jobs")
    {
        auto const one = at_bank.take(tx, to);
        return one ? one->body : "nothing";
    }

    doors at;
    queue at_bank, at_shop;
};

}  // namespace message_test

#endif  // ASSENT_TESTS_UNIT_MESSAGE_FIXTURE_HPP
