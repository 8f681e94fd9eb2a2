// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- what a driver says about an error, without the part that may show data.
//
//   psqlODBC  23505 1     ERROR: duplicate key ...;\nError while executing ...\nDETAIL: (a)=(1)
//   MariaDB   23000 1062  [ma-3.1.15][10.11.19-MariaDB]Duplicate entry ...
//   unixODBC  IM002 0     [unixODBC][Driver Manager]Data source name not found ...
//
// The first line without its brackets is the message; the lines behind it quote rows.

#ifndef ASSENT_ADAPTERS_ODBC_ERROR_HPP
#define ASSENT_ADAPTERS_ODBC_ERROR_HPP

#include <optional>
#include <string>
#include <string_view>

#include "adapters/odbc/client.hpp"

namespace assent::odbc_adapter {

struct diagnosis
{
    std::string sqlstate;
    int native_code = 0;
    std::string text;
};

/// The first diagnostic record of a handle.
std::optional<diagnosis> diagnose(SQLSMALLINT kind, SQLHANDLE of);

/// A driver's message as one line for people.
std::string plain_text(std::string_view message);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_ERROR_HPP
