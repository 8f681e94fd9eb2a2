// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_contract_test.cpp -- MariaDB and MySQL, held to the contract of every adapter.

#include "tests/contract/mysql_target.hpp"

namespace assent::contract {

ASSENT_ON_EACH_MYSQL(contract, mysql_target);

}  // namespace assent::contract
