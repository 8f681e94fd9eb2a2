// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_contract_test.cpp -- the contract, on real PostgreSQL servers.

#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

ASSENT_ON_EACH_POSTGRESQL(contract, postgresql_target);

}  // namespace assent::contract
