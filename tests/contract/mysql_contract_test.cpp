// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_contract_test.cpp -- MariaDB and MySQL, held to the contract of every adapter.

#include "tests/contract/mysql_target.hpp"

namespace assent::contract {

namespace {

template <server_kind Kind>
std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<mysql_target>(Kind);
    return target;
}

}  // namespace

#ifdef LIBMARIADB
INSTANTIATE_TEST_SUITE_P(mariadb, contract, ::testing::Values(&make_target<server_kind::mariadb>));
#endif
INSTANTIATE_TEST_SUITE_P(mysql, contract, ::testing::Values(&make_target<server_kind::mysql>));

}  // namespace assent::contract
