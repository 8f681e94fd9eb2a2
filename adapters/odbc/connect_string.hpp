// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connect_string.hpp -- ODBC's `KEY=value;KEY={value;with;semicolons};...`, and the secret in it.

#ifndef ASSENT_ADAPTERS_ODBC_CONNECT_STRING_HPP
#define ASSENT_ADAPTERS_ODBC_CONNECT_STRING_HPP

#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>
#include <assent/odbc.hpp>

namespace assent::odbc_adapter {

struct attribute
{
    std::string key;    ///< in capitals
    std::string value;  ///< without its braces
    std::string text;   ///< as it stood there
};

/// @throws driver_error  naming what is wrong, without a value.
std::vector<attribute> split(std::string const& connect_string);

/// A value in braces, so that no character of it ends it.
std::string quoted(std::string_view value);

/// What SQLDriverConnect is given: the string, the password of its file, the time that MariaDB's
/// driver may take, which heeds no SQL_ATTR_LOGIN_TIMEOUT, and what SQLite's must not do: wait long
/// for a lock, and make a file that is missing.
/// @throws driver_error  the password file cannot be read, or others may read it.
std::string complete(odbc::connect_options const& chosen, session_purpose purpose,
                     unsigned seconds);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_CONNECT_STRING_HPP
