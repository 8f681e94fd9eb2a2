// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_pool_user.cpp -- a process in which unixODBC pools connections, for one test.
//
//   odbc_pool_user manager|application
//
// Connects (POOL_USER_WHERE) and disconnects, as the manager or as an application does, and says
// "done".  When its input ends it connects once more, as an application, and must be able to ask
// something: what the manager cut is nothing that its pool gives out.  A program of its own,
// because the driver manager reads its files (ODBCSYSINI) once in a process.

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include <assent/driver.hpp>
#include <assent/odbc.hpp>

#include "tests/contract/odbc_client.hpp"

int main(int count, char** words)
try {
    using namespace assent;
    std::string const who = count > 1 ? words[1] : "";
    char const* const where = std::getenv("POOL_USER_WHERE");
    if (where == nullptr) throw std::runtime_error("POOL_USER_WHERE is not set");
    auto const until = deadline::clock::now() + std::chrono::seconds(10);
    auto const as_application = [where] {
        SQLHDBC const mine = contract::open_raw(where);
        contract::odbc_client::query(mine, "SELECT 1");
        SQLDisconnect(mine);
        SQLFreeHandle(SQL_HANDLE_DBC, mine);
    };
    if (who == "manager") {
        odbc::resource_manager{"accounts", where}.driver()->connect(session_purpose::work, until);
    } else {
        as_application();
    }
    std::cout << "done" << std::endl;
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    as_application();
    ::_exit(
        EXIT_SUCCESS);  // the driver manager never frees its pool, which a leak checker would see
} catch (std::exception const& error) {
    std::cout << error.what() << std::endl;
    return EXIT_FAILURE;
}
