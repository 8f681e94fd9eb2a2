// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// link.hpp -- one ODBC connection: statements in, answers out.  Every call may block.
//
//   execution const said = wire.execute("SELECT 1; COMMIT");
//
// Used by one thread at a time, the session's worker: MariaDB's driver never returns from
// SQLDisconnect while another thread executes a statement, and psqlODBC answers no question about
// a connection that is busy.  The one invariant: nothing is sent that the gate does not let pass.

#ifndef ASSENT_ADAPTERS_ODBC_LINK_HPP
#define ASSENT_ADAPTERS_ODBC_LINK_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/odbc.hpp>

#include "adapters/odbc/client.hpp"
#include "adapters/odbc/gate.hpp"

namespace assent::odbc_adapter {

using row = std::vector<std::optional<std::string>>;
using table = std::vector<row>;

/// What became of one message.
struct execution
{
    bool is_ok = false;
    bool is_lost = false;  ///< nothing was heard: the connection is of no use any more
    int native_code = 0;
    std::string sqlstate;  ///< of a failure, or of a warning
    std::string text;
    std::vector<table> tables;  ///< of each statement that gave one, in their order
};

enum class database_kind : std::uint8_t { postgresql = 1, mysql = 2, mariadb = 3, sqlite = 4 };

/// How the manager gets connections: one of the two.
struct connection_source
{
    odbc::connect_options where;
    odbc::connect_function connect;  ///< when set, `where` is not used
};

class link
{
public:
    /// Connects.  `seconds` bounds the driver, where it can be bounded.
    /// @throws driver_error  saying what to check; never the connect string.
    static std::unique_ptr<link> open(connection_source const& source, session_purpose purpose,
                                      std::shared_ptr<gate> passes, unsigned seconds);

    /// A connection that somebody lends.
    /// @throws driver_error  its database is none that this adapter knows.
    static std::unique_ptr<link> borrow(SQLHDBC lent, std::shared_ptr<gate> passes);

    link(link const&) = delete;
    link& operator=(link const&) = delete;
    /// Closes a connection of ours; leaves a borrowed one alone.
    ~link();

    SQLHDBC handle() const noexcept { return handle_; }
    database_kind kind() const noexcept { return kind_; }

    /// Runs one message to its end.
    execution execute(std::string const& sql);
    /// The same for the COMMIT of one phase.
    execution execute_commit(std::string const& sql);
    /// What must be said also when the gate is shut: it only undoes.
    execution execute_anyway(std::string const& sql);

    /// SQL_DBMS_NAME and its like.
    std::string info(SQLUSMALLINT what) const;

    /// Driver and driver manager, for people.
    std::string versions() const;

    /// Asked of the driver, without a round trip.
    bool has_autocommit() const noexcept;

    void note_witness(std::string witness) { gate_->note_witness(std::move(witness)); }

private:
    link(std::unique_ptr<scoped_handle> environment, SQLHDBC opened, bool is_ours,
         std::shared_ptr<gate> passes);

    execution run(std::string const& sql);
    execution shut_if_lost(execution said);
    bool is_lost(execution const& failed) const noexcept;
    bool is_dead() const noexcept;

    std::unique_ptr<scoped_handle> environment_;  // null: the application's
    SQLHDBC handle_;
    bool is_ours_;
    std::shared_ptr<gate> gate_;
    database_kind kind_ = database_kind::postgresql;
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_LINK_HPP
