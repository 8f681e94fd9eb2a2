// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_said.hpp -- one statement and everything that the server said about it, for tests of
// the server itself.

#ifndef ASSENT_TESTS_CONTRACT_POSTGRESQL_SAID_HPP
#define ASSENT_TESTS_CONTRACT_POSTGRESQL_SAID_HPP

#include <ostream>
#include <string>

#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

struct said
{
    ExecStatusType status = PGRES_FATAL_ERROR;
    std::string tag;
    std::string sqlstate;  ///< empty: no error
    std::string text;      ///< of the error
    std::string value;     ///< the first one of the first row
    std::string warning;   ///< SQLSTATE and text of the last notice

    bool is_ok() const { return sqlstate.empty() && status != PGRES_FATAL_ERROR; }
};

inline void PrintTo(said const& what, std::ostream* out)
{
    *out << what.tag << what.value << " [" << what.sqlstate << "] " << what.text << what.warning;
}

/// A connection of which a test expects anything.
class listening_connection
{
public:
    explicit listening_connection(std::string const& conninfo);

    PGconn* get() const noexcept { return connection_.get(); }
    /// pg_backend_pid()
    std::uint64_t id() const { return static_cast<std::uint64_t>(PQbackendPID(get())); }

    said ask(std::string const& sql);

    /// Sends, and does not wait.
    void send(std::string const& sql);
    /// What became of it.
    said hear();

private:
    plain_connection connection_;
    std::string warning_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_POSTGRESQL_SAID_HPP
