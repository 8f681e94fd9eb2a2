// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// client.hpp -- the client library, and the few lines in which the two libraries differ.
//
// LIBMARIADB is defined by MariaDB Connector/C's mysql.h.  A library that reconnects replaces a
// broken connection without telling.

#ifndef ASSENT_ADAPTERS_MYSQL_CLIENT_HPP
#define ASSENT_ADAPTERS_MYSQL_CLIENT_HPP

#include <mysql.h>

#include <limits>
#include <string>
#include <type_traits>

#include <assent/mysql.hpp>

#ifdef LIBMARIADB
#include <ma_pvio.h>  // by itself only behind mysql.h
#endif

namespace assent::mysql_adapter {

static_assert(std::is_same_v<mysql::handle_type, MYSQL*>,
              "mysql_handle.hpp was generated for the other client library: configure again");

#ifdef LIBMARIADB
inline constexpr char client_name[] = "MariaDB Connector/C";
using client_bool = my_bool;
inline int socket_of(MYSQL* handle) noexcept
{
    return static_cast<int>(mysql_get_socket(handle));
}
inline bool reconnects(MYSQL* handle) noexcept
{
    client_bool is_on = 0;
    mysql_get_option(handle, MYSQL_OPT_RECONNECT, &is_on);
    return is_on != 0;
}
inline void forbid_reconnecting(MYSQL* handle) noexcept
{
    client_bool const no = 0;
    if (reconnects(handle)) mysql_options(handle, MYSQL_OPT_RECONNECT, &no);
}
inline void allow_reconnecting(MYSQL* handle) noexcept
{
    client_bool const yes = 1;
    mysql_options(handle, MYSQL_OPT_RECONNECT, &yes);
}
/// Bytes that were read ahead, behind the last answer: no poll(2) shows them.
inline bool has_read_ahead(MYSQL* handle) noexcept
{
    if (handle->net.compress && handle->net.remain_in_buf != 0) return true;
    auto const* const from = handle->net.pvio;
    return from != nullptr && from->cache != nullptr &&
           from->cache_size > static_cast<std::size_t>(from->cache_pos - from->cache);
}
#else
inline constexpr char client_name[] = "libmysqlclient";
using client_bool = bool;
inline int socket_of(MYSQL* handle) noexcept
{
    return handle->net.vio != nullptr ? static_cast<int>(handle->net.fd) : -1;  // else it is stale
}
// Asked for the option, the library would write a warning to the application's standard error, each
// time.
inline bool reconnects(MYSQL* handle) noexcept
{
    return handle->reconnect;
}
inline void forbid_reconnecting(MYSQL* handle) noexcept
{
    handle->reconnect = false;
}
inline void allow_reconnecting(MYSQL* handle) noexcept
{
    handle->reconnect = true;
}
/// Only what was decompressed is shown; and of two messages without an answer between them this
/// library loses the first.
inline bool has_read_ahead(MYSQL* handle) noexcept
{
    return handle->net.compress && handle->net.remain_in_buf != 0;
}
#endif

/// The number of rows that both libraries set when a command is sent, and replace by the number in
/// its OK: it stays where the answer was an error, or rows that were read one by one, or was not
/// read at all.
inline constexpr my_ulonglong no_row_count = std::numeric_limits<my_ulonglong>::max();

inline bool is_encrypted(MYSQL* handle) noexcept
{
    return mysql_get_ssl_cipher(handle) != nullptr;
}

/// For people.
inline std::string client_version()
{
    return std::string(client_name) + " " + mysql_get_client_info();
}

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_CLIENT_HPP
