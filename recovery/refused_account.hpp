// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refused_account.hpp -- whether a server knows who asks, and says no.  Trying again at once helps
// nobody, fills the server's log, and locks accounts.

#ifndef ASSENT_RECOVERY_REFUSED_ACCOUNT_HPP
#define ASSENT_RECOVERY_REFUSED_ACCOUNT_HPP

#include <algorithm>
#include <array>
#include <string_view>

#include <assent/error.hpp>

namespace assent::recovery {

/// Its login: a wrong password, an account that is not there, is locked, or may not come from here.
inline bool is_login_refused(driver_error const& what) noexcept
{
    // Access denied; locked (MySQL, MariaDB); the password must be changed first.
    constexpr std::array natives{1045, 1698, 3118, 4151, 1862};
    bool const is_class_28 = std::string_view{what.sqlstate()}.substr(0, 2) == "28";
    return is_class_28 ||
           std::find(natives.begin(), natives.end(), what.native_code()) != natives.end();
}

/// A right that it lacks, once it is logged in.
inline bool is_right_missing(driver_error const& what) noexcept
{
    // To a database, a table, a command of administrators.
    constexpr std::array natives{1044, 1142, 1143, 1227};
    return what.sqlstate() == "42501" ||
           std::find(natives.begin(), natives.end(), what.native_code()) != natives.end();
}

/// A table of ours is gone: the server answers, and cannot say what the table held.
inline bool is_table_missing(driver_error const& what) noexcept
{
    return what.sqlstate() == "42P01" || what.native_code() == 1146;
}

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_REFUSED_ACCOUNT_HPP
