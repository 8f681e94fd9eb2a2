// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// matrix.hpp -- which client library was tried against which server, and how that went.
//
// A program that names its cells ends with one line, which .ci/test gathers:
//
//   matrix: mysql_guards_test: libmysqlclient 9.7.4 x MySQL 9.7.4: 17 passed, 0 failed, 2 skipped
//
// Several cells are separated by "; ".

#ifndef ASSENT_TESTS_CONTRACT_MATRIX_HPP
#define ASSENT_TESTS_CONTRACT_MATRIX_HPP

#include <string>

namespace assent::contract {

/// The running test counts for this cell.
void count_for(std::string const& client, std::string const& server);

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_MATRIX_HPP
