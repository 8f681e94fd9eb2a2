// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_runs_out_test.cpp -- each allocation of a commit fails in turn, and no reservation is left
// to a worker that was never told.

#include "tests/unit/engine/rationed_memory.hpp"
#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

using engine_test::rations;

using MemoryRunsOut = reserving;

TEST_F(MemoryRunsOut, InACommitAndItsReservationIsSettledAllTheSame)
{
    // One worker: where it counts as busy and was told nothing, nobody settles any more.
    auto const purses =
        tm->add(tcc::resource_manager{"purses", memory_resource_manager{"bank", bank},
                                      does.handlers(), tcc::options{}.workers(1)});
    int nth = 1;
    for (bool has_failed = true; has_failed && nth < 1000; ++nth) {
        SCOPED_TRACE("allocation " + std::to_string(nth));
        {
            auto tx = tm->begin();
            attempt(tx, purses, "0");
            rations = {nth, 1, 0, false};
            try {
                tx.commit();
            } catch (std::exception const&) {
            }
            has_failed = rations.has_failed;
            rations = {};
        }
        ASSERT_TRUE(becomes_settled());
    }
    EXPECT_GT(nth, 10);
    EXPECT_EQ(does.confirms + does.cancels, does.attempts);
    EXPECT_GT(does.confirms, 0);
    EXPECT_TRUE(becomes_drained());
}

}  // namespace tcc_test
