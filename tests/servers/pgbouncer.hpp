// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// pgbouncer.hpp -- PgBouncer before a private PostgreSQL server, on 127.0.0.1.

#ifndef ASSENT_TESTS_SERVERS_PGBOUNCER_HPP
#define ASSENT_TESTS_SERVERS_PGBOUNCER_HPP

#include <sys/types.h>

#include <string>

#include "tests/servers/private_server.hpp"

namespace assent::testing {

class pgbouncer
{
public:
    /// Why there is none here; empty where there is one.
    static std::string why_missing();

    /// @param pool_mode  session, transaction or statement.
    /// @param sessions  of the server, for all clients together.
    /// @pre  why_missing() is empty.
    pgbouncer(private_server const& before, std::string const& pool_mode, int sessions);
    pgbouncer(pgbouncer const&) = delete;
    pgbouncer& operator=(pgbouncer const&) = delete;
    ~pgbouncer();

    int port() const noexcept { return port_; }

private:
    std::string directory_;
    int port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_PGBOUNCER_HPP
