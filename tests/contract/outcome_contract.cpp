// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcome_contract.cpp -- the verbs on a server that answers.

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

TEST_P(contract, PrepareThenCommitMakesTheRowPermanent)
{
    auto const branch = start_branch(1);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());

    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_TRUE(branch.session->is_reusable());
}

}  // namespace assent::contract
