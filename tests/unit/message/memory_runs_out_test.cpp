// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_runs_out_test.cpp -- each allocation of a put() or take() fails in turn: the message is
// there if and only if it was put, and until it was taken.

#include <algorithm>
#include <new>

#include "tests/unit/engine/rationed_memory.hpp"
#include "tests/unit/message/message_fixture.hpp"

namespace message_test {

using engine_test::rations;

using MemoryRunsOut = queues;

TEST_F(MemoryRunsOut, InAPutAndTheMessageIsThereExactlyIfItWasPut)
{
    commit_put("the tables are made");
    for (bool const is_first : {true, false}) {
        int nth = 1;
        for (bool has_failed = true; has_failed && nth < 1000; ++nth) {
            SCOPED_TRACE((is_first ? "first, allocation " : "second, allocation ") +
                         std::to_string(nth));
            message const one{"jobs-of-a-destination-with-a-long-name",
                              "a key that is long enough to need memory",
                              std::string(is_first ? "first " : "second ") + std::to_string(nth) +
                                  " of all bodies that need memory",
                              {{"a-header-that-needs-memory", "and its value, which needs more"}}};
            auto tx = at.tm->begin();
            if (!is_first) at_bank.put(tx, {"jobs", "before it", "before it"});
            auto const sent_before = at.bank.history().size();
            bool is_put = false;
            rations = {nth, 1, 0, false};
            try {
                at_bank.put(tx, one);
                is_put = true;
            } catch (std::bad_alloc const&) {
            }
            has_failed = rations.has_failed;
            rations = {};

            EXPECT_EQ(tx.commit(), outcome::committed);
            auto const all = bodies(at.bank);
            EXPECT_EQ(std::count(all.begin(), all.end(), one.body), is_put ? 1 : 0);
            if (is_first && !is_put) {
                EXPECT_EQ(at.bank.history().size(), sent_before) << "a branch for nothing";
            }
        }
        EXPECT_GT(nth, 5) << "nothing was tested";
    }
}

TEST_F(MemoryRunsOut, InATakeAndTheMessageIsNotLost)
{
    {
        auto tx = at.tm->begin();
        at_bank.put(tx, {"jobs",
                         "a key that is long enough to need memory",
                         "a body that is long enough to need memory",
                         {{"a-header-that-needs-memory", "and its value, which needs more"}}});
        tx.commit();
    }
    int nth = 1;
    for (bool has_failed = true; has_failed && nth < 1000; ++nth) {
        SCOPED_TRACE("allocation " + std::to_string(nth));
        auto tx = at.tm->begin();
        EXPECT_EQ(taken(tx, "elsewhere"), "nothing");  // its branch is there
        bool is_taken = false;
        rations = {nth, 1, 0, false};
        try {
            is_taken = at_bank.take(tx, "jobs").has_value();
        } catch (std::bad_alloc const&) {
        }
        has_failed = rations.has_failed;
        rations = {};

        if (is_taken) break;
        try {
            tx.commit();
        } catch (assent::rolled_back_error const&) {
        }
        EXPECT_EQ(at.bank.tasks().size(), 1u);
    }
    EXPECT_GT(nth, 5) << "nothing was tested";
}

}  // namespace message_test
