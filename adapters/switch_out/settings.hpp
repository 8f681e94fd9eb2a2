// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// settings.hpp -- an xa_info string: words of ours in brackets, and then what the database's
// adapter takes as a connect string.
//
//   [timeout=30 allow_non_durable] host=db1 dbname=accounts user=shop passfile=/etc/shop/pgpass
//
//   timeout=SECONDS     what a call may wait for its database, 1 to 3600; 60 unless it is given
//   allow_non_durable   accepts a database that may lose what it voted for at power loss
//
// No connect string begins with a bracket, so nothing is taken for a word that is none.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_SETTINGS_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_SETTINGS_HPP

#include <chrono>
#include <string>
#include <string_view>

namespace assent::switch_out {

struct settings
{
    std::string connect;
    std::chrono::seconds timeout{60};
    bool allow_non_durable = false;
};

/// @throws driver_error  errc::bad_argument: a word that is none.  It never shows the connect
/// string.
settings read_settings(std::string_view xa_info);

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_SETTINGS_HPP
