// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// link.hpp -- one connection that takes SQL as text: statements in, answers out.  Every call may
// block.
//
//   adapters/odbc   an ODBC connection
//   lent.cpp        a client that shows no handle, by the application's sql_session
//
// Used by one thread at a time, the session's worker.  Invariant: nothing is sent that the
// gate does not let pass.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_LINK_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_LINK_HPP

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sql_text/gate.hpp"

namespace assent::sql_text {

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

/// Whether the codes of a failure say that the connection is of no use any more.
bool is_lost_by_code(database_kind kind, execution const& failed) noexcept;

class link
{
public:
    virtual ~link() = default;
    link(link const&) = delete;
    link& operator=(link const&) = delete;

    database_kind kind() const noexcept { return kind_; }

    /// What the application knows the connection by.
    virtual void* handle() const noexcept = 0;

    /// Runs one message to its end.
    execution execute(std::string const& sql);
    /// Runs statements until one fails, in one message where the client can.
    virtual execution execute_each(std::initializer_list<std::string_view> statements);
    /// The same as execute() for the COMMIT of one phase.
    execution execute_commit(std::string const& sql);
    /// What must be said also when the gate is shut: it only undoes.
    execution execute_anyway(std::string const& sql);

    /// Whether the connection is its owner's again, though a call on it has not returned: what
    /// comes behind that call must not touch it.
    bool is_left() const { return gate_->is_left(); }

    /// Asked of the client, without a round trip; nothing where only the server can tell.
    virtual std::optional<bool> has_autocommit() const noexcept = 0;

    /// Whether the client may carry a statement over to a new session without a word.
    virtual bool may_reconnect() const noexcept = 0;

    // Of connections that the manager opens.
    /// As the client tells it: "15.0.20".
    virtual std::string server_version() const { return {}; }
    /// The client library and its like, for people.
    virtual std::string versions() const { return {}; }

    void note_witness(std::string witness) { gate_->note_witness(std::move(witness)); }

protected:
    explicit link(std::shared_ptr<gate> passes) : gate_(std::move(passes)) {}

    void set_kind(database_kind kind) noexcept { kind_ = kind; }
    virtual execution run(std::string const& sql) = 0;

private:
    execution shut_if_lost(execution said);

    std::shared_ptr<gate> gate_;
    database_kind kind_ = database_kind::postgresql;
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_LINK_HPP
