// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_contract_test.cpp -- the contract, on a real PostgreSQL server.

#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

namespace {

std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<postgresql_target>();
    return target;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(postgresql, contract, ::testing::Values(&make_target));

}  // namespace assent::contract
