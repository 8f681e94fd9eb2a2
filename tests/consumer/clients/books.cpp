// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// books.cpp -- a database behind ODBC, by a program that has both headers.  Connects to nothing.

#include <sql.h>

#include <assent/odbc.hpp>
#include <iostream>

int main()
{
    assent::odbc::resource_manager const books{
        "books", [] { return assent::odbc::connection{SQL_NULL_HANDLE}; }};
    std::cout << books.name() << '\n';
}
