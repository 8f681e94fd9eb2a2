// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// link.hpp -- one ODBC connection.
//
// Used by one thread at a time, the session's worker: MariaDB's driver never returns from
// SQLDisconnect while another thread executes a statement, and psqlODBC answers no question about
// a connection that is busy.

#ifndef ASSENT_ADAPTERS_ODBC_LINK_HPP
#define ASSENT_ADAPTERS_ODBC_LINK_HPP

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <assent/driver.hpp>
#include <assent/odbc.hpp>

#include "adapters/odbc/client.hpp"
#include "adapters/sql_text/gate.hpp"
#include "adapters/sql_text/link.hpp"

namespace assent::odbc_adapter {

using sql_text::database_kind;
using sql_text::execution;
using sql_text::gate;
using sql_text::link;
using sql_text::row;
using sql_text::table;

/// How the manager gets connections: one of the two.
struct connect_method
{
    odbc::connect_options where;
    odbc::connect_function connect;  ///< when set, `where` is not used
};

class odbc_link final : public sql_text::link
{
public:
    /// Connects.  `seconds` bounds the driver, where it can be bounded.
    /// @throws driver_error  saying what to check; never the connect string.
    static std::unique_ptr<odbc_link> open(connect_method const& source, session_purpose purpose,
                                           std::shared_ptr<gate> passes, unsigned seconds);

    /// A connection that somebody lends.
    /// @throws driver_error  its database is none that this adapter knows.
    static std::unique_ptr<odbc_link> borrow(SQLHDBC lent, std::shared_ptr<gate> passes);

    /// Closes a connection of ours; leaves a borrowed one alone.
    ~odbc_link() override;

    void* handle() const noexcept override { return handle_; }

    execution execute_each(std::initializer_list<std::string_view> statements) override;
    std::optional<bool> has_autocommit() const noexcept override;
    /// Not with what connect strings may say here, and drivers do.
    bool may_reconnect() const noexcept override { return false; }
    std::string server_version() const override { return info(SQL_DBMS_VER); }
    std::string versions() const override;

private:
    odbc_link(std::unique_ptr<scoped_handle> environment, SQLHDBC opened, bool is_ours,
              std::shared_ptr<gate> passes);

    execution run(std::string const& sql) override;
    std::string info(SQLUSMALLINT what) const;
    bool is_lost(execution const& failed) const noexcept;
    bool is_dead() const noexcept;

    std::unique_ptr<scoped_handle> environment_;  // null: the application's
    SQLHDBC handle_;
    bool is_ours_;
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_LINK_HPP
